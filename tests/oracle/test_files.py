"""Files pass both ways: checkpoints of every dtype, SavedModels and frozen graphs, between TensorFlow and us."""

import os

import ml_dtypes
import numpy as np
import pytest

import millstream as ms
from support import oracle

if not oracle.available:
    pytest.skip("TensorFlow is not installed beside the project", allow_module_level=True)
pytestmark = pytest.mark.filterwarnings("ignore:.*rnn_cell:UserWarning")

DTYPES = (
    "float16", "float32", "float64", "bfloat16", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
    "bool", "complex64", "complex128", "string",
)  # fmt: skip
COUNT = 2000
RNG = np.random.default_rng(12)


def tensors():
    """Returns 2,000 arrays by name, of every dtype and several ranks, empty ones too."""
    made = {}
    for i in range(COUNT):
        dtype, shape = DTYPES[i % len(DTYPES)], tuple(RNG.integers(0, 4, i % 4))
        value = RNG.integers(0, 100, shape)
        if dtype == "string":
            value = np.array([b"x" * int(n) for n in value.reshape(-1)] or [], object).reshape(shape)
        else:
            value = value.astype(ml_dtypes.bfloat16 if dtype == "bfloat16" else dtype)
        made[f"scope_{i % 7}/v{i}"] = value
    return made


@pytest.mark.parametrize("ours_first", [True, False], ids=["ours to TensorFlow", "TensorFlow's to us"])
def test_checkpoints_of_every_dtype(tmp_path, ours_first):
    values, prefix = tensors(), str(tmp_path / "model")
    writer, reader = (ms, oracle.tensorflow()) if ours_first else (oracle.tensorflow(), ms)
    feeds, files = {}, set(os.listdir("/proc/self/fd"))
    with writer.Graph().as_default(), writer.Session() as session:
        made = {}
        for name, value in values.items():
            kind = writer.string if value.dtype == object else writer.as_dtype(value.dtype)
            feed = writer.placeholder(kind, value.shape)
            feeds[feed] = value
            made[name] = writer.Variable(feed, name=name, trainable=False)
        session.run(writer.global_variables_initializer(), feeds)
        writer.train.Saver(made).save(session, prefix, write_meta_graph=False)
    found = reader.train.load_checkpoint(prefix)
    assert found.get_variable_to_shape_map() == {name: list(value.shape) for name, value in values.items()}
    for name, value in values.items():
        again = np.asarray(found.get_tensor(name))
        assert again.dtype == value.dtype or value.dtype == object
        np.testing.assert_array_equal(again, value)
    del found
    assert {path.name for path in tmp_path.iterdir()} == {"checkpoint", "model.index", "model.data-00000-of-00001"}
    left = set(os.listdir("/proc/self/fd")) - files
    assert not [path for path in map(_opened, left) if str(tmp_path) in path]


def _opened(descriptor):
    """Returns the path of an open file, nothing for one that is closed by now."""
    try:
        return os.readlink(f"/proc/self/fd/{descriptor}")
    except OSError:
        return ""


def conv_net(tf):
    x = tf.placeholder(tf.float32, [None, 6, 6, 1], name="x")
    filters = tf.get_variable("filters", initializer=np.linspace(-1, 1, 18).reshape(3, 3, 1, 2).astype(np.float32))
    hidden = tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d(x, filters, [1, 1, 1, 1], "SAME"), [0.1, -0.1]))
    pooled = tf.nn.max_pool(hidden, [1, 2, 2, 1], [1, 2, 2, 1], "VALID")
    return x, tf.nn.softmax(tf.reshape(pooled, [-1, 18]), name="y"), RNG.normal(size=(2, 6, 6, 1)).astype(np.float32)


def cond(tf):
    x = tf.placeholder(tf.float32, [], name="x")
    w = tf.get_variable("w", initializer=3.0, use_resource=True)
    y = tf.cond(x > 0.0, lambda: x * w, lambda: tf.cond(x < -5.0, lambda: -x, lambda: x - w))
    return x, tf.identity(y, name="y"), np.float32(2.5)


def lstm(tf):
    x = tf.placeholder(tf.float32, [2, 4, 3], name="x")
    cell = tf.nn.rnn_cell.BasicLSTMCell(5, name="cell")
    outputs, _ = tf.nn.dynamic_rnn(cell, x, sequence_length=[4, 2], dtype=tf.float32)
    return x, tf.identity(outputs, name="y"), RNG.normal(size=(2, 4, 3)).astype(np.float32)


@pytest.mark.parametrize("build", [conv_net, cond, lstm], ids=lambda f: f.__name__)
@pytest.mark.parametrize("ours_first", [True, False], ids=["ours to TensorFlow", "TensorFlow's to us"])
def test_models(tmp_path, build, ours_first):
    tf = oracle.tensorflow()
    tf.enable_control_flow_v2()
    writer, reader = (ms, tf) if ours_first else (tf, ms)
    target = str(tmp_path / "model")
    with writer.Graph().as_default(), writer.Session() as session:
        x, y, value = build(writer)
        session.run(writer.global_variables_initializer())
        writer.saved_model.simple_save(session, target, {"x": x}, {"y": y})
        wanted = session.run(y, {x: value})
        definition = session.graph.as_graph_def()
        frozen = writer.graph_util.convert_variables_to_constants(session, definition, ["y"]).SerializeToString()
    with reader.Graph().as_default(), reader.Session() as session:
        reader.saved_model.loader.load(session, ["serve"], target)
        np.testing.assert_allclose(session.run("y:0", {"x:0": value}), wanted, rtol=1e-5, atol=1e-6)
    with reader.Graph().as_default(), reader.Session() as session:
        reader.import_graph_def(reader.GraphDef.FromString(frozen), name="")
        np.testing.assert_allclose(session.run("y:0", {"x:0": value}), wanted, rtol=1e-5, atol=1e-6)


def training(tf):
    """Builds a small training program of the kind that keeps averages in a conditional; returns its Saver."""
    rng = np.random.default_rng(5)
    x, is_training = tf.placeholder(tf.float32, [8, 3], name="x"), tf.placeholder(tf.bool, [], name="is_training")
    hidden = tf.matmul(x, tf.get_variable("w", initializer=rng.normal(size=(3, 4)).astype(np.float32)))
    mean, variance = tf.nn.moments(hidden, [0])
    averages = tf.train.ExponentialMovingAverage(0.5)

    def updated():
        with tf.control_dependencies([averages.apply([mean, variance])]):
            return tf.identity(mean), tf.identity(variance)

    kept = tf.cond(is_training, updated, lambda: (averages.average(mean), averages.average(variance)))
    normal = tf.nn.batch_normalization(hidden, *kept, None, None, 1e-3)
    start = tf.random_uniform_initializer(-0.3, 0.3, seed=3)
    with tf.variable_scope("net", initializer=start):
        outputs, _ = tf.nn.dynamic_rnn(tf.nn.rnn_cell.GRUCell(4), tf.reshape(normal, [2, 4, 4]), dtype=tf.float32)
    loss = tf.reduce_mean(tf.square(outputs - 0.3), name="loss")
    tf.train.AdamOptimizer(0.05).minimize(loss, name="train")
    return tf.train.Saver()


def losses(session):
    value = np.random.default_rng(6).normal(size=(8, 3)).astype(np.float32)
    found = [session.run(["loss:0", "train"], {"x:0": value, "is_training:0": True})[0] for _ in range(4)]
    return [*found, session.run("loss:0", {"x:0": value, "is_training:0": False})]


@pytest.mark.parametrize("ours_first", [True, False], ids=["ours to TensorFlow", "TensorFlow's to us"])
@pytest.mark.parametrize("v2", [False, True], ids=["control flow v1", "control flow v2"])
def test_training_goes_on(tmp_path, ours_first, v2):
    tf = oracle.tensorflow()
    (tf.enable_control_flow_v2 if v2 else tf.disable_control_flow_v2)()
    writer, reader = (ms, tf) if ours_first else (tf, ms)
    with writer.Graph().as_default(), writer.Session() as session:
        with writer.variable_scope("", use_resource=v2):
            saver = training(writer)
        session.run(writer.global_variables_initializer())
        prefix = saver.save(session, str(tmp_path / "model"))
        wanted = losses(session)
    with reader.Graph().as_default(), reader.Session() as session:
        reader.train.import_meta_graph(f"{prefix}.meta").restore(session, prefix)
        np.testing.assert_allclose(losses(session), wanted, rtol=1e-4)
