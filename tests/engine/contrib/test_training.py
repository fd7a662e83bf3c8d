"""optimize_loss, slim's training operations, HParams, and the vocabulary processor."""

import numpy as np
import pytest

import millstream as tf

layers = tf.contrib.layers
HParams = tf.contrib.training.HParams


def quadratic():
    v = tf.get_variable("v", initializer=tf.constant([4.0, -2.0]))
    return v, tf.reduce_sum(tf.square(v))


OPTIMIZERS = {
    "name": "SGD", "class": tf.train.GradientDescentOptimizer, "instance": tf.train.GradientDescentOptimizer(0.1),
    "function": lambda rate: tf.train.GradientDescentOptimizer(rate),
}  # fmt: skip


@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_optimize_loss(kind):
    v, loss = quadratic()
    step = tf.train.get_or_create_global_step()
    train = layers.optimize_loss(loss, step, 0.1, OPTIMIZERS[kind], summaries=[])
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        session.run(train)
        np.testing.assert_allclose(session.run(v), [3.2, -1.6], rtol=1e-6)
        assert session.run(step) == 1


CLIPS = {
    "norm": ({"clip_gradients": 1.0}, lambda g: g / np.linalg.norm(g)),
    "function": ({"clip_gradients": lambda pairs: [(g * 0.5, v) for g, v in pairs]}, lambda g: g * 0.5),
    "multipliers": ({"gradient_multipliers": {"v": 2.0}}, lambda g: g * 2),
    "decay": ({"learning_rate_decay_fn": lambda rate, step: rate * 0.5}, lambda g: g * 0.5),
    "adaptive": ({"clip_gradients": layers.adaptive_clipping_fn(static_max_norm=1.0)}, None),
    "noise": ({"gradient_noise_scale": 0.1}, None),
    "summaries": ({"summaries": ["loss", "learning_rate", "gradients", "global_gradient_norm"]}, lambda g: g),
}


@pytest.mark.parametrize("case", CLIPS)
def test_what_happens_to_gradients(case):
    options, expected = CLIPS[case]
    v, loss = quadratic()
    train = layers.optimize_loss(loss, tf.train.get_or_create_global_step(), 0.1, "SGD", **{"summaries": [], **options})
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        session.run(train)
        if expected is not None:
            gradient = np.array([8.0, -4.0])
            np.testing.assert_allclose(session.run(v), [4, -2] - 0.1 * expected(gradient), rtol=1e-5)
        if case == "summaries":
            assert session.run(tf.summary.merge_all())


@pytest.mark.parametrize(
    "options, words",
    [
        ({"optimizer": "Sgd"}, "Optimizer name should be one of"), ({"learning_rate": None}, "Learning rate is None"),
        ({"learning_rate": -1.0}, "Invalid learning_rate"), ({"summaries": ["x"]}, "Summaries should be one of"),
        ({"optimizer": 3}, "Unrecognized optimizer"), ({"clip_gradients": "x"}, "Unknown type"),
    ],
)  # fmt: skip
def test_refusals(options, words):
    _, loss = quadratic()
    with pytest.raises(ValueError, match=words):
        layers.optimize_loss(loss, None, **{"learning_rate": 0.1, "optimizer": "SGD", **options})


def test_create_train_op_runs_updates_first():
    v, loss = quadratic()
    count = tf.Variable(0, trainable=False)
    tf.add_to_collection(tf.GraphKeys.UPDATE_OPS, count.assign_add(1))
    optimizer = tf.train.GradientDescentOptimizer(0.1)
    train = tf.contrib.slim.learning.create_train_op(loss, optimizer, clip_gradient_norm=1.0, summarize_gradients=False)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        assert session.run(train) == 20
        assert session.run([count, tf.train.get_global_step()]) == [1, 1]
        np.testing.assert_allclose(session.run(v), np.array([4, -2]) - 0.1 * np.array([8, -4]) / np.sqrt(80), rtol=1e-5)
    assert tf.get_collection(tf.GraphKeys.TRAIN_OP)[-1] is train


def test_create_train_op_checks_numerics():
    v = tf.Variable(0.0)
    train = tf.contrib.training.create_train_op(tf.log(v), tf.train.GradientDescentOptimizer(0.1))
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        with pytest.raises(tf.errors.InvalidArgumentError, match="LossTensor is inf or nan"):
            session.run(train)


def test_slim_losses_take_predictions_first():
    logits = tf.constant([[1.0, 3.0]])
    loss = tf.contrib.slim.losses.softmax_cross_entropy(logits, tf.constant([[0.0, 1.0]]))
    same = tf.losses.softmax_cross_entropy(tf.constant([[0.0, 1.0]]), logits)
    named = tf.contrib.slim.losses.mean_squared_error(predictions=logits, labels=logits + 1.0)
    with tf.Session() as session:
        one, other, mean = session.run([loss, same, named])
    assert one == other and mean == 1 and len(tf.losses.get_losses()) == 3


def test_variables_are_found_and_given_values():
    framework = tf.contrib.framework
    with tf.variable_scope("net"):
        a = framework.model_variable("a", [2])
        b = framework.variable("b", [2])
    c = framework.local_variable(1, name="c")
    assert framework.get_variables("net") == [a, b] and framework.get_model_variables() == [a]
    assert framework.get_variables_by_name("b") == [b] and framework.get_local_variables() == [c]
    assert framework.get_variables_to_restore(exclude=["net/a"]) == [b]
    assert framework.get_variables_to_restore(include=["net/a"]) == [a]
    assert framework.filter_variables([a, b], include_patterns=["net"], exclude_patterns=["b$"]) == [a]
    assert framework.get_unique_variable("net/a") is a and framework.get_variable_full_name(a) == "net/a"
    with pytest.raises(ValueError, match="Couldn't find variable net"):
        framework.get_unique_variable("net")
    assign = framework.assign_from_values_fn({"net/a": [1.0, 2.0]})
    with tf.Session() as session:
        assign(session)
        assert session.run(a).tolist() == [1, 2]
    with pytest.raises(ValueError, match="Total size of new array must be unchanged for net/a"):
        framework.assign_from_values({"net/a": [1.0]})


# -- HParams ------------------------------------------------------------------------------------------------------------


def made():
    return HParams(rate=0.1, steps=5, name="x", fast=True, units=[64, 32], maybe=None)


@pytest.mark.parametrize(
    "text, changed",
    [
        ("rate=0.5", {"rate": 0.5}), ("steps=7,name=yy", {"steps": 7, "name": "yy"}), ("fast=false", {"fast": False}),
        ("fast=1", {"fast": True}), ("units=[1,2,3]", {"units": [1, 2, 3]}), ("units[1]=9", {"units": [64, 9]}),
        ("rate = 2 , steps=1", {"rate": 2.0, "steps": 1}), ("", {}), ("rate=1e-3", {"rate": 1e-3}),
    ],
)  # fmt: skip
def test_hparams_read_text(text, changed):
    assert made().parse(text).values() == {**made().values(), **changed}


@pytest.mark.parametrize(
    "text, words",
    [
        ("what=1", "Unknown hyperparameter type for what"), ("steps=1.5", "Could not parse hparam 'steps' of type 'int'"),
        ("steps=1,steps=2", "Multiple assignments to variable 'steps'"), ("units=3", "Must pass a list for multi-valued"),
        ("steps=[1]", "Must not pass a list for single-valued"), ("fast=maybe", "Could not parse hparam 'fast'"),
        ("=3", "Malformed hyperparameter value"),
    ],
)  # fmt: skip
def test_hparams_refuse_text(text, words):
    with pytest.raises(ValueError, match=words):
        made().parse(text)


def test_hparams_keep_types():
    hparams = made()
    hparams.set_hparam("rate", 1)
    assert hparams.rate == 1.0 and isinstance(hparams.rate, float)
    for name, value in (("steps", 1.5), ("fast", 1), ("name", 3), ("rate", "x"), ("steps", True)):
        with pytest.raises(ValueError, match=f"Could not cast hparam '{name}'"):
            hparams.set_hparam(name, value)
    with pytest.raises(ValueError, match="Hyperparameter name is reserved: rate"):
        hparams.add_hparam("rate", 1)
    with pytest.raises(ValueError, match="cannot be empty"):
        hparams.add_hparam("none", [])
    hparams.steps = 8
    assert hparams.values()["steps"] == 8 and "steps" in hparams and "x" not in hparams


def test_hparams_as_json_and_dicts():
    hparams = HParams(b=1, a=[2.5])
    assert hparams.to_json(sort_keys=True) == '{"a": [2.5], "b": 1}'
    assert HParams(b=0, a=[0.0]).parse_json(hparams.to_json()).values() == hparams.values()
    assert hparams.override_from_dict({"b": 3}).b == 3 and hparams.get("b") == 3 and hparams.get("c", 4) == 4
    with pytest.raises(ValueError, match="is incompatible with default"):
        hparams.get("a", 1)
    hparams.del_hparam("b")
    assert hparams.values() == {"a": [2.5]}


# -- words --------------------------------------------------------------------------------------------------------------


def test_vocabulary_processor(tmp_path):
    processor = tf.contrib.learn.preprocessing.VocabularyProcessor(4)
    texts = ["hello there world", "hello you"]
    rows = np.array(list(processor.fit_transform(texts)))
    assert rows.tolist() == [[1, 2, 3, 0], [1, 4, 0, 0]] and len(processor.vocabulary_) == 5
    assert list(processor.reverse(rows)) == ["hello there world <UNK>", "hello you <UNK> <UNK>"]
    processor.save(str(tmp_path / "vocab"))
    again = tf.contrib.learn.preprocessing.VocabularyProcessor.restore(str(tmp_path / "vocab"))
    assert [r.tolist() for r in again.transform(["world unseen"])] == [[3, 0, 0, 0]]


def test_rare_words_are_unknown():
    processor = tf.contrib.learn.preprocessing.VocabularyProcessor(3, min_frequency=1)
    assert [r.tolist() for r in processor.fit_transform(["a b a", "a b c"])] == [[1, 2, 1], [1, 2, 0]]


def test_the_projector(tmp_path):
    projector = tf.contrib.tensorboard.plugins.projector
    config = projector.ProjectorConfig()
    config.embeddings.add().tensor_name = "v:0"
    with tf.summary.FileWriter(str(tmp_path)) as writer:
        projector.visualize_embeddings(writer, config)
    assert 'tensor_name: "v:0"' in (tmp_path / "projector_config.pbtxt").read_text()
