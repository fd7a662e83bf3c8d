"""Every declaration agrees with TensorFlow's OpDef of the same name, so that every Graph exports."""

import pytest

import millstream  # noqa: F401  (declares every op)
from millstream.ops.core.registry import REGISTRY, REQUIRED, Arg, Attr
from support import opdefs

DECLARED = sorted(REGISTRY)


def _arg(arg: Arg) -> opdefs.ArgFacts:
    return opdefs.ArgFacts(
        arg.name,
        arg.dtype.name if arg.dtype is not None else "",
        arg.type_attr or "",
        arg.number_attr or "",
        arg.type_list_attr or "",
        arg.is_ref,
    )


@pytest.mark.parametrize("name", DECLARED)
def test_inputs_and_outputs_agree(name: str) -> None:
    decl, facts = REGISTRY[name], opdefs.load()[name]
    assert tuple(map(_arg, decl.inputs)) == facts.inputs
    assert tuple(map(_arg, decl.outputs)) == facts.outputs


@pytest.mark.parametrize("name", DECLARED)
def test_attributes_agree(name: str) -> None:
    decl, facts = REGISTRY[name], opdefs.load()[name]
    assert sorted(decl.attrs) == sorted(facts.attrs)
    for attr in decl.attrs.values():
        expected = facts.attrs[attr.name]
        assert attr.kind == expected.type, f"{attr.name}: {attr.kind}, TensorFlow has {expected.type}"
        assert _default(attr) == _expected_default(expected), f"default of {attr.name}"


@pytest.mark.parametrize("name", DECLARED)
def test_allowed_types_agree(name: str) -> None:
    """A type attribute may take no type that TensorFlow refuses; leaving some out is a choice of ours."""
    decl, facts = REGISTRY[name], opdefs.load()[name]
    for attr in decl.attrs.values():
        if attr.allowed is not None and facts.attrs[attr.name].allowed is not None:
            assert {dtype.name for dtype in attr.allowed} <= set(facts.attrs[attr.name].allowed or ()), attr.name


def _default(attr: Attr) -> object:
    if attr.default is REQUIRED:
        return opdefs.NO_DEFAULT
    value = attr.default
    if attr.kind == "type":
        return value.name
    if attr.kind == "tensor":
        return {"dtype": value.dtype.name, "tensor": value.tolist()}
    if attr.kind == "shape":
        return None if value is None else list(value)
    if attr.kind.startswith("list"):
        return [getattr(item, "name", item) for item in value]
    return value


def _expected_default(facts: opdefs.AttrFacts) -> object:
    if facts.required:
        return opdefs.NO_DEFAULT
    return facts.default


@pytest.mark.parametrize("name", DECLARED)
def test_state_is_marked(name: str) -> None:
    """What TensorFlow calls stateful is stateful here; ops that write to references are, besides."""
    if opdefs.load()[name].is_stateful:
        assert REGISTRY[name].stateful
