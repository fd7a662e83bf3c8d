"""Neural network ops: NumPy references, shapes, devices and gradients."""

# A table reads best with a row on each line.
# ruff: noqa: E501

import numpy as np
import pytest

from millstream.ops import nn
from millstream.ops.core.convert import constant
from millstream.ops.core.errors import InvalidArgumentError
from millstream.ops.core.graph import Graph
from millstream.ops.core.registry import lookup
from support.opcheck import Row, evaluate, row_tests, table

RNG = np.random.default_rng(11)
X = RNG.uniform(-3, 3, (3, 4))
G = RNG.uniform(-1, 1, (3, 4))
WIDE = X * 3
BATCH = RNG.uniform(-1, 1, (2, 3, 2, 4))
LABELS = RNG.dirichlet(np.ones(4), 3)
CLASSES = np.array([3, 0, 2], np.int32)
BIAS = RNG.uniform(-1, 1, 4)
ALL = ("float16", "bfloat16", "float32", "float64")
SELU = 1.0507009873554805
SELU_ALPHA = 1.7580993408473768


def soft(x, axis=-1):
    powers = np.exp(x - x.max(axis, keepdims=True))
    return powers / powers.sum(axis, keepdims=True)


def one(op, function, reference, x=X, **more):
    return Row(op, function, [x], reference, **{"gradient": True, "dtypes": ALL, "error": 2, **more})


def back(op, reference, **attrs):
    decl = lookup(op)
    return Row(op, lambda g, x: decl(g, x, **attrs), [G, X], reference, gradient=True)


def cross_entropy(labels, logits):
    return -(labels * np.log(soft(logits))).sum(-1)


def both(features, labels):
    return cross_entropy(labels, features), soft(features) - labels


def sparse(features, labels):
    chosen = np.eye(4)[labels]
    return cross_entropy(chosen, features), soft(features) - chosen


def logistic(x, z):
    return np.maximum(x, 0) - x * z + np.log1p(np.exp(-np.abs(x)))


ROWS = table(
    one("Relu", nn.relu, lambda x: np.maximum(x, 0)),
    Row("Relu", nn.relu, [CLASSES - 1], lambda x: np.maximum(x, 0), label="int32"),
    one("Relu6", nn.relu6, lambda x: np.clip(x, 0, 6), WIDE),
    one("Elu", nn.elu, lambda x: np.where(x < 0, np.expm1(x), x)),
    one("Selu", nn.selu, lambda x: np.where(x < 0, SELU_ALPHA * np.expm1(x), SELU * x)),
    one("LeakyRelu", nn.leaky_relu, lambda x: np.where(x > 0, x, 0.2 * x)),
    one("Softplus", nn.softplus, lambda x: np.log1p(np.exp(x))),
    one("Softplus", nn.softplus, lambda x: np.maximum(x, 0), X * 1e4, gradient=False, label="far"),
    one("Softsign", nn.softsign, lambda x: x / (1 + np.abs(x))),
    one("Relu", nn.crelu, lambda x: np.maximum(np.concatenate([x, -x], 1), 0), label="crelu"),
    one("Sigmoid", nn.swish, lambda x: x / (1 + np.exp(-x)), label="swish"),
    back("ReluGrad", lambda g, x: g * (x > 0)),
    back("Relu6Grad", lambda g, x: g * ((x > 0) & (x < 6))),
    back("LeakyReluGrad", lambda g, x: np.where(x > 0, g, 0.1 * g), alpha=0.1),
    back("EluGrad", lambda g, y: np.where(y < 0, g * (y + 1), g)),
    back("SeluGrad", lambda g, y: np.where(y < 0, g * (y + SELU_ALPHA), g * SELU)),
    back("SoftplusGrad", lambda g, x: g / (1 + np.exp(-x))),
    back("SoftsignGrad", lambda g, x: g / (1 + np.abs(x)) ** 2),
    one("Softmax", nn.softmax, soft),
    one("LogSoftmax", nn.log_softmax, lambda x: np.log(soft(x))),
    Row("SoftmaxCrossEntropyWithLogits", lookup("SoftmaxCrossEntropyWithLogits"), [X, LABELS], both, gradient=True, second=True),
    Row("SoftmaxCrossEntropyWithLogits", lambda z, x: nn.softmax_cross_entropy_with_logits_v2(labels=z, logits=x), [LABELS, X], cross_entropy, gradient=True, label="v2"),
    Row("SparseSoftmaxCrossEntropyWithLogits", lambda x: lookup("SparseSoftmaxCrossEntropyWithLogits")(x, CLASSES), [X], lambda x: sparse(x, CLASSES), gradient=True),
    Row("Log1p", lambda x, z: nn.sigmoid_cross_entropy_with_logits(labels=z, logits=x), [X, np.abs(G)], logistic, gradient=True, label="sigmoid-cross-entropy"),
    Row("Log1p", lambda x, z: nn.weighted_cross_entropy_with_logits(z, x, 1.0), [X, np.abs(G)], logistic, gradient=True, label="weighted-cross-entropy"),
    Row("BiasAdd", nn.bias_add, [X, BIAS], np.add, gradient=True, dtypes=ALL),
    Row("BiasAdd", lambda x, b: nn.bias_add(x, b, "NCHW"), [BATCH, BIAS[:3]], lambda x, b: x + b[:, None, None], gradient=True, label="NCHW"),
    Row("BiasAddV1", lookup("BiasAddV1"), [X, BIAS], np.add, gradient=True),
    one("BiasAddGrad", lookup("BiasAddGrad"), lambda g: g.sum((0, 1, 2)), BATCH),
    one("BiasAddGrad", lambda g: lookup("BiasAddGrad")(g, data_format="NCHW"), lambda g: g.sum((0, 2, 3)), BATCH, label="NCHW"),
    one("L2Loss", nn.l2_loss, lambda x: (x * x).sum() / 2),
    Row("InTopKV2", lambda p: nn.in_top_k(p, CLASSES, 2), [X], lambda p: np.array([(p[i] > p[i, c]).sum() < 2 for i, c in enumerate(CLASSES)]), dtypes=("float32",)),
    Row("InTopK", lambda p: lookup("InTopK")(p, CLASSES, k=1), [X], lambda p: p.argmax(1) == CLASSES, dtypes=("float32",)),
    Row("Mean", lambda x: nn.moments(x, [0]), [X], lambda x: (x.mean(0), x.var(0)), label="moments"),
    Row("Rsqrt", lambda x: nn.l2_normalize(x, 1), [X], lambda x: x / np.linalg.norm(x, axis=1, keepdims=True), gradient=True, label="l2_normalize"),
    Row("MatMul", nn.xw_plus_b, [X, RNG.uniform(-1, 1, (4, 4)), BIAS], lambda x, w, b: x @ w + b, gradient=True, label="xw_plus_b"),
)  # fmt: skip


test_forward, test_in_sessions, test_gradient = row_tests(ROWS)


@pytest.mark.parametrize("axis", [0, 1, 2, -2])
def test_softmax_along_any_axis(axis: int) -> None:
    with Graph().as_default():
        (found,) = evaluate([nn.softmax(constant(BATCH[0]), axis=axis)])
    np.testing.assert_allclose(found, soft(BATCH[0], axis), rtol=1e-12)


def test_cross_entropy_of_more_axes() -> None:
    labels = RNG.dirichlet(np.ones(4), (2, 3, 2))
    with Graph().as_default():
        loss = nn.softmax_cross_entropy_with_logits(labels=constant(labels), logits=constant(BATCH))
        assert loss.shape.as_list() == [2, 3, 2]
        np.testing.assert_allclose(evaluate([loss])[0], cross_entropy(labels, BATCH), rtol=1e-10)


def test_losses_ask_for_named_arguments() -> None:
    with (
        Graph().as_default(),
        pytest.raises(ValueError, match="Only call `softmax_cross_entropy_with_logits` with named"),
    ):
        nn.softmax_cross_entropy_with_logits(constant(X), constant(X))


@pytest.mark.parametrize("loss", [nn.softmax_cross_entropy_with_logits, nn.softmax_cross_entropy_with_logits_v2])
def test_labels_of_any_type_are_cast_to_that_of_the_logits(loss):
    rows = np.array([[0, 1], [1, 0]])
    with Graph().as_default():
        logits = constant(np.array([[1.0, 2.0], [3.0, 4.0]], np.float32))
        given = [constant(rows.astype(kind)) for kind in ("i4", "i8", "f8", "f4")]
        found = evaluate([loss(labels=labels, logits=logits) for labels in [*given, rows.tolist()]])
    for value in found:
        assert value.dtype == np.float32
        np.testing.assert_allclose(value, [0.31326166, 1.3132616], rtol=1e-6)


def test_labels_that_are_no_class_are_named() -> None:
    with (
        Graph().as_default(),
        pytest.raises(InvalidArgumentError, match=r"label value of 9 which is outside the valid range of \[0, 4\)"),
    ):
        evaluate([nn.sparse_softmax_cross_entropy_with_logits(labels=constant([0, 9, 1]), logits=constant(X))])


def test_names_of_nodes_are_tensorflows() -> None:
    with Graph().as_default():
        logits, labels = constant(X), constant(LABELS)
        names = [
            nn.softmax_cross_entropy_with_logits_v2(labels=labels, logits=logits).op.name,
            nn.sparse_softmax_cross_entropy_with_logits(labels=constant(CLASSES), logits=logits).op.name,
            nn.sigmoid_cross_entropy_with_logits(labels=labels, logits=logits).op.name,
            nn.l2_normalize(logits, 1).op.name,
            nn.xw_plus_b(logits, constant(np.eye(4)), constant(BIAS)).op.name,
            nn.moments(logits, [0])[0].op.name,
        ]
    assert names == [
        "softmax_cross_entropy_with_logits/Reshape_2",
        "SparseSoftmaxCrossEntropyWithLogits/SparseSoftmaxCrossEntropyWithLogits",
        "logistic_loss", "l2_normalize", "xw_plus_b", "moments/Squeeze",
    ]  # fmt: skip
