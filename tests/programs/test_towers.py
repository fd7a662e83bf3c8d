"""Programs that spread themselves over two simulated GPUs, and learn what they learn on a CPU."""

import numpy as np
import pytest

pytestmark = pytest.mark.simulated_gpus(2)

CPU0, GPU0, GPU1 = (
    f"/job:localhost/replica:0/task:0/device:{name}:{i}" for name, i in (("CPU", 0), ("GPU", 0), ("GPU", 1))
)


@pytest.fixture(autouse=True)
def only_here(tf):
    if tf.__name__ != "millstream":
        pytest.skip("only Millstream has simulated GPUs")


def average_gradients(tf, towers):
    """The loop of the multi-GPU tutorial: the mean of each variable's gradients, over towers."""
    averaged = []
    for pairs in zip(*towers, strict=True):
        stacked = tf.concat([tf.expand_dims(gradient, 0) for gradient, _ in pairs], 0)
        averaged.append((tf.reduce_mean(stacked, 0), pairs[0][1]))
    return averaged


def tower_loss(tf, images, labels):
    """A small network whose variables live on the CPU and are shared by the towers."""

    def variable(name, shape, initializer):
        with tf.device("/cpu:0"):
            return tf.get_variable(name, shape, initializer=initializer)

    w1 = variable("w1", [8, 16], tf.random_normal_initializer(stddev=0.3, seed=1))
    w2 = variable("w2", [16, 3], tf.random_normal_initializer(stddev=0.3, seed=2))
    logits = tf.matmul(tf.tanh(tf.matmul(images, w1)), w2)
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits))


def train_towers(tf, devices, steps=60):
    """Train with one tower on each of `devices`; return (losses, weights, placement of the step)."""
    rng = np.random.RandomState(0)
    data = rng.randn(96, 8).astype("f4")
    target = np.argmax(data @ rng.randn(8, 3), 1).astype("i4")
    tf.reset_default_graph()
    with tf.device("/cpu:0"):
        optimizer = tf.train.MomentumOptimizer(0.2, 0.9)
        images, labels = tf.placeholder(tf.float32, [96, 8]), tf.placeholder(tf.int32, [96])
        parts = zip(tf.split(images, len(devices)), tf.split(labels, len(devices)), strict=True)
        losses, towers = [], []
        for i, (device, (some_images, some_labels)) in enumerate(zip(devices, parts, strict=True)):
            with tf.device(device), tf.name_scope(f"tower_{i}"), tf.variable_scope("net", reuse=i > 0):
                losses.append(tower_loss(tf, some_images, some_labels))
                towers.append(optimizer.compute_gradients(losses[-1]))
        train = optimizer.apply_gradients(average_gradients(tf, towers))
        loss = tf.add_n(losses) / float(len(losses))
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        feed = {images: data, labels: target}
        reached = [sess.run([loss, train], feed)[0] for _ in range(steps)]
        placement = sess.placement(train, feeds=[images, labels])
        return reached, sess.run(tf.trainable_variables()), placement


def test_two_towers_learn_what_one_cpu_learns(tf):
    on_gpus, gpu_weights, _ = train_towers(tf, ["/gpu:0", "/gpu:1"])
    on_cpu, cpu_weights, _ = train_towers(tf, ["/cpu:0"])
    np.testing.assert_allclose(on_gpus, on_cpu, rtol=1e-4)
    for ours, theirs in zip(gpu_weights, cpu_weights, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-5)
    assert on_gpus[-1] < on_gpus[0] / 5


def test_towers_sit_where_they_were_put(tf):
    _, _, placement = train_towers(tf, ["/gpu:0", "/gpu:1"], steps=1)
    for i, gpu in enumerate((GPU0, GPU1)):
        products = [row for row in placement if row.node.startswith(f"tower_{i}/") and row.op_type == "MatMul"]
        assert len(products) >= 3 and {row.assigned for row in products} == {gpu}
    assert {row.assigned for row in placement if row.op_type == "VariableV2"} == {CPU0}
    assert {row.assigned for row in placement if row.op_type == "ApplyMomentum"} == {CPU0}


def test_every_copy_of_a_towers_step_is_made_once(tf):
    """Each weight goes to each GPU once, for the products and for their gradients alike."""
    _, _, placement = train_towers(tf, ["/gpu:0", "/gpu:1"], steps=1)
    moves = [(copy.tensor, copy.destination) for copy in placement.copies]
    assert len(moves) == len(set(moves))
    weights = [copy for copy in placement.copies if copy.tensor.startswith("net/w")]
    assert sorted((copy.tensor, copy.destination) for copy in weights) == sorted(
        (f"net/{name}/read:0", gpu) for name in ("w1", "w2") for gpu in (GPU0, GPU1)
    )


def test_layers_on_different_devices(tf):
    """One network cut in three: values and gradients travel between the devices and training does not notice."""

    def train(devices):
        tf.reset_default_graph()
        rng = np.random.RandomState(1)
        x, y = tf.placeholder(tf.float32, [None, 4]), tf.placeholder(tf.float32, [None, 1])
        layer = x
        for i, (device, width) in enumerate(zip(devices, (8, 8, 1), strict=True)):
            with tf.device(device), tf.variable_scope(f"layer{i}"):
                wide = layer.shape[1].value
                w = tf.get_variable("w", [wide, width], initializer=tf.random_normal_initializer(stddev=0.4, seed=i))
                layer = tf.matmul(tf.tanh(layer) if i else layer, w)
        loss = tf.reduce_mean(tf.square(layer - y))
        step = tf.train.AdamOptimizer(0.02).minimize(loss)
        inputs = rng.randn(64, 4)
        outputs = np.sin(inputs.sum(1, keepdims=True))
        with tf.Session() as sess:
            sess.run(tf.global_variables_initializer())
            return [sess.run([loss, step], {x: inputs, y: outputs})[0] for _ in range(80)]

    spread, together = train(["/gpu:0", "/gpu:1", "/cpu:0"]), train(["/cpu:0"] * 3)
    np.testing.assert_allclose(spread, together, rtol=1e-3)
    assert spread[-1] < 0.3 * spread[0]


def test_a_loop_on_a_gpu(tf):
    """The loop's variables stay on the GPU; what the host reads is the condition."""
    with tf.device("/gpu:1"):
        x = tf.constant([1.0, 2.0])
        _, y = tf.while_loop(lambda i, y: i < 10, lambda i, y: (i + 1, y * 0.5 + x), [tf.constant(0), tf.zeros([2])])
    with tf.Session() as sess:
        np.testing.assert_allclose(sess.run(y), np.array([1.0, 2.0]) * 2 * (1 - 0.5**10), rtol=1e-6)


def test_a_batch_that_does_not_fit(tf):
    """A memory limit stops the step with the error that programs catch, and the weights stay as they were."""
    with tf.devices.simulated_gpus(1, memory_limit=1 << 20):
        with tf.device("/gpu:0"):
            w = tf.get_variable("w", [64, 64], initializer=tf.ones_initializer())
        x = tf.placeholder(tf.float32, [None, 64])
        with tf.device("/gpu:0"):
            step = w.assign_sub(tf.matmul(x, tf.matmul(x, w), transpose_a=True) * 1e-3)
        with tf.Session() as sess:
            sess.run(tf.global_variables_initializer())
            sess.run(step.op, {x: np.ones((64, 64))})
            before = sess.run(w)
            with pytest.raises(tf.errors.ResourceExhaustedError, match="OOM when allocating"):
                sess.run(step.op, {x: np.ones((4096, 64))})
            np.testing.assert_array_equal(sess.run(w), before)
            sess.run(step.op, {x: np.ones((64, 64))})
