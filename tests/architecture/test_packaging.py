"""Holds setup.cfg to the tree, and the wheel to one top-level name."""

import configparser
import pathlib
import subprocess
import sys
import zipfile

import pytest

from support.source import FLOORS


@pytest.fixture(scope="module")
def setup_cfg(root: pathlib.Path) -> configparser.ConfigParser:
    parser = configparser.ConfigParser()
    parser.read(root / "setup.cfg", encoding="utf-8")
    return parser


def folders_with_python(root: pathlib.Path) -> list[pathlib.Path]:
    return sorted({path.parent for floor in FLOORS for path in (root / floor).rglob("*.py")})


def test_every_package_is_listed(root: pathlib.Path, setup_cfg: configparser.ConfigParser) -> None:
    names = {".".join(("millstream", *folder.relative_to(root).parts)) for folder in folders_with_python(root)}
    assert set(setup_cfg["options"]["packages"].split()) == {"millstream", *names}


def test_every_folder_is_a_package(root: pathlib.Path) -> None:
    missing = [folder for folder in folders_with_python(root) if not (folder / "__init__.py").exists()]
    assert missing == []


def test_every_entry_point_has_its_module(root: pathlib.Path, setup_cfg: configparser.ConfigParser) -> None:
    for lines in setup_cfg["options.entry_points"].values():
        for line in lines.strip().splitlines():
            module = line.split("=")[1].split(":")[0].strip()
            path = root.joinpath(*module.split(".")[1:])
            assert path.with_suffix(".py").exists() or path.is_dir(), line


def test_the_plugin_is_offered_to_pytest(root: pathlib.Path, setup_cfg: configparser.ConfigParser) -> None:
    assert "millstream.devices.pytest_plugin" in setup_cfg["options.entry_points"].get("pytest11", "")


def test_every_data_file_is_packaged(root: pathlib.Path, setup_cfg: configparser.ConfigParser) -> None:
    patterns = setup_cfg["options.package_data"]
    for path in (path for floor in FLOORS for path in (root / floor).rglob("*")):
        if path.is_dir() or path.suffix in (".py", ".pyc"):
            continue
        package = ".".join(("millstream", *path.parent.relative_to(root).parts))
        wanted = [pattern.strip() for pattern in patterns.get(package, "").split(",")]
        assert any(path.match(pattern) for pattern in wanted if pattern), path.relative_to(root)


@pytest.mark.slow
def test_the_wheel_holds_one_name(root: pathlib.Path, tmp_path: pathlib.Path) -> None:
    copy = tmp_path / "any-name"
    files = subprocess.run(["git", "ls-files", "-z"], cwd=root, check=True, capture_output=True).stdout.decode()
    for name in filter(None, files.split("\0")):
        if (root / name).exists():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            (copy / name).write_bytes((root / name).read_bytes())
    build = [sys.executable, "-m", "build", "--outdir", str(tmp_path), str(copy)]
    done = subprocess.run(build, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {"millstream"}
    assert "millstream/py.typed" in names
    assert not [name for name in names if name.startswith(("millstream/tests", "millstream/scripts"))]
