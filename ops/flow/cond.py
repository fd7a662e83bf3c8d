"""`cond` and `case`: running one of several branches, by the value of a tensor.

The functions run once each, while the graph is built, and make the ops of their branch; only the branch taken runs. The
results of `cond/` have TensorFlow 1's names: `cond/Merge` is the If node itself, `cond/Merge_1` and so on pass its outputs on.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from ..array.identity import identity
from ..array.pack import stack
from ..core import dtypes
from ..core.convert import constant, convert_to_tensor
from ..core.graph import Graph, get_default_graph
from ..core.node import Operation, Tensor
from ..core.regions import Region
from ..core.registry import lookup
from ..core.shape_rules import constant_value
from ..math.binary import less
from ..math.complex import cast
from ..math.reduce import reduce_any, reduce_sum
from .building import branch_of, handed_out, merged_dims, own, own_result
from .declarations import if_op
from .structure import check_same, flatten, pack

Function = Callable[[], Any]


def cond(
    pred: Any, true_fn: Function | None = None, false_fn: Function | None = None, strict: bool = False,
    name: str | None = None, fn1: Function | None = None, fn2: Function | None = None,
) -> Any:  # fmt: skip
    """Return what `true_fn()` gives if `pred` is true, else what `false_fn()` gives; only one of them runs.

    Args:
      pred: a scalar boolean tensor.
      true_fn, false_fn: functions that build the branches; they return the same structure of tensors of the same types.
      strict: keep lists of one element as they are.
      name: the name scope of the branches.
      fn1, fn2: older names of the functions.

    Raises:
      TypeError: when the functions cannot be called, or `pred` is a Python bool.
      ValueError: when the branches return different structures or types.
    """
    true_fn = _one_of(true_fn, fn1, "true_fn", "fn1")
    false_fn = _one_of(false_fn, fn2, "false_fn", "fn2")
    if isinstance(pred, bool):
        raise TypeError("pred must not be a Python bool")
    graph = get_default_graph()
    with graph.name_scope(name or "cond") as scope:
        predicate = _predicate(pred)
        then_value, then_region = _branch(graph, true_fn, "true_fn", scope + "true_branch", strict)
        else_value, else_region = _branch(graph, false_fn, "false_fn", scope + "false_branch", strict)
        _check_alike(then_value, else_value)
        _check_types(then_region, else_region)
        node = if_op.node(
            predicate, [], then_branch=then_region, else_branch=else_region, name="Merge",
            Tout=[t.dtype.base_dtype for t in then_region.results],
            output_shapes=[merged_dims(a.dims, b.dims) for a, b in zip(then_region.results, else_region.results, strict=True)],
        )  # fmt: skip
        own(node, then_region, else_region)
        outputs = handed_out(node, "Merge")
    return pack(then_value, outputs)


def _predicate(pred: Any) -> Tensor:
    """Return `pred` as a tensor; TypeError unless it is of booleans, ValueError unless it can be a scalar."""
    found = convert_to_tensor(pred, name="pred_id")
    if found.dtype.base_dtype is not dtypes.bool:
        kind = found.dtype.base_dtype.name
        raise TypeError(f"Input 'pred' of 'If' Op has type {kind} that does not match expected type of bool.")
    if found.dims:
        raise ValueError(f"Shape must be rank 0 but is rank {len(found.dims)} for the predicate {found.name} of a cond")
    return found


def _one_of(value: Function | None, alias: Function | None, name: str, alias_name: str) -> Function:
    if alias is not None:
        if value is not None:
            raise TypeError(f"cond(): '{alias_name}' and '{name}' cannot be set at the same time.")
        value = alias
    if value is None:
        raise TypeError(f"cond(): '{name}' argument required")
    if not callable(value):
        raise TypeError(f"{name} must be callable.")
    return value


def _branch(graph: Graph, function: Function, what: str, name: str, strict: bool) -> tuple[Any, Region]:
    region = branch_of(graph, name)
    with graph.region(region):
        value = function()
        if value is None:
            raise ValueError(f"{what} must have a return value.")
        if not strict and isinstance(value, list | tuple) and len(value) == 1:
            (value,) = value
        region.results = [own_result(region, _tensor_of(graph, leaf)) for leaf in flatten(value)]
    return value, region


def _tensor_of(graph: Graph, leaf: Any) -> Tensor:
    """Return a branch's result as a tensor; an operation becomes one that is to be had when it has run."""
    if not isinstance(leaf, Operation):
        return convert_to_tensor(leaf)
    with graph.control_dependencies([leaf]):
        return identity(constant(True), name="control_dependency")  # type: ignore[no-any-return]


def _check_alike(then_value: Any, else_value: Any) -> None:
    try:
        check_same(then_value, else_value)
    except (TypeError, ValueError) as error:
        what = "types" if isinstance(error, TypeError) else "values"
        raise type(error)(f"Incompatible return {what} of true_fn and false_fn: {error}") from None
    if not flatten(then_value):
        raise ValueError("true_fn and false_fn must return at least one result.")


def _check_types(then_region: Region, else_region: Region) -> None:
    for a, b in zip(then_region.results, else_region.results, strict=True):
        if a.dtype.base_dtype is not b.dtype.base_dtype:
            raise ValueError(
                f"Outputs of true_fn and false_fn must have the same type: {a.dtype.base_dtype.name}, {b.dtype.base_dtype.name}"
            )


def smart_constant_value(pred: Any) -> bool | None:
    """Return the truth of `pred` when it is known while building, else None; TypeError when it has none."""
    if isinstance(pred, bool) or (isinstance(pred, int) and pred in (0, 1)):
        return bool(pred)
    if isinstance(pred, Tensor):
        value = constant_value(pred)
        return None if value is None else bool(value)
    raise TypeError(f"`pred` must be a Tensor, or a Python bool, or 1 or 0. Found instead: {pred}")


def smart_cond(pred: Any, true_fn: Function, false_fn: Function, name: str | None = None) -> Any:
    """Return what `cond` does, without a node where the value of `pred` is known while building."""
    if not callable(true_fn):
        raise TypeError("`true_fn` must be callable.")
    if not callable(false_fn):
        raise TypeError("`false_fn` must be callable.")
    known = smart_constant_value(pred)
    if known is not None:
        return true_fn() if known else false_fn()
    return cond(pred, true_fn=true_fn, false_fn=false_fn, name=name)


def case(
    pred_fn_pairs: Any,
    default: Function | None = None,
    exclusive: bool = False,
    strict: bool = False,
    name: str = "case",
) -> Any:
    """Return what the function beside the first true predicate gives, or `default()`.

    Args:
      pred_fn_pairs: (scalar boolean tensor, function) pairs, as a list, or a dict from tensor to function, whose tensors'
        names tell which comes first unless it is an OrderedDict.
      default: what to do when none is true; without it the run fails then.
      exclusive: fail the run when several are true.
      strict: keep lists of one element as they are.
      name: the name scope.

    Raises:
      TypeError: when the pairs are no pairs of a boolean tensor and a function. ValueError: when there are none.
    """
    pairs = _pairs(pred_fn_pairs)
    if default is not None and not callable(default):
        raise TypeError("default must be callable.")
    with get_default_graph().name_scope(name):
        predicates = [convert_to_tensor(pred, dtypes.bool) for pred, _ in pairs]
        branches = [function for _, function in pairs]
        checks = [_at_most_one(predicates)] if exclusive else []
        if default is None:
            words = "Input error: None of conditions evaluated as True:"
            checks.append(_assertion(reduce_any(predicates), words, predicates))
            default = branches.pop()
            predicates.pop()
        with get_default_graph().control_dependencies(checks):
            return _chain(predicates, branches, default, strict)


def _pairs(given: Any) -> list[tuple[Any, Function]]:
    pairs = list(given.items()) if isinstance(given, dict) else given
    if isinstance(given, dict) and not isinstance(given, OrderedDict):
        # In TensorFlow 1 a dict had no order, so names decide.
        pairs.sort(key=lambda pair: getattr(pair[0], "name", ""))
    if not isinstance(pairs, list | tuple):
        raise TypeError("pred_fn_pairs must be a list, tuple, or dict")
    if not pairs:
        raise ValueError("case() needs at least one pair of a predicate and a function")
    for pair in pairs:
        if not isinstance(pair, tuple) or len(pair) != 2:
            raise TypeError("Each entry in pred_fn_pairs must be a 2-tuple")
        pred, function = pair
        if not isinstance(pred, Tensor):
            raise TypeError(f"pred must be a Tensor, got: {pred}")
        if pred.dtype.base_dtype is not dtypes.bool:
            raise TypeError(f"pred must be Tensor of type bool: {pred.name}")
        if not callable(function):
            raise TypeError(f"fn for pred {pred.name} must be callable.")
    return list(pairs)


def _chain(predicates: list[Tensor], branches: list[Function], default: Function, strict: bool) -> Any:
    if not predicates:
        return default()
    return cond(
        predicates[0], branches[0], lambda: _chain(predicates[1:], branches[1:], default, strict), strict=strict
    )


def _at_most_one(predicates: list[Tensor]) -> Operation:
    few = less(reduce_sum(cast(stack(predicates), dtypes.int32)), 2)
    names = ", ".join(p.name for p in predicates)
    return _assertion(
        few, f"Input error: exclusive=True: more than 1 conditions ({names}) evaluated as True:", predicates
    )


def _assertion(condition: Tensor, words: str, predicates: list[Tensor]) -> Operation:
    return lookup("Assert").node(condition, [constant(words), stack(predicates)], summarize=len(predicates))
