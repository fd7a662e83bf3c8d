"""What contrib's layers share: collections of variables and of outputs, and the aliases by which outputs are found again."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, TypeVar

from ...ops.core.graph import get_default_graph
from ...ops.core.node import Tensor

_KEY = ("__aliases_of_tensors",)


_Output = TypeVar("_Output", bound=Any)


def _aliases() -> dict[Any, list[str]]:
    found = get_default_graph().get_collection_ref(_KEY)
    if not found:
        found.append({})
    return found[0]  # type: ignore[no-any-return]


def get_variable_collections(variables_collections: Any, name: str) -> Any:
    """Return the collections for the variable `name`: those of that key when they are a dict."""
    if isinstance(variables_collections, dict):
        return variables_collections.get(name)
    return variables_collections


def collect_named_outputs(collections: Any, alias: str, outputs: _Output) -> _Output:
    """Put a tensor, or a SparseTensor, into collections under an alias, and return it."""
    if collections:
        _aliases().setdefault(outputs, []).append(alias)
        names = [collections] if isinstance(collections, str) else list(collections)
        get_default_graph().add_to_collections(names, outputs)
    return outputs


def get_tensor_aliases(tensor: Tensor) -> list[str]:
    """Return the aliases of a tensor, else its name without a final ':0'."""
    return _aliases().get(tensor) or [tensor.name.removesuffix(":0")]


def convert_collection_to_dict(collection: Any, clear_collection: bool = False) -> OrderedDict[str, Tensor]:
    """Return a collection's tensors by their aliases; `clear_collection` empties it."""
    found = get_default_graph().get_collection(collection)
    by_alias = OrderedDict((alias, tensor) for tensor in found for alias in get_tensor_aliases(tensor))
    if clear_collection:
        get_default_graph().clear_collection(collection)
    return by_alias


def collected_variables(variable: Any, collections: Any, name: str) -> None:
    """Put a layer's variable into the collections that the caller asked for."""
    wanted = get_variable_collections(collections, name) or []
    get_default_graph().add_to_collections(list(wanted), variable)


def layer_getter(names: dict[str, str]) -> Any:
    """Return a custom getter that renames a layer's variables and puts them into the collection of model variables."""

    def getter(getter: Any, name: str, *args: Any, **kwargs: Any) -> Any:
        parts = name.split("/")
        parts[-1] = names.get(parts[-1], parts[-1])
        kwargs["collections"] = [*(kwargs.get("collections") or ["variables"]), "model_variables"]
        return getter("/".join(parts), *args, **kwargs)

    return getter


def activated(outputs: Tensor, normalizer_fn: Any, normalizer_params: Any, activation_fn: Any) -> Tensor:
    """Return the outputs behind their normalisation and activation, where there are any."""
    if normalizer_fn is not None:
        outputs = normalizer_fn(outputs, **(normalizer_params or {}))
    return outputs if activation_fn is None else activation_fn(outputs)
