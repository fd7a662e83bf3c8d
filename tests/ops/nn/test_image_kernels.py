"""The CPU's kernels of convolutions and pools, in blocks and by oneDNN, against the plain ones: shapes that fill several blocks,
every way of gathering patches, names in placements, and many threads at once."""

import threading

import numpy as np
import pytest

import millstream as tf
from millstream.devices import blas, onednn
from millstream.ops.core.registry import lookup
from millstream.ops.nn import conv, conv_cpu, epilogues, pool_cpu
from millstream.ops.nn.pool import avg_pool_cpu, avg_pool_grad_cpu, max_pool_cpu, max_pool_grad_cpu
from millstream.ops.nn.windows import window_of

RNG = np.random.default_rng(8)
needs_onednn = pytest.mark.skipif(not onednn.available(), reason=onednn.description())

# batch, height, width, channels in, out, window, stride, dilation, padding: few channels go by taps, many along rows.
CASES = [
    (70, 12, 9, 3, 4, 3, 1, 1, "SAME"),
    (70, 12, 9, 3, 4, 3, 2, 1, "VALID"),
    (9, 12, 11, 20, 6, 3, 1, 1, "SAME"),
    (70, 9, 9, 20, 6, 3, 1, 2, "SAME"),
    (70, 9, 9, 20, 6, 3, 2, 1, "SAME"),
    (70, 9, 9, 20, 6, 3, 3, 1, "VALID"),
    (70, 9, 9, 40, 8, 1, 1, 1, "SAME"),
    (70, 9, 9, 40, 8, 1, 2, 1, "SAME"),
    (1, 9, 9, 20, 6, 5, 1, 1, "SAME"),
    (1, 43, 9, 20, 6, 5, 1, 1, "SAME"),
    (1, 43, 9, 20, 6, 3, 2, 2, "SAME"),
    (1, 43, 9, 3, 6, 3, 2, 1, "VALID"),
    (1, 3, 5, 20, 6, 7, 1, 2, "SAME"),
    (0, 9, 9, 20, 6, 3, 1, 1, "SAME"),
]


def uniform(*dims):
    return RNG.uniform(-1, 1, dims).astype("f4")


def case(batch, height, width, depth, made, size, stride, dilation, padding):
    attrs = {"strides": [1, stride, stride, 1], "dilations": [1, dilation, dilation, 1], "padding": padding}
    window = window_of((height, width), (size, size), attrs)
    places = window.outputs(height, width)
    return uniform(batch, height, width, depth), uniform(size, size, depth, made), uniform(batch, *places, made), window


@pytest.mark.parametrize("dims", CASES, ids=str)
def test_blocks_convolve_as_whole_batches_do(dims, monkeypatch):
    monkeypatch.setattr(conv_cpu, "SMALL", 1)
    monkeypatch.setattr(conv_cpu, "_LEAST_ROWS", 2)
    images, filters, dy, window = case(*dims)
    plain, blocks, height, width = conv.BY_PATCHES, conv.IN_BLOCKS, *images.shape[1:3]
    pairs = [
        (blocks.forward(np, images, filters, window), plain.forward(np, images, filters, window)),
        (
            blocks.by_input(np, filters, dy, window, height, width),
            plain.by_input(np, filters, dy, window, height, width),
        ),
        (blocks.by_filter(np, images, dy, window), plain.by_filter(np, images, dy, window)),
    ]
    for found, wanted in pairs:
        assert found.dtype == np.float32 and found.flags.c_contiguous
        np.testing.assert_allclose(found, wanted, rtol=1e-3, atol=2e-3)


@pytest.mark.parametrize("dims", [(2, 20, 20, 20, 8), (1, 60, 30, 16, 16), (9, 30, 30, 3, 20)], ids=str)
def test_blas_s_threads_sleep_while_images_are_convolved(dims, monkeypatch):
    images, filters, _, window = case(*dims, 3, 1, 1, "SAME")
    seen, matmul, threads = [], np.matmul, [found["num_threads"] for found in blas.libraries()]

    def watched(*args, **kwargs):
        seen.extend(found["num_threads"] for found in blas.libraries())
        return matmul(*args, **kwargs)

    monkeypatch.setattr(np, "matmul", watched)
    conv_cpu.forward(images, filters, window)
    assert set(seen) == {1} and [found["num_threads"] for found in blas.libraries()] == threads


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("dims", CASES, ids=str)
def test_blocks_are_finished_as_the_ops_would_do_one_by_one(dims, groups, monkeypatch):
    monkeypatch.setattr(conv_cpu, "SMALL", 1)
    monkeypatch.setattr(conv_cpu, "_LEAST_ROWS", 2)
    images, filters, _, _ = case(*dims)
    images = np.concatenate([images] * groups, axis=3)
    images[:1, :1, :1] = np.nan
    stride, dilation = dims[6:8]
    attrs = {"strides": [1, stride, stride, 1], "dilations": [1, dilation, dilation, 1], "padding": dims[8],
             "explicit_paddings": [], "data_format": "NHWC"}  # fmt: skip
    layer, bias, given = epilogues.with_epilogue(conv.conv2d_into), uniform(dims[4]), []

    def empty(shape, dtype):
        given.append(np.empty(shape, dtype))
        return given[-1]

    plain = conv.conv2d_cpu(np, images, filters, **attrs)
    for relu in (False, True):
        found = layer(np, empty, images, filters, bias, relu=relu, **attrs)
        np.testing.assert_array_equal(found, np.maximum(plain + bias, 0) if relu else plain + bias)
        assert groups > 1 or found is given[-1]


def test_padding_that_is_wider_than_the_window_has_a_gradient():
    attrs = {"strides": [1] * 4, "padding": "EXPLICIT", "explicit_paddings": [0, 0, 4, 1, 0, 5, 0, 0]}
    window = window_of((6, 6), (2, 2), attrs)
    filters, dy = uniform(2, 2, 3, 4), uniform(2, *window.outputs(6, 6), 4)
    found = conv_cpu.image_gradient(filters, dy, window, 6, 6)
    np.testing.assert_allclose(found, conv.BY_PATCHES.by_input(np, filters, dy, window, 6, 6), rtol=1e-4, atol=1e-5)


POOLS = [
    (2, 2, "SAME"),
    (2, 2, "VALID"),
    (3, 2, "SAME"),
    (3, 1, "SAME"),
    (2, 3, "VALID"),
    (1, 2, "SAME"),
    (1, 1, "SAME"),
]


@pytest.mark.parametrize(("size", "stride", "padding"), POOLS)
@pytest.mark.parametrize("dims", [(40, 30, 28, 8), (2, 7, 5, 3), (0, 4, 4, 2)], ids=str)
@pytest.mark.parametrize("dtype", ["f4", "i4"])
def test_blocks_pool_as_whole_batches_do(size, stride, padding, dims, dtype):
    images = RNG.integers(-4, 5, dims).astype(dtype)
    attrs = {"ksize": [1, size, size, 1], "strides": [1, stride, stride, 1], "padding": padding}
    more = {**attrs, "explicit_paddings": [], "data_format": "NHWC"}
    greatest = max_pool_cpu(np, images, **more)
    np.testing.assert_array_equal(greatest, lookup("MaxPool").kernels[-1].function(np, images, **more))
    dy = RNG.integers(-9, 9, greatest.shape).astype(dtype)
    wanted = lookup("MaxPoolGrad").kernels[-1].function(np, images, greatest, dy, **more)
    np.testing.assert_array_equal(max_pool_grad_cpu(np, images, greatest, dy, **more), wanted)
    if dtype == "f4":
        del more["explicit_paddings"]
        means = lookup("AvgPool").kernels[-1].function(np, images, **more)
        np.testing.assert_allclose(avg_pool_cpu(np, images, **more), means, rtol=1e-5, atol=1e-6)
        sizes = np.array(dims, "i4")
        wanted = lookup("AvgPoolGrad").kernels[-1].function(np, sizes, dy, **more)
        np.testing.assert_allclose(avg_pool_grad_cpu(np, sizes, dy, **more), wanted, rtol=1e-5, atol=1e-5)


def test_pools_use_several_blocks():
    assert pool_cpu._block(np.zeros((40, 30, 28, 8), "f4")) < 40


def network():
    """A convolution, a pool and a large product with their gradients; returns (placeholder, results)."""
    x = tf.placeholder(tf.float32, [None, 12, 12, 3], name="x")
    filters, weights = tf.constant(uniform(3, 3, 3, 16), name="f"), tf.constant(uniform(576, 300), name="w")
    y = tf.nn.max_pool(tf.nn.relu(tf.nn.conv2d(x, filters, 1, "SAME")), 2, 2, "SAME")
    y = tf.matmul(tf.reshape(y, [-1, 576]), weights)
    return x, [y, *tf.gradients(tf.reduce_sum(y * y), [filters, weights])]


KERNELS = {
    True: ("conv2d by oneDNN", "max_pool by oneDNN", "matmul by oneDNN", "conv2d's filter gradient by oneDNN"),
    False: ("conv2d in blocks", "max_pool in blocks", "matmul on all cores", "conv2d's filter gradient in blocks"),
}


@pytest.mark.parametrize("fast", [pytest.param(True, marks=needs_onednn), False])
def test_placements_name_the_kernel(fast, monkeypatch):
    if not fast:
        monkeypatch.setattr(onednn, "available", lambda: False)
    with tf.Graph().as_default(), tf.Session() as session:
        x, results = network()
        placement = session.placement(results, feeds=[x])
        rows = [next(row for row in placement if row.op_type == name) for name in
                ("Conv2D", "MaxPool", "MatMul", "Conv2DBackpropFilter")]  # fmt: skip
    assert [row.kernel for row in rows] == [f"CPU {name}" for name in KERNELS[fast]]


@needs_onednn
def test_both_sorts_of_kernels_agree_in_a_session(monkeypatch):
    images, found = uniform(20, 12, 12, 3), []
    with tf.Graph().as_default():
        x, results = network()
        for fast in (True, False):
            if not fast:
                monkeypatch.setattr(onednn, "available", lambda: False)
            with tf.Session() as session:
                found.append(session.run(results, {x: images}))
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-2)


@pytest.mark.parametrize("fast", [pytest.param(True, marks=needs_onednn), False])
def test_many_threads_run_one_session(fast, monkeypatch):
    if not fast:
        monkeypatch.setattr(onednn, "available", lambda: False)
    batches, wrong = [uniform(8 + i, 12, 12, 3) for i in range(4)], []
    with tf.Graph().as_default(), tf.Session() as session:
        x, results = network()
        wanted = [session.run(results, {x: batch}) for batch in batches]

        def work(i):
            for _ in range(12):
                for one, other in zip(session.run(results, {x: batches[i]}), wanted[i], strict=True):
                    if not np.allclose(one, other, rtol=1e-4, atol=1e-2):
                        wrong.append(i)

        workers = [threading.Thread(target=work, args=(i,)) for i in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    assert wrong == []


def test_small_products_with_known_shapes_do_not_ask_for_onednn(monkeypatch):
    monkeypatch.setattr(onednn, "available", lambda: pytest.fail("asked"))
    with tf.Graph().as_default(), tf.Session() as session:
        y = tf.matmul(tf.constant(uniform(8, 8)), tf.constant(uniform(8, 8)))
        assert session.placement(y)[y.op.name].kernel == "CPU matmul"


@pytest.mark.parametrize("fast", [pytest.param(True, marks=needs_onednn), False])
def test_large_products_that_do_not_fit_are_told(fast, monkeypatch):
    if not fast:
        monkeypatch.setattr(onednn, "available", lambda: False)
    a, b = (tf.placeholder(tf.float32, [None, None]) for _ in range(2))
    with tf.Session() as session, pytest.raises(tf.errors.InvalidArgumentError, match="incompatible"):
        session.run(tf.matmul(a, b), {a: uniform(200, 100), b: uniform(300, 200)})


def test_a_window_that_fits_nowhere_makes_nothing():
    images, filters = uniform(2, 3, 6, 4), uniform(4, 2, 4, 5)
    attrs = {"strides": [1, 2, 2, 1], "padding": "VALID", "explicit_paddings": [], "data_format": "NHWC"}
    attrs["dilations"] = [1, 1, 1, 1]
    for entry in lookup("Conv2D").kernels_for("CPU"):
        assert entry.function(np, images, filters, **attrs).shape == (2, 0, 3, 5)


def random_geometry(rng):
    """Draw (images, filters, attributes of a convolution) of any padding, step, dilation and format."""
    batch, height, width = (int(n) for n in rng.integers(1, (5, 12, 12)))
    depth, made = int(rng.choice([1, 2, 3, 8, 33])), int(rng.choice([1, 2, 16]))
    size, strides, dilations = (
        rng.integers(1, 5, 2).tolist(),
        rng.integers(1, 4, 2).tolist(),
        rng.integers(1, 3, 2).tolist(),
    )
    padding, first = str(rng.choice(["SAME", "VALID", "EXPLICIT"])), bool(rng.integers(2))
    around = rng.integers(0, 4, 4).tolist()

    def spread(pair):
        return [1, 1, *pair] if first else [1, *pair, 1]

    explicit = ([0] * 4 + around if first else [0, 0, *around, 0, 0]) if padding == "EXPLICIT" else []
    attrs = {
        "strides": spread(strides), "dilations": spread(dilations), "padding": padding, "explicit_paddings": explicit,
        "data_format": "NCHW" if first else "NHWC",
    }  # fmt: skip
    dims = (batch, depth, height, width) if first else (batch, height, width, depth)
    images, filters = rng.normal(size=dims).astype("f4"), rng.normal(size=(*size, depth, made)).astype("f4")
    return images, filters, attrs


def agreed(op, *arrays, **attrs):
    """Return what the plain kernel of an op gives, having compared the others that there are with it."""
    *preferred, plain = lookup(op).kernels_for("CPU")
    wanted = plain.function(np, *arrays, **attrs)
    for entry in preferred:
        if not onednn.available() and entry.label.endswith("by oneDNN"):
            continue
        found = entry.function(np, *arrays, **attrs)
        assert found.shape == wanted.shape, entry.label
        np.testing.assert_allclose(found, wanted, rtol=1e-3, atol=1e-3, err_msg=f"{entry.label} {attrs}")
    return wanted


@pytest.mark.parametrize("seed", range(60))
def test_all_kernels_agree_whatever_the_geometry(seed):
    rng = np.random.default_rng(seed)
    images, filters, attrs = random_geometry(rng)
    try:
        dy = rng.normal(size=agreed("Conv2D", images, filters, **attrs).shape).astype("f4")
    except tf.errors.InvalidArgumentError as error:
        assert "output size would be negative" in str(error)
        return
    agreed("Conv2DBackpropInput", np.array(images.shape, "i4"), filters, dy, **attrs)
    agreed("Conv2DBackpropFilter", images, np.array(filters.shape, "i4"), dy, **attrs)
    attrs = {name: value for name, value in attrs.items() if name != "dilations"}
    size = filters.shape[:2]
    attrs["ksize"] = [1, 1, *size] if attrs["data_format"] == "NCHW" else [1, *size, 1]
    if attrs["padding"] == "EXPLICIT":
        return
    greatest = agreed("MaxPool", images, **attrs)
    agreed("MaxPoolGrad", images, greatest, rng.normal(size=greatest.shape).astype("f4"), **attrs)
    del attrs["explicit_paddings"]
    means = agreed("AvgPool", images, **attrs)
    agreed("AvgPoolGrad", np.array(images.shape, "i4"), rng.normal(size=means.shape).astype("f4"), **attrs)
