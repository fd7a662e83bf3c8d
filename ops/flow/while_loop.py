"""`while_loop`: repeating a body as long as a condition holds.

Both functions run once, while the graph is built; their ops form the two regions of one While node, `while/Exit`, whose
further outputs are handed on by `while/Exit_1` and so on, as TensorFlow 1 calls them. Static shapes of loop variables are
those that hold in every iteration: the initial one, or the invariant that the program gives.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..array.identity import identity
from ..core import dtypes, shapes
from ..core.convert import constant, convert_to_tensor
from ..core.graph import get_default_graph
from ..core.indexed_slices import IndexedSlices
from ..core.node import Tensor
from ..core.shapes import Shape, TensorShape
from ..core.sparse_tensor import SparseTensor
from ..math.binary import add_v2, less, logical_and
from .building import Loop, handed_out, own_result
from .structure import check_same, flatten, pack


def while_loop(
    cond: Callable[..., Any], body: Callable[..., Any], loop_vars: Any, shape_invariants: Any = None,
    parallel_iterations: int = 10, back_prop: bool = True, swap_memory: bool = False, name: str | None = None,
    maximum_iterations: Any = None, return_same_structure: bool = False,
) -> Any:  # fmt: skip
    """Repeat `body` while `cond` is true and return the final loop variables.

    Args:
      cond: a function of the loop variables that returns a scalar boolean tensor.
      body: a function of the loop variables that returns their next values, in the same structure.
      loop_vars: the initial values: a (nested) list or tuple of tensors.
      shape_invariants: shapes that hold in every iteration, in the structure of `loop_vars`; None for those that stay. That of
        a SparseTensor is the shape of its `dense_shape`, that of IndexedSlices the shape of its values.
      parallel_iterations, swap_memory: hints that need no action here.
      back_prop: False when no gradient will flow through the loop.
      name: the name scope of the loop.
      maximum_iterations: a scalar that bounds the number of iterations.
      return_same_structure: return a list of one even where there is one loop variable.

    Raises:
      TypeError: when the functions cannot be called, or a variable changes its type.
      ValueError: when there are no variables, or their structure or shape changes.
    """
    return looped(
        cond, body, loop_vars, shape_invariants, parallel_iterations, back_prop, swap_memory, name, maximum_iterations,
        return_same_structure,
    )  # fmt: skip


def looped(
    cond: Callable[..., Any], body: Callable[..., Any], loop_vars: Any, shape_invariants: Any = None,
    parallel_iterations: int = 10, back_prop: bool = True, swap_memory: bool = False, name: str | None = None,
    maximum_iterations: Any = None, return_same_structure: bool = False, before: int = 0,
) -> Any:  # fmt: skip
    """Return what `while_loop` does; `before` is how many outputs TensorFlow's loop has before these, for their names.

    A loop whose own condition bounds its iterations has no need of the counter that TensorFlow's maximum_iterations adds.
    """
    if not loop_vars:
        raise ValueError("No loop variables provided")
    if not callable(cond):
        raise TypeError("cond must be callable.")
    if not callable(body):
        raise TypeError("body must be callable.")
    if parallel_iterations < 1:
        raise TypeError("parallel_iterations must be a positive integer.")
    variables = loop_vars if isinstance(loop_vars, list | tuple) else [loop_vars]
    graph = get_default_graph()
    with graph.name_scope(name or "while") as scope:
        limit = _limit(maximum_iterations)
        initial = [_initial(leaf) for leaf in flatten(variables)]
        dims = _invariants(variables, initial, shape_invariants)
        loop = Loop(graph, scope)
        counter = loop.add(constant(0, limit.dtype.base_dtype), ()) if limit is not None else None
        params = [loop.add(tensor, shape) for tensor, shape in zip(initial, dims, strict=True)]
        _build_condition(loop, cond, variables, limit)
        given = _build_body(loop, body, variables, params, counter)
        node = loop.close("Exit", parallel_iterations)
        if not back_prop:
            node.attrs["_backprop"] = False
        made = handed_out(node, "Exit", before)
    outputs = made[1:] if limit is not None else made
    packed = pack(given, outputs)
    return packed[0] if len(outputs) == 1 and len(packed) == 1 and not return_same_structure else packed


def _limit(maximum_iterations: Any) -> Tensor | None:
    if maximum_iterations is None:
        return None
    limit = convert_to_tensor(maximum_iterations, name="maximum_iterations")
    if limit.dims not in ((), None):
        raise ValueError(f"maximum_iterations must be a scalar, saw shape: {limit.shape}")
    return limit


def _initial(leaf: Any) -> Tensor:
    tensor = convert_to_tensor(leaf)
    return identity(tensor) if tensor.dtype._is_ref_dtype else tensor


def _invariants(variables: Any, initial: list[Tensor], given: Any) -> list[Shape]:
    """Return the shape that each tensor of the loop variables has in every iteration."""
    wanted = [None] * len(_whole(variables)) if given is None else _whole(given)
    if given is not None and _outline(given) != _outline(variables):
        check_same(variables, given)
        raise ValueError(f"shape_invariants {given} are not nested as the loop variables {variables} are")
    found: list[Shape] = []
    for leaf, shape in zip(_whole(variables), wanted, strict=True):
        found += _invariant(leaf, initial[len(found) : len(found) + len(flatten(leaf))], shape)
    for tensor, dims in zip(initial, found, strict=True):
        if not _at_most(tensor.dims, dims):
            raise ValueError(
                f"The shape invariant specified for {tensor.name} is not compatible with the initial shape of the loop variable. "
                f"It enters the loop with shape {tensor.shape}, but the specified shape invariant is {TensorShape(dims)}."
            )
    return found


def _outline(value: Any) -> Any:
    """Return how a structure nests; tensors of several parts are leaves, and so are shapes."""
    if isinstance(value, dict):
        return {key: _outline(item) for key, item in value.items()}
    return [_outline(item) for item in value] if isinstance(value, list | tuple) else None


def _whole(value: Any) -> list[Any]:
    """Return the leaves of a structure in order; tensors of several parts are leaves, and so are shapes."""
    if isinstance(value, dict):
        return [leaf for key in sorted(value) for leaf in _whole(value[key])]
    return [leaf for item in value for leaf in _whole(item)] if isinstance(value, list | tuple) else [value]


def _invariant(leaf: Any, parts: list[Tensor], given: Any) -> list[Shape]:
    """Return the shapes of a loop variable's parts; `given` is a SparseTensor's shape's shape, and that of slices' values."""
    if isinstance(leaf, SparseTensor):
        dims = parts[-1].dims if given is None else shapes.as_shape_tuple(given)
        rank = None if dims is None else dims[0]
        return [(None, rank), (None,), (rank,)]
    if given is None:
        return [tensor.dims for tensor in parts]
    dims = shapes.as_shape_tuple(given)
    if not isinstance(leaf, IndexedSlices):
        return [dims]
    return [dims, None if dims is None else dims[:1], (None if dims is None else len(dims),)][: len(parts)]


def _at_most(a: Shape, b: Shape) -> bool:
    """Tell whether every array of shape `a` also has shape `b`."""
    if b is None:
        return True
    return a is not None and len(a) == len(b) and all(y is None or x == y for x, y in zip(a, b, strict=True))


def _build_condition(loop: Loop, cond: Callable[..., Any], variables: Any, limit: Tensor | None) -> None:
    params = loop.condition.params
    with loop.graph.region(loop.condition):
        result = cond(*pack(variables, params[1:] if limit is not None else params))
        test = convert_to_tensor(result)
        if test.dtype.base_dtype is not dtypes.bool:
            raise TypeError(
                f"Input 'input' of 'LoopCond' Op has type {test.dtype.base_dtype.name} that does not match expected type of bool."
            )
        if test.dims:
            raise ValueError(
                f"Shape must be rank 0 but is rank {len(test.dims)} for the condition {test.name} of a loop (op: 'LoopCond') "
                f"with input shapes: {test.shape}."
            )
        if limit is not None:
            test = logical_and(less(params[0], limit), test)
        loop.condition.results = [own_result(loop.condition, test)]


def _build_body(
    loop: Loop, body: Callable[..., Any], variables: Any, params: list[Tensor], counter: Tensor | None
) -> Any:
    """Build the body and return the structure that it gave."""
    with loop.graph.region(loop.body):
        given = body(*pack(variables, params))
        if not isinstance(given, list | tuple) or (hasattr(given, "_fields") and len(variables) == 1):
            given = [given]
        check_same(list(variables), list(given))
        results = [_next(loop, param, leaf) for param, leaf in zip(params, flatten(given), strict=True)]
        if counter is not None:
            results.insert(0, add_v2(counter, constant(1, counter.dtype.base_dtype)))
        loop.body.results = results
    return given


def _next(loop: Loop, param: Tensor, leaf: Any) -> Tensor:
    """Return a variable's next value, checked against what the variable is."""
    wanted = None if isinstance(leaf, Tensor) else param.dtype.base_dtype
    tensor = convert_to_tensor(leaf, preferred_dtype=wanted)
    initial = loop.inputs[loop.body.params.index(param)]
    if tensor.dtype.base_dtype is not param.dtype.base_dtype:
        raise TypeError(
            f"Loop var {initial.name} enters the loop with type {param.dtype.base_dtype.name} but has type "
            f"{tensor.dtype.base_dtype.name} after 1 iteration."
        )
    if not _at_most(tensor.dims, param.dims):
        raise ValueError(
            f"Input tensor '{initial.name}' enters the loop with shape {TensorShape(param.dims)}, but has shape {tensor.shape} "
            "after one iteration. To allow the shape to vary across iterations, use the `shape_invariants` argument of "
            "tf.while_loop to specify a less-specific shape."
        )
    return own_result(loop.body, tensor)
