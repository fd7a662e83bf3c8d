"""`import tensorflow` where there is no TensorFlow: modules that stand in for TensorFlow's, made when they are imported.

A stand-in looks its names up in this package when they are asked for, so it can do what the package can, and for the rest it
says which name is lacking and what is near. `tensorflow.a.b` stands for what programs here call `tf.a.b`; paths inside
TensorFlow (`tensorflow.python.…`, `tensorflow.contrib.….python.…`) are found by the tables of names.py.

Invariant: a TensorFlow that is installed is left alone unless the caller says otherwise: the finder asks last.
"""

from __future__ import annotations

import difflib
import importlib
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType, SimpleNamespace
from typing import Any

from ..program.behaviour import VERSION
from .core_protos import PROTO_FOLDERS, proto_module
from .names import EMPTY, EXTRA, PACKAGES, PYTHON
from .renamed import words_for

_ROOT = __name__.split(".")[0]
_NAME = "tensorflow"
_SUGGESTIONS = 3
# TensorBoard works without TensorFlow where it finds this module, and must not take a stand-in for the real one.
_NO_TENSORFLOW = "tensorboard.compat.notf"
_EXAMPLES = ("examples", "examples.tutorials", "examples.tutorials.mnist")
# This package's own folders, which its top offers beside its names.
_INTERNAL = ("engine", "ops")
_FOLDERS = ("core", "examples", "python")
_API = f"{_ROOT}.engine.api."


def package() -> Any:
    """Return this package: what programs call `tf`."""
    return sys.modules[_ROOT]


def reach(place: Any, path: str) -> Any:
    """Return what is called `path` below an object, None when there is no such thing."""
    for part in path.split(".") if path else ():
        place = getattr(place, part, None)
        if place is None:
            return None
    return place


class Target:
    """What a stand-in stands for.

    `title` is how the program calls it, such as 'tf.nn'; `places` are the objects whose names it offers, `extra` further names.
    Where there are neither it is a folder, whose names are the modules in it.
    """

    def __init__(self, title: str, places: Sequence[Any], extra: dict[str, Any] | None = None) -> None:
        self.title, self.places, self.extra = title, [p for p in places if p is not None], extra or {}

    @property
    def is_folder(self) -> bool:
        """Whether there are only modules below it."""
        return not self.places and not self.extra

    def get(self, name: str) -> Any:
        """Return what the name stands for; AttributeError naming what is near when there is none."""
        if name in self.extra:
            return self.extra[name]
        for place in self.places:
            if hasattr(place, name) and not _is_internal(place, name):
                return getattr(place, name)
        hint = words_for(f"{self.title}.{name}") or self.near(name)
        raise AttributeError(f"{self.title}.{name} is not there: {_ROOT} has no such name{hint}")

    def near(self, name: str, title: str | None = None) -> str:
        """Return words about names that the program may want instead: the name elsewhere, and names here that look like it."""
        root = package()
        spaces = {"tf": root} | {f"tf.{key}": value for key, value in vars(root).items() if _is_namespace(value)}
        near = [
            f"{title}.{name}"
            for title, value in spaces.items()
            if hasattr(value, name) and not _is_internal(value, name)
        ]
        near += [
            f"{title or self.title}.{other}" for other in difflib.get_close_matches(name, self.names(), _SUGGESTIONS)
        ]
        if not near:
            everywhere = {other: title for title, value in spaces.items() for other in dir(value)}
            near = [
                f"{everywhere[other]}.{other}" for other in difflib.get_close_matches(name, everywhere, _SUGGESTIONS)
            ]
        return f"; near: {', '.join(dict.fromkeys(near))}" if near else ""

    def names(self) -> list[str]:
        """Return the public names, sorted."""
        found = {
            name
            for place in self.places
            for name in dir(place)
            if not name.startswith("_") and not _is_internal(place, name)
        }
        return sorted(found | self.extra.keys())


def _is_internal(place: Any, name: str) -> bool:
    return place is package() and name in _INTERNAL


def _is_namespace(value: Any) -> bool:
    return isinstance(value, ModuleType) and value.__name__.startswith(_API)


def _has_names(value: Any) -> bool:
    return _is_namespace(value) or isinstance(value, SimpleNamespace)


def target_of(path: str) -> Target | None:
    """Return what a path behind `tensorflow.` stands for, None when nothing does."""
    parts = path.split(".") if path else []
    while parts[:2] in (["compat", "v1"], ["_api", "v1"]):
        parts = parts[2:]
    if not parts:
        return Target("tf", [package()], {"__version__": VERSION})
    path = ".".join(parts)
    if parts[0] == "core":
        return _of_protos(parts)
    if path in _EXAMPLES:
        return Target(f"tf.{path}", [])
    found = _inside(parts) if parts[0] == "python" else _public(parts)
    if found is None:
        package_path, _, file = path.partition(".python")
        return Target(f"tf.{path}", []) if package_path in EMPTY and file.count(".") < 2 else None
    return found


def _public(parts: list[str]) -> Target | None:
    path, root = ".".join(parts), package()
    if parts[0] == "examples" or (parts[0] == "contrib" and "datasets" in parts[:-1]):
        return Target(f"tf.{path}", [], EXTRA[parts[-1]]) if parts[-1] in EXTRA else None
    if "python" not in parts:
        found = reach(root, ".".join(parts))
        return Target(f"tf.{'.'.join(parts)}", [found]) if isinstance(found, ModuleType | SimpleNamespace) else None
    # The files of a contrib package: their names are the package's own, or those of a namespace in it called like the file.
    inside = parts[: parts.index("python")]
    found = reach(root, ".".join(inside))
    if found is None:
        return None
    file, last = getattr(found, parts[-1], None), SimpleNamespace(**EXTRA.get(parts[-1], {}))
    return Target(f"tf.{'.'.join(inside)}", [file, found, last] if _has_names(file) else [found, last])


def _inside(parts: list[str]) -> Target | None:
    title, leaf, root = ".".join(["tensorflow", *parts]), parts[-1], package()
    if ".".join(parts[1:]) in ("", *PACKAGES):
        return Target(title, [])
    if leaf in EXTRA or leaf in PYTHON:
        places = [reach(root, place) for place in PYTHON.get(leaf, ("",))]
        return Target(title, places, EXTRA.get(leaf))
    found = reach(root, leaf)
    return Target(title, [found]) if _is_namespace(found) else None


def _of_protos(parts: list[str]) -> Target | None:
    title, leaf = ".".join(["tensorflow", *parts]), parts[-1]
    if not leaf.endswith("_pb2"):
        return Target(title, []) if parts[1:] in ([], *PROTO_FOLDERS) else None
    found = proto_module(leaf)
    return None if found is None else Target(title, [found])


class StandIn(ModuleType):
    """A module that offers the names of a Target, each looked up when it is first asked for."""

    _target: Target

    def __getattr__(self, name: str) -> Any:
        if name == "__all__":
            return self._target.names()
        if name.startswith("__") and name not in self._target.extra:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        if self._target.is_folder or (self.__name__ == _NAME and name in _FOLDERS):
            return self._module_in_it(name)
        found = self._target.get(name)
        if _has_names(found):
            found = importlib.import_module(f"{self.__name__}.{name}")
        self.__dict__[name] = found
        return found

    def _module_in_it(self, name: str) -> Any:
        try:
            return importlib.import_module(f"{self.__name__}.{name}")
        except ImportError as error:
            raise AttributeError(str(error)) from None

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self._target.names()})


class StandInLoader(Loader):
    """Makes the stand-in of one path."""

    def __init__(self, target: Target | None) -> None:
        self._target = target

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Return a module with nothing in it yet."""
        if self._target is None:
            return ModuleType(spec.name)
        module = StandIn(spec.name, f"{_ROOT}, standing in for {spec.name}.")
        module.__dict__["_target"] = self._target
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Do nothing: names are looked up when they are asked for."""


class TensorFlowFinder(MetaPathFinder):
    """Finds stand-ins for `tensorflow` and what is below it."""

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """Return the spec of a stand-in; ModuleNotFoundError naming what is near when nothing stands for the path."""
        if fullname == _NO_TENSORFLOW:
            return ModuleSpec(fullname, StandInLoader(None))
        if fullname != _NAME and not fullname.startswith(f"{_NAME}."):
            return None
        found = target_of(fullname[len(_NAME) + 1 :])
        if found is None:
            raise _lacking(fullname)
        return ModuleSpec(fullname, StandInLoader(found), is_package=True)


def _lacking(fullname: str) -> ImportError:
    """Return the error about a path that nothing stands for.

    What is asked for of a module that has names is one of those: an ImportError with the path, by which who looks names up by
    importing their paths (pydoc.locate) knows to go on. Python would swallow a ModuleNotFoundError that has it, and its words.
    """
    words = f"No module named {fullname!r}: {_ROOT} stands in for TensorFlow here{_near(fullname)}"
    parent = fullname.rpartition(".")[0][len(_NAME) + 1 :]
    around = target_of(parent)
    is_module = around is None or (around.is_folder and parent not in EMPTY)
    return ModuleNotFoundError(words) if is_module else ImportError(words, name=fullname)


def _near(fullname: str) -> str:
    gone = words_for(f"tf{fullname[len(_NAME) :]}")
    if gone:
        return gone
    parent, _, leaf = fullname.rpartition(".")
    around = target_of(parent[len(_NAME) + 1 :])
    if around is not None and not around.is_folder:
        return f", and has nothing for it{around.near(leaf, parent)}"
    close = difflib.get_close_matches(leaf, [*PYTHON, *EXTRA] if ".python" in parent else [], _SUGGESTIONS)
    return ", and has nothing for it" + (f"; near: {', '.join(f'{parent}.{name}' for name in close)}" if close else "")


def _loaded() -> dict[str, ModuleType]:
    # A copy, because other threads may be importing.
    return {name: module for name, module in list(sys.modules.items()) if name.split(".")[0] == _NAME}


@contextmanager
def standing_in(replace: bool = False) -> Iterator[None]:
    """Let this package stand in for TensorFlow inside the block.

    Args:
      replace: do so even where TensorFlow is installed.
    """
    finder = TensorFlowFinder()
    before = _loaded()
    if replace:
        for name in before:
            del sys.modules[name]
        sys.meta_path.insert(0, finder)
    else:
        sys.meta_path.append(finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name, module in _loaded().items():
            if isinstance(module, StandIn):
                del sys.modules[name]
        if replace:
            sys.modules.update(before)
