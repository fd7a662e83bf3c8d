"""The README names only commands that exist, and the scripts can be run."""

import os
import pathlib
import re
import subprocess

import pytest

SCRIPTS = ("scripts/run", "scripts/test", "scripts/lint", "scripts/acceptance", "scripts/bench", "scripts/gpu-check", ".ci/run")


def test_commands_in_the_readme_exist(root: pathlib.Path) -> None:
    text = (root / "README.md").read_text(encoding="utf-8")
    commands = set(re.findall(r"(?<![\w/.])\./([\w./-]+\w)", text))
    commands |= set(re.findall(r"\bscripts/[\w-]+(?:\.py)?", text))
    assert {"scripts/run", "scripts/test"} <= commands
    assert [command for command in sorted(commands) if not (root / command).exists()] == []


@pytest.mark.parametrize("script", SCRIPTS)
def test_scripts_are_executable_and_parse(root: pathlib.Path, script: str) -> None:
    assert os.access(root / script, os.X_OK)
    assert subprocess.run(["sh", "-n", str(root / script)], check=False).returncode == 0


def test_the_acceptance_list_never_shrinks(root: pathlib.Path) -> None:
    path = "tests/acceptance_passing.txt"
    log = subprocess.run(
        ["git", "log", "-p", "--format=", "--", path], cwd=root, capture_output=True, text=True, check=False
    )
    if log.returncode:
        pytest.skip("not a git checkout with a history")
    listed = {line[1:] for line in log.stdout.splitlines() if line.startswith("+") and not line.startswith("+++")}
    assert listed <= set((root / path).read_text(encoding="utf-8").splitlines())
