"""What the rewrites that rely on shapes leave of a program: rows of (graph, the op types left), and equal results."""

import numpy as np
import pytest

import millstream as tf

ROWS = np.linspace(-2, 2, 6, dtype="f4").reshape(2, 3)


def types(source):
    return [line.rpartition(") on ")[0].rpartition("(")[2] for line in source.splitlines() if " on CPU:0" in line]


HANDED_ON = {
    "identity": lambda x: tf.identity(x),
    "stop_gradient": lambda x: tf.stop_gradient(x),
    "reshape to its own shape": lambda x: tf.reshape(x, [2, 3]),
    "there and back": lambda x: tf.reshape(tf.reshape(x, [6]), [2, 3]),
    "broadcast to its own shape": lambda x: tf.broadcast_to(x, [2, 3]),
    "sum over no axes": lambda x: tf.reduce_sum(x, []),
    "tile once": lambda x: tf.tile(x, [1, 1]),
    "times one": lambda x: 1.0 * (x * 1.0),
    "times ones": lambda x: x * tf.ones([2, 3]),
    "over one": lambda x: x / 1.0,
    "squeeze of nothing": lambda x: tf.squeeze(x, [0]) if x.shape[0] == 1 else tf.squeeze(x),
}


@pytest.mark.parametrize("passing", HANDED_ON.values(), ids=HANDED_ON.keys())
def test_steps_that_hand_on_their_input_vanish(passing):
    with tf.Graph().as_default(), tf.Session() as sess:
        x = tf.placeholder(tf.float32, [2, 3])
        y = tf.tanh(passing(tf.exp(x)))
        left = types(sess.plan(y, [x]).source)
        assert [kind for kind in left if kind != "Reshape"] == ["Exp", "Tanh"]
        assert len(left) <= (4 if passing is HANDED_ON["there and back"] else 2)
        np.testing.assert_array_equal(sess.run(y, {x: ROWS}), np.tanh(np.exp(ROWS)))


STAY = {
    "a pinned identity": (lambda x: pinned(tf.identity, x), "Identity"),
    "a broadcast that spreads": (lambda x: tf.broadcast_to(x, [2, 2, 3]), "BroadcastTo"),
    "a sum over an axis of one": (lambda x: tf.reduce_sum(x[:, :1], 1), "Sum"),
    "minus zero": (lambda x: x + 0.0, "AddV2"),
    "times minus one": (lambda x: x * -1.0, "Mul"),
    "one over": (lambda x: 1.0 / x, "RealDiv"),
}


def pinned(function, x):
    with tf.device("/cpu:0"):
        return function(x)


@pytest.mark.parametrize(("build", "kind"), STAY.values(), ids=STAY.keys())
def test_steps_that_compute_something_stay(build, kind):
    with tf.Graph().as_default(), tf.Session() as sess:
        x = tf.placeholder(tf.float32, [2, 3])
        assert kind in types(sess.plan(tf.tanh(build(tf.exp(x))), [x]).source)


def test_an_identity_of_a_variable_is_read_where_it_stands():
    """Before the update, although it is used after it."""
    with tf.Graph().as_default(), tf.Session() as sess:
        v = tf.get_variable("v", initializer=tf.constant(ROWS), use_resource=False)
        with tf.control_dependencies([v.initializer]):
            before = v.read_value() + 0.5
        with tf.control_dependencies([before]):
            added = tf.assign_add(v, tf.ones([2, 3]))
        with tf.control_dependencies([added]):
            after = before * 1.0
        np.testing.assert_array_equal(sess.run([after, added])[0], ROWS + 0.5)


SCALES = {
    "two and a constant": (lambda x: 0.1 * (2.0 * x), 1),
    "from the right": (lambda x: (x * 2.0) * 0.1, 1),
    "three in a row": (lambda x: 4.0 * (0.5 * (2.0 * x)), 2),
    "a factor that is no power of two": (lambda x: 0.1 * (3.0 * x), 2),
    "a half, which may underflow": (lambda x: 0.1 * (0.5 * x), 2),
    "read twice": (lambda x: (lambda twice: 0.1 * twice + twice)(2.0 * x), 2),
}


@pytest.mark.parametrize(("build", "products"), SCALES.values(), ids=SCALES.keys())
def test_products_with_powers_of_two_join(build, products):
    value = np.random.RandomState(0).randn(200).astype("f4") * np.logspace(-44, 37, 200).astype("f4")
    with tf.Graph().as_default(), tf.Session() as sess:
        x = tf.placeholder(tf.float32, [200])
        y = build(x)
        assert types(sess.plan(y, [x]).source).count("Mul") == products
        with np.errstate(over="ignore"):
            np.testing.assert_array_equal(sess.run(y, {x: value}), build(value))


def test_uniform_constants_are_read_as_scalars():
    with tf.Graph().as_default(), tf.Session() as sess:
        x = tf.placeholder(tf.float32, [2, 3])
        y = x * tf.fill([2, 3], 0.5) - tf.constant([[0.0, -0.0, 0.0]] * 2)
        source = sess.plan(y, [x]).source
        assert "scalar" in source and "k" in source
        np.testing.assert_array_equal(sess.run(y, {x: ROWS}), ROWS * np.float32(0.5))


OPTIMIZERS = {
    "descent": lambda rate: tf.train.GradientDescentOptimizer(rate),
    "momentum": lambda rate: tf.train.MomentumOptimizer(rate, 0.9),
    "nesterov": lambda rate: tf.train.MomentumOptimizer(rate, 0.9, use_nesterov=True),
    "adam": lambda rate: tf.train.AdamOptimizer(rate),
    "adagrad": lambda rate: tf.train.AdagradOptimizer(rate),
    "rmsprop": lambda rate: tf.train.RMSPropOptimizer(rate, momentum=0.5),
}


@pytest.mark.parametrize("use_resource", [False, True], ids=["ref", "resource"])
@pytest.mark.parametrize("rate", ["constant", "fed", "held"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=OPTIMIZERS.keys())
def test_small_updates_are_the_kernels_bit_for_bit(optimizer, rate, use_resource, monkeypatch):
    """Of a matrix and a scalar that share their hyperparameters, over several steps."""

    def train():
        with tf.Graph().as_default(), tf.Session() as sess:
            fed = tf.placeholder(tf.float32, [])
            held = tf.get_variable("rate", initializer=0.05, use_resource=use_resource)
            chosen = {"constant": 0.05, "fed": fed, "held": held}[rate]
            matrix = tf.get_variable("m", initializer=tf.constant(ROWS), use_resource=use_resource)
            number = tf.get_variable("n", initializer=0.7, use_resource=use_resource)
            loss = tf.reduce_sum(tf.square(matrix * number - 1.0))
            step = optimizer(chosen).minimize(loss, var_list=[matrix, number])
            sess.run(tf.global_variables_initializer())
            for i in range(5):
                sess.run(step, {fed: 0.05 + 0.01 * i} if rate == "fed" else None)
            plan = sess.plan(step, [fed] if rate == "fed" else [])
            return sess.run(tf.global_variables()), plan.source

    small, source = train()
    monkeypatch.setattr("millstream.engine.compiler.rewrite.updates.SMALL", {})
    large, kernels = train()
    assert "    update_" not in kernels
    assert ("    update_" in source) == (optimizer is not OPTIMIZERS["nesterov"])
    for one, other in zip(small, large, strict=True):
        np.testing.assert_array_equal(one, other)
        assert type(one) is type(other)


def test_scalars_are_prepared_again_after_a_write_to_what_they_were_read_from():
    with tf.Graph().as_default(), tf.Session() as sess:
        rate = tf.get_variable("rate", initializer=0.5, use_resource=False)
        v, w = (tf.get_variable(name, initializer=[1.0, 2.0], use_resource=False) for name in "vw")
        first = tf.train.GradientDescentOptimizer(rate).apply_gradients([(tf.ones([2]), v)])
        with tf.control_dependencies([first]):
            lower = tf.assign(rate, 0.25)
        with tf.control_dependencies([lower]):
            second = tf.train.GradientDescentOptimizer(rate).apply_gradients([(tf.ones([2]), w)])
        sess.run(tf.global_variables_initializer())
        sess.run(second)
        np.testing.assert_array_equal(sess.run(v), [0.5, 1.5])
        np.testing.assert_array_equal(sess.run(w), [0.75, 1.75])
