"""The plugin that other projects' tests use, run in projects of its own."""

import pytest

PLUGIN = ("-p", "millstream.devices.pytest_plugin", "-p", "no:cacheprovider")
COUNT = "from millstream.devices import local_devices\ndef count(): return len(local_devices()) - 1\n"


@pytest.fixture
def run(pytester, monkeypatch):
    """Run a test file with the plugin; whether the entry point loads it too does not matter."""
    monkeypatch.setenv("MILLSTREAM_SIMULATED_GPUS", "0")
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")

    def go(body, *options):
        pytester.makepyfile(COUNT + body)
        return pytester.runpytest_subprocess(*PLUGIN, *options)

    return go


def test_option_holds_for_the_whole_run(run):
    body = "found = count()\ndef test_it(): assert found == count() == 3"
    run(body, "--simulated-gpus", "3").assert_outcomes(passed=1)


def test_without_option_nothing_changes(run):
    run("def test_it(): assert count() == 0").assert_outcomes(passed=1)


def test_mark_gives_one_test_its_gpus(run):
    body = """
import pytest
@pytest.mark.simulated_gpus(2, memory_limit=64)
def test_marked(simulated_gpus): assert count() == 2 == len(simulated_gpus) and simulated_gpus[0].memory_limit == 64
@pytest.mark.simulated_gpus(4)
class TestOfAClass:
    def test_inherits(self): assert count() == 4
def test_other(): assert count() == 0
"""
    run(body, "--strict-markers").assert_outcomes(passed=3)


def test_fixture_gives_two_or_what_the_option_says(run):
    body = "def test_it(simulated_gpus): assert count() == len(simulated_gpus) == {}"
    run(body.format(2)).assert_outcomes(passed=1)
    run(body.format(1), "--simulated-gpus=1").assert_outcomes(passed=1)


def test_wrong_count_is_a_usage_error(run):
    result = run("def test_it(): pass", "--simulated-gpus=-1")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--simulated-gpus needs a count of 0 or more, got -1*"])
