"""What is folded into products and pools: equal results with and without, and when it has to stay unfolded."""

from typing import Any

import numpy as np
import pytest

import millstream as tf
from millstream.devices import onednn
from millstream.engine.compiler.ir import parts_of
from millstream.ops.nn.activations import relu_grad_op

RNG = np.random.default_rng(7)
X, W, B = (RNG.standard_normal(dims).astype("f4") for dims in ((160, 600), (600, 128), (128,)))
IMAGES = RNG.standard_normal((6, 12, 10, 3)).astype("f4")
FILTERS = RNG.standard_normal((3, 3, 3, 8)).astype("f4")
needs_onednn = pytest.mark.skipif(not onednn.available(), reason=onednn.description())


@pytest.fixture
def sess():
    with tf.Graph().as_default(), tf.Session() as session:
        yield session


def calls(sess: Any, fetches: Any, feeds: Any = ()) -> list[str]:
    """Return the op types of each line of a plan, those of folded steps joined."""
    return ["+".join(part.op.type for part in parts_of(s)) for s in sess.plan(fetches, feeds).block.steps]


def relu(x: Any) -> Any:
    return np.maximum(x, 0)


def add(product: Any, bias: Any) -> Any:
    return product + bias


@pytest.mark.parametrize("batch", [None, 160])
@pytest.mark.parametrize("turned", [(False, False), (True, False), (False, True), (True, True)])
@pytest.mark.parametrize("adds", [add, tf.nn.bias_add, lambda product, bias: bias + product])
@pytest.mark.parametrize("activation", [None, tf.nn.relu])
def test_a_dense_layer_is_one_call(sess: Any, batch: Any, turned: Any, adds: Any, activation: Any) -> None:
    left, right = (array.T if turn else array for array, turn in zip((X, W), turned, strict=True))
    x = tf.placeholder(
        tf.float32, [None if size == 160 else size for size in left.shape] if batch is None else left.shape
    )
    product = tf.matmul(x, tf.constant(np.ascontiguousarray(right)), *turned)
    y = adds(product, tf.constant(B))
    y = y if activation is None else activation(y)
    found = calls(sess, y, [x])
    assert (
        len(found) == 1 and found[0].startswith("MatMul+") and found[0].count("+") == (1 if activation is None else 2)
    )
    want = X @ W + B if activation is None else relu(X @ W + B)
    for _ in range(6):
        np.testing.assert_allclose(sess.run(y, {x: left}), want, rtol=2e-5, atol=2e-4)


@pytest.mark.parametrize("rows", [0, 1, 7])
def test_small_batches_of_a_dense_layer(sess: Any, rows: int) -> None:
    x = tf.placeholder(tf.float32, [None, 600])
    y = tf.nn.relu(tf.matmul(x, tf.constant(W)) + tf.constant(B))
    assert calls(sess, y, [x]) == ["MatMul+AddV2+Relu"]
    np.testing.assert_allclose(sess.run(y, {x: X[:rows]}), relu(X[:rows] @ W + B), rtol=2e-5, atol=2e-4)


def test_layers_of_doubles_and_of_other_kernels(sess: Any) -> None:
    x = tf.placeholder(tf.float64, [None, 600])
    y = tf.nn.relu(tf.matmul(x, tf.constant(W, tf.float64)) + tf.constant(B, tf.float64))
    assert calls(sess, y, [x]) == ["MatMul+AddV2+Relu"]
    large = np.tile(X, (20, 1)).astype("f8")
    np.testing.assert_allclose(sess.run(y, {x: large}), relu(large @ W.astype("f8") + B), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("padding, strides", [("SAME", 1), ("VALID", 2)])
@pytest.mark.parametrize("activation", [None, tf.nn.relu])
def test_a_convolution_with_bias_and_relu_is_one_call(sess: Any, padding: str, strides: int, activation: Any) -> None:
    x = tf.placeholder(tf.float32, [None, 12, 10, 3])
    plain = tf.nn.conv2d(x, tf.constant(FILTERS), strides, padding)
    y = tf.nn.bias_add(plain, tf.constant(B[:8]))
    y = y if activation is None else activation(y)
    assert calls(sess, y, [x]) == ["Conv2D+BiasAdd" + ("" if activation is None else "+Relu")]
    want = sess.run(plain, {x: IMAGES}) + B[:8]
    for _ in range(6):
        found = sess.run(y, {x: IMAGES})
        np.testing.assert_allclose(found, want if activation is None else relu(want), rtol=1e-5, atol=1e-5)


def test_nan_and_infinities_come_through_folded_layers(sess: Any) -> None:
    x, images = tf.placeholder(tf.float32, [None, 600]), tf.placeholder(tf.float32, [None, 12, 10, 3])
    dense = tf.nn.relu(tf.matmul(x, tf.constant(np.abs(W))) + tf.constant(B))
    convolved = tf.nn.relu(
        tf.nn.bias_add(tf.nn.conv2d(images, tf.constant(np.abs(FILTERS)), 1, "SAME"), tf.constant(B[:8]))
    )
    given, seen = X.copy(), IMAGES.copy()
    given[:3, 0], seen[:3, 5, 5] = (np.nan, np.inf, -np.inf), [[np.nan], [np.inf], [-np.inf]]
    for _ in range(6):
        made, around = sess.run([dense, convolved], {x: given, images: seen})
        for nan, plus, minus, *_ in (made, around[:, 4:7, 4:7]):
            assert np.isnan(nan).all() and np.isposinf(plus).all() and not minus.any()
        assert np.isfinite(made[3:]).all() and np.isfinite(around[3:]).all()


def test_channels_first_stay_as_they_are(sess: Any) -> None:
    x = tf.placeholder(tf.float32, [None, 3, 12, 10])
    y = tf.nn.bias_add(tf.nn.conv2d(x, tf.constant(FILTERS), 1, "SAME", data_format="NCHW"), tf.constant(B[:8]), "NCHW")
    assert calls(sess, y, [x]) == ["Conv2D", "BiasAdd"]


def test_what_is_read_otherwise_is_not_folded_away(sess: Any) -> None:
    x = tf.placeholder(tf.float32, [None, 600])
    product = tf.matmul(x, tf.constant(W))
    total = product + tf.constant(B)
    y = tf.nn.relu(total)
    assert calls(sess, y, [x]) == ["MatMul+AddV2+Relu"]
    assert "MatMul+AddV2" in calls(sess, [y, total], [x])
    assert "MatMul" in calls(sess, [y, product], [x])
    assert not any("MatMul" in call for call in calls(sess, y, [product]))
    fetched = sess.run([y, total, product], {x: X})
    for found, want in zip(fetched, (relu(X @ W + B), X @ W + B, X @ W), strict=True):
        np.testing.assert_allclose(found, want, rtol=2e-5, atol=2e-4)
    np.testing.assert_allclose(sess.run(y, {product: X[:, :128]}), relu(X[:, :128] + B), rtol=1e-6)


def test_reads_do_not_move_past_writes(sess: Any) -> None:
    x = tf.constant(X)
    w, b = tf.Variable(W), tf.Variable(B)
    product = tf.matmul(x, w)
    with tf.control_dependencies([product]):
        changed = w.assign_add(tf.ones_like(W))
    with tf.control_dependencies([changed]):
        y = tf.nn.relu(product + b)
    sess.run(tf.global_variables_initializer())
    for i in range(3):
        np.testing.assert_allclose(sess.run([y, changed])[0], relu(X @ (W + i) + B), rtol=1e-4, atol=1e-3)


def test_every_node_of_a_fold_is_traced(sess: Any) -> None:
    x = tf.placeholder(tf.float32, [None, 600])
    y = tf.nn.relu(tf.matmul(x, tf.constant(W), name="product") + tf.constant(B), name="cut")
    told = tf.RunMetadata()
    sess.run(y, {x: X}, options=tf.RunOptions(trace_level=tf.RunOptions.FULL_TRACE), run_metadata=told)
    assert {"product", "add", "cut"} <= {
        node.node_name for lane in told.step_stats.dev_stats for node in lane.node_stats
    }


def pooled(sess: Any, batch: Any, data_format: str = "NHWC", padding: str = "SAME") -> tuple[Any, list[Any]]:
    """Return images, and a loss with its gradients through relu and a max-pool by the images and by a bias."""
    dims = (batch, 7, 8, 4) if data_format == "NHWC" else (batch, 4, 7, 8)
    x, b = tf.placeholder(tf.float32, dims), tf.get_variable("b", initializer=B[:4])
    y = tf.nn.relu(tf.nn.bias_add(x, b, data_format))
    axis = 1 if data_format == "NHWC" else 2
    window = [2 if axis <= i < axis + 2 else 1 for i in range(4)]
    y = tf.nn.max_pool(y, window, window, padding, data_format)
    loss = tf.reduce_sum(tf.square(y))
    sess.run(tf.global_variables_initializer())
    return x, [loss, *tf.gradients(loss, [x, b])]


def by_numpy(images: Any, padding: str) -> list[Any]:
    """Return the same for channels last, window by window."""
    y = relu(images.astype("f8") + B[:4])
    dx, loss = np.zeros_like(y), 0.0
    for i, j in np.ndindex((y.shape[1] + (padding == "SAME")) // 2, (y.shape[2] + 1) // 2):
        window = y[:, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2]
        best = window.max((1, 2))
        loss += (best**2).sum()
        for n, c in np.ndindex(best.shape):
            at = np.unravel_index(window[n, :, :, c].argmax(), window.shape[1:3])
            dx[n, 2 * i + at[0], 2 * j + at[1], c] += 2 * best[n, c]
    return [loss, dx, dx.sum((0, 1, 2))]


@pytest.mark.parametrize("batch", [None, 5])
@pytest.mark.parametrize("data_format", ["NHWC", "NCHW"])
@pytest.mark.parametrize("padding", ["SAME", "VALID"])
def test_relu_is_masked_on_the_pooled(sess: Any, batch: Any, data_format: str, padding: str) -> None:
    x, fetches = pooled(sess, batch, data_format, padding)
    images = RNG.standard_normal((5, 7, 8, 4)).astype("f4")
    fed = images if data_format == "NHWC" else np.ascontiguousarray(images.transpose(0, 3, 1, 2))
    types = "+".join(calls(sess, fetches, [x])).split("+")
    order = [name for name in types if name in ("ReluGrad", "MaxPoolGrad")]
    assert order == ["ReluGrad", "MaxPoolGrad"]
    for _ in range(6):
        loss, dx, db = sess.run(fetches, {x: fed})
        dx = dx if data_format == "NHWC" else dx.transpose(0, 2, 3, 1)
        for found, want in zip((loss, dx, db), by_numpy(images, padding), strict=True):
            np.testing.assert_allclose(found, want, rtol=1e-5, atol=1e-5)


def test_a_mask_by_something_else_stays_behind_the_pool(sess: Any) -> None:
    x = tf.placeholder(tf.float32, [2, 4, 4, 1])
    y = tf.nn.relu(x)
    pool = tf.nn.max_pool(-y, 2, 2, "VALID")
    (dx,) = tf.gradients(pool, [x])
    assert calls(sess, dx, [x])[-1] == "ReluGrad"


@needs_onednn
def test_pools_of_known_shapes_keep_the_places(sess: Any) -> None:
    x, fetches = pooled(sess, 5)
    source = sess.plan(fetches, [x]).source
    pool = next(line for line in source.splitlines() if "(MaxPool)" in line)
    gradient = next(line for line in source.splitlines() if "(MaxPoolGrad)" in line)
    places = pool.split("=")[0].split(",")[1].strip()
    assert f"({places}," in gradient.replace("frame, ", "")
    # The places serve the gradient alone; whoever asks for the pool's result has that.
    assert len(sess.run(fetches, {x: np.zeros((5, 7, 8, 4), "f4")})) == 3


def convolved_and_pooled(window: int = 2, padding: str = "SAME") -> tuple[Any, ...]:
    """Return images, what relu makes of a convolution of them, that pooled, and its gradients by images and bias."""
    x, b = tf.placeholder(tf.float32, [6, 12, 10, 3]), tf.constant(B[:8])
    y = tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d(x, tf.constant(FILTERS), 1, "SAME"), b))
    pool = tf.nn.max_pool(y, window, window, padding)
    return x, y, pool, tf.gradients(tf.reduce_sum(pool * pool), [x, b])


def with_nan() -> Any:
    """Return images among which some windows see nothing but NaN, some a little of it, some infinities."""
    images = IMAGES.copy()
    images[0, 4:8, 4:8], images[1, 2, 2], images[2, 5, 5], images[3, 5, 5] = np.nan, np.nan, np.inf, -np.inf
    return images


@needs_onednn
@pytest.mark.parametrize("images", [IMAGES, with_nan(), np.full_like(IMAGES, np.nan), np.full_like(IMAGES, -np.inf)])
@pytest.mark.parametrize("window, padding", [(2, "SAME"), (3, "SAME"), (2, "VALID")])
def test_relu_comes_after_a_pool(sess: Any, images: Any, window: int, padding: str) -> None:
    x, y, pool, gradients = convolved_and_pooled(window, padding)
    assert calls(sess, pool, [x]) == ["Conv2D+BiasAdd", "Relu+MaxPool"]
    assert calls(sess, [pool, *gradients], [x])[:2] == ["Conv2D+BiasAdd", "Relu+MaxPool"]
    # Who asks for what relu makes gets it, and the pool looks at that.
    assert calls(sess, [pool, y], [x]) == ["Conv2D+BiasAdd+Relu", "MaxPool"]
    assert calls(sess, pool, [y]) == ["MaxPool"]
    for _ in range(3):
        alone = sess.run(pool, {x: images})
        trained = sess.run([pool, *gradients], {x: images})
        apart = sess.run([pool, *gradients, y], {x: images})
        np.testing.assert_array_equal(alone, apart[0])
        np.testing.assert_array_equal(sess.run(pool, {y: apart[-1]}), alone)
        for one, other in zip(trained, apart, strict=False):
            np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-5)


@needs_onednn
def test_relu_stays_before_pools_where_that_would_change_something(sess: Any) -> None:
    x, open_x = tf.placeholder(tf.float32, [2, 6, 6, 4]), tf.placeholder(tf.float32, [None, 6, 6, 4])
    doubles = tf.placeholder(tf.float64, [2, 6, 6, 4])
    together = "Relu+MaxPool"
    assert calls(sess, tf.nn.max_pool(tf.nn.relu(x), 2, 2, "SAME"), [x]) == [together]
    for image in (open_x, doubles):
        assert calls(sess, tf.nn.max_pool(tf.nn.relu(image), 2, 2, "SAME"), [image]) == ["Relu", "MaxPool"]
    # As much comes out as goes in.
    assert calls(sess, tf.nn.max_pool(tf.nn.relu(x), 2, 1, "SAME"), [x]) == ["Relu", "MaxPool"]
    # A gradient that nothing masks goes to the places that relu's results have.
    y = tf.nn.relu(x)
    pool = tf.nn.max_pool(y, 2, 2, "SAME")
    (scattered,) = tf.gradients(pool, [y])
    found = calls(sess, [pool, scattered], [x])
    assert together not in found and "MaxPoolGrad" in found
    both = tf.nn.max_pool(y, 2, 2, "SAME"), tf.reduce_sum(y)
    assert together not in calls(sess, both, [x])


@needs_onednn
def test_open_shapes_that_come_again_have_relu_after_their_pools(sess: Any) -> None:
    x, b = tf.placeholder(tf.float32, [None, 7, 8, 4]), tf.get_variable("b", initializer=B[:4])
    pool = tf.nn.max_pool(tf.nn.relu(tf.nn.bias_add(x, b)), 2, 2, "SAME")
    sess.run(tf.global_variables_initializer())
    for batch in (5, 5, 5, 5, 5, 3, 3, 3, 3):
        images = RNG.standard_normal((batch, 7, 8, 4)).astype("f4")
        padded = np.pad(relu(images + B[:4]), ((0, 0), (0, 1), (0, 0), (0, 0)))
        want = padded.reshape(batch, 4, 2, 4, 2, 4).max((2, 4))
        np.testing.assert_array_equal(sess.run(pool, {x: images}), want)
    assert any("Relu_MaxPool" in source for source in sess.plan(pool, [x]).sources.values())


class Descent:
    """A variable that goes down by a product, beside what NumPy makes of it."""

    def __init__(self, sess: Any, use_resource: bool, rate: Any = 0.5) -> None:
        self.sess, self.want = sess, W.copy()
        self.w = tf.get_variable("w", initializer=W, use_resource=use_resource)
        self.x, self.dy = (tf.placeholder(tf.float32, [None, n]) for n in (600, 128))
        self.gradient = tf.matmul(self.x, self.dy, transpose_a=True)
        self.step = tf.train.GradientDescentOptimizer(rate).apply_gradients([(self.gradient, self.w)])
        sess.run(tf.global_variables_initializer())

    def feeds(self, rows: int = 160) -> dict[Any, Any]:
        return {self.x: X[:rows], self.dy: (X[:, :128] / 100)[:rows]}

    def run(self, fetches: Any = None, rows: int = 160, rate: float = 0.5) -> Any:
        found = self.sess.run(self.step if fetches is None else fetches, self.feeds(rows))
        self.want = self.want - rate * (X[:rows].T @ (X[:, :128] / 100)[:rows])
        return found

    def check(self) -> None:
        np.testing.assert_allclose(self.sess.run(self.w), self.want, rtol=1e-4, atol=1e-4)


@needs_onednn
@pytest.mark.parametrize("use_resource", [False, True])
def test_descents_by_products(sess: Any, use_resource: bool) -> None:
    descent = Descent(sess, use_resource)
    assert any(call.startswith("MatMul+") for call in calls(sess, descent.step, [descent.x, descent.dy]))
    for rows in (160, 160, 3, 160, 160, 160):
        descent.run(rows=rows)
        descent.check()


@needs_onednn
def test_descents_leave_what_was_fetched_and_what_is_read_alone(sess: Any) -> None:
    descent = Descent(sess, True)
    (cell,) = sess._variables
    before = cell.read()
    kept, copied = sess.run(descent.w), before.copy()
    descent.run()
    np.testing.assert_array_equal(before, copied)
    np.testing.assert_array_equal(kept, W)
    descent.check()
    del before
    for _ in range(2):
        descent.run()
    descent.check()


@needs_onednn
def test_a_gradient_that_is_fetched_is_stored(sess: Any) -> None:
    descent = Descent(sess, False)
    found = descent.run([descent.gradient, descent.step])[0]
    np.testing.assert_allclose(found, X.T @ (X[:, :128] / 100), rtol=1e-4, atol=1e-4)
    descent.check()


@needs_onednn
def test_a_product_of_the_variable_itself_is_not_folded(sess: Any) -> None:
    w = tf.get_variable("w", initializer=np.eye(256, dtype="f4"))
    step = tf.train.GradientDescentOptimizer(0.5).apply_gradients([(tf.matmul(w, w), w)])
    sess.run(tf.global_variables_initializer())
    sess.run(step)
    np.testing.assert_array_equal(sess.run(w), np.eye(256) / 2)


@needs_onednn
def test_a_rate_of_nothing_still_passes_nan_on(sess: Any) -> None:
    descent = Descent(sess, False, 0.0)
    sess.run(descent.step, {descent.x: np.full_like(X, np.nan), descent.dy: X[:, :128]})
    assert np.isnan(sess.run(descent.w)).all()


@needs_onednn
def test_a_descent_without_a_value_and_one_of_another_shape_fail_whole(sess: Any) -> None:
    descent = Descent(sess, False)
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"Matrix size-incompatible.*\n.*node 'MatMul'"):
        sess.run(descent.step, {descent.x: X, descent.dy: X[:5, :128]})
    descent.check()
    with tf.Session() as empty, pytest.raises(tf.errors.FailedPreconditionError):
        empty.run(descent.step, descent.feeds())


def masks(rows: int) -> tuple[Any, Any, Any, Any]:
    """Return two placeholders, the product of one, and it masked by the other."""
    x, y = (tf.placeholder(tf.float32, [rows, columns]) for columns in (600, 128))
    product = tf.matmul(x, tf.constant(W))
    return x, y, product, relu_grad_op(product, y)


@pytest.mark.parametrize("with_onednn", [True, False])
def test_large_gradients_of_relu_are_written_over_the_products_that_they_mask(
    sess: Any, monkeypatch: Any, with_onednn: bool
) -> None:
    if not with_onednn:
        monkeypatch.setattr(onednn, "available", lambda: False)
    x, y, product, masked = masks(700)
    given = np.tile(X, (5, 1))[:700]
    want, feeds = (given @ W) * (given[:, :128] > 0), {x: given, y: given[:, :128]}
    (step,) = (s for s in sess.plan(masked, [x, y]).block.steps if s.op.type == "ReluGrad")
    assert step.kind == "folded" and step.extra.over == (step.args[0],)
    (beside,) = (s for s in sess.plan([masked, product], [x, y]).block.steps if s.op.type == "ReluGrad")
    assert beside.kind == "folded" and not beside.extra.over
    for _ in range(4):
        np.testing.assert_allclose(sess.run(masked, feeds), want, rtol=1e-4, atol=1e-4)
        both = sess.run([masked, product], feeds)
        np.testing.assert_allclose(both[0], want, rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(both[1], given @ W, rtol=1e-4, atol=1e-4)


def test_a_mask_never_writes_over_what_was_fed(sess: Any) -> None:
    dy, x = (tf.placeholder(tf.float32, [512, 512]) for _ in range(2))
    (masked,) = tf.gradients(tf.nn.relu(x), [x], dy)
    given = RNG.standard_normal((512, 512)).astype("f4")
    kept = given.copy()
    for _ in range(3):
        np.testing.assert_array_equal(sess.run(masked, {dy: given, x: -given}), given * (given < 0))
    np.testing.assert_array_equal(given, kept)


def test_programs_for_known_shapes_choose_kernels_anew(sess: Any) -> None:
    x = tf.placeholder(tf.float32, [None, 30])
    y = tf.tanh(tf.matmul(x, tf.constant(W[:30])))
    given = X[:, :30]
    for _ in range(8):
        found = sess.run(y, {x: given})
    np.testing.assert_allclose(found, np.tanh(given @ W[:30]), rtol=1e-4, atol=1e-4)
    program = next(iter(sess._plans.values()))
    (source,) = program.sources.values()
    assert "multiplied_" in program.source and "MatMul_" in source and ".dot(" not in source
