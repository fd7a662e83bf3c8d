"""Every keyword argument given another value than its default: the tables of such calls, and what a call makes.

`VARIED` maps a name to groups of arguments that go on top of the name's first call (`support.api_cases`, or `BASES` where a
table of variations needs another one). `PROVED` maps a name to the keywords that programs vary, for what needs files,
sessions or a block of code. `observe` tells what a call makes: outputs, variables, collections and, when asked, values; it
knows nothing of the library, so that TensorFlow's answer is had alike.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import pathlib
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .api_cases import CASES, Case
from .api_more_cases import MORE
from .signatures import AWAITED, LATER, NAMES, parameters, resolve, wanted

OMIT = object()

VARIED: dict[str, list[dict[str, Any]]] = {}
BASES: dict[str, Case] = {}
# Calls that TensorFlow refuses: name, arguments.
REFUSED: list[tuple[str, dict[str, Any]]] = []


@dataclasses.dataclass(frozen=True)
class Late:
    """A value that is made of the module: a dtype, a function, a tensor."""

    make: Callable[[Any], Any]


def vary(paths: str, *together: dict[str, Any], base: Case | None = None, **alone: Any) -> None:
    """Enter a call for each group of keywords given together, and one for each keyword given alone."""
    for path in paths.split():
        VARIED.setdefault(path, []).extend([*together, *({name: value} for name, value in alone.items())])
        if base is not None:
            BASES[path] = base


def refuse(path: str, *together: dict[str, Any], **alone: Any) -> None:
    """Enter calls that TensorFlow refuses: for each group of keywords, and for each keyword given alone."""
    REFUSED.extend((path, given) for given in [*together, *({name: value} for name, value in alone.items())])


def base_of(path: str) -> Case:
    """Return the call that variations start from."""
    return BASES.get(path) or CASES.get(path) or MORE[path]


def arguments(tf: Any, path: str, given: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of the first call with `given` on top."""
    made = {name: value.make(tf) if isinstance(value, Late) else value for name, value in given.items()}
    return {name: value for name, value in {**base_of(path)(tf), **made}.items() if value is not OMIT}


def optional(path: str) -> list[str]:
    """Return the keywords of a name that have a default, without those that TensorFlow 2 added."""
    try:
        ours = parameters(resolve(path))
    except (TypeError, ValueError):
        return []
    open_ended = any(p.kind is p.VAR_KEYWORD for p in ours.values())
    return [
        name
        for name, *rest in wanted(path) or []
        if rest and name not in LATER and not name.startswith("_") and (open_ended or name in ours)
    ]


@functools.cache
def _homes() -> dict[int, str]:
    found: dict[int, str] = {}
    for wanted_kind, (path, kind) in itertools.product(("v1", "contrib"), NAMES.items()):
        if kind == wanted_kind and path not in AWAITED:
            found.setdefault(id(resolve(path)), path)
    return found


def home(path: str) -> str:
    """Return the first of the names that reach one object, before those of contrib."""
    return _homes()[id(resolve(path))] if path in NAMES else path


def pairs() -> Iterator[tuple[str, str]]:
    """Yield each name that programs use with each of its optional keywords."""
    for path, kind in NAMES.items():
        if kind in ("v1", "contrib") and path not in AWAITED and callable(resolve(path)):
            yield from ((path, keyword) for keyword in optional(path))


# ---- programs ----------------------------------------------------------------------------------------------------------

Program = Callable[[Any, "Caller", pathlib.Path], None]
PROGRAMS: dict[Program, dict[str, str]] = {}
# Programs of names that TensorFlow 2 has lost, which therefore run here only.
LOST: set[Program] = set()


class Caller:
    """Calls names after `tf.` and remembers which keywords were given."""

    def __init__(self, tf: Any) -> None:
        self.tf = tf
        self.given: set[tuple[str, str]] = set()

    def __call__(self, path: str, /, *positional: Any, **given: Any) -> Any:
        """Call what is reached as `tf.<path>`."""
        self.given |= {(path, keyword) for keyword in given}
        found = self.tf
        for part in path.split("."):
            found = getattr(found, part)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return found(*positional, **given)

    def on(self, thing: Any, path: str, /, *positional: Any, **given: Any) -> Any:
        """Call a method of something, named as TensorFlow documents it."""
        self.given |= {(path, keyword) for keyword in given}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return getattr(thing, path.rsplit(".", 1)[-1])(*positional, **given)


def proves(varied: dict[str, str], *, lost: bool = False) -> Callable[[Program], Program]:
    """Enter a program that shows what keywords do; `varied` has them by name, `lost` says that TensorFlow 2 lacks the names."""

    def enter(program: Program) -> Program:
        PROGRAMS[program] = varied
        if lost:
            LOST.add(program)
        return program

    return enter


def proved() -> set[tuple[str, str]]:
    """Return what programs vary."""
    return {(p, keyword) for varied in PROGRAMS.values() for p, words in varied.items() for keyword in words.split()}


# ---- what a call makes ---------------------------------------------------------------------------------------------------


def is_variable(found: Any) -> bool:
    """Tell whether something is a variable, of references or of resources."""
    return hasattr(found, "initializer") and hasattr(found, "read_value")


def parts(tf: Any, found: Any) -> list[Any]:
    """Return the tensors, variables and operations in what a call returned, in order."""
    if isinstance(found, tf.SparseTensor):
        return [found.indices, found.values, found.dense_shape]
    if isinstance(found, tf.IndexedSlices):
        return [p for p in (found.values, found.indices, found.dense_shape) if p is not None]
    if isinstance(found, tf.Tensor | tf.Operation) or is_variable(found):
        return [found]
    if isinstance(found, dict):
        return [part for key in sorted(found) for part in parts(tf, found[key])]
    if isinstance(found, list | tuple):
        return [part for item in found for part in parts(tf, item)]
    return []


def used(tf: Any, path: str, found: Any) -> Any:
    """Use what a call returned as programs do: a cell or layer on a batch, an initialiser on a shape, an optimiser on a loss."""
    if isinstance(found, tf.train.Optimizer):
        variable = tf.get_variable("trained", initializer=np.array([1.0, 2.0], "f"))
        with tf.control_dependencies([found.minimize(tf.square(variable))]):
            return found.minimize(tf.square(variable) * 3.0)
    if "rnn_cell." in path or (path.startswith("contrib.rnn.") and path.endswith(("Cell", "Wrapper"))):
        dtype = tf.as_dtype(getattr(found, "dtype", None) or tf.float32)
        first = found(tf.constant(np.linspace(-1, 1, 6).reshape(2, 3), dtype), found.zero_state(2, dtype))
        return [first, found(tf.constant(np.linspace(1, 2, 6).reshape(2, 3), dtype), first[1])]
    if path in ("layers.Dense",):
        return found(tf.constant(np.linspace(-1, 1, 6).reshape(2, 3), tf.float32))
    if path.endswith("_initializer") and callable(found):
        return found([3, 4])
    if path.endswith("_regularizer"):
        return found(tf.constant([1.0, -2.0]))
    if path == "distributions.Normal":
        return [found.log_prob(0.5), found.entropy(), found.mean(), found.cdf(0.25)]
    return found


def name_of(item: Any) -> str:
    """Return how a member of a collection is called."""
    if getattr(item, "name", None) is None and hasattr(item, "indices"):
        return str(item.indices.name)
    name = getattr(item, "name", None)
    return name if isinstance(name, str) else type(item).__name__


# Ops that are not run: they ask for feeds, or for files.
UNRUN = ("Placeholder", "ReadFile")
# Collections that are the library's own business.
INTERNAL = ("cond_context", "while_context", "__", "(", "saved_model_")


def collections(tf: Any) -> dict[str, list[str]]:
    """Return the graph's collections: names of members by key."""
    keys = tf.get_default_graph().get_all_collection_keys()
    return {
        str(key): sorted(name_of(item) for item in tf.get_collection(key))
        for key in keys
        if not str(key).startswith(INTERNAL) and tf.get_collection(key)
    }


def described(variable: Any) -> tuple[Any, ...]:
    """Return what a variable is, but its value."""
    return (
        variable.name, variable.dtype.base_dtype.name, str(variable.shape), bool(variable.trainable), variable.device,
        type(variable).__name__, variable.synchronization.name, variable.aggregation.name,
        variable.constraint is not None,
    )  # fmt: skip


def trained(tf: Any, made: list[Any]) -> list[Any]:
    """Return what trains the variables behind `made` for a step, with regularisation, and updates averages."""
    floats = [p for p in made if isinstance(p, tf.Tensor) and p.dtype.is_floating and p.dtype == tf.float32]
    if not tf.trainable_variables() or not floats:
        return []
    losses = [tf.reduce_sum(tf.square(p)) for p in floats] + tf.get_collection(tf.GraphKeys.REGULARIZATION_LOSSES)
    pairs = tf.train.GradientDescentOptimizer(0.1).compute_gradients(tf.add_n(losses))
    known = [(g, v) for g, v in pairs if g is not None]
    updates = list(tf.get_collection(tf.GraphKeys.UPDATE_OPS))
    with tf.control_dependencies([u for u in updates if isinstance(u, tf.Tensor | tf.Operation)]):
        return [tf.train.GradientDescentOptimizer(0.1).apply_gradients(known)] if known else [tf.group(*updates)]


def values(tf: Any, path: str, made: list[Any]) -> tuple[list[Any], dict[str, Any]]:
    """Return what outputs are, and what variables hold after a step of training."""
    made = [p for p in made if isinstance(p, tf.Operation) or p.op.type not in UNRUN]
    steps = [] if isinstance(made and made[0], tf.Operation) else trained(tf, made)
    kept = {v.name: v for v in [*tf.global_variables(), *tf.local_variables()]}
    with tf.Session() as session:
        session.run([tf.global_variables_initializer(), tf.local_variables_initializer(), tf.tables_initializer()])
        session.run([p.initializer for p in made if is_variable(p)])
        # A metric's value and its update would race.
        first = (
            [session.run(part) for part in reversed(made)][::-1] if path.startswith("metrics.") else session.run(made)
        )
        session.run(steps)
        return first, {name: session.run(v) for name, v in kept.items()} if steps else {}


def observe(tf: Any, path: str, function: Any, given: dict[str, Any], seed: int | None = None) -> dict[str, Any]:
    """Return what a call makes: the outputs' names, dtypes and shapes, variables, collections; with a seed values, too."""
    with tf.Graph().as_default() as graph, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tf.set_random_seed(3 if seed is None else seed)
        result = used(tf, path, function(**arguments(tf, path, given)))
        made = parts(tf, result)
        tensors = [p for p in made if not isinstance(p, tf.Operation)]
        seen = {
            "outputs": [p.name for p in made],
            "attributes": [attributes(getattr(p, "op", p)) for p in made],
            "dtypes": [p.dtype.name for p in tensors],
            "shapes": [str(p.shape) for p in tensors],
            "variables": sorted({described(v) for v in [*tf.global_variables(), *tf.local_variables()]}),
            "collections": collections(tf),
            "structure": shape_of(tf, result),
        }
        if seed is None:
            return {**seen, "graph": graph.as_graph_def().SerializeToString(deterministic=True)}
        first, after = values(tf, path, made)
        return {**seen, "values": first, "after": after}


def attributes(op: Any) -> tuple[str, dict[str, str]]:
    """Return an operation's type, and its attributes: no arrays, seeds or numbers of Python functions, nothing that begins with
    an underscore."""
    node = op.node_def
    kept = {key: value for key, value in node.attr.items() if not key.startswith(("_", "seed", "token"))}
    return node.op, {key: str(value) for key, value in kept.items() if not value.HasField("tensor")}


def shape_of(tf: Any, found: Any) -> Any:
    """Return the structure of what a call returned: types of containers, plain values."""
    if is_variable(found) or isinstance(found, tf.Tensor | tf.SparseTensor | tf.IndexedSlices):
        return type(found).__name__ if not isinstance(found, tf.Tensor) else "Tensor"
    if isinstance(found, tf.Operation):
        return "Operation"
    if isinstance(found, dict):
        return {str(key): shape_of(tf, value) for key, value in sorted(found.items())}
    if isinstance(found, list | tuple):
        return [type(found).__name__, *(shape_of(tf, item) for item in found)]
    return found if isinstance(found, bool | int | float | str | bytes | None) else type(found).__name__
