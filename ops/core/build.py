"""Calling an op declaration: binding arguments, converting inputs, inferring type attributes, checking, building.

The words of the TypeErrors and ValueErrors are TensorFlow's. Invariant: a node that was built has every attribute of its
declaration set, to a value of the declared kind.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

import numpy as np

from . import dtypes, limits, shapes
from .convert import convert_to_tensor
from .dtypes import DType, as_dtype
from .graph import Graph, get_default_graph, new_operation
from .node import Operation, Tensor
from .registry import REQUIRED, Arg, Attr, OpDecl, arg_length
from .shape_rules import constant_value

# Values of so many elements are shown in errors.
_SHOWN = 8
# The package's frames of the commonest call: new_operation, build, and what called it, such as an OpDecl.
_DEPTH = 3


def build(decl: OpDecl, args: tuple[Any, ...], attrs: dict[str, Any], name: str | None) -> Operation:
    """Build a node of `decl` in the graph of its inputs, or in the default graph."""
    node_attrs = _plain_attrs(decl, args, attrs)
    if node_attrs is None:
        return _build_converting(decl, args, attrs, name)
    graph = args[0].op.graph
    unique = graph.node_name(name, decl.name)
    try:
        return new_operation(graph, decl, unique, args, node_attrs, _DEPTH, reachable=True)
    except ValueError as error:
        raise _failed(error, unique, decl, args, node_attrs) from None


OpDecl.build = staticmethod(build)


def _build_converting(decl: OpDecl, args: tuple[Any, ...], attrs: dict[str, Any], name: str | None) -> Operation:
    values, free = _bind(decl, args, attrs)
    graph = graph_of(values)
    stack = graph._name_stack
    unique = graph.node_name(name, decl.name)
    graph._name_stack = unique
    try:
        inputs, types = _convert(decl, values, free, graph)
    finally:
        graph._name_stack = stack
    node_attrs = types
    for attr_name in decl.attr_order:
        if attr_name not in types:
            node_attrs[attr_name] = attr_value(decl, decl.attrs[attr_name], free.get(attr_name, REQUIRED))
    try:
        if not decl.takes_refs:
            return new_operation(graph, decl, unique, inputs, node_attrs)
        with ExitStack() as beside:
            for arg, tensor in zip(decl.inputs, inputs, strict=False):
                if arg.is_ref:
                    beside.enter_context(graph.colocate_with(tensor.op))
            return new_operation(graph, decl, unique, inputs, node_attrs)
    except ValueError as error:
        raise _failed(error, unique, decl, inputs, node_attrs) from None


def _plain_attrs(decl: OpDecl, args: tuple[Any, ...], attrs: dict[str, Any]) -> dict[str, Any] | None:
    """Return the attributes of the commonest call, or None where the general way has to convert, import or refuse.

    In that call every input is a tensor of the graph and region being built, and of an allowed type.
    """
    if len(args) != len(decl.plain_inputs) or not args or (attrs and not decl.inferred.isdisjoint(attrs)):
        return None
    first = args[0]
    if type(first) is not Tensor:
        return None
    source, dtype, same = first.op, first.dtype, True
    graph, region = source.graph, source.region
    if region is not (graph._regions[-1] if graph._regions else None):
        return None
    for tensor in args:
        if tensor is not first:
            if type(tensor) is not Tensor:
                return None
            source = tensor.op
            if source.graph is not graph or source.region is not region:
                return None
            if tensor.dtype is not dtype:
                same = False
    found = None
    if same and decl.common_type is not None:
        found = decl.shared_attrs.get(id(dtype)) or _shared_attrs(decl, dtype)
    if found is None:
        found = _attrs_of_types(decl, args)
    return _with_given(decl, found, attrs) if found is not None and (attrs or not decl.has_defaults) else found


def _shared_attrs(decl: OpDecl, dtype: DType) -> dict[str, Any] | None:
    """Return the attributes that all nodes share whose inputs have one type and that leave the rest to the defaults.

    None where the declaration does not allow the type. One dictionary for all is made once, and the garbage collector
    walks it once; so whoever sets an attribute of such a node sets it in a copy.
    """
    accepted = decl.plain_inputs[0][2]
    if dtype._is_ref_dtype or not (accepted is None or id(dtype) in accepted):
        return None
    assert decl.common_type is not None
    found = decl.shared_attrs[id(dtype)] = {decl.common_type: dtype, **decl.defaults}
    return found


def _attrs_of_types(decl: OpDecl, args: tuple[Tensor, ...]) -> dict[str, Any] | None:
    """Return the type attributes that these inputs give and the defaults, or None where the declaration does not allow them."""
    types: dict[str, Any] = {}
    for (attr, wanted, accepted), tensor in zip(decl.plain_inputs, args, strict=True):
        base = tensor.dtype.base_dtype
        if attr is not None:
            wanted = types.get(attr)
            if wanted is None:
                if accepted is not None and id(base) not in accepted:
                    return None
                types[attr] = wanted = base
        if base is not wanted:
            return None
    types.update(decl.defaults)
    return types


def _with_given(decl: OpDecl, found: dict[str, Any], attrs: dict[str, Any]) -> dict[str, Any]:
    """Return the attributes of a node whose caller gave `attrs`: what was found so far, or a copy that holds them."""
    if not decl.has_defaults:
        own = {key: attr_value(decl, decl.attrs[key], attrs.get(key, REQUIRED)) for key in decl.free_attrs}
        return {**found, **own}
    for key, value in attrs.items():
        if key in found and value is not found[key]:
            found = {**found, key: attr_value(decl, decl.attrs[key], value)}
    return found


def _failed(error: ValueError, name: str, decl: OpDecl, inputs: Sequence[Tensor], attrs: dict[str, Any]) -> ValueError:
    """Return a shape rule's error with the node, the shapes it had, and those values it could read, as TensorFlow shows them."""
    known = _values_of(decl, inputs, attrs)
    values = f" and with computed input tensors: {known}" if known else ""
    return ValueError(f"{error} for {name!r} (op: {decl.name!r}) with input shapes: {_shapes_of(inputs)}{values}.")


def _values_of(decl: OpDecl, inputs: Sequence[Tensor], attrs: dict[str, Any]) -> str:
    """Return the small constants among the inputs that are read on the host: axes, sizes, indices."""
    args = [arg for arg in decl.inputs for _ in range(arg_length(arg, attrs))]
    texts: list[str] = []
    for i, (arg, tensor) in enumerate(zip(args, inputs, strict=True)):
        value = constant_value(tensor) if arg.name in decl.host else None
        if value is not None and value.size <= _SHOWN:
            texts.append(f"input[{i}] = <{' '.join(str(item) for item in value.ravel().tolist())}>")
    return ", ".join(texts)


def _shapes_of(inputs: Sequence[Tensor]) -> str:
    texts = ("<unknown>" if t.dims is None else str(list(t.dims)).replace("None", "?").replace(" ", "") for t in inputs)
    return ", ".join(texts)


def _bind(decl: OpDecl, args: tuple[Any, ...], attrs: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    names = decl.input_names
    count = len(names)
    if len(args) == count:
        return list(args), attrs
    if len(args) > count:
        extra = args[count:]
        if len(extra) > len(decl.free_attrs):
            raise TypeError(
                f"{decl.name}() takes {count} inputs and {len(decl.free_attrs)} attributes, {len(args)} were given"
            )
        return list(args[:count]), {**dict(zip(decl.free_attrs, extra, strict=False)), **attrs}
    values, rest = list(args), dict(attrs)
    for name in names[len(args) :]:
        if name not in rest:
            raise TypeError(f"{decl.name}() is missing the input {name!r}")
        values.append(rest.pop(name))
    return values, rest


def graph_of(values: list[Any]) -> Graph:
    """Return the graph that the tensors among `values` are of, else the default graph.

    Raises:
      ValueError: when they are of different graphs, or not of the one that is being built.
    """
    found: Tensor | None = None
    for value in values:
        for item in value if isinstance(value, list | tuple) else (value,):
            op = getattr(item, "op", None)
            if op is None or not hasattr(op, "graph"):
                continue
            if found is None:
                found = item
            elif found.graph is not op.graph:
                raise ValueError(f"{item} must be from the same graph as {found}.")
    return get_default_graph() if found is None else found.graph


def _convert(
    decl: OpDecl, values: list[Any], free: dict[str, Any], graph: Graph
) -> tuple[tuple[Tensor, ...], dict[str, Any]]:
    types: dict[str, Any] = {}
    for attr_name in decl.inferred:
        if attr_name in free:
            given = free[attr_name]
            types[attr_name] = as_dtype(given).base_dtype if decl.attrs[attr_name].kind == "type" else given
    flat: list[Tensor] = []
    for arg, value in zip(decl.inputs, values, strict=True):
        if arg.number_attr is not None or arg.type_list_attr is not None:
            flat.extend(_convert_list(decl, arg, value, types, graph))
        else:
            flat.append(_convert_one(decl, arg, value, types, graph, arg.name))
    return tuple(flat), types


def _convert_one(decl: OpDecl, arg: Arg, value: Any, types: dict[str, Any], graph: Graph, name: str) -> Tensor:
    attr = arg.type_attr
    wanted = arg.dtype if attr is None else types.get(attr)
    if type(value) is Tensor:
        tensor = value
    else:
        preferred = _preferred(decl.attrs[attr], arg, value) if attr is not None and wanted is None else None
        try:
            tensor = convert_to_tensor(value, wanted, name, preferred, as_ref=arg.is_ref)
        except (TypeError, ValueError) as error:
            if wanted is None or (not isinstance(value, Tensor) and not hasattr(value, "dtype")):
                raise
            raise _mismatch(decl, arg, as_dtype(value.dtype), wanted) from error
    if tensor.op.region is not graph.current_region:
        tensor = graph.current_graph_import(tensor)
    base = tensor.dtype.base_dtype
    if wanted is None:
        assert attr is not None
        allowed = decl.attrs[attr].allowed
        if allowed is not None and base not in allowed:
            names = ", ".join(d.name for d in allowed)
            raise TypeError(
                f"Value passed to parameter '{arg.name}' has DataType {base.name} not in list of allowed values: "
                f"{names} (op {decl.name})"
            )
        types[attr] = base
    elif base is not wanted:
        raise _mismatch(decl, arg, base, wanted)
    if arg.is_ref and not tensor.dtype._is_ref_dtype:
        raise TypeError(f"'{decl.name}' Op requires that input '{arg.name}' be a mutable tensor (e.g.: a tf.Variable)")
    return tensor


def _preferred(attr: Attr, arg: Arg, value: Any) -> DType | None:
    """Return the default of a type attribute where `value` would not come as one of its types by itself."""
    default = attr.default
    if not isinstance(default, DType):
        return None
    own = None if attr.allowed is None or arg.is_list else _own_dtype(value)
    return default if own is None or own not in attr.allowed else None  # type: ignore[operator]


def _own_dtype(value: Any) -> DType | None:
    """Return the dtype that an array, or nested lists of Python's numbers, become tensors of; None where another rule tells."""
    while type(value) in (list, tuple):
        if not value:
            return None
        value = value[0]
    if isinstance(value, np.ndarray | np.generic):
        return as_dtype(value.dtype)
    return _OWN_DTYPES.get(type(value))


_OWN_DTYPES = {int: dtypes.int32, float: dtypes.float32, complex: dtypes.complex128, bool: dtypes.bool}


def _mismatch(decl: OpDecl, arg: Arg, actual: DType, wanted: DType) -> TypeError:
    if arg.type_attr is None:
        return TypeError(
            f"Input '{arg.name}' of '{decl.name}' Op has type {actual.name} that does not match expected type of {wanted.name}."
        )
    first = next((a.name for a in decl.inputs if a.type_attr == arg.type_attr and a is not arg), arg.name)
    return TypeError(
        f"Input '{arg.name}' of '{decl.name}' Op has type {actual.name} that does not match type "
        f"{wanted.name} of argument '{first}'."
    )


def _convert_list(decl: OpDecl, arg: Arg, value: Any, types: dict[str, Any], graph: Graph) -> list[Tensor]:
    if not isinstance(value, list | tuple):
        raise TypeError(f"Expected list for '{arg.name}' argument to '{decl.name}' Op, not {value}.")
    if arg.type_list_attr is not None:
        given = types.get(arg.type_list_attr)
        tensors = [
            graph.current_graph_import(convert_to_tensor(item, given[i] if given else None, f"{arg.name}_{i}"))
            for i, item in enumerate(value)
        ]
        types[arg.type_list_attr] = [t.dtype.base_dtype for t in tensors]
        return tensors
    earlier = arg.dtype if arg.type_attr is None else types.get(arg.type_attr)
    if arg.type_attr is not None and earlier is None:
        known = next((item.dtype for item in value if isinstance(item, Tensor) or hasattr(item, "op")), None)
        if known is not None:
            types[arg.type_attr] = as_dtype(known).base_dtype
    try:
        tensors = [_convert_one(decl, arg, item, types, graph, f"{arg.name}_{i}") for i, item in enumerate(value)]
    except (TypeError, ValueError) as error:
        raise _not_of_one_type(decl, arg, value, earlier) or error from None
    assert arg.number_attr is not None
    expected = types.setdefault(arg.number_attr, len(tensors))
    if expected != len(tensors):
        raise ValueError(
            f"List argument '{arg.name}' to '{decl.name}' Op with length {len(tensors)} must match length {expected} of argument."
        )
    least = limits.MINIMA.get((decl.name, arg.number_attr), 0)
    if len(tensors) < least:
        raise ValueError(
            f"List argument '{arg.name}' to '{decl.name}' Op with length {len(tensors)} shorter than minimum length {least}."
        )
    if not tensors and arg.type_attr is not None and arg.type_attr not in types:
        raise ValueError(f"List argument '{arg.name}' to '{decl.name}' Op must not be empty.")
    return tensors


def _not_of_one_type(decl: OpDecl, arg: Arg, items: Sequence[Any], earlier: DType | None) -> TypeError | None:
    """Return the error that tells the types of a list's items, or None where they are of the one type that is wanted."""
    found = [_type_in_list(item) for item in items]
    if len(set(found)) == 1 and (earlier is None or found[0] == earlier.base_dtype.name):
        return None
    if arg.type_attr is None:
        words = f"do not match expected type {arg.dtype.name if arg.dtype is not None else None}."
    elif earlier is not None:
        words = f"do not match type {earlier.base_dtype.name} inferred from earlier arguments."
    else:
        words = "don't all match."
    return TypeError(
        f"Tensors in list passed to '{arg.name}' of '{decl.name}' Op have types [{', '.join(found)}] that {words}"
    )


def _type_in_list(value: Any) -> str:
    dtype = getattr(value, "dtype", None)
    if dtype is None:
        while isinstance(value, list | tuple) and len(value):
            value = value[0]
        dtype = getattr(value, "dtype", None) or _OWN_DTYPES.get(type(value))
    if dtype is None and isinstance(value, str | bytes):
        dtype = dtypes.string
    return "<NOT CONVERTIBLE TO TENSOR>" if dtype is None else as_dtype(dtype).base_dtype.name


def attr_value(decl: OpDecl, attr: Attr, value: Any) -> Any:
    """Return an attribute as nodes hold it: its default for REQUIRED; TypeError when it is not of the declared kind."""
    if value is REQUIRED:
        if attr.default is REQUIRED:
            raise TypeError(f"{decl.name}() is missing the attribute {attr.name!r}")
        return attr.default
    convert = _CONVERTERS.get(attr.kind)
    if value is None or convert is None:
        return value
    try:
        value = convert(value)
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"Expected {attr.kind} for argument '{attr.name}' of op '{decl.name}', got {value!r}"
        ) from error
    if attr.allowed is not None and attr.kind == "type" and value not in attr.allowed:
        names = ", ".join(d.name for d in attr.allowed)
        raise TypeError(
            f"Value passed to parameter '{attr.name}' has DataType {value.name} not in list of allowed "
            f"values: {names} (op {decl.name})"
        )
    limits.check(decl.name, attr.name, value)
    return value


def _integer(value: Any) -> int:
    """Return what TensorFlow takes a number for: programs divide sizes, and get floats."""
    if isinstance(value, str | bytes):
        raise TypeError(value)
    return int(value)


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool | np.bool_ | int):
        raise TypeError(value)
    return bool(value)


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape")
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def _base_type(value: Any) -> DType:
    return as_dtype(value).base_dtype


_CONVERTERS: dict[str, Any] = {
    "int": _integer,
    "float": float,
    "bool": _boolean,
    "string": _text,
    "type": _base_type,
    "shape": shapes.as_shape_tuple,
    "list(int)": lambda v: [_integer(i) for i in v],
    "list(float)": lambda v: [float(i) for i in v],
    "list(bool)": lambda v: [_boolean(i) for i in v],
    "list(string)": lambda v: [_text(i) for i in v],
    "list(type)": lambda v: [_base_type(i) for i in v],
    "list(shape)": lambda v: [shapes.as_shape_tuple(i) for i in v],
}
