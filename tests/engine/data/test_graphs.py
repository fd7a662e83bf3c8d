"""Graphs with datasets go out as GraphDefs and come back: functions become FunctionDefs, and regions again."""

import numpy as np

import millstream as tf

Dataset = tf.data.Dataset


def elements(session, tensor):
    found = []
    try:
        while True:
            found.append(session.run(tensor))
    except tf.errors.OutOfRangeError:
        return found


def test_functions_go_out_and_come_back():
    with tf.Graph().as_default() as graph:
        factor = tf.constant(3, tf.int64)
        dataset = Dataset.range(4).map(lambda x: x * factor).flat_map(lambda x: Dataset.range(x).map(lambda y: x + y))
        iterator = dataset.filter(lambda x: x % 2 > 0).make_initializable_iterator()
        iterator.get_next("element")
        message = graph.as_graph_def()
    assert {f.signature.name for f in message.library.function} == {
        "Dataset_map_lambda", "Dataset_flat_map_lambda", "Dataset_map_lambda_1", "Dataset_filter_lambda",
    }  # fmt: skip
    with tf.Graph().as_default() as again, tf.Session() as session:
        tf.import_graph_def(message, name="")
        session.run("MakeIterator")
        expected = [x + y for x in (0, 3, 6, 9) for y in range(x) if (x + y) % 2]
        assert elements(session, "element:0") == expected
        assert len(again.as_graph_def().library.function) == 4


def test_a_one_shot_iterator_holds_its_dataset():
    with tf.Graph().as_default() as graph:
        Dataset.from_tensor_slices(np.arange(3.0)).batch(2).make_one_shot_iterator().get_next("element")
        message = graph.as_graph_def()
    with tf.Graph().as_default(), tf.Session() as session:
        tf.import_graph_def(message, name="")
        np.testing.assert_array_equal(np.concatenate(elements(session, "element:0")), [0.0, 1.0, 2.0])
