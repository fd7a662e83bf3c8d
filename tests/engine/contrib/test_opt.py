"""contrib.opt: three steps of each optimiser against its formula in NumPy, dense and by rows, ref and resource variables."""

import numpy as np
import pytest

import millstream as tf

opt = tf.contrib.opt
START = np.array([[1.0, 2.0], [3.0, 4.0], [-1.0, 0.5]])
STEPS = 3


def slope(v):
    return 2 * (v - 0.5)


def adam(v, state, g, t, nesterov=False):
    m, u = state.setdefault("m", np.zeros_like(v)), state.setdefault("v", np.zeros_like(v))
    m += 0.1 * (g - m)
    u += 0.001 * (g * g - u)
    rate = 0.1 * np.sqrt(1 - 0.999**t) / (1 - 0.9**t)
    ahead = 0.9 * m + 0.1 * g if nesterov else m
    return v - rate * ahead / (np.sqrt(u) + 1e-8)


def adamax(v, state, g, t):
    m, u = state.setdefault("m", np.zeros_like(v)), state.setdefault("v", np.zeros_like(v))
    m += 0.1 * (g - m)
    u[:] = np.maximum(0.999 * u, np.abs(g))
    return v - 0.1 / (1 - 0.9**t) * m / (u + 1e-8)


def momentum(v, state, g, t, rate=0.1):
    a = state.setdefault("a", np.zeros_like(v))
    a[:] = 0.9 * a + g
    return v - rate * a


def lars(v, state, g, t):
    trust = 0.5 * np.linalg.norm(v) / (np.linalg.norm(g) + 0.1 * np.linalg.norm(v))
    return momentum(v, state, g + 0.1 * v, t, 0.1 * trust)


def signed(v, state, g, scale):
    m = state.setdefault("m", np.zeros_like(v))
    m += 0.1 * (g - m)
    return v - 0.1 * scale(np.sign(g) * np.sign(m)) * g


OPTIMIZERS = {
    "AdamW": (lambda: opt.AdamWOptimizer(0.01, 0.1), lambda v, s, g, t: adam(v * 0.99, s, g, t)),
    "MomentumW": (lambda: opt.MomentumWOptimizer(0.01, 0.1, 0.9), lambda v, s, g, t: momentum(v * 0.99, s, g, t)),
    "extended": (
        lambda: opt.extend_with_decoupled_weight_decay(tf.train.AdamOptimizer)(0.01, 0.1),
        lambda v, s, g, t: adam(v * 0.99, s, g, t)),
    "LazyAdam": (lambda: opt.LazyAdamOptimizer(0.1), adam),
    "Nadam": (lambda: opt.NadamOptimizer(0.1), lambda v, s, g, t: adam(v, s, g, t, nesterov=True)),
    "AdaMax": (lambda: opt.AdaMaxOptimizer(0.1), adamax),
    "LARS": (lambda: opt.LARSOptimizer(0.1, weight_decay=0.1, eeta=0.5), lars),
    "AddSign": (lambda: opt.AddSignOptimizer(0.1), lambda v, s, g, t: signed(v, s, g, lambda x: 1 + x)),
    "PowerSign": (lambda: opt.PowerSignOptimizer(0.1), lambda v, s, g, t: signed(v, s, g, np.exp)),
}  # fmt: skip


@pytest.mark.parametrize("use_resource", [False, True])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_dense_steps(name, use_resource):
    make, formula = OPTIMIZERS[name]
    v = tf.Variable(START.astype("f4"), use_resource=use_resource)
    train = make().minimize(tf.reduce_sum(tf.square(v - 0.5)))
    expected, state = START.copy(), {}
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        for t in range(1, STEPS + 1):
            session.run(train)
            expected = formula(expected, state, slope(expected), t)
        np.testing.assert_allclose(session.run(v), expected, rtol=1e-4, atol=1e-5)


BY_ROWS = ("AdamW", "MomentumW", "LazyAdam", "AdaMax")


@pytest.mark.parametrize("use_resource", [False, True])
@pytest.mark.parametrize("name", BY_ROWS)
def test_rows(name, use_resource):
    """What has a gradient moves as a variable of those rows alone would; only AdamW moves others, by their moments."""
    make, formula = OPTIMIZERS[name]
    v = tf.Variable(START.astype("f4"), use_resource=use_resource)
    train = make().minimize(tf.reduce_sum(tf.square(tf.gather(v, [2, 0]) - 0.5)))
    expected, state = START[[2, 0]], {}
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        for t in range(1, STEPS + 1):
            session.run(train)
            expected = formula(expected, state, slope(expected), t)
        found = session.run(v)
    np.testing.assert_allclose(found[[2, 0]], expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(found[1], START[1])


def test_nadam_by_rows_moves():
    v = tf.Variable(START.astype("f4"))
    train = opt.NadamOptimizer(0.1).minimize(tf.reduce_sum(tf.square(tf.gather(v, [2, 0]) - 0.5)))
    state, expected = {}, adam(START[[2, 0]], {}, slope(START[[2, 0]]), 1, nesterov=True)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        session.run(train)
        np.testing.assert_allclose(session.run(v)[[2, 0]], expected, rtol=1e-4)
    assert state == {}


def test_only_some_variables_decay():
    a, b = tf.Variable([1.0]), tf.Variable([1.0])
    optimizer = opt.MomentumWOptimizer(0.5, 0.0, 0.0)
    train = optimizer.minimize(tf.reduce_sum(a + b), decay_var_list=[b])
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        session.run(train)
        assert session.run([a, b]) == [1.0, 0.5]


def test_a_sign_decay_needs_the_step():
    v = tf.Variable([1.0])
    decayed = opt.AddSignOptimizer(0.1, sign_decay_fn=lambda step: tf.cast(step, tf.float32) * 0.0)
    with pytest.raises(ValueError, match="global_step is required for the sign_decay_fn"):
        decayed.minimize(tf.reduce_sum(v))
    train = decayed.minimize(tf.reduce_sum(v), global_step=tf.train.get_or_create_global_step())
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        session.run(train)
        np.testing.assert_allclose(session.run(v), [0.9])


def test_moving_averages_of_what_is_trained():
    v = tf.Variable([1.0], name="v")
    optimizer = opt.MovingAverageOptimizer(tf.train.GradientDescentOptimizer(0.5), average_decay=0.9)
    step = tf.train.get_or_create_global_step()
    train = optimizer.minimize(tf.reduce_sum(v), global_step=step)
    (average,) = [x for x in tf.global_variables() if x.op.name == "v/ExponentialMovingAverage"]
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        session.run(train)
        np.testing.assert_allclose(session.run([v, average]), [[0.5], [0.95]])
        assert session.run(step) == 1
    assert optimizer.variables_to_restore()["v/ExponentialMovingAverage"] is v


def test_clipped_variables():
    v = tf.Variable([[3.0, 4.0], [0.3, 0.4]])
    optimizer = opt.VariableClippingOptimizer(tf.train.GradientDescentOptimizer(0.0), {v: [1]}, 1.0)
    train = optimizer.minimize(tf.reduce_sum(v))
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        session.run(train)
        np.testing.assert_allclose(session.run(v), [[0.6, 0.8], [0.3, 0.4]], rtol=1e-5)


SCIPY = {
    "free": ({}, [1.0, 1.0]),
    "bounds": ({"bounds": True}, [2.0, 1.0]),
    "equality": ({"equalities": lambda v: [v[0] - 3.0]}, [3.0, 1.0]),
    "inequality": ({"inequalities": lambda v: [v[1] - 2.0]}, [1.0, 2.0]),
    "method": ({"method": "CG", "options": {"maxiter": 50}}, [1.0, 1.0]),
}


@pytest.mark.parametrize("case", SCIPY)
def test_scipy(case):
    pytest.importorskip("scipy")
    options, expected = dict(SCIPY[case][0]), SCIPY[case][1]
    v = tf.Variable([7.0, 5.0])
    loss = tf.reduce_sum(tf.square(v - 1.0))
    if options.pop("bounds", False):
        options["var_to_bounds"] = {v: ([2.0, -10.0], [10.0, 10.0])}
    for kind in ("equalities", "inequalities"):
        if kind in options:
            options[kind] = options[kind](v)
    seen = []
    optimizer = opt.ScipyOptimizerInterface(loss, **options)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        optimizer.minimize(session, fetches=[loss], loss_callback=seen.append)
        np.testing.assert_allclose(session.run(v), expected, atol=1e-3)
    assert len(seen) > 1 and seen[0] == 52
