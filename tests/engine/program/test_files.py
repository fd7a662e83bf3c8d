"""tf.gfile: what it does to files, and the words of its errors, which are TensorFlow's."""

import pathlib

import pytest

import millstream as tf


@pytest.fixture
def tree(tmp_path):
    """A folder `a` with a file `f`, and folders `b/c` in it."""
    tf.gfile.MakeDirs(str(tmp_path / "a" / "b" / "c"))
    with tf.gfile.GFile(str(tmp_path / "a" / "f"), "w") as file:
        file.write("hé\nb\n")
    return tmp_path


REFUSED = {
    "list nothing": (lambda g, d: g.ListDirectory(d / "no"), tf.errors.NotFoundError, "Could not find directory .*/no"),
    "list a file": (lambda g, d: g.ListDirectory(d / "a/f"), tf.errors.NotFoundError, "Could not find directory"),
    "remove nothing": (lambda g, d: g.Remove(d / "no"), tf.errors.NotFoundError, "/no; No such file or directory"),
    "remove a folder": (lambda g, d: g.Remove(d / "a"), tf.errors.FailedPreconditionError, "/a; Is a directory"),
    "make a folder nowhere": (lambda g, d: g.MkDir(d / "x/y"), tf.errors.NotFoundError, "/x/y; No such file"),
    "delete nothing": (lambda g, d: g.DeleteRecursively(d / "no"), tf.errors.NotFoundError, "/no not found"),
    "read nothing": (lambda g, d: g.GFile(d / "no").read(), tf.errors.NotFoundError, "/no; No such file or directory"),
    "read a folder": (lambda g, d: g.GFile(d / "a").read(), tf.errors.FailedPreconditionError, "Is a directory"),
    "read while writing": (
        lambda g, d: g.GFile(d / "a/f", "w").read(), tf.errors.PermissionDeniedError, "isn't open for reading"),
    "write while reading": (
        lambda g, d: g.GFile(d / "a/f").write("x"), tf.errors.PermissionDeniedError, "isn't open for writing"),
    "write nowhere": (lambda g, d: g.GFile(d / "x/y", "w").write("q"), tf.errors.NotFoundError, "/x/y; No such file"),
    "odd mode": (lambda g, d: g.GFile(d / "a/f", "q"), tf.errors.InvalidArgumentError, r"mode is not 'r' or 'w' or 'a' or"),
    "copy over": (lambda g, d: g.Copy(d / "a/f", d / "a/f"), tf.errors.AlreadyExistsError, "file already exists"),
    "rename over": (lambda g, d: g.Rename(d / "a/f", d / "a/f"), tf.errors.AlreadyExistsError, "file already exists"),
    "stat nothing": (lambda g, d: g.Stat(d / "no"), tf.errors.NotFoundError, "/no; No such file or directory"),
    "seek oddly": (lambda g, d: g.GFile(d / "a/f").seek(0, 5), tf.errors.InvalidArgumentError, "Invalid whence argument: 5"),
    "seek before": (lambda g, d: g.GFile(d / "a/f").seek(-5), tf.errors.InvalidArgumentError, "negative position: -5"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_refusals(tree, case):
    act, kind, words = REFUSED[case]
    with pytest.raises(kind, match=words):
        act(tf.gfile, tree)


READ = {
    "text": (lambda f: tf.gfile.GFile(f).read(), "hé\nb\n"),
    "bytes": (lambda f: tf.gfile.GFile(f, "rb").read(3), "hé".encode()),
    "lines": (lambda f: list(tf.gfile.FastGFile(f)), ["hé\n", "b\n"]),
    "readlines": (lambda f: tf.gfile.Open(f).readlines(), ["hé\n", "b\n"]),
    "size": (lambda f: tf.gfile.GFile(f).size(), 6),
    "file://": (lambda f: tf.gfile.GFile(f"file://{f}").readline(), "hé\n"),
}


@pytest.mark.parametrize("case", READ)
def test_reading(tree, case):
    read, expected = READ[case]
    assert read(str(tree / "a" / "f")) == expected


def test_positions_count_bytes(tree):
    with tf.gfile.GFile(str(tree / "a" / "f")) as file:
        assert file.readline() == "hé\n" and file.tell() == 4
        file.seek(position=0)
        assert file.read(3) == "hé"


def test_nothing_is_opened_before_it_is_used(tree):
    tf.gfile.GFile(str(tree / "no"))
    with tf.gfile.GFile(str(tree / "empty"), "w"):
        pass
    assert not tf.gfile.Exists(str(tree / "empty"))


def test_append_and_update(tree):
    path = str(tree / "log")
    for mode in ("w", "a"):
        with tf.gfile.GFile(path, mode) as file:
            file.write("x")
    with tf.gfile.GFile(path, "r+") as file:
        file.write("y")
        file.seek(0)
        assert file.read() == "yx"


def test_folders(tree):
    a = str(tree / "a")
    assert sorted(tf.gfile.ListDirectory(a)) == ["b", "f"]
    tf.gfile.MkDir(a)
    assert list(tf.gfile.Walk(a)) == [(a, ["b"], ["f"]), (f"{a}/b", ["c"], []), (f"{a}/b/c", [], [])]
    assert [row[0] for row in tf.gfile.Walk(a, in_order=False)] == [f"{a}/b/c", f"{a}/b", a]
    assert list(tf.gfile.Walk(f"{a}/no")) == []
    assert tf.gfile.Glob([f"{a}/f", f"{a}/*"]) == [f"{a}/f", f"{a}/b", f"{a}/f"]
    assert tf.gfile.IsDirectory(a) and tf.gfile.Stat(a).is_directory and tf.gfile.Stat(f"{a}/f").length == 6
    tf.gfile.DeleteRecursively(a)
    assert not tf.gfile.Exists(a)


def test_walking_tells_of_errors(tree):
    seen = []
    assert list(tf.io.gfile.walk(str(tree / "no"), onerror=seen.append)) == []
    assert isinstance(seen[0], tf.errors.NotFoundError)


def test_copies_and_moves(tree):
    f, g = str(tree / "a" / "f"), str(tree / "a" / "g")
    tf.gfile.Copy(f, g)
    tf.gfile.Copy(f, g, overwrite=True)
    tf.gfile.Rename(f, g, overwrite=True)
    tf.gfile.Remove(g)
    assert tf.gfile.ListDirectory(str(tree / "a")) == ["b"]


def test_the_newer_names(tmp_path):
    io = tf.io.gfile
    io.makedirs(str(tmp_path / "d"))
    with io.GFile(pathlib.Path(tmp_path, "d", "x"), "wb") as file:
        file.write(b"\xff")
    io.copy(src=str(tmp_path / "d" / "x"), dst=str(tmp_path / "d" / "y"))
    io.rename(src=str(tmp_path / "d" / "y"), dst=str(tmp_path / "z"))
    assert io.listdir(path=str(tmp_path / "d")) == ["x"] and io.exists(path=str(tmp_path / "z"))
    assert io.glob(pattern=str(tmp_path / "?")) == [str(tmp_path / "d"), str(tmp_path / "z")]
    io.rmtree(path=str(tmp_path / "d"))
    assert not io.isdir(str(tmp_path / "d"))
