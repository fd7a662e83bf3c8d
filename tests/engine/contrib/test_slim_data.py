"""slim's data sets: items of Examples by handlers, and records read by threads, each as often as it should be."""

import io

import numpy as np
import pytest
from PIL import Image

import millstream as tf

slim = tf.contrib.slim
decoders = slim.tfexample_decoder
PIXELS = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default():
        yield


def png(pixels):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def example(**features):
    made = tf.train.Example()
    for name, values in features.items():
        feature = made.features.feature[name.replace("__", "/")]
        if isinstance(values[0], bytes):
            feature.bytes_list.value.extend(values)
        elif isinstance(values[0], float):
            feature.float_list.value.extend(values)
        else:
            feature.int64_list.value.extend(values)
    return made.SerializeToString()


RECORD = example(
    image__encoded=[png(PIXELS)], image__format=[b"png"], raw=[PIXELS.tobytes()], kind=[b"raw"], label=[3],
    box__ymin=[0.1, 0.2], box__xmin=[0.3, 0.4], box__ymax=[0.5, 0.6], box__xmax=[0.7, 0.8], grid=[1, 2, 3, 4, 5, 6], rows=[2],
    columns=[3], indices=[0, 2], values=[1.0, 2.0], word=[b"two"],
)  # fmt: skip
ONE, SOME = tf.FixedLenFeature, tf.VarLenFeature
FEATURES = {
    "image/encoded": ONE((), tf.string, ""), "image/format": ONE((), tf.string, "png"), "raw": ONE((), tf.string),
    "kind": ONE((), tf.string), "label": ONE([1], tf.int64), "grid": SOME(tf.int64), "rows": SOME(tf.int64),
    "columns": ONE([1], tf.int64), "indices": SOME(tf.int64), "values": SOME(tf.float32), "word": ONE((), tf.string),
    "none": SOME(tf.int64),
    **{f"box/{side}": SOME(tf.float32) for side in ("ymin", "xmin", "ymax", "xmax")},
}  # fmt: skip
ITEMS = {
    "image": (lambda: decoders.Image(), PIXELS),
    "shaped image": (lambda: decoders.Image(shape=[18]), PIXELS.reshape(18)),
    "raw image": (lambda: decoders.Image("raw", "kind", shape=[2, 3, 3]), PIXELS),
    "label": (lambda: decoders.Tensor("label", shape=[]), 3),
    "grid": (lambda: decoders.Tensor("grid", shape_keys=["rows", "columns"]), [[1, 2, 3], [4, 5, 6]]),
    "boxes": (lambda: decoders.BoundingBox(prefix="box/"), [[0.1, 0.3, 0.5, 0.7], [0.2, 0.4, 0.6, 0.8]]),
    "places": (lambda: decoders.SparseTensor(shape=[4], densify=True), [1, 0, 2, 0]),
    "backed up": (lambda: decoders.BackupHandler(decoders.Tensor("none"), decoders.Tensor("grid")), [1, 2, 3, 4, 5, 6]),
    "not backed up": (lambda: decoders.BackupHandler(decoders.Tensor("rows"), decoders.Tensor("grid")), [2]),
    "called": (lambda: decoders.ItemHandlerCallback(["label", "columns"], lambda f: f["label"] + f["columns"]), [6]),
}


def test_items_of_examples():
    decoder = decoders.TFExampleDecoder(FEATURES, {name: make() for name, (make, _) in ITEMS.items()})
    assert decoder.list_items() == list(ITEMS)
    with tf.Session() as session:
        for name, found in zip(ITEMS, session.run(decoder.decode(tf.constant(RECORD))), strict=True):
            np.testing.assert_allclose(found, ITEMS[name][1], rtol=1e-6, err_msg=name)
        assert session.run(decoder.decode(RECORD, ["label"])) == [3]


def test_looked_up_and_sequence_items():
    table = tf.contrib.lookup.index_table_from_tensor(["one", "two"])
    decoder = decoders.TFSequenceExampleDecoder(
        {"word": ONE((), tf.string)}, {"steps": tf.FixedLenSequenceFeature([], tf.int64)},
        {"word": decoders.LookupTensor("word", table), "steps": decoders.Tensor("steps")},
    )  # fmt: skip
    made = tf.train.SequenceExample()
    made.context.feature["word"].bytes_list.value.append(b"two")
    for step in range(3):
        made.feature_lists.feature_list["steps"].feature.add().int64_list.value.append(step)
    with tf.Session() as session:
        session.run(tf.tables_initializer())
        word, steps = session.run(decoder.decode(made.SerializeToString()))
    assert (word, steps.tolist()) == (1, [0, 1, 2])
    with pytest.raises(ValueError, match=r"common keys: \['word'\]"):
        decoders.TFSequenceExampleDecoder({"word": 1}, {"word": 2}, {})
    with pytest.raises(ValueError, match="Cannot specify both"):
        decoders.Tensor("a", shape_keys="b", shape=[1])


@pytest.mark.parametrize("shuffle", [False, True])
def test_a_dataset_is_read_as_often_as_asked(tmp_path, shuffle):
    for file in range(2):
        with tf.python_io.TFRecordWriter(str(tmp_path / f"part{file}")) as writer:
            for label in range(5):
                writer.write(example(label=[5 * file + label]))
    decoder = decoders.TFExampleDecoder({"label": ONE((), tf.int64)}, {"label": decoders.Tensor("label")})
    dataset = slim.dataset.Dataset(
        str(tmp_path / "part*"), tf.TFRecordReader, decoder, 10, {"label": "a number"}, num_classes=10
    )
    provider = slim.dataset_data_provider.DatasetDataProvider(
        dataset, num_readers=2 if shuffle else 1, shuffle=shuffle, num_epochs=2, common_queue_min=3, seed=1
    )
    assert (provider.list_items(), provider.num_samples(), dataset.num_classes) == (["label", "record_key"], 10, 10)
    (label,) = provider.get(["label"])
    batch = slim.prefetch_queue.prefetch_queue({"label": label}, capacity=2).dequeue()
    seen = []
    with tf.Session() as session:
        session.run(tf.local_variables_initializer())
        coordinator = tf.train.Coordinator()
        threads = tf.train.start_queue_runners(session, coordinator)
        with pytest.raises(tf.errors.OutOfRangeError):
            while True:
                seen.append(int(session.run(batch)["label"]))
        coordinator.request_stop()
        coordinator.join(threads)
    assert sorted(seen) == sorted([*range(10)] * 2)
    if not shuffle:
        assert seen[:5] == [0, 1, 2, 3, 4]
    with pytest.raises(ValueError, match="No data files found"):
        slim.parallel_reader.get_data_files(str(tmp_path / "none*"))
    with pytest.raises(ValueError, match=r"Items \['x'\] are not there; there are \['label', 'record_key'\]"):
        provider.get(["x"])
