"""tf.test: the assertions accept what they should and refuse the rest, and sessions are as promised."""

import subprocess
import sys
import unittest

import numpy as np
import pytest

import millstream as tf

A = np.array([1.0, 2.0], np.float32)
ACCEPTED = {
    "close": lambda t: t.assertAllClose(A, [1.0, 2.0 + 1e-6]),
    "close in lists": lambda t: t.assertAllClose([A, [1.0]], [A, [1.0]]),
    "close in dicts": lambda t: t.assertAllClose({"a": A}, {"a": A}),
    "halves": lambda t: t.assertAllCloseAccordingToType(A.astype("f2"), A * 1.0005),
    "not close": lambda t: t.assertNotAllClose(A, A + 1),
    "equal": lambda t: t.assertAllEqual([[1, 2]], np.array([[1, 2]])),
    "equal strings": lambda t: t.assertAllEqual(np.array([b"a"], object), ["a"]),
    "equal NaN": lambda t: t.assertAllEqual([np.nan], [np.nan]),
    "tensor": lambda t: t.assertAllEqual(tf.constant([1, 2]), [1, 2]),
    "near": lambda t: t.assertNear(1.0, 1.05, 0.1),
    "arrays near": lambda t: t.assertArrayNear([1.0], [1.05], 0.1),
    "norm near": lambda t: t.assertNDArrayNear(A, A + 0.01, 0.1),
    "range": lambda t: t.assertAllInRange(A, 1.0, 2.0),
    "set": lambda t: t.assertAllInSet([1, 2, 1], {1, 2}),
    "greater": lambda t: t.assertAllGreater(A, 0.5),
    "dtype": lambda t: t.assertDTypeEqual(A, tf.float32),
    "shape": lambda t: t.assertShapeEqual(A, tf.constant(A)),
    "device": lambda t: t.assertDeviceEqual("/job:a/device:CPU:0", "/job:a/cpu:0"),
    "proto": lambda t: t.assertProtoEquals("allow_soft_placement: true", tf.ConfigProto(allow_soft_placement=True)),
    "starts": lambda t: t.assertStartsWith("abc", "ab"),
    "items": lambda t: t.assertItemsEqual([1, 2], [2, 1]),
}
REFUSED = {
    "far": (lambda t: t.assertAllClose(A, A + 1, msg="why"), r"2 of 2 elements differ(.|\n)*why"),
    "shapes": (lambda t: t.assertAllClose(A, [1.0]), r"Shape mismatch: expected \(2,\), got \(1,\)."),
    "unequal": (lambda t: t.assertAllEqual([1, 2], [1, 3]), r"1 of 2 elements differ:\n  at \(1,\): .*2.* and .*3"),
    "close": (lambda t: t.assertNotAllClose(A, A), "The two values are close at all elements"),
    "near": (lambda t: t.assertNear(1.0, 2.0, 0.1, "x"), r"1.000000 != 2.000000 \+/- 0.100000 \(x\)"),
    "range": (lambda t: t.assertAllInRange(A, 1.0, 2.0, open_upper_bound=True), "1 elements are out of range"),
    "set": (lambda t: t.assertAllInSet([1, 3], {1}), r"1 unique element\(s\) are not in the set"),
    "proto": (lambda t: t.assertProtoEquals("allow_soft_placement: true", tf.ConfigProto()), "allow_soft_placement"),
}  # fmt: skip


@pytest.fixture
def case():
    class Case(tf.test.TestCase):
        def runTest(self):
            """Do nothing."""

    found = Case()
    found.setUp()
    yield found
    found.tearDown()


@pytest.mark.parametrize("name", ACCEPTED)
def test_accepted(case, name):
    ACCEPTED[name](case)


@pytest.mark.parametrize("name", REFUSED)
def test_refused(case, name):
    act, words = REFUSED[name]
    with pytest.raises(AssertionError, match=words):
        act(case)


def test_errors(case):
    bad = tf.constant(1) // tf.constant(0)
    with case.test_session() as session:
        with case.assertRaisesOpError("Integer division by zero"):
            session.run(bad)
        with case.assertRaisesWithPredicateMatch(tf.errors.InvalidArgumentError, lambda e: e.op is bad.op):
            session.run(bad)
        with pytest.raises(AssertionError, match="OpError not raised"), case.assertRaisesOpError("x"):
            pass


def test_the_default_graph_and_seeds_begin_anew(case):
    assert tf.get_default_graph().get_operations() == [] and tf.get_default_graph().seed == 87654321


def test_one_session_a_test(case):
    v = tf.Variable(1)
    with case.test_session() as session:
        session.run(v.initializer)
    with case.cached_session() as again:
        assert again is session and v.eval() == 1
    assert case.evaluate(v) == 1
    with case.session() as other:
        assert other is not session


@pytest.mark.simulated_gpus(1)
def test_where_nodes_go(case):
    for options, device in (({}, "CPU:0"), ({"use_gpu": True}, "GPU:0"), ({"force_gpu": True}, "GPU:0")):
        with case.session(**options) as session:
            y = tf.square(tf.placeholder(tf.float32, [2]))
            assert session.placement(y)[y.op.name].assigned.endswith(device)
    assert tf.test.is_gpu_available() and tf.test.gpu_device_name() == "/device:GPU:0"


def test_without_gpus():
    assert not tf.test.is_gpu_available() and tf.test.gpu_device_name() == ""


def test_threads_report(case):
    def fail():
        raise ValueError("inside")

    thread = case.checkedThread(fail)
    thread.start()
    with pytest.raises(AssertionError, match="Error in checkedThread: inside"):
        thread.join()


def test_the_gradient_checker(case):
    with case.test_session():
        x = tf.constant([2.0, 3.0])
        assert tf.test.compute_gradient_error(x, [2], tf.square(x), [2]) < 1e-2


def test_equal_graphs():
    with tf.Graph().as_default() as one:
        tf.constant(1, name="c")
    tf.test.assert_equal_graph_def(one.as_graph_def(), one.as_graph_def())
    with pytest.raises(AssertionError, match="Nodes only in one of the graphs"):
        tf.test.assert_equal_graph_def(one.as_graph_def(), tf.GraphDef())


def test_benchmarks_measure(capsys):
    class Add(tf.test.Benchmark):
        def go(self):
            with tf.Graph().as_default(), tf.Session() as session:
                return self.run_op_benchmark(session, tf.constant(1) + 1, min_iters=3, name="add")

    assert Add().go()["iters"] == 3
    assert capsys.readouterr().out.startswith("Add.add iters=3")


def test_main_runs_the_programs_tests(tmp_path):
    program = tmp_path / "program_test.py"
    program.write_text(
        "import millstream as tf\n"
        "class T(tf.test.TestCase):\n"
        "    def test_it(self):\n"
        "        with self.test_session():\n"
        "            self.assertAllEqual(tf.constant([1]).eval(), [1])\n"
        "if __name__ == '__main__':\n"
        "    tf.test.main()\n"
    )
    done = subprocess.run([sys.executable, str(program)], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0 and "OK (skipped=1)" in done.stderr, done.stderr


def test_mock_is_unittests():
    assert tf.test.mock is unittest.mock
