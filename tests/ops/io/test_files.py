"""Files and the clock: contents, folders, patterns, and errors by their class."""

import time

import numpy as np
import pytest

from millstream.engine.session import Session
from millstream.ops.core import errors
from millstream.ops.core.graph import Graph
from millstream.ops.core.shape_rules import constant_value
from millstream.ops.io import matching_files, read_file, timestamp, write_file


@pytest.fixture
def session():
    with Graph().as_default(), Session() as opened:
        yield opened


def test_what_was_written_is_read(session, tmp_path) -> None:
    path = str(tmp_path / "new" / "folder" / "file")
    content = bytes(range(256))
    session.run(write_file(path, content))
    assert session.run(read_file(path)) == content


def test_files_are_read_when_the_node_runs(session, tmp_path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"1")
    content = read_file(str(path))
    assert constant_value(content) is None
    assert session.run(content) == b"1"
    path.write_bytes(b"2")
    assert session.run(content) == b"2"


@pytest.mark.parametrize(
    ("make", "kind", "words"),
    [
        (lambda p: read_file(f"{p}/nothing"), errors.NotFoundError, "nothing; No such file or directory"),
        (lambda p: read_file(p), errors.FailedPreconditionError, "Is a directory"),
        (lambda p: write_file(p, "x"), errors.FailedPreconditionError, "Is a directory"),
        (lambda p: read_file("a\0b"), errors.InvalidArgumentError, "null byte"),
        (lambda p: read_file("x" * 5000), errors.InvalidArgumentError, "too long"),
    ],
)
def test_failures_are_tensorflows_errors(session, tmp_path, make, kind, words) -> None:
    with pytest.raises(kind, match=words):
        session.run(make(str(tmp_path)))


def test_names_are_matched_by_patterns(session, tmp_path) -> None:
    for name in ("b.txt", "a.txt", ".hidden", "c.csv", "deep/d.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")

    def matched(*patterns):
        found = session.run(matching_files([f"{tmp_path}/{pattern}" for pattern in patterns]))
        return [name.decode().removeprefix(f"{tmp_path}/") for name in found]

    assert matched("*.txt") == ["a.txt", "b.txt"]
    assert matched("[bc].*", "a.txt") == ["a.txt", "b.txt", "c.csv"]
    assert matched("*/*.txt") == ["deep/d.txt"]
    assert matched("?.csv", "c.csv") == ["c.csv"]
    assert matched("nothing*", "no folder/*") == []


def test_the_time_is_told_anew(session) -> None:
    before, now = time.time(), timestamp()
    first, second = session.run(now), session.run(now)
    assert before <= first <= second <= time.time()
    assert isinstance(first, np.float64)


def test_paths_are_scalars() -> None:
    with Graph().as_default(), pytest.raises(ValueError, match="Shape must be rank 0 but is rank 1"):
        read_file(["a", "b"])
