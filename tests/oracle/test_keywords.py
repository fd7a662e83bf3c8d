"""Every keyword given another value than its default, on both sides: what is made, computed, and done by a training step."""

from __future__ import annotations

import pathlib
import warnings
from typing import Any

import numpy as np
import pytest

import millstream
from support import (  # noqa: F401  (enter their calls)
    keyword_cases,
    keyword_data,
    keyword_layers,
    keyword_methods,
    keyword_monitored,
    keyword_programs,
    keyword_refusals,
    keyword_training,
    oracle,
)
from support.keywords import LOST, PROGRAMS, REFUSED, VARIED, Caller, Program, arguments, observe, used
from support.signatures import resolve

if not oracle.available:
    pytest.skip("TensorFlow is not installed beside the project", allow_module_level=True)

from .test_calls import NO_MEASURE, OTHER_NAMES, same, theirs

# Nodes that TensorFlow makes otherwise with some keyword (with any, where none is named), by reason.
OTHER_NODES = {
    ("Variable", "use_resource"): "2.x notes the name once more",
    ("case", "exclusive"): "2.x makes fewer constants for the check",
    ("distributions.Normal", ""): "written with other functions",
    ("eye", ""): "2.x has new versions of the ops",
    ("gather_nd", "batch_dims"): "one node where TensorFlow flattens the batch",
    ("get_variable", "use_resource"): "2.x notes the name once more",
    ("layers.batch_normalization", "renorm"): "other nodes make the average of deviations",
    ("layers.conv1d", ""): "2.x counts axes from the end",
    ("layers.dropout", ""): "1.15 multiplied where 2.x selects",
    ("nn.conv1d", ""): "2.x counts axes from the end",
    ("nn.rnn_cell.DropoutWrapper", ""): "1.15 multiplied where 2.x selects",
    ("nn.static_rnn", "sequence_length"): "a choice of values, where TensorFlow has branches",
}
# Groups of keywords whose values TensorFlow leaves open, by reason.
NO_VALUES = {
    ("nn.top_k", "k", "sorted"): "in no order",
}
# What ends a loop or a branch: regions here, where TensorFlow has old control flow.
FLOW = {"If", "While", "Merge", "Exit"}


def outcome(tf: Any, path: str, function: Any, given: dict[str, Any], seed: int) -> dict[str, Any]:
    """Return what a call makes, without values where TensorFlow has no kernel for a CPU."""
    try:
        return observe(tf, path, function, given, seed)
    except (tf.errors.OpError, NotImplementedError) as error:
        if not any(words in str(error) for words in oracle.NO_KERNEL):
            raise
        return observe(tf, path, function, given)


def differences(path: str, given: dict[str, Any], function: Any) -> list[str]:
    """Return in words what differs from TensorFlow's."""
    tf = oracle.tensorflow()
    wanted = outcome(tf, path, function, given, 3)
    found = outcome(millstream, path, resolve(path), given, 3)
    otherwise = path in OTHER_NAMES or any(OTHER_NODES.get((path, keyword)) for keyword in ("", *given))
    aspects = ["dtypes", "shapes", "variables", "collections", "structure"] + ([] if otherwise else ["outputs"])
    if otherwise:
        for seen in (wanted, found):
            seen["collections"].pop(tf.GraphKeys.UPDATE_OPS, None)
    wrong = [f"{a}: {found[a]}, not {wanted[a]}" for a in aspects if found[a] != wanted[a]]
    if not otherwise:
        ops = zip(found["attributes"], wanted["attributes"], strict=False)
        wrong += [f"{a}, not {b}" for a, b in ops if a != b and not {a[0], b[0]} & FLOW]
    if "values" in wanted and path not in NO_MEASURE and not NO_VALUES.get((path, *given)):
        pairs = [(f"value {n}", a, b) for n, (a, b) in enumerate(zip(found["values"], wanted["values"], strict=False))]
        pairs += [(name, found["after"].get(name), value) for name, value in wanted["after"].items()]
        unlike = [f"{name}: {a!r}, not {b!r}" for name, a, b in pairs if not alike(a, b)]
        if unlike and ("seed" in given or not drawn(tf, path, function, given, wanted)):
            wrong += unlike
    return wrong


def alike(ours: Any, peer: Any) -> bool:
    """Tell whether two values are of one shape and dtype, and equal."""
    if ours is None or peer is None:
        return ours is peer
    return np.shape(ours) == np.shape(peer) and np.asarray(ours).dtype == np.asarray(peer).dtype and same(ours, peer)


def drawn(tf: Any, path: str, function: Any, given: dict[str, Any], first: dict[str, Any]) -> bool:
    """Tell whether TensorFlow's values depend on the graph's seed."""
    again = outcome(tf, path, function, given, 4)
    return not all(same(a, b) for a, b in zip(first["values"], again["values"], strict=True)) or not all(
        same(value, again["after"][name]) for name, value in first["after"].items()
    )


@pytest.mark.parametrize("path", VARIED)
def test_keywords(path: str) -> None:
    function = theirs(path)
    if function is None:
        pytest.skip("compat.v1 has it no more")
    assert {str(given): wrong for given in VARIED[path] if (wrong := differences(path, given, function))} == {}


def refusal(tf: Any, path: str, function: Any, given: dict[str, Any]) -> str:
    """Return the class of the error that a call ends in when its graph is built, or run; nothing where none is."""
    try:
        with tf.Graph().as_default(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            made = used(tf, path, function(**arguments(tf, path, given)))
            with tf.Session() as session:
                session.run(tf.global_variables_initializer())
                session.run(made)
    except Exception as error:
        return type(error).__name__
    return ""


@pytest.mark.parametrize(("path", "given"), REFUSED, ids=lambda x: x if isinstance(x, str) else next(iter(x)))
def test_refusals(path: str, given: dict[str, Any]) -> None:
    function = theirs(path)
    wanted = refusal(oracle.tensorflow(), path, function, given)
    assert refusal(millstream, path, resolve(path), given) == wanted


@pytest.mark.parametrize("program", [p for p in PROGRAMS if p not in LOST], ids=lambda program: program.__name__)
def test_programs_hold_on_both_sides(program: Program, tmp_path: pathlib.Path) -> None:
    tf = oracle.tensorflow()
    with tf.Graph().as_default():
        program(tf, Caller(tf), tmp_path)
