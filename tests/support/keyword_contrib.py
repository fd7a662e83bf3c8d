"""What keywords of tf.contrib do: nothing to compare with is left of it, so every program asserts what its keywords change."""

from __future__ import annotations

import pathlib
from typing import Any

import numpy as np
import pytest

from .keyword_layers import starting
from .keyword_programs import run
from .keywords import Caller, proves

BATCH_NORM = (
    "decay center scale epsilon activation_fn param_initializers param_regularizers updates_collections is_training reuse "
    "variables_collections outputs_collections trainable batch_weights fused data_format zero_debias_moving_mean scope renorm "
    "renorm_clipping renorm_decay adjustment"
)
SHARED = (
    "activation_fn normalizer_fn normalizer_params weights_initializer weights_regularizer biases_initializer biases_regularizer "
    "reuse variables_collections outputs_collections trainable scope"
)
X = np.random.RandomState(3).uniform(-1, 2, (6, 4, 4, 2)).astype("f")


def names(variables: Any) -> list[str]:
    """Return the ends of variables' names."""
    return sorted(v.op.name.rsplit("/", 1)[-1] for v in variables)


def normal(x: Any, epsilon: float = 0.001, axes: Any = (0, 1, 2)) -> Any:
    """Return what normalising by the batch gives."""
    return (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + epsilon)


@proves({"contrib.layers.batch_norm": BATCH_NORM}, lost=True)
def normalised(tf: Any, call: Caller, folder: pathlib.Path) -> None:
    def made(x: Any = X, **given: Any) -> tuple[Any, list[Any]]:
        """Return the outputs, and the averages and parameters after the updates."""
        with tf.Graph().as_default():
            y = call("contrib.layers.batch_norm", x, **given)
            found = [(v.op.name, v) for v in tf.global_variables()]
            updates = tf.get_collection(given.get("updates_collections", tf.GraphKeys.UPDATE_OPS) or "none")
            with tf.Session() as session:
                session.run(tf.global_variables_initializer())
                value = session.run(y)
                session.run(updates)
                return value, [(name, session.run(v)) for name, v in found]

    plain, variables = made()
    np.testing.assert_allclose(plain, normal(X), rtol=1e-3, atol=1e-4)
    assert [name for name, _ in variables] == [f"BatchNorm/{n}" for n in ("beta", "moving_mean", "moving_variance")]
    mean = X.mean((0, 1, 2))
    np.testing.assert_allclose(variables[1][1], mean * 0.001, rtol=1e-3)
    np.testing.assert_allclose(made(decay=0.5)[1][1][1], mean * 0.5, rtol=1e-4)
    assert names_of(made(center=False)) == ["moving_mean", "moving_variance"]
    assert names_of(made(scale=True)) == ["beta", "gamma", "moving_mean", "moving_variance"]
    np.testing.assert_allclose(made(epsilon=1.0)[0], normal(X, 1.0), rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(made(activation_fn=tf.nn.relu)[0], np.maximum(normal(X), 0), rtol=1e-3, atol=1e-4)
    begun = {"beta": tf.constant_initializer(0.5), "moving_mean": tf.constant_initializer(1.0)}
    shifted, moved = made(param_initializers=begun)
    np.testing.assert_allclose(shifted, normal(X) + 0.5, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(moved[1][1], 0.999 + mean * 0.001, rtol=1e-4)
    np.testing.assert_allclose(made(is_training=False)[0], X / np.sqrt(1.001), rtol=1e-4)
    np.testing.assert_allclose(made(fused=False)[0], plain, rtol=1e-3, atol=1e-5)
    first = X.transpose(0, 3, 1, 2)
    np.testing.assert_allclose(made(first, data_format="NCHW")[0].transpose(0, 2, 3, 1), plain, rtol=1e-3, atol=1e-4)
    debiased = made(zero_debias_moving_mean=True, fused=False)[1]
    assert any("biased" in name for name, _ in debiased)
    np.testing.assert_allclose(dict(debiased)["BatchNorm/moving_mean"], mean, rtol=1e-3)
    weights = np.array([1, 1, 1, 0, 0, 0], "f")
    np.testing.assert_allclose(made(batch_weights=weights, fused=False)[0][:3], normal(X[:3]), rtol=1e-3, atol=1e-3)
    renormed = dict(made(renorm=True, fused=False, decay=0.5)[1])
    assert any("renorm_mean" in name for name in renormed)
    clipping = {"rmax": 1.0, "rmin": 1.0, "dmax": 0.0}
    np.testing.assert_allclose(made(renorm=True, renorm_clipping=clipping)[0], normal(X), rtol=1e-3, atol=1e-3)
    slow, quick = (dict(made(renorm=True, renorm_decay=decay)[1])["BatchNorm/renorm_mean"] for decay in (0.99, 0.5))
    assert np.abs(quick).max() > np.abs(slow).max()
    doubled = made(adjustment=lambda shape: (tf.ones([6, 1, 1, 2]) * 2.0, tf.ones([6, 1, 1, 2])), fused=False)[0]
    np.testing.assert_allclose(doubled, normal(X) * 2 + 1, rtol=1e-3, atol=1e-3)
    y = call("contrib.layers.batch_norm", X, scope="own", updates_collections=None, scale=True,
             param_regularizers={"beta": lambda v: tf.reduce_sum(v) + 2.0}, variables_collections=["mine"],
             outputs_collections="outputs", trainable=False)  # fmt: skip
    assert y.op.name.startswith("own/") and tf.get_collection("outputs")[-1] is y
    assert tf.trainable_variables() == [] == tf.get_collection(tf.GraphKeys.UPDATE_OPS)
    mine = tf.get_collection("mine")
    assert names(mine) == ["beta", "gamma", "moving_mean", "moving_variance"]
    assert run(tf, tf.losses.get_regularization_losses()[-1]) == 2.0
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        session.run(y)
        np.testing.assert_allclose(
            session.run(mine[names_in_order(mine).index("moving_mean")]), mean * 0.001, rtol=1e-3
        )
    count = len(tf.global_variables())
    call("contrib.layers.batch_norm", X, scope="own", reuse=True, scale=True, updates_collections=None)
    assert len(tf.global_variables()) == count


def names_of(found: tuple[Any, list[Any]]) -> list[str]:
    """Return the ends of the names of variables that a call made."""
    return sorted(name.rsplit("/", 1)[-1] for name, _ in found[1])


def names_in_order(variables: Any) -> list[str]:
    """Return the ends of variables' names, as they come."""
    return [v.op.name.rsplit("/", 1)[-1] for v in variables]


@proves({"contrib.layers.fully_connected": SHARED,
         "contrib.slim.conv2d": f"{SHARED} stride padding data_format rate"}, lost=True)  # fmt: skip
def connected(tf: Any, call: Caller, folder: pathlib.Path) -> None:
    for path in ("contrib.layers.fully_connected", "contrib.slim.conv2d"):
        one = path.endswith("conv2d")
        x = X if one else X[:, 0, 0]
        sizes = {"num_outputs": 3, "kernel_size": 2} if one else {"num_outputs": 3}
        usual = {"weights_initializer": starting(tf), "activation_fn": None}

        def made(path: str = path, x: Any = x, sizes: Any = sizes, usual: Any = usual, **given: Any) -> Any:
            with tf.Graph().as_default():
                return run(tf, call(path, x, **{**sizes, **usual, **given}))

        plain = made()
        np.testing.assert_allclose(made(activation_fn=tf.nn.relu), np.maximum(plain, 0), rtol=1e-5)
        assert (made(weights_initializer=tf.zeros_initializer()) == 0).all()
        np.testing.assert_allclose(
            made(biases_initializer=tf.constant_initializer(2.0)), plain + 2, rtol=1e-5, atol=1e-5
        )
        np.testing.assert_allclose(
            made(normalizer_fn=lambda y, by: y * by, normalizer_params={"by": 3.0}), plain * 3, rtol=1e-5
        )
        layer = call(path, x, **sizes, scope=f"own_{path}".replace(".", "_"), trainable=False, outputs_collections="outputs",
                     variables_collections={"weights": ["w"], "biases": ["b"]}, weights_regularizer=lambda v: tf.constant(2.0),
                     biases_regularizer=lambda v: tf.constant(3.0))  # fmt: skip
        scope = f"own_{path}".replace(".", "_")
        assert layer.op.name.startswith(f"{scope}/") and tf.get_collection("outputs")[-1] is layer
        assert tf.get_collection("w")[-1].op.name == f"{scope}/weights" and tf.trainable_variables() == []
        assert tf.get_collection("b")[-1].op.name == f"{scope}/biases"
        assert sorted(run(tf, tf.losses.get_regularization_losses()[-2:])) == [2.0, 3.0]
        count = len(tf.global_variables())
        again = call(path, x, **sizes, scope=scope, reuse=True)
        assert len(tf.global_variables()) == count and np.array_equal(*run(tf, [layer, again]))
        if one:
            whole = made(padding="SAME")
            assert plain.shape == whole.shape == (6, 4, 4, 3) and made(padding="VALID").shape == (6, 3, 3, 3)
            np.testing.assert_allclose(made(stride=2), tf_strided(whole), rtol=1e-4, atol=1e-5)
            assert np.abs(made(rate=2) - plain).max() > 0.1
            first = made(x=X.transpose(0, 3, 1, 2), data_format="NCHW")
            np.testing.assert_allclose(first.transpose(0, 2, 3, 1), plain, rtol=1e-4, atol=1e-5)


def tf_strided(value: Any) -> Any:
    """Return every second row and column."""
    return value[:, ::2, ::2]


@proves({"contrib.layers.layer_norm": "center scale activation_fn reuse variables_collections outputs_collections trainable "
         "begin_norm_axis begin_params_axis scope"}, lost=True)  # fmt: skip
def layers_normalised(tf: Any, call: Caller, folder: pathlib.Path) -> None:
    def made(**given: Any) -> tuple[Any, list[str], list[Any]]:
        with tf.Graph().as_default():
            y = call("contrib.layers.layer_norm", X, **given)
            return run(tf, y), names(tf.global_variables()), [v.shape.as_list() for v in tf.global_variables()]

    plain, made_names, shapes = made()
    np.testing.assert_allclose(plain, normal(X, 1e-12, (1, 2, 3)), rtol=1e-3, atol=1e-4)
    assert made_names == ["beta", "gamma"] and shapes == [[2], [2]]
    assert made(center=False)[1] == ["gamma"] and made(scale=False)[1] == ["beta"]
    np.testing.assert_allclose(made(activation_fn=tf.nn.relu)[0], np.maximum(plain, 0), atol=1e-6)
    np.testing.assert_allclose(made(begin_norm_axis=3)[0], normal(X, 1e-12, 3), rtol=1e-2, atol=1e-3)
    assert made(begin_params_axis=1)[2] == [[4, 4, 2]] * 2
    y = call("contrib.layers.layer_norm", X, scope="own", variables_collections=["mine"], outputs_collections=["outputs"],
             trainable=False)  # fmt: skip
    assert names(tf.get_collection("mine")) == ["beta", "gamma"] and tf.trainable_variables() == []
    assert tf.get_collection("outputs") == [y] and tf.global_variables()[0].op.name.startswith("own/")
    again = call("contrib.layers.layer_norm", X, scope="own", reuse=True)
    assert len(tf.global_variables()) == 2 and np.array_equal(*run(tf, [y, again]))


@proves({"contrib.layers.flatten": "outputs_collections scope", "contrib.layers.l2_regularizer": "scope",
         "contrib.slim.dropout": "keep_prob noise_shape is_training outputs_collections scope seed",
         "contrib.slim.max_pool2d": "stride padding data_format outputs_collections scope"}, lost=True)  # fmt: skip
def small(tf: Any, call: Caller, folder: pathlib.Path) -> None:
    flat = call("contrib.layers.flatten", X, outputs_collections="outputs", scope="own")
    assert (
        flat.shape.as_list() == [6, 32] and tf.get_collection("outputs")[-1] is flat and flat.op.name.startswith("own")
    )
    loss = call("contrib.layers.l2_regularizer", 0.5, scope="penalty")(tf.constant([2.0]))
    assert "penalty" in loss.op.name and run(tf, loss) == 1.0
    ones = np.ones([40, 50], "f")
    drop = [run(tf, call("contrib.slim.dropout", ones, keep_prob=0.2, seed=seed)) for seed in (3, 3)]
    assert np.array_equal(*drop) and np.unique(np.round(drop, 4)).tolist() == [0.0, 5.0] and (drop[0] == 0).mean() > 0.7
    rows = run(tf, call("contrib.slim.dropout", ones, noise_shape=[40, 1], seed=3))
    assert (rows == rows[:, :1]).all() and (
        run(tf, call("contrib.slim.dropout", ones, is_training=False)) == ones
    ).all()
    named = call("contrib.slim.dropout", ones, outputs_collections="outputs", scope="drop")
    assert named.op.name.startswith("drop/") and tf.get_collection("outputs")[-1] is named

    def pooled(x: Any = X, **given: Any) -> Any:
        return call("contrib.slim.max_pool2d", x, 2, **given)

    assert [pooled(**given).shape.as_list()[1] for given in ({}, {"stride": 1}, {"stride": 1, "padding": "SAME"})] == [
        2,
        3,
        4,
    ]
    first = run(tf, pooled(X.transpose(0, 3, 1, 2), data_format="NCHW"))
    np.testing.assert_array_equal(first.transpose(0, 2, 3, 1), run(tf, pooled()))
    named = pooled(outputs_collections="outputs", scope="pool")
    assert named.op.name.startswith("pool/") and tf.get_collection("outputs")[-1] is named


@proves({"contrib.layers.variance_scaling_initializer": "factor mode uniform seed dtype",
         "contrib.layers.xavier_initializer": "uniform seed dtype"}, lost=True)  # fmt: skip
def initialisers(tf: Any, call: Caller, folder: pathlib.Path) -> None:
    def drawn(path: str, **given: Any) -> Any:
        with tf.Graph().as_default():
            return run(tf, call(f"contrib.layers.{path}", **{"seed": 3, **given})([200, 50]))

    scaled = {mode: drawn("variance_scaling_initializer", mode=mode).std() for mode in ("FAN_IN", "FAN_OUT", "FAN_AVG")}
    wanted = {"FAN_IN": 200, "FAN_OUT": 50, "FAN_AVG": 125}
    for mode, fan in wanted.items():
        np.testing.assert_allclose(scaled[mode], np.sqrt(2.0 / fan), rtol=0.05)
    np.testing.assert_allclose(drawn("variance_scaling_initializer", factor=8.0).std(), 2 * scaled["FAN_IN"], rtol=0.02)
    flat = drawn("variance_scaling_initializer", uniform=True)
    np.testing.assert_allclose([flat.min(), flat.max()], np.array([-1, 1]) * np.sqrt(6.0 / 200), rtol=0.01)
    even, bell = drawn("xavier_initializer"), drawn("xavier_initializer", uniform=False)
    np.testing.assert_allclose(even.max(), np.sqrt(6.0 / 250), rtol=0.01)
    np.testing.assert_allclose(bell.std(), np.sqrt(2.0 / 250), rtol=0.05)
    assert bell.max() > even.max()
    for path in ("variance_scaling_initializer", "xavier_initializer"):
        assert np.array_equal(drawn(path), drawn(path)) and not np.array_equal(drawn(path), drawn(path, seed=4))
        assert drawn(path, dtype=tf.float64).dtype == np.float64
        with pytest.raises(TypeError):
            drawn(path, dtype=tf.int32)


CELLS = ("BasicLSTMCell", "BasicRNNCell", "GRUCell")


@proves({**{f"contrib.rnn.{name}": "reuse" for name in CELLS}, "contrib.rnn.LayerNormBasicLSTMCell":
         "forget_bias input_size activation layer_norm norm_gain norm_shift dropout_keep_prob dropout_prob_seed reuse"},
        lost=True)  # fmt: skip
def cells(tf: Any, call: Caller, folder: pathlib.Path) -> None:
    x = tf.constant(np.random.RandomState(0).randn(2, 3).astype("f"))
    for name in CELLS:
        found = []
        for reuse in (None, True):
            cell = call(f"contrib.rnn.{name}", 3, reuse=reuse, name=f"cell_{name}")
            found.append(cell(x, cell.zero_state(2, tf.float32))[0])
        assert np.array_equal(*run(tf, found))

    def made(**given: Any) -> tuple[Any, list[str]]:
        with tf.Graph().as_default(), tf.variable_scope("a", initializer=starting(tf)):
            cell = call("contrib.rnn.LayerNormBasicLSTMCell", 3, **given)
            inputs = tf.constant(np.linspace(-1, 1, 12).reshape(2, 6), tf.float32)
            state = tf.nn.rnn_cell.LSTMStateTuple(tf.constant(np.float32([[1, 2, -3], [0, 1, 5]])), tf.ones([2, 3]))
            return run(tf, cell(inputs, state)[1]), names(tf.trainable_variables())

    plain, made_names = made()
    assert made_names.count("gamma") == 5 and "kernel" in made_names
    assert "gamma" not in made(layer_norm=False)[1] and "bias" in made(layer_norm=False)[1]
    for given in ({"forget_bias": 3.0}, {"activation": tf.nn.sigmoid}, {"norm_gain": 2.0}, {"norm_shift": 0.5},
                  {"dropout_keep_prob": 0.5, "dropout_prob_seed": 1}):  # fmt: skip
        assert np.abs(np.array(made(**given)[0]) - np.array(plain)).max() > 1e-3, given
    drops = [np.array(made(dropout_keep_prob=0.5, dropout_prob_seed=seed)[0]) for seed in (1, 1, 2)]
    assert np.array_equal(drops[0], drops[1])
    assert np.array_equal(np.array(made(input_size=9)[0]), np.array(plain))
    shared = []
    for reuse in (None, True):
        cell = call("contrib.rnn.LayerNormBasicLSTMCell", 3, reuse=reuse)
        with tf.variable_scope("same"):
            shared.append(cell(x, cell.zero_state(2, tf.float32))[0])
    assert np.array_equal(*run(tf, shared))


@proves(
    {
        "contrib.rnn.static_rnn": "initial_state sequence_length scope",
        "contrib.rnn.static_bidirectional_rnn": "initial_state_fw initial_state_bw sequence_length scope",
    },
    lost=True,
)
def unrolled(tf: Any, call: Caller, folder: pathlib.Path) -> None:
    inputs = [tf.constant(np.float32([[1, 2], [3, 4]]))] * 3

    def cell() -> Any:
        return tf.nn.rnn_cell.BasicRNNCell(2, activation=lambda x: x, name=None)

    def made(kind: str, **given: Any) -> Any:
        with tf.Graph().as_default(), tf.variable_scope("a", initializer=tf.constant_initializer(0.1)):
            both = [cell(), cell()] if "bi" in kind else [cell()]
            steps = [tf.constant(np.float32([[1, 2], [3, 4]]))] * 3
            found = call(f"contrib.rnn.{kind}", *both, steps, **{"dtype": tf.float32, **given})
            kept = [v.op.name for v in tf.trainable_variables()]
            return run(tf, [found[0], found[1]]), kept

    assert len(inputs) == 3
    (outputs, _), kept = made("static_rnn")
    np.testing.assert_allclose(outputs[0], [[0.3, 0.3], [0.7, 0.7]], rtol=1e-5)
    assert kept[0].startswith("a/rnn/") and made("static_rnn", scope="own")[1][0].startswith("a/own/")
    begun = made("static_rnn", initial_state=np.ones([2, 2], "f"), dtype=None)[0][0]
    np.testing.assert_allclose(begun[0], outputs[0] + 0.2, rtol=1e-5)
    short, last = made("static_rnn", sequence_length=[1, 3])[0]
    assert (short[2][0] == 0).all() and np.allclose(last[0], outputs[0][0]) and np.allclose(last[1], outputs[2][1])
    (outputs, _), kept = made("static_bidirectional_rnn")
    assert outputs[0].shape == (2, 4) and any("/fw/" in name for name in kept)
    assert made("static_bidirectional_rnn", scope="own")[1][0].startswith("a/own/")
    ones = np.ones([2, 2], "f")
    ahead = made("static_bidirectional_rnn", initial_state_fw=ones)[0][0]
    behind = made("static_bidirectional_rnn", initial_state_bw=ones)[0][0]
    np.testing.assert_allclose(ahead[0] - outputs[0], [[0.2, 0.2, 0, 0]] * 2, atol=1e-5)
    np.testing.assert_allclose(behind[2] - outputs[2], [[0, 0, 0.2, 0.2]] * 2, atol=1e-5)
    short = made("static_bidirectional_rnn", sequence_length=[1, 3])[0][0]
    assert (short[2][0] == 0).all() and np.allclose(short[0][0, 2:], outputs[2][0, 2:])


@proves({"contrib.training.HParams": "hparam_def model_structure"}, lost=True)
def hyperparameters(tf: Any, call: Caller, folder: pathlib.Path) -> None:
    first = call("contrib.training.HParams", model_structure="deep", rate=0.5, sizes=[1, 2], name="a")
    assert first.get_model_structure() == "deep"
    again = call("contrib.training.HParams", hparam_def=first.to_proto())
    assert again.values() == {"rate": 0.5, "sizes": [1, 2], "name": "a"}
