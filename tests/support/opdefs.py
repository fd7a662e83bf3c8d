"""TensorFlow's own op declarations, from tests/golden/opdefs.json.gz (made by scripts/opdefs.py).

Here so that declarations are checked where TensorFlow is not installed. The tables are frozen and loaded once.
"""

import functools
import gzip
import json
import pathlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

GOLDEN = pathlib.Path(__file__).parents[1] / "golden" / "opdefs.json.gz"
NO_DEFAULT: Any = type("NoDefault", (), {"__repr__": lambda self: "NO_DEFAULT"})()


@dataclass(frozen=True)
class ArgFacts:
    """One input or output: exactly one of `type`, `type_attr` and `type_list_attr` is set."""

    name: str
    type: str = ""
    type_attr: str = ""
    number_attr: str = ""
    type_list_attr: str = ""
    is_ref: bool = False


@dataclass(frozen=True)
class AttrFacts:
    """One attr. `type` is TensorFlow's word ('type', 'int', 'list(shape)'); types in values are names ('float32')."""

    name: str
    type: str
    default: Any = NO_DEFAULT
    allowed: tuple[Any, ...] | None = None
    minimum: int | None = None

    @property
    def required(self) -> bool:
        return self.default is NO_DEFAULT


@dataclass(frozen=True)
class OpFacts:
    """One op of TensorFlow's registry."""

    name: str
    inputs: tuple[ArgFacts, ...] = ()
    outputs: tuple[ArgFacts, ...] = ()
    attrs: Mapping[str, AttrFacts] = field(default_factory=lambda: MappingProxyType({}))
    control_outputs: tuple[str, ...] = ()
    deprecated_since: int = 0
    is_stateful: bool = False
    is_commutative: bool = False
    is_aggregate: bool = False
    allows_uninitialized_input: bool = False


def _attr(facts: dict[str, Any]) -> AttrFacts:
    allowed = facts.get("allowed")
    return AttrFacts(**{**facts, "allowed": None if allowed is None else tuple(allowed)})


def _op(name: str, facts: dict[str, Any]) -> OpFacts:
    return OpFacts(
        name,
        **{
            **facts,
            "inputs": tuple(ArgFacts(**arg) for arg in facts.get("inputs", ())),
            "outputs": tuple(ArgFacts(**arg) for arg in facts.get("outputs", ())),
            "attrs": MappingProxyType({attr["name"]: _attr(attr) for attr in facts.get("attrs", ())}),
            "control_outputs": tuple(facts.get("control_outputs", ())),
        },
    )


@functools.cache
def load() -> Mapping[str, OpFacts]:
    """Returns every op of TensorFlow's registry by name."""
    document = json.loads(gzip.decompress(GOLDEN.read_bytes()))
    return MappingProxyType({name: _op(name, facts) for name, facts in document["ops"].items()})
