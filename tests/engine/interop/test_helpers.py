"""What programs import of TensorFlow's insides: what they decorate, inspect, define, write and fetch with it."""

import collections
import functools
import importlib
import pydoc

import numpy as np
import pytest

import millstream as tf
from millstream.engine.interop import finder


@pytest.fixture(autouse=True)
def stand_in():
    with finder.standing_in(replace=True), tf.Graph().as_default():
        yield


FOUND = {
    "from tensorflow.contrib.framework import smart_cond as f": tf.contrib.framework.smart_cond,
    "from tensorflow.python.data.ops.dataset_ops import DatasetV1 as f": tf.data.Dataset,
    "from tensorflow.python.estimator.inputs.numpy_io import numpy_input_fn as f": tf.estimator.inputs.numpy_input_fn,
    "from tensorflow.python.framework.dtypes import float32_ref as f": tf.as_dtype("float_ref"),
    "from tensorflow.python.framework.errors_impl import OutOfRangeError as f": tf.errors.OutOfRangeError,
    "from tensorflow.python.framework.tensor_shape import as_shape as f": tf.TensorShape,
    "from tensorflow.python.keras.utils.np_utils import to_categorical as f": tf.keras.utils.to_categorical,
    "from tensorflow.python.layers.convolutional import Convolution2D as f": tf.layers.Conv2D,
    "from tensorflow.python.ops.init_ops import Zeros as f": tf.zeros_initializer,
    "from tensorflow.python.ops.lookup_ops import index_table_from_tensor as f": tf.contrib.lookup.index_table_from_tensor,
    "from tensorflow.python.ops.variables import VariableV1 as f": tf.Variable,
    "from tensorflow.python.ops.distributions.kullback_leibler import kl_divergence as f": tf.distributions.kl_divergence,
    "from tensorflow.python.summary.summary_iterator import summary_iterator as f": tf.train.summary_iterator,
    "from tensorflow.python.training.training import AdamOptimizer as f": tf.train.AdamOptimizer,
    "from tensorflow.python.training.device_setter import replica_device_setter as f": tf.train.replica_device_setter,
}


@pytest.mark.parametrize("statement", FOUND)
def test_where_things_are(statement):
    names = {}
    exec(statement, names)
    assert names["f"] == FOUND[statement]


def test_a_package_that_is_only_imported_fails_where_a_name_of_it_is_used():
    names = {}
    exec("from tensorflow.python import debug\nfrom tensorflow.contrib.eager.python import tfe", names)
    for module in ("debug", "tfe"):
        with pytest.raises(AttributeError, match="millstream stands in for TensorFlow here, and has nothing for it"):
            exec(f"{module}.LocalCLIDebugWrapperSession", names)
    assert not hasattr(finder.target_of(""), "eager")
    with pytest.raises(ImportError, match=r"'tensorflow\.python\.ops\.array_ops\.reshap'.*near: .*array_ops\.reshape"):
        exec("from tensorflow.python.ops.array_ops import reshap", names)


def test_names_of_functions():
    """Programs name layers after `activation.__name__`."""
    names = (
        "exp floor_mod is_nan maximum multiply negative slice sparse_maximum sparse_segment_sqrt_n tanh to_int32 tuple"
    )
    for name in names.split():
        assert getattr(tf, {"floor_mod": "mod"}.get(name, name)).__name__ == name
    assert (tf.nn.relu6.__name__, tf.nn.sigmoid.__name__) == ("relu6", "sigmoid")


def test_decorators_and_inspection():
    from tensorflow.python.framework import ops
    from tensorflow.python.util import deprecation, function_utils, tf_decorator, tf_inspect

    @deprecation.deprecated(None, "Use another one.")
    @deprecation.deprecated_args(None, "Leave it out.", "old")
    def function(a, b=2, *rest, old=None, **more):
        return a, b, old

    assert function(1, old=3) == (1, 2, 3)
    assert tf_inspect.getargspec(function) == (["a", "b"], "rest", "more", (2,))
    assert function_utils.fn_args(function) == ("a", "b")
    assert function_utils.fn_args(functools.partial(function, 1)) == ("b",)
    assert function_utils.has_kwargs(function)
    assert function_utils.fn_args(collections.Counter().update) == ("iterable",)
    made = tf_decorator.make_decorator(function, lambda *args: "made")
    assert (made(), made.__name__, tf_decorator.unwrap(made)[1].__name__) == ("made", "function", "function")
    assert deprecation.deprecated_argument_lookup("axis", None, "dim", 1) == 1
    with pytest.raises(ValueError, match="Cannot specify both 'dim' and 'axis'"):
        deprecation.deprecated_argument_lookup("axis", 1, "dim", 1)
    assert (ops.strip_name_scope("^a/b/c", "a"), ops.strip_name_scope("loc:@a/b", "a/"), ops.strip_name_scope("ab/c", "a")) == (
        "^b/c", "loc:@b", "ab/c",
    )  # fmt: skip
    assert ops.prepend_name_scope("^b", "a/") == "^a/b"
    assert ops.uid() != ops.uid()


def test_functions_with_types_and_gradients():
    from tensorflow.python.framework import function

    @function.Defun(tf.float32, tf.float32)
    def product(a, b):
        return a * b

    @function.Defun(
        python_grad_func=lambda op, dy: dy * op.inputs[0] + op.outputs[0], shape_func=lambda op: [op.inputs[0].shape]
    )
    def twice(x):
        return tf.reshape(tf.concat([2 * x], 0), tf.shape(x) + 0)

    x = tf.constant([1.0, 3.0])
    y = twice(x, name="doubled")
    with tf.Session() as session:
        values = session.run([y, tf.gradients(y, x)[0], product(2, 3.0)])
    np.testing.assert_allclose(values[0], [2, 6])
    np.testing.assert_allclose(values[1], [3, 9])
    assert (values[2], y.shape.as_list(), y.name.split("/")[0]) == (6, [2], "doubled")
    with pytest.raises(ValueError, match="product takes 2 tensors, as its types say, but got 1"):
        product(1.0)


def test_what_metrics_are_made_of():
    from tensorflow.contrib.seq2seq.python.ops import decoder
    from tensorflow.python.ops import confusion_matrix, metrics_impl

    swapped = decoder._transpose_batch_time(tf.zeros([2, 3, 4]))
    count = metrics_impl.metric_variable([], tf.float32, validate_shape=False, name="count")
    assert (swapped.shape.as_list(), count.op.name, tf.local_variables()) == ([3, 2, 4], "count", [count])
    cases = {((2, 1), (2,), 0): ((2,), (2,)), ((2,), (2, 1), 0): ((2,), (2,)), ((2,), (2, 1), 1): ((2,), (2, 1))}
    cases |= {((2, 1), (2, 3), 1): ((2,), (2, 3)), ((2, 3), (2,), 0): ((2, 3), (2,))}
    for (labels, predictions, surplus), wanted in cases.items():
        found = confusion_matrix.remove_squeezable_dimensions(tf.zeros(labels), tf.zeros(predictions), surplus)
        assert tuple(tuple(tensor.shape.as_list()) for tensor in found) == wanted


def test_events_written_by_hand(tmp_path):
    from tensorflow.python import pywrap_tensorflow

    writer = pywrap_tensorflow.EventsWriter(str(tmp_path / "events").encode())
    writer.WriteEvent(tf.Event(step=3))
    assert writer.Flush()
    events = list(tf.train.summary_iterator(writer.FileName().decode()))
    assert [event.step for event in events] == [0, 3]
    assert events[0].file_version == "brain.Event:2"
    assert writer.Close()


def test_sessions_fetch_and_feed_types_of_programs():
    from tensorflow.python.client.session import register_session_run_conversion_functions

    class Pair:
        def __init__(self, a, b):
            self.parts = [a, b]

    register_session_run_conversion_functions(
        Pair, lambda pair: (pair.parts, sum), lambda pair, value: list(zip(pair.parts, value, strict=True))
    )
    pair = Pair(tf.placeholder(tf.float32), tf.placeholder(tf.float32))
    with tf.Session() as session:
        assert session.run({"sum": pair}, {pair: (1.0, 2.0)}) == {"sum": 3.0}
    with pytest.raises(ValueError, match="has already been registered"):
        register_session_run_conversion_functions(Pair, lambda pair: (pair.parts, sum))


def test_tensors_and_nodes_carry_what_programs_hang_on_them():
    x = tf.constant(1.0)
    x.W, x.op.note = "weights", "mine"
    assert (x.W, x.op.note) == ("weights", "mine")
    assert {"__add__", "__getitem__", "__rtruediv__"} <= tf.Tensor.OVERLOADABLE_OPERATORS
    assert all(hasattr(kind, name) for kind in (tf.Tensor, tf.Variable) for name in tf.Tensor.OVERLOADABLE_OPERATORS)


def test_what_a_star_gives():
    import tensorflow

    names = {}
    exec("from tensorflow.contrib.layers import *", names)
    assert names["fully_connected"] is tf.contrib.layers.fully_connected
    assert not {"engine", "ops"} & set(tensorflow.__all__)
    assert len(dir(tensorflow.contrib)) == len(set(dir(tensorflow.contrib)))


def test_names_are_found_by_their_paths():
    """As libraries do that are configured by the names of layers."""
    assert pydoc.locate("tensorflow.nn.relu") is tf.nn.relu
    assert pydoc.locate("tensorflow.contrib.rnn.GRUCell") is tf.contrib.rnn.GRUCell
    assert pydoc.locate("tensorflow.nn.nothing_like_it") is None
    with pytest.raises(ImportError, match=r"'tensorflow\.nn\.relu'") as caught:
        importlib.import_module("tensorflow.nn.relu")
    assert caught.value.name == "tensorflow.nn.relu"
