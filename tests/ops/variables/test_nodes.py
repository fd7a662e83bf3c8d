"""The nodes of variables, scopes and optimisers are those that TensorFlow builds: names, types, inputs, colocation."""

import gzip
import importlib.util
import json
import pathlib

import pytest

import millstream as tf

GOLDEN = pathlib.Path(__file__).parents[2] / "golden"
EXPECTED = json.loads(gzip.decompress((GOLDEN / "variable_nodes.json.gz").read_bytes()))
_SPEC = importlib.util.spec_from_file_location("variable_nodes", GOLDEN / "variable_nodes.py")
programs = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(programs)


@pytest.mark.parametrize("program", EXPECTED, ids=lambda text: text.replace("\n", " ")[:70])
def test_nodes_are_tensorflows(program):
    found = programs.nodes_of(program, tf)
    wanted = [_stripped(node) for node in EXPECTED[program]]
    assert [_stripped(node) for node in found] == wanted


def _stripped(node):
    """Names of gradients' nodes are compared elsewhere."""
    name, kind, inputs, controls, groups = node
    return [name, kind, ["gradients" if t.startswith("gradients") else t for t in inputs], controls, groups]
