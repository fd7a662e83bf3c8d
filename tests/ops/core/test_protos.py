"""The loader of protocol buffers: late, light, and complete."""

import subprocess
import sys

import pytest

from millstream.ops.core import protos

LIGHT = """
import sys
from millstream.ops.core import protos
assert not [name for name in sys.modules if name.startswith(("tensorboard", "google.protobuf"))]
protos.GraphDef, protos.ConfigProto
servers = ("grpc", "tensorflow", "tensorboard.backend", "tensorboard.program")
heavy = [name for name in sys.modules if name.startswith(servers)]
assert not heavy, heavy
"""


def test_loading_is_late_and_light():
    done = subprocess.run([sys.executable, "-W", "error", "-c", LIGHT], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", sorted(protos._HOME))
def test_every_name_is_there(name):
    assert getattr(protos, name) is getattr(protos, name)


def test_messages_are_tensorflows():
    assert protos.GraphDef.DESCRIPTOR.name == "GraphDef"
    assert protos.GraphDef is protos.graph_pb2().GraphDef
    assert protos.AttrValue is protos.attr_value_pb2().AttrValue
    assert protos.ConfigProto is protos.config_pb2().ConfigProto
    assert protos.TensorProto is protos.tensor_pb2().TensorProto
    assert protos.TensorShapeProto is protos.tensor_shape_pb2().TensorShapeProto


def test_other_names_are_no_attributes():
    with pytest.raises(AttributeError, match="no attribute 'GraphDeaf'"):
        _ = protos.GraphDeaf
