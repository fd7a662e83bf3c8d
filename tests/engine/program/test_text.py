"""tf.compat, the switches of behaviour, and the small namespaces."""

import pathlib

import numpy as np
import pytest

import millstream as tf


@pytest.mark.parametrize(
    "convert, value, expected",
    [
        (tf.compat.as_bytes, "é", b"\xc3\xa9"), (tf.compat.as_bytes, b"x", b"x"), (tf.compat.as_bytes, bytearray(b"x"), b"x"),
        (tf.compat.as_text, b"\xc3\xa9", "é"), (tf.compat.as_str, "x", "x"), (tf.compat.as_str_any, 3, "3"),
        (tf.compat.as_str_any, b"3", "3"), (tf.compat.path_to_str, pathlib.Path("a/b"), "a/b"), (tf.compat.path_to_str, "c", "c"),
    ],
)  # fmt: skip
def test_text(convert, value, expected):
    assert convert(value) == expected


@pytest.mark.parametrize("convert", [tf.compat.as_bytes, tf.compat.as_text])
def test_what_is_no_text(convert):
    with pytest.raises(TypeError, match="Expected binary or unicode string, got 3"):
        convert(3)


def test_types():
    assert isinstance(np.int32(1), tf.compat.integral_types) and isinstance(np.float32(1), tf.compat.real_types)
    assert not isinstance(1.5, tf.compat.integral_types) and isinstance("x", tf.compat.bytes_or_text_types)


def test_compat_v1_is_the_package():
    assert tf.compat.v1 is tf


OFF = ["disable_v2_behavior", "disable_eager_execution", "disable_control_flow_v2", "disable_tensor_equality",
       "disable_v2_tensorshape", "enable_control_flow_v2"]  # fmt: skip


@pytest.mark.parametrize("name", OFF)
def test_switches_to_what_is_there(name):
    getattr(tf, name)()
    assert not tf.executing_eagerly()


@pytest.mark.parametrize("name", ["enable_eager_execution", "enable_v2_behavior", "enable_tensor_equality"])
def test_switches_to_what_is_not_there(name):
    with pytest.raises(tf.errors.UnimplementedError, match=f"tf.{name}: .*Build a graph and run it in a tf.Session"):
        getattr(tf, name)()


def test_init_scope_leaves_control_dependencies():
    with tf.Graph().as_default(), tf.name_scope("a"), tf.control_dependencies([tf.no_op()]), tf.init_scope():
        made = tf.constant(1)
    assert not made.op.control_inputs and made.name == "a/Const:0"


def test_resources():
    assert tf.resource_loader.get_data_files_path() == str(pathlib.Path(__file__).parent)
    assert tf.resource_loader.load_resource(pathlib.Path(__file__).name).startswith(b'"""tf.compat')
    with pytest.raises(tf.errors.NotFoundError, match="no such; No such file"):
        tf.resource_loader.load_resource("no such")
    with pytest.raises(tf.errors.UnimplementedError, match="write kernels in Python"):
        tf.load_op_library("ops.so")


def test_version():
    assert tf.VERSION == tf.version.VERSION == "1.15.0" and tf.version.GRAPH_DEF_VERSION > 0
