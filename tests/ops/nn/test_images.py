"""Convolutions and pools: a reference of plain loops, paddings, strides, formats, and gradients to second order."""

# A table reads best with a row on each line.
# ruff: noqa: E501

import itertools

import numpy as np

from millstream.ops import nn
from millstream.ops.core.convert import constant
from millstream.ops.core.graph import Graph
from millstream.ops.core.registry import lookup
from support.opcheck import Row, row_tests, table

RNG = np.random.default_rng(3)
IMAGES = RNG.uniform(-1, 1, (2, 5, 4, 2))
FILTERS = RNG.uniform(-1, 1, (3, 2, 2, 3))
DEPTHWISE = RNG.uniform(-1, 1, (2, 2, 1, 4))
SINGLE = ("float32", "float64")
HALF = ("float16", "float32", "float64")


def pads(length, extent, stride, dilation, padding):
    span = (extent - 1) * dilation + 1
    if padding == "VALID":
        return (length - span) // stride + 1, 0
    places = -(-length // stride)
    return places, max((places - 1) * stride + span - length, 0) // 2


def places(images, size, stride, dilation, padding):
    """Yield (row, column, pixels inside the image as (i, j, value))."""
    _, height, width, _ = images.shape
    rows, top = pads(height, size[0], stride, dilation, padding)
    columns, left = pads(width, size[1], stride, dilation, padding)
    for row, column in itertools.product(range(rows), range(columns)):
        seen = []
        for i, j in itertools.product(range(size[0]), range(size[1])):
            y, x = row * stride + i * dilation - top, column * stride + j * dilation - left
            if 0 <= y < height and 0 <= x < width:
                seen.append((i, j, images[:, y, x]))
        yield row, column, rows, columns, seen


def conv(images, filters, stride=1, dilation=1, padding="SAME"):
    out = None
    for row, column, rows, columns, seen in places(images, filters.shape[:2], stride, dilation, padding):
        out = np.zeros((len(images), rows, columns, filters.shape[3])) if out is None else out
        out[:, row, column] = sum(pixel @ filters[i, j] for i, j, pixel in seen)
    return out


def pool(images, size, stride, padding, reduce):
    out = None
    for row, column, rows, columns, seen in places(images, size, stride, 1, padding):
        out = np.zeros((len(images), rows, columns, images.shape[3])) if out is None else out
        out[:, row, column] = reduce([pixel for _, _, pixel in seen], axis=0)
    return out


def turned(function):
    """Run a channels-last reference on channels-first images."""
    return lambda x, *more: function(x.transpose(0, 2, 3, 1), *more).transpose(0, 3, 1, 2)


def conv_row(label, reference, images=IMAGES, filters=FILTERS, padding="SAME", **attrs):
    strides = attrs.pop("strides", 1)
    build = lambda x, f: nn.conv2d(x, f, strides, padding, **attrs)  # noqa: E731
    return Row("Conv2D", build, [images, filters], reference, gradient=True, dtypes=HALF, error=4, label=label)


def pool_row(op, function, reduce, padding, stride, **more):
    return Row(
        op, lambda x: function(x, [1, 3, 2, 1], [1, stride, stride, 1], padding), [IMAGES],
        lambda x: pool(x, (3, 2), stride, padding, reduce), gradient=True, dtypes=HALF, label=f"{padding}-{stride}", **more,
    )  # fmt: skip


GRADIENT = {"strides": [1, 2, 2, 1], "padding": "SAME"}
POOL = {"ksize": [1, 2, 2, 1], **GRADIENT}
DY = RNG.uniform(-1, 1, (2, 3, 2, 3))
POOLED = pool(IMAGES, (2, 2), 2, "SAME", np.max)
POOL_DY = RNG.uniform(-1, 1, POOLED.shape)

ROWS = table(
    conv_row("same", conv),
    conv_row("valid", lambda x, f: conv(x, f, padding="VALID"), padding="VALID"),
    conv_row("strides", lambda x, f: conv(x, f, 2), strides=2),
    conv_row("dilated", lambda x, f: conv(x, f, 1, 2), dilations=2),
    conv_row("explicit", lambda x, f: conv(np.pad(x, ((0, 0), (1, 2), (0, 1), (0, 0))), f, padding="VALID"),
             padding=[[0, 0], [1, 2], [0, 1], [0, 0]]),
    conv_row("NCHW", turned(conv), images=IMAGES.transpose(0, 3, 1, 2), data_format="NCHW"),
    conv_row("grouped", lambda x, f: np.concatenate([conv(x[..., :1], f[..., :2]), conv(x[..., 1:], f[..., 2:])], 3), filters=DEPTHWISE),
    Row("Conv2DBackpropInput", lambda f, dy: lookup("Conv2DBackpropInput")(list(IMAGES.shape), f, dy, **GRADIENT), [FILTERS, DY], gradient=True),
    Row("Conv2DBackpropFilter", lambda x, dy: lookup("Conv2DBackpropFilter")(x, list(FILTERS.shape), dy, **GRADIENT), [IMAGES, DY], gradient=True),
    pool_row("MaxPool", nn.max_pool, np.max, "SAME", 2),
    pool_row("MaxPool", nn.max_pool, np.max, "VALID", 1),
    pool_row("AvgPool", nn.avg_pool, np.mean, "SAME", 2),
    pool_row("AvgPool", nn.avg_pool, np.mean, "VALID", 1),
    Row("MaxPool", lambda x: nn.max_pool(x, 2, 2, "SAME", "NCHW"), [IMAGES.transpose(0, 3, 1, 2)],
        turned(lambda x: pool(x, (2, 2), 2, "SAME", np.max)), gradient=True, label="NCHW"),
    Row("AvgPool", lambda x: nn.avg_pool(x, 2, 2, "SAME", "NCHW"), [IMAGES.transpose(0, 3, 1, 2)],
        turned(lambda x: pool(x, (2, 2), 2, "SAME", np.mean)), gradient=True, label="NCHW"),
    Row("MaxPoolGrad", lambda dy: lookup("MaxPoolGrad")(constant(IMAGES), constant(POOLED), dy, **POOL), [POOL_DY], gradient=True, dtypes=("float64",)),
    Row("MaxPoolGradGrad", lambda dx: lookup("MaxPoolGradGrad")(constant(IMAGES), constant(POOLED), dx, **POOL), [IMAGES * 2], gradient=True, dtypes=("float64",)),
    Row("AvgPoolGrad", lambda dy: lookup("AvgPoolGrad")(list(IMAGES.shape), dy, **POOL), [POOL_DY], gradient=True),
)  # fmt: skip


test_forward, test_in_sessions, test_gradient = row_tests(ROWS)


def test_static_shapes() -> None:
    with Graph().as_default():
        images = constant(np.zeros((2, 7, 6, 3), np.float32))
        images.dims = (None, 7, None, 3)
        filters = constant(np.zeros((3, 3, 3, 5), np.float32))
        assert nn.conv2d(images, filters, 2, "VALID").shape.as_list() == [None, 3, None, 5]
        assert nn.max_pool(images, 2, 2, "SAME").shape.as_list() == [None, 4, None, 3]
