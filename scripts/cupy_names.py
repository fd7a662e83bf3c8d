"""Writes devices/cupy_names.json: every name, signature and dtype loop that the installed CuPy offers.

Simulated GPUs refuse whatever is not in that list. Run with a Python that has CuPy and ml_dtypes (no GPU is needed):

    python scripts/cupy_names.py devices/cupy_names.json
"""

from __future__ import annotations

import inspect
import json
import re
import sys
from typing import Any

import cupy

SUBMODULES = ("linalg", "fft", "lib.stride_tricks")
NOT_IMPLEMENTED = {"astype": {"casting", "subok"}}  # in the signature, refused by the body
Params = list[Any]  # [positional names, how many are required, keyword-only names, takes *args, takes **kwargs]


def from_signature(signature: inspect.Signature) -> Params:
    """Reduce a Signature to what a call is checked against."""
    positional, required, keywords, varargs, varkw = [], 0, [], False, False
    for name, parameter in signature.parameters.items():
        if parameter.kind is parameter.VAR_POSITIONAL:
            varargs = True
        elif parameter.kind is parameter.VAR_KEYWORD:
            varkw = True
        elif parameter.kind is parameter.KEYWORD_ONLY:
            keywords.append(name)
        else:
            positional.append(name)
            required += parameter.default is parameter.empty
    return [positional, required, keywords, varargs, varkw]


def from_docstring(doc: str | None) -> Params | None:
    """Read the call signature that Cython writes on the first line of a docstring."""
    match = re.match(r"[\w.]*?(\w+)\((.*)\)", (doc or "").strip().split("\n")[0])
    if match is None:
        return None
    names, required, keywords, starred, varargs = [], 0, [], False, False
    for part in filter(None, (piece.strip() for piece in match.group(2).split(","))):
        name = part.split("=")[0].split()[-1]
        if part.startswith("*"):
            starred, varargs = True, varargs or part != "*"
        elif name != "self":
            (keywords if starred else names).append(name)
            required += "=" not in part and not starred
    return [names, required, keywords, varargs, False]


def params_of(thing: Any) -> Params | None:
    """The parameters of a function or method, however it was compiled."""
    try:
        return from_signature(inspect.signature(thing))
    except (TypeError, ValueError):
        return from_docstring(thing.__doc__)


def functions_of(module: Any, prefix: str) -> dict[str, Params]:
    """Every public function of a module with its parameters."""
    found = {}
    for name in sorted(dir(module)):
        thing = getattr(module, name)
        skip = name.startswith("_") or inspect.isclass(thing) or isinstance(thing, cupy.ufunc)
        params = None if skip or not callable(thing) else params_of(thing)
        if params is not None:
            found[prefix + name] = params
    return found


def methods_of(cls: type) -> dict[str, Params]:
    """Every public method of the array class with its parameters, `self` left out."""
    found = {}
    for name in sorted(dir(cls)):
        method = getattr(cls, name)
        params = params_of(method) if callable(method) and not name.startswith("_") else None
        if params is not None:
            positional, required, *rest = params
            refused = {"self"} | NOT_IMPLEMENTED.get(name, set())
            kept = [parameter for parameter in positional if parameter not in refused]
            found[name] = [kept, required - positional.count("self"), *rest]
    return found


def names() -> dict[str, Any]:
    """The whole list, as plain JSON."""
    functions = functions_of(cupy, "")
    for path in SUBMODULES:
        module = cupy
        for part in path.split("."):
            module = getattr(module, part)
        functions.update(functions_of(module, path + "."))
    ufuncs = [name for name in sorted(dir(cupy)) if isinstance(getattr(cupy, name), cupy.ufunc)]
    public = [name for name in dir(cupy) if not name.startswith("_")]
    values = [n for n in public if n not in functions and n not in ufuncs and not inspect.ismodule(getattr(cupy, n))]
    return {
        "version": cupy.__version__,
        "functions": functions,
        "ufuncs": {name: getattr(cupy, name).types for name in ufuncs},
        "methods": methods_of(cupy.ndarray),
        "values": values,
    }


if __name__ == "__main__":
    with open(sys.argv[1], "w", encoding="ascii") as file:
        json.dump(names(), file, separators=(",", ":"), sort_keys=True)
        file.write("\n")
