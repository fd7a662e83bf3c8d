"""The random functions build TensorFlow's nodes, under its names and with the seeds that it gives them."""

import numpy as np
import pytest

import millstream as tf
from millstream.ops import random
from millstream.ops.core import build  # noqa: F401 -- teaches declarations to build nodes
from millstream.ops.core.graph import Graph
from millstream.ops.random.seeds import DEFAULT_GRAPH_SEED


def built(make):
    """Return (name, type, static shape) of each node but constants, in order."""
    with Graph().as_default() as graph:
        make()
    return [(op.name, op.type, op.outputs[0].dims) for op in graph.get_operations() if op.type != "Const"]


def test_normals():
    for name, kind in (("random_normal", "RandomStandardNormal"), ("truncated_normal", "TruncatedNormal")):
        function = getattr(random, name)
        assert built(lambda function=function: function([3, 2], stddev=[1.0, 2.0])) == [
            (f"{name}/{kind}", kind, (3, 2)),
            (f"{name}/mul", "Mul", (3, 2)),
            (name, "AddV2", (3, 2)),
        ]


def test_uniform():
    assert built(lambda: random.random_uniform([], -1.0, name="u")) == [
        ("u/RandomUniform", "RandomUniform", ()),
        ("u/sub", "Sub", ()),
        ("u/mul", "Mul", ()),
        ("u", "AddV2", ()),
    ]


def test_uniform_integers():
    made = built(lambda: random.random_uniform([2], maxval=10, dtype="int64"))
    assert made == [("random_uniform", "RandomUniformInt", (2,))]


def test_multinomial_and_categorical():
    logits = np.zeros((4, 3), np.float32)
    assert built(lambda: random.multinomial(logits, 5)) == [("multinomial/Multinomial", "Multinomial", (4, 5))]
    assert built(lambda: random.random_categorical(logits, 5)) == [("categorical/Multinomial", "Multinomial", (4, 5))]


def test_gamma():
    made = built(lambda: random.random_gamma([5], [1.0, 2.0], beta=[[3.0], [4.0]]))
    assert made[-1] == ("random_gamma/Maximum", "Maximum", (5, 2, 2))
    assert ("random_gamma/RandomGamma", "RandomGamma", (5, 2, 2)) in made


def test_op_seeds_and_graph_seeds():
    with Graph().as_default():
        first = random.random_uniform([1], maxval=5, dtype="int32", seed=3).op
        random.set_random_seed(11)
        # The graph held first's four nodes, and the second's shape and bounds, when the second's seed was taken.
        second = random.random_uniform([1], maxval=5, dtype="int32").op
    assert (first.attrs["seed"], first.attrs["seed2"]) == (DEFAULT_GRAPH_SEED, 3)
    assert (second.attrs["seed"], second.attrs["seed2"]) == (11, 7)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"dtype": "int32"}, "Must specify maxval for integer dtype tf.int32"),
        ({"dtype": "uint8", "maxval": 3}, "Invalid dtype tf.uint8"),
    ],
)
def test_uniform_refuses(arguments, words):
    with Graph().as_default(), pytest.raises(ValueError, match=words):
        random.random_uniform([2], **arguments)


def test_negative_sample_counts_are_refused_while_building():
    with Graph().as_default(), pytest.raises(ValueError, match="must be non-negative but is -1"):
        random.multinomial([[1.0]], -1)


def test_one_number_without_a_dimension_is_the_first_of_many():
    with tf.Graph().as_default(), tf.Session() as session:
        for draw in (
            lambda shape: tf.random_gamma(shape, 1.5, seed=3),
            lambda shape: tf.random_poisson(3.5, shape, seed=3),
        ):
            one, many = session.run([draw([]), draw([1])])
            assert one.shape == () and one == many[0]
