"""Writes composed_values.json: what TensorFlow computes for losses, clipping, embeddings and assertions.

Run with a Python that has TensorFlow: `python tests/golden/composed_values.py`. Each expression maps to the list of its values,
with gradients where it asks for them, or to the class and words of the error. The test evaluates the same expressions.
"""

import json
import pathlib

SETUP = (
    "x = tf.constant([[3., 4., 0.], [0., 0., 0.], [-1., 2., .5]])\n"
    "y = tf.constant([[1., 0., 0.], [0., 1., 0.], [0., 0., 1.]])\n"
    "p = tf.nn.softmax(x)\nids = tf.constant([[0, 3], [4, 1]])\ne = tf.reshape(tf.range(10.), [5, 2])\n"
    "slices = tf.IndexedSlices(tf.constant([[3., 4.]]), tf.constant([1]), tf.constant([4, 2]))\n"
    "hidden = tf.placeholder_with_default(tf.constant([1., 2., 3.]), None)\n"
)
_WEIGHTS = ("1.", ".5", "[[1.], [0.], [2.]]", "[[1., 0., 2.], [0., 0., 0.], [1., 1., 1.]]", "0.")
_REDUCTIONS = ("NONE", "SUM", "MEAN", "SUM_OVER_BATCH_SIZE", "SUM_BY_NONZERO_WEIGHTS")
_LOSSES = (
    "absolute_difference(y, x", "mean_squared_error(y, x", "hinge_loss(y, x", "huber_loss(y, x, delta=2.", "log_loss(y, p",
    "sigmoid_cross_entropy(y, x", "sigmoid_cross_entropy(y, x, label_smoothing=.1", "mean_pairwise_squared_error(y, x",
    "cosine_distance(y, x, axis=1",
)  # fmt: skip
EXPRESSIONS = (
    *(f"[tf.losses.{loss})] + tf.gradients(tf.losses.{loss}), x)" for loss in _LOSSES),
    *(f"tf.losses.mean_squared_error(y, x, weights={w})" for w in _WEIGHTS),
    *(f"tf.losses.mean_squared_error(y, x, [[1.], [0.], [2.]], reduction=tf.losses.Reduction.{r})" for r in _REDUCTIONS),
    "tf.losses.mean_pairwise_squared_error(y, x, [[1.], [0.], [2.]])",
    "tf.losses.softmax_cross_entropy(y, x)", "tf.losses.softmax_cross_entropy(y, x, [1., 0., 2.], .1)",
    "tf.losses.sparse_softmax_cross_entropy([0, 1, 2], x)",
    "tf.losses.sparse_softmax_cross_entropy([[0], [1], [2]], x, [1., 0., 2.])",
    "tf.losses.sparse_softmax_cross_entropy([0, 1, 2], x, [[1.], [0.], [2.]])",
    "tf.gradients(tf.losses.sparse_softmax_cross_entropy([0, 1, 2], x), x)",
    "tf.losses.mean_squared_error(y, x, [1., 2.])", "tf.losses.mean_squared_error(y, [1., 2.])",
    "[tf.losses.mean_squared_error(y, x), tf.losses.absolute_difference(y, x), tf.losses.get_total_loss()][2:]",
    "tf.losses.compute_weighted_loss(x, reduction='other')",
    "[tf.clip_by_norm(x, 2.5)] + tf.gradients(tf.clip_by_norm(x, 2.5), x)",
    "[tf.clip_by_norm(x, 1., axes=[1])] + tf.gradients(tf.clip_by_norm(x, 1., axes=[1]), x)",
    "tf.clip_by_norm(slices, 1.).values", "tf.clip_by_average_norm(x, .5)", "tf.global_norm([x, None, slices])",
    "list(tf.clip_by_global_norm([x, None, y], 1.)[0][::2])", "tf.clip_by_global_norm([x, slices], 1.)[0][1].values",
    "tf.clip_by_global_norm([x], 1., use_norm=tf.constant(10.))[0]", "tf.clip_by_global_norm([x], 100.)[0]",
    "tf.clip_by_global_norm([x / 0.], 1.)[0]", "tf.clip_by_global_norm(x, 1.)",
    "tf.nn.embedding_lookup(e, ids)", "tf.nn.embedding_lookup([e[::2], e[1::2]], ids)",
    "tf.nn.embedding_lookup([e[:3], e[3:]], ids, partition_strategy='div')",
    "tf.nn.embedding_lookup([e[:2], e[2:4], e[4:]], ids, partition_strategy='div')",
    "tf.nn.embedding_lookup(e, ids, max_norm=2.)", "tf.nn.embedding_lookup([e[::2], e[1::2]], ids, max_norm=2.)",
    "[tf.nn.embedding_lookup([e[::2], e[1::2]], tf.placeholder_with_default(ids, None))]",
    "tf.nn.embedding_lookup([e, e], ids, partition_strategy='other')", "tf.nn.embedding_lookup([], ids)",
    "tf.nn.dropout(x, keep_prob=1.)", "tf.nn.dropout(tf.range(3), .5)", "tf.nn.dropout(x, 1.5)", "tf.nn.dropout(x)",
    "tf.assert_equal(3, 2)", "tf.assert_less([1, 2], [2, 2], message='words')", "tf.assert_positive([0., 1.])",
    "tf.assert_rank(x, 1)", "tf.assert_rank_at_least(x, 3)", "tf.assert_type(x, tf.int32)",
    "run(tf.assert_equal(hidden, hidden))", "run(tf.assert_less(hidden, 3.))", "run(tf.assert_less_equal(hidden, 3.))",
    "run(tf.assert_greater(hidden, 1., message='words'))", "run(tf.assert_greater_equal(hidden, 1.))",
    "run(tf.assert_negative(hidden))", "run(tf.assert_non_negative(hidden))",
    "run(tf.assert_positive(hidden))", "run(tf.assert_none_equal(hidden, 2.))", "run(tf.assert_near(hidden, hidden + 1e-7))",
    "run(tf.assert_near(hidden, hidden + 1e-3, atol=1e-2))",
    "run(tf.assert_rank(hidden, 1))", "run(tf.assert_rank(hidden, 2))", "run(tf.assert_rank_at_least(hidden, 1))",
    "run(tf.assert_rank_in(hidden, [0, 2]))",
    "run(tf.random_crop(hidden, [4]))", "tf.shape(tf.random_crop(e, [2, 1]))",
)  # fmt: skip


def evaluate(tf, expression):
    """Return the values of an expression as nested lists, or the class and the words of its error."""
    with tf.Graph().as_default(), tf.Session() as session:
        names = {"tf": tf, "run": lambda node: session.run(node) or "ran"}
        exec(SETUP, names)
        try:
            found = eval(expression, names)
            if isinstance(found, str) or (isinstance(found, list) and not hasattr(found[0], "dtype")):
                return found
            values = session.run(found if isinstance(found, list) else [found])
        except Exception as error:
            return {"error": type(error).__name__, "words": words(error)}
    return [value.tolist() for value in values]


def words(error):
    """Return what an assertion says; other errors are compared by their class."""
    lines = [line for line in str(error).splitlines() if "assertion failed" in line]
    return lines[0].replace("failed: [] ", "failed: ") if lines else ""


if __name__ == "__main__":
    import tensorflow.compat.v1 as tensorflow

    tensorflow.disable_v2_behavior()
    table = {expression: evaluate(tensorflow, expression) for expression in EXPRESSIONS}
    pathlib.Path(__file__).with_suffix(".json").write_text(json.dumps(table, indent=0) + "\n")
