"""Summaries beside TensorFlow's: the same bytes' meaning, event files that pass both ways, feature columns' numbers."""

import io

import numpy as np
import pytest
from PIL import Image

import millstream as ms
from support import oracle

if not oracle.available:
    pytest.skip("TensorFlow is not installed beside the project", allow_module_level=True)

pytestmark = pytest.mark.filterwarnings("ignore:.*layer.add_variable:UserWarning")
RNG = np.random.default_rng(3)
PICTURES = RNG.normal(size=(4, 5, 6, 3)).astype("f4")
CASES = {
    "scalar": lambda tf: tf.summary.scalar("a b", 1.25),
    "family": lambda tf: tf.summary.scalar("x", 1.0, family="many"),
    "histogram": lambda tf: tf.summary.histogram("h", RNG_VALUES),
    "image": lambda tf: tf.summary.image("i", PICTURES),
    "positive image": lambda tf: tf.summary.image("i", abs(PICTURES), max_outputs=1),
    "half image": lambda tf: tf.summary.image("i", PICTURES[..., :1].astype("f2")),
    "double image": lambda tf: tf.summary.image("i", abs(PICTURES.astype("f8")), max_outputs=2, family="f"),
    "bytes": lambda tf: tf.summary.image("i", (abs(PICTURES) * 20).astype("u1")),
    "image with holes": lambda tf: tf.summary.image("i", np.where(PICTURES > 1, np.nan, PICTURES)),
    "audio": lambda tf: tf.summary.audio("s", PICTURES[0, :, :, 0], 8000.0),
    "stereo": lambda tf: tf.summary.audio("s", PICTURES[0, :, :, :2], tf.constant(44100.0), max_outputs=1),
    "text": lambda tf: tf.summary.text("t", tf.constant([["a", "b"], ["c", "d"]])),
    "tensor": lambda tf: tf.summary.tensor_summary("t", PICTURES[0], display_name="shown"),
    "merged": lambda tf: tf.summary.merge([tf.summary.scalar("x", 1.0), tf.summary.histogram("y", [1.0, 2.0])]),
}  # fmt: skip
# Sums of these are exact, in whatever order they are added.
RNG_VALUES = RNG.integers(-99, 99, 100) * 2.0 ** RNG.integers(-8, 8, 100)


def plain(value):
    """Returns a summary's value as text, pictures as their pixels: PNG files of one picture differ in their bytes."""
    if not value.image.encoded_image_string:
        return str(value)
    pixels = np.asarray(Image.open(io.BytesIO(value.image.encoded_image_string)))
    return value.tag, value.image.height, value.image.width, value.image.colorspace, pixels.tolist()


@pytest.mark.parametrize("name", CASES)
def test_summaries_mean_the_same(name):
    found = []
    for tf in (ms, oracle.tensorflow()):
        with tf.Graph().as_default(), tf.Session() as session:
            found.append([plain(value) for value in tf.Summary.FromString(session.run(CASES[name](tf))).value])
    if "double" in name:  # the greatest number times its own scale is rounded once there, twice here
        for ours, theirs in zip(*found, strict=True):
            np.testing.assert_allclose(ours[4], theirs[4], rtol=0, atol=1)
        found = [[value[:4] for value in values] for values in found]
    assert found[0] == found[1]


@pytest.mark.parametrize("ours_first", [True, False], ids=["ours to TensorFlow", "TensorFlow's to us"])
def test_event_files_pass(tmp_path, ours_first):
    writer, reader = (ms, oracle.tensorflow()) if ours_first else (oracle.tensorflow(), ms)
    with writer.Graph().as_default(), writer.Session() as session:
        x = writer.placeholder(writer.float32, [], name="x")
        summary = writer.summary.merge(
            [writer.summary.scalar("value", x), writer.summary.text("t", writer.constant("word"))]
        )
        with writer.summary.FileWriter(str(tmp_path), session.graph) as file:
            for step in range(100):
                file.add_summary(session.run(summary, {x: step / 4}), step)
    (path,) = tmp_path.iterdir()
    events = list(reader.train.summary_iterator(str(path)))
    points = [(e.step, v.simple_value) for e in events for v in e.summary.value if v.tag == "value"]
    assert points == [(step, step / 4) for step in range(100)]
    (graph,) = [reader.GraphDef.FromString(event.graph_def) for event in events if event.graph_def]
    assert "x" in {node.name for node in graph.node}


def wide_and_deep(tf):
    """Returns what columns make of features, with weights that tell their places."""
    fc = tf.feature_column
    features = {
        "n": tf.constant([[1.0, 2.0], [3.0, 4.0], [-1.0, 0.0]]), "age": tf.constant([5.0, 25.0, 70.0]),
        "w": tf.constant([["x", "y"], ["z", ""], ["q", "x"]]), "i": tf.constant([[0], [2], [1]], tf.int64),
    }  # fmt: skip
    words = fc.categorical_column_with_vocabulary_list("w", ["x", "y", "z"], num_oov_buckets=2)
    hashed = fc.categorical_column_with_hash_bucket("w", 7)
    age = fc.bucketized_column(fc.numeric_column("age"), [10, 30, 60])
    dense = [
        fc.numeric_column("n", shape=2), age, fc.indicator_column(words),
        fc.indicator_column(fc.categorical_column_with_identity("i", 3)),
        fc.embedding_column(hashed, 3, combiner="sqrtn"),
    ]  # fmt: skip
    return [fc.input_layer(features, dense), fc.linear_model(features, [dense[0], age, words], units=2)]


def test_feature_columns_give_tensorflows_numbers():
    found = []
    for tf in (ms, oracle.tensorflow()):
        with tf.Graph().as_default(), tf.Session() as session:
            made = wide_and_deep(tf)
            session.run([tf.global_variables_initializer(), tf.tables_initializer()])
            for variable in tf.trainable_variables():
                size = variable.shape.num_elements()
                values = np.sin(np.arange(size, dtype="f4")).reshape(variable.shape.as_list())
                session.run(tf.assign(variable, values))
            found.append([v.name for v in tf.trainable_variables()])
            found.append(session.run(made))
    assert found[0] == found[2]
    for ours, theirs in zip(found[1], found[3], strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5)
