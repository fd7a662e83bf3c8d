"""Random programs with loops, conditionals, variables and derivatives: built here and on TensorFlow, and passed on as graphs."""

import os
from typing import Any

import pytest

import millstream
from support import oracle
from support.random_programs import Names, Outcome, assert_same, build, execute, run

if not oracle.available:
    pytest.skip("TensorFlow is not installed beside the project", allow_module_level=True)

EXAMPLES = int(os.environ.get("MILLSTREAM_EXAMPLES", "60"))


def built(tf: Any, seed: int) -> tuple[Names, bytes, Outcome]:
    """Build and run a program with a library; return its GraphDef, too."""
    with tf.Graph().as_default() as graph:
        names = build(tf, seed)
        return names, graph.as_graph_def().SerializeToString(), run(tf, names)


def run_elsewhere(tf: Any, names: Names, definition: bytes) -> Outcome:
    """Run a program from its GraphDef."""
    with tf.Graph().as_default():
        tf.import_graph_def(tf.GraphDef.FromString(definition), name="")
        return run(tf, names)


def on_tensorflow(seed: int) -> tuple[Names, bytes, Outcome]:
    """Build and run a program on TensorFlow; skip where TensorFlow fails."""
    tf = oracle.tensorflow()
    try:
        return built(tf, seed)
    except tf.errors.InvalidArgumentError as error:
        pytest.skip(f"TensorFlow ends with an error of its own: {error.message[:80]}")
    except TypeError as error:
        assert "Second-order gradient for while loops not supported" in str(error)
        pytest.skip("TensorFlow has no second derivatives of loops")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("seed", range(EXAMPLES))
def test_a_program_does_the_same(seed: int) -> None:
    _, _, wanted = on_tensorflow(seed)
    assert_same(execute(millstream, seed), wanted)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("seed", range(EXAMPLES))
def test_tensorflows_graph_runs_here(seed: int) -> None:
    names, definition, wanted = on_tensorflow(seed)
    assert_same(run_elsewhere(millstream, names, definition), wanted)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("seed", range(EXAMPLES))
def test_our_graph_runs_there(seed: int) -> None:
    names, definition, wanted = built(millstream, seed)
    assert_same(run_elsewhere(oracle.tensorflow(), names, definition), wanted)
