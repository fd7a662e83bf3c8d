"""Corner cases of branches and loops, with TensorFlow's words: invariants of sparse tensors, structures, lists of mixed types."""

import numpy as np
import pytest

import millstream as tf


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default() as graph:
        yield graph


def run(value):
    with tf.Session() as session:
        return session.run(value)


def sparse():
    return tf.SparseTensor([[0]], [1.0], [2])


def twice(i, s):
    return i + 1, tf.sparse_concat(0, [s, s])


def slices(count):
    return tf.IndexedSlices(tf.ones([count, 2]), tf.range(count))


def shapes(value):
    return [part.shape.as_list() for part in (value.indices, value.values, value.dense_shape) if part is not None]


@pytest.mark.parametrize(
    "invariants", [None, [None, None], [tf.TensorShape([]), tf.TensorShape([None])], [None, tf.TensorShape([1])]]
)
def test_sparse_tensors_grow_in_loops(invariants):
    _, grown = tf.while_loop(lambda i, _: i < 2, twice, [0, sparse()], shape_invariants=invariants)
    rank = None if invariants and invariants[1] is not None and invariants[1][0].value is None else 1
    assert shapes(grown) == [[None, rank], [None], [rank]]
    found = run(grown)
    assert found.indices.tolist() == [[0], [2], [4], [6]] and found.dense_shape.tolist() == [8]


def test_slices_grow_in_loops():
    def more(i, s):
        return i + 1, tf.IndexedSlices(tf.concat([s.values, s.values], 0), tf.concat([s.indices, s.indices], 0))

    invariants = [tf.TensorShape([]), tf.TensorShape([None, 2])]
    _, grown = tf.while_loop(lambda i, _: i < 2, more, [0, slices(2)], shape_invariants=invariants)
    assert shapes(grown) == [[None], [None, 2]]
    assert run(grown).indices.tolist() == [0, 1] * 4
    with pytest.raises(ValueError, match="has shape"):
        tf.while_loop(lambda i, _: i < 2, more, [0, slices(2)])


MISTAKES = {
    "a condition of one element": (
        lambda: tf.while_loop(lambda i: tf.constant([True]), lambda i: i + 1, [0]), ValueError,
        "Shape must be rank 0 but is rank 1 for the condition"),
    "invariants that nest otherwise": (
        lambda: tf.while_loop(lambda i: i < 3, lambda i: i + 1, [0], shape_invariants=[[None]]), ValueError,
        "don't have the same nested structure"),
    "no results": (lambda: tf.cond(tf.constant(True), lambda: [], lambda: []), ValueError,
        "true_fn and false_fn must return at least one result"),
    "one and two": (
        lambda: tf.cond(tf.constant(True), lambda: (1, 2), lambda: 3), ValueError,
        r'(?s)Incompatible return values of true_fn .*More specifically: Substructure "type=tuple str=\(1, 2\)" is a sequence, '
        'while substructure "type=int str=3" is not'),
    "two and three": (
        lambda: tf.cond(tf.constant(True), lambda: (1, 2), lambda: (1, 2, 3)), ValueError, "have the same number of elements"),
    "keys": (
        lambda: tf.cond(tf.constant(True), lambda: {"a": 1}, lambda: {"b": 1}), ValueError,
        r"the same set of keys. First structure has keys \['a'\], while second structure has keys \['b'\]"),
    "a list and a tuple": (
        lambda: tf.cond(tf.constant(True), lambda: {"k": (1, 2)}, lambda: {"k": [1, 2]}), TypeError,
        "(?s)Incompatible return types .*don't have the same sequence type. First structure type=tuple"),
    "rows of two tensors": (
        lambda: tf.map_fn(lambda pair: pair, (tf.zeros([3]), tf.zeros([2]))), ValueError,
        "Dimensions 3 and 2 are not compatible"),
    "types of a list": (
        lambda: tf.concat([tf.constant([1.0]), tf.constant([1])], 0), TypeError,
        r"Tensors in list passed to 'values' of 'ConcatV2' Op have types \[float32, int32\] that don't all match\."),
    "types of texts and numbers": (
        lambda: tf.stack([tf.constant([1.0]), "a"]), TypeError, r"have types \[float32, string\] that don't all match"),
    "what is no tensor": (
        lambda: tf.concat([tf.constant([1.0]), object()], 0), TypeError, r"types \[float32, <NOT CONVERTIBLE TO TENSOR>\]"),
    "a type that is fixed": (
        lambda: tf.string_join([tf.constant([1.0]), "a"]), TypeError,
        r"have types \[float32, string\] that do not match expected type string\."),
    "sums of two types": (
        lambda: tf.accumulate_n([tf.constant([1.0]), tf.constant([1])]), ValueError,
        "inputs must be a list of at least one Tensor with the same dtype and shape"),
    "an array's size": (lambda: tf.TensorArray(tf.float32, [3]), ValueError, "be rank 0 but is rank 1 for 'TensorArray'"),
    "an array's index": (
        lambda: tf.TensorArray(tf.float32, 3).write([0], 1.0), ValueError,
        "Shape must be rank 0 but is rank 1 for 'TensorArrayWrite/TensorArrayWriteV3'"),
    "an array's rows": (
        lambda: tf.TensorArray(tf.float32, 3).scatter([2, 0], [1.0, 2.0, 3.0]), ValueError,
        "Dimensions must be equal, but are 3 and 2 for 'TensorArrayScatter/TensorArrayScatterV3'"),
    "what cannot be called": (lambda: tf.py_func(3, [], tf.int64), ValueError, "Expected func to be callable"),
}  # fmt: skip


@pytest.mark.parametrize("case", MISTAKES)
def test_mistakes_have_tensorflows_words(case):
    make, error, words = MISTAKES[case]
    with pytest.raises(error, match=words):
        make()


def test_tuples_hand_on_all_kinds():
    counted = tf.Variable(0)
    added = counted.assign_add(1)
    tensor, none, text, rows, cells, node = tf.tuple([tf.constant(1.0), None, "a", slices(2), sparse(), added.op])
    assert none is None and isinstance(node, tf.Operation)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        assert session.run([tensor, text]) == [1.0, b"a"]
        assert session.run(rows).indices.tolist() == [0, 1]
        assert session.run(cells).dense_shape.tolist() == [2]
        session.run(node)
        assert session.run(counted) == 4


SIGNS = {
    "negative": ("assert_less", [-2, -1], [-1, 0]), "positive": ("assert_less", [1, 2], [0, 1]),
    "non_negative": ("assert_less_equal", [0, 1], [-1, 0]), "non_positive": ("assert_less_equal", [0, -1], [1, 0]),
}  # fmt: skip


@pytest.mark.parametrize("sign", SIGNS)
def test_checks_of_signs_are_comparisons(sign):
    inner, good, bad = SIGNS[sign]
    value = tf.placeholder(tf.int32, [2], name="x")
    check = getattr(tf, f"assert_{sign}")(value)
    assert check.name == f"assert_{sign}/{inner}/Assert/Assert"
    with tf.Session() as session:
        session.run(check, {value: good})
        with pytest.raises(
            tf.errors.InvalidArgumentError, match=r"\[\] \[Condition x .* 0 did not hold element-wise:\] \[x \(x:0\)"
        ):
            session.run(check, {value: bad})


def test_checks_compare_before_they_look():
    with pytest.raises(ValueError, match=r"Dimensions must be equal, but are 2 and 3 for 'assert_less/Less'"):
        tf.assert_less([1, 2], [1, 2, 3])
    with pytest.raises(
        TypeError, match="Input 'y' of 'Equal' Op has type float32 that does not match type int32 of argument 'x'"
    ):
        tf.assert_equal([1], [1.0])
    far = tf.assert_near(np.float32([1.0, 2.0]), np.float32([1.0, 2.1]))
    with pytest.raises(tf.errors.InvalidArgumentError, match="x and y not equal to tolerance"):
        run(far)
    with pytest.raises(ValueError, match="type=<dtype: 'float64'>, must be of the same type"):
        tf.assert_same_float_dtype([tf.constant(1.0), tf.constant(1.0, tf.float64)])
