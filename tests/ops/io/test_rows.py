"""Messages, summaries, files, Python functions and the clock, row by row, in sessions."""

import os
import time

import numpy as np

import millstream as tf
from millstream.ops.core import protos
from millstream.ops.core.registry import lookup
from millstream.ops.io import matching_files, read_file, timestamp, write_file
from millstream.ops.io.python import register
from millstream.ops.math import sign
from support.opcheck_programs import Program, program_table, program_tests

X = np.array([[1.5, -2.0], [0.25, 4.0]])
LABELS = np.array([b"loss", b"accuracy"], object)


def after(node, make):
    with tf.control_dependencies([node]):
        return make()


def asserting(x):
    condition = tf.reduce_all(x > -3.0)
    return after(tf.Assert(condition, [x]), lambda: tf.identity(x))


def failing(x):
    return after(tf.Assert(tf.reduce_all(x > 0.0), ["not positive:", x]), lambda: tf.identity(x))


def printing(x):
    return tf.Print(x, [tf.shape(x), "shape"], message="saw ")


def calling(kind, function, **attrs):
    """Returns a build of one of the nodes that call a Python function of one value."""

    def built(x):
        token = register(function, tf.get_default_graph())
        return lookup(kind)([x], token=token, Tout=[x.dtype], **attrs)

    return built


def parsed(serialised):
    return {value.tag: value for value in protos.Summary.FromString(serialised.item()).value}


def check_scalars(values, arrays):
    found = {tag: value.simple_value for tag, value in parsed(values[0]).items()}
    assert found == {tag.decode(): np.float32(x) for tag, x in zip(LABELS, X[0], strict=True)}


def check_histogram(values, arrays):
    histogram = parsed(values[0])["weights"].histo
    assert (histogram.min, histogram.max, histogram.num, histogram.sum) == (-2.0, 4.0, 4.0, 3.75)
    assert histogram.sum_squares == (X**2).sum() and sum(histogram.bucket) == 4


def check_merged(values, arrays):
    assert {tag: value.simple_value for tag, value in parsed(values[0]).items()} == {"a": 1.5, "b": 4.0}


def scalar(tag, value):
    return lookup("ScalarSummary")(tag, value)


def folder_of_files(folder):
    for name in ("b.txt", "a.txt", "c.csv"):
        (folder / name).write_bytes(b"in " + name.encode())
    return [f"{folder}/".encode()]


def names(folder):
    base = folder.item()
    return np.array([base + b"a.txt", base + b"b.txt"], object)


def check_clock(values, arrays):
    assert time.time() - 60 < values[0] <= time.time()


PROGRAMS = program_table(
    Program("Assert", asserting, [X], lambda x: x),
    Program("Assert", failing, [X], raises=(tf.errors.InvalidArgumentError, "not positive:.*-2"), label="fails"),
    Program("Print", printing, [X], lambda x: x, prints="saw [2 2][shape]\n", gradient=True),
    Program("PrintV2", lambda x: after(lookup("PrintV2").node("hello"), lambda: tf.identity(x)), [X], lambda x: x,
            prints="hello\n"),
    Program("PyFunc", lambda x: tf.py_func(lambda v: v * 2, [x], x.dtype), [X], lambda x: 2 * x),
    Program("PyFunc", lambda x: tf.py_func(lambda v: [v, sign], [x], [x.dtype, "float32"]), [X], label="no_array",
            raises=(tf.errors.InternalError, "Unsupported object type function")),
    Program("PyFuncStateless", calling("PyFuncStateless", np.cos), [X], np.cos),
    Program("EagerPyFunc", calling("EagerPyFunc", np.sin), [X], np.sin),
    Program("ScalarSummary", scalar, [LABELS, X[0]], check=check_scalars),
    Program("ScalarSummary", scalar, [LABELS, X[0, :1]], label="misfit",
            raises=(tf.errors.InvalidArgumentError, "tags and values are not the same shape")),
    Program("HistogramSummary", lambda x: lookup("HistogramSummary")("weights", x), [X], check=check_histogram),
    Program("HistogramSummary", lambda x: lookup("HistogramSummary")("weights", x / 0.0), [X], label="infinite",
            raises=(tf.errors.InvalidArgumentError, "Nan in summary histogram for: weights")),
    Program("MergeSummary", lambda x: lookup("MergeSummary")([scalar("a", x[0, 0]), scalar("b", x[1, 1])]), [X],
            check=check_merged),
    Program("MergeSummary", lambda x: lookup("MergeSummary")([scalar("a", x[0, 0]), scalar("a", x[1, 1])]), [X], label="twice",
            raises=(tf.errors.InvalidArgumentError, "Duplicate tag a found in summary inputs")),
    Program("ReadFile", lambda f: read_file(f + "a.txt"), folder_of_files, lambda f: np.array(b"in a.txt", object)),
    Program("ReadFile", lambda f: read_file(f + "none"), folder_of_files, label="missing",
            raises=(tf.errors.NotFoundError, "none")),
    Program("WriteFile", lambda f: after(write_file(f + "new/d", "text"), lambda: read_file(f + "new/d")), folder_of_files,
            lambda f: np.array(b"text", object)),
    Program("MatchingFiles", lambda f: matching_files(f + "*.txt"), folder_of_files, names),
    Program("Timestamp", timestamp, check=check_clock, same=False),
)  # fmt: skip

test_program, test_program_gradient = program_tests(PROGRAMS)


def test_a_written_file_is_there(tmp_path) -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        session.run(write_file(os.fspath(tmp_path / "file"), "text"))
    assert (tmp_path / "file").read_bytes() == b"text"
