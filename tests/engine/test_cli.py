"""The command line: what it prints, what it writes, and how it runs a program."""

import json
import logging
import os
import subprocess
import sys

import pytest

import millstream as tf
from millstream.engine import cli

CPU0, GPU0, GPU1 = (
    f"/job:localhost/replica:0/task:0/device:{name}:{i}" for name, i in (("CPU", 0), ("GPU", 0), ("GPU", 1))
)
PROGRAM = """
import sys
import millstream as tf

tf.reset_default_graph()
with tf.device("/gpu:0"):
    a = tf.constant([1.0, 2.0], name="a")
    b = tf.tanh(a, name="b")
with tf.device("/gpu:1"):
    c = tf.exp(b, name="c")
with tf.Session() as sess:
    print("result", sess.run(c).shape, sys.argv[1:], __name__)
"""


@pytest.fixture
def program(tmp_path):
    path = tmp_path / "program.py"
    path.write_text(PROGRAM)
    return str(path)


def test_devices_lists_cpus_and_gpus(capsys, monkeypatch):
    monkeypatch.setenv("MILLSTREAM_SIMULATED_GPUS", "2")
    assert cli.main(["devices"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[:3]] == [CPU0, GPU0, GPU1]
    assert "simulated GPU" in lines[1] and "no memory limit" in lines[1]


def test_devices_as_json(capsys, monkeypatch):
    monkeypatch.setenv("MILLSTREAM_SIMULATED_GPUS", "1")
    assert cli.main(["devices", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in found["devices"]] == [CPU0, GPU0]
    assert found["devices"][0]["memory"] == os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert all(set(item) == {"description", "reason"} for item in found["unusable"])
    assert all("num_threads" in library for library in found["blas"]) and found["onednn"] in (True, False)


def test_devices_tells_which_blas_computes(capsys):
    cli.main(["devices"])
    last = capsys.readouterr().out.splitlines()[-2:]
    assert last[0].startswith("BLAS: ") and last[1].startswith("oneDNN: ")


def test_devices_tells_why_a_gpu_cannot_be_used(capsys, monkeypatch):
    monkeypatch.setattr(cli, "unusable_gpus", lambda: [("Tesla T4", "CuPy cannot be imported")])
    cli.main(["devices"])
    assert "not usable: Tesla T4: CuPy cannot be imported" in capsys.readouterr().out


def test_run_gives_the_program_its_arguments(program, capsys):
    assert cli.main(["run", "--simulated-gpus", "2", program, "--epochs", "3"]) == 0
    assert capsys.readouterr().out == "result (2,) ['--epochs', '3'] __main__\n"


def test_run_logs_the_placement(program, caplog):
    with caplog.at_level(logging.INFO, "millstream.placement"):
        cli.main(["run", "--simulated-gpus", "2", "--log-device-placement", program])
    assert f"b: (Tanh): {GPU0}" in caplog.text and f"c: (Exp): {GPU1}" in caplog.text
    (copy,) = [line for line in caplog.messages if "(Copy)" in line]
    assert copy.startswith(f"b:0: (Copy): {GPU0} -> {GPU1}, 8 bytes")


def test_run_writes_the_trace_and_the_placement(program, tmp_path):
    trace, placement = tmp_path / "trace.json", tmp_path / "placement.json"
    files = ["--trace", str(trace), "--placement", str(placement)]
    assert cli.main(["run", "--simulated-gpus", "2", *files, program]) == 0
    events = json.loads(trace.read_text())["traceEvents"]
    lanes = {event["args"]["name"] for event in events if event["ph"] == "M"}
    assert {CPU0, GPU0, GPU1} <= lanes
    assert {"b", "c"} <= {event["name"] for event in events if event["ph"] == "X"}
    (plan,) = json.loads(placement.read_text())
    assert plan["fetches"] == ["c:0"]
    assert {row["node"]: row["assigned"] for row in plan["placement"]["nodes"]}["c"] == GPU1


def test_soft_and_strict_override_the_program(program):
    """On a machine with one GPU, /gpu:1 is refused by default, and falls back with --soft."""
    with pytest.raises(Exception, match="GPU:1"):
        cli.main(["run", "--simulated-gpus", "1", "--strict", program])
    with pytest.warns(UserWarning, match="c"):
        assert cli.main(["run", "--simulated-gpus", "1", "--soft", program]) == 0


def test_files_are_written_even_when_the_program_stops(tmp_path):
    path, placement = tmp_path / "stops.py", tmp_path / "placement.json"
    path.write_text(PROGRAM + "\nraise SystemExit(3)\n")
    with pytest.raises(SystemExit) as info:
        cli.main(["run", "--simulated-gpus", "2", "--placement", str(placement), str(path)])
    assert info.value.code == 3
    assert json.loads(placement.read_text())


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["run", "--soft", "--strict", "x.py"], "exclude each other"),
        (["run", "nowhere.py"], "no such program: nowhere.py"),
        (["run", "--trace", "/nowhere/t.json", __file__], "cannot write /nowhere/t.json: No such file or directory"),
        (["run", "--placement", "/", __file__], "cannot write /: Is a directory"),
    ],
)
def test_wrong_arguments_are_told(arguments, words, capsys):
    """Before the program runs: this file, as a program, would do nothing and return 0."""
    assert cli.main(arguments) == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize("count", ["-1", "two"])
def test_a_count_of_devices_is_checked(count, capsys):
    with pytest.raises(SystemExit) as info:
        cli.main(["run", "--simulated-gpus", count, "x.py"])
    assert info.value.code == 2 and count in capsys.readouterr().err


def test_the_version(capsys):
    with pytest.raises(SystemExit) as info:
        cli.main(["--version"])
    assert info.value.code == 0
    assert capsys.readouterr().out == f"millstream {tf.__version__}, with the interface of TensorFlow {tf.VERSION}\n"


COMMAND = [sys.executable, "-c", "import sys; from millstream.engine.cli import main; sys.exit(main())"]


@pytest.mark.parametrize(
    "text, last, lines",
    [("def f():\n    1 / 0\nf()\n", "ZeroDivisionError: division by zero", 2), ("f(\n", "SyntaxError", 1)],
)
def test_an_error_of_the_program_is_shown_as_python_shows_it(tmp_path, text, last, lines):
    path = tmp_path / "fails.py"
    path.write_text(text)
    done = subprocess.run([*COMMAND, "run", str(path)], capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr.splitlines()[-1].startswith(last)
    assert done.stderr.count("File ") == done.stderr.count("fails.py") == lines


def test_who_reads_no_further_is_no_error():
    done = subprocess.run([*COMMAND, "devices"], stdout=_closed_pipe(), stderr=subprocess.PIPE, text=True)
    assert (done.returncode, done.stderr) == (1, "")


def _closed_pipe():
    reading, writing = os.pipe()
    os.close(reading)
    return writing
