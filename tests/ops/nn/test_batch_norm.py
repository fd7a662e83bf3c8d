"""Batch normalisation and local response normalisation: references in float64, formats, modes, gradients to second order."""

import numpy as np
import pytest

from millstream import Session, float64, gradients, reduce_mean, square
from millstream import constant as graph_constant
from millstream.ops import nn
from millstream.ops.core.convert import constant
from millstream.ops.core.graph import Graph
from millstream.ops.core.registry import lookup
from support.opcheck import Row, row_tests, table

RNG = np.random.default_rng(5)
IMAGES = RNG.uniform(-1, 2, (3, 4, 5, 2)).astype("f4")
SCALE, OFFSET = np.array([1.5, -0.5], "f4"), np.array([0.25, 1.0], "f4")
MEAN, VARIANCE = np.array([0.3, 0.6], "f4"), np.array([0.5, 0.8], "f4")
DY = RNG.uniform(-1, 1, IMAGES.shape).astype("f4")
EMPTY = np.zeros(0, "f4")
EPSILON = 0.01
VERSIONS = ("FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3")
FORMATS = {"NHWC": (0, 1, 2, 3), "NCHW": (0, 3, 1, 2)}
AXES = (0, 1, 2)


def trained(x, scale, offset, *_):
    mean, variance = x.mean(AXES), x.var(AXES)
    y = (x - mean) / np.sqrt(variance + EPSILON) * scale + offset
    count = x.size / x.shape[-1]
    return [y, mean, variance * count / (count - 1), mean, variance]


def inferred(x, scale, offset, mean, variance):
    return [(x - mean) / np.sqrt(variance + EPSILON) * scale + offset, mean, variance, mean, variance]


def differentiated(dy, x, scale, mean, variance, training):
    inverse = 1 / np.sqrt(variance + EPSILON)
    away = (x - mean) * inverse
    total, dot = dy.sum(AXES), (dy * away).sum(AXES)
    inner = dy - (total + away * dot) / (x.size / x.shape[-1]) if training else dy
    return [scale * inverse * inner, dot, total, np.zeros(0), np.zeros(0)]


def in_format(reference, layout):
    """Run a channels-last reference on arrays of another format: those of rank 4 are turned, before and after."""
    there, back = FORMATS[layout], np.argsort(FORMATS[layout])

    def turned(*arrays):
        found = reference(*[array.transpose(back) if array.ndim == 4 else array for array in arrays])
        return [array.transpose(there) if array.ndim == 4 else array for array in found]

    return turned


def forward_row(version, layout, training):
    known = [EMPTY, EMPTY] if training else [MEAN, VARIANCE]
    arrays = [IMAGES.transpose(FORMATS[layout]), SCALE, OFFSET, *known]
    build = lambda *tensors: lookup(version)(*tensors, epsilon=EPSILON, data_format=layout, is_training=training)[:5]  # noqa: E731
    reference = in_format(trained if training else inferred, layout)
    return Row(version, build, arrays, reference, dtypes=("float32",), label=f"{layout}-{training}", error=4)


def gradient_row(version, layout, training):
    op = version.replace("Norm", "NormGrad")
    more = [EMPTY] if version.endswith("V3") else []
    arrays = [DY.transpose(FORMATS[layout]), IMAGES.transpose(FORMATS[layout]), SCALE, MEAN, VARIANCE]
    build = lambda *tensors: lookup(op)(*tensors, *more, epsilon=EPSILON, data_format=layout, is_training=training)  # noqa: E731
    reference = in_format(lambda *given: differentiated(*given, training), layout)
    return Row(op, build, arrays, reference, dtypes=("float32",), label=f"{layout}-{training}", error=8)


def responses(x, radius=2, bias=1.5, alpha=0.5, beta=0.75):
    channels = x.shape[-1]
    near = [slice(max(c - radius, 0), c + radius + 1) for c in range(channels)]
    total = np.stack([np.square(x[..., where]).sum(-1) for where in near], axis=-1)
    return x / (bias + alpha * total) ** beta


LRN = {"depth_radius": 2, "bias": 1.5, "alpha": 0.5, "beta": 0.75}
DEEP = RNG.uniform(-1, 1, (2, 2, 3, 7)).astype("f4")


def lrn_gradient(dy, x):
    """Central differences of the reference."""
    found, step = np.zeros_like(x), 1e-6
    for index in np.ndindex(x.shape):
        up, down = x.copy(), x.copy()
        up[index] += step
        down[index] -= step
        found[index] = ((responses(up) - responses(down)) * dy).sum() / (2 * step)
    return found


ROWS = table(
    *[forward_row(version, layout, training) for version in VERSIONS for layout in FORMATS for training in (True, False)],
    *[gradient_row(version, layout, training) for version in VERSIONS for layout in FORMATS for training in (True, False)],
    Row("LRN", lambda x: nn.lrn(x, **LRN), [DEEP], responses, dtypes=("float16", "float32"), error=4),
    Row("LRNGrad", lambda dy, x: lookup("LRNGrad")(dy, x, nn.lrn(x, **LRN), **LRN), [RNG.uniform(-1, 1, DEEP.shape), DEEP],
        lrn_gradient, dtypes=("float32",), error=8),
)  # fmt: skip

test_forward, test_in_sessions, _ = row_tests(ROWS)


def composed(x, scale, offset, training):
    """Return what fused_batch_norm computes, from ops that have gradients of any order."""
    mean, variance = constant(MEAN), constant(VARIANCE)
    if training:
        # Not `moments`, which holds the mean fast in the variance: right to first order only.
        mean = reduce_mean(x, AXES)
        variance = reduce_mean(square(x - mean), AXES)
    return nn.batch_normalization(x, mean, variance, offset, scale, EPSILON)


def both_orders(normalise, arrays, dtype):
    """Return first and second derivatives of a function of normalised images."""
    with Graph().as_default(), Session() as session:
        xs = [graph_constant(array.astype(dtype)) for array in arrays]
        y = normalise(*xs)
        first = gradients(y * y * y.dtype.as_numpy_dtype(0.5), xs)
        weighted = [g * graph_constant((np.arange(g.shape.num_elements()) % 3 - 0.8).reshape(g.shape.as_list()).astype(dtype))
                    for g in first]  # fmt: skip
        return session.run([*first, *gradients(weighted, xs)])


@pytest.mark.parametrize("training", [True, False])
def test_gradients_to_second_order_are_those_of_the_composition(training, monkeypatch):
    arrays = [IMAGES, SCALE, OFFSET]
    known = () if training else (MEAN, VARIANCE)
    found = both_orders(
        lambda *xs: nn.fused_batch_norm(*xs, *known, epsilon=EPSILON, is_training=training)[0], arrays, "f4"
    )
    globals_of = {"MEAN": MEAN.astype("f8"), "VARIANCE": VARIANCE.astype("f8")}
    for name, value in globals_of.items():
        monkeypatch.setitem(globals(), name, value)
    wanted = both_orders(lambda *xs: composed(*xs, training), arrays, "f8")
    assert wanted[0].dtype == float64.as_numpy_dtype
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-3, atol=2e-3)


def test_large_images_in_blocks_agree_with_one_pass():
    images = RNG.uniform(3, 5, (16, 40, 30, 32)).astype("f4")
    weights = RNG.uniform(-1, 1, images.shape).astype("f4")
    scale, offset = np.linspace(0.5, 2, 32).astype("f4"), np.linspace(-1, 1, 32).astype("f4")
    with Graph().as_default(), Session() as session:
        x = graph_constant(images)
        y, mean, variance = nn.fused_batch_norm(x, scale, offset, epsilon=EPSILON)
        found = session.run([y, mean, variance, *gradients(y * graph_constant(weights), [x])])
    wanted = trained(images.astype("f8"), scale, offset)
    for one, other in zip(found[:3], wanted[:3], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4)
    dx = differentiated(weights.astype("f8"), images.astype("f8"), scale, wanted[3], wanted[4], True)[0]
    np.testing.assert_allclose(found[3], dx, rtol=1e-3, atol=1e-4)


def test_the_batch_is_averaged_into_what_is_known():
    with Graph().as_default(), Session() as session:
        _, mean, variance = session.run(
            nn.fused_batch_norm(IMAGES, SCALE, OFFSET, MEAN, VARIANCE, exponential_avg_factor=0.25)
        )
    _, batch_mean, batch_variance, *_ = trained(IMAGES.astype("f8"), SCALE, OFFSET)
    np.testing.assert_allclose(mean, 0.75 * MEAN + 0.25 * batch_mean, rtol=1e-5)
    np.testing.assert_allclose(variance, 0.75 * VARIANCE + 0.25 * batch_variance, rtol=1e-5)


def test_no_images_have_no_mean():
    with Graph().as_default(), Session() as session:
        y, mean, _ = session.run(nn.fused_batch_norm(np.zeros((0, 2, 2, 2), "f4"), SCALE, OFFSET))
    assert y.shape == (0, 2, 2, 2) and np.isnan(mean).all()


def test_inference_needs_mean_and_variance():
    with Graph().as_default(), pytest.raises(ValueError, match="Both `mean` and `variance` must be"):
        nn.fused_batch_norm(IMAGES, SCALE, OFFSET, is_training=False)
