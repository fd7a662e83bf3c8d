"""Protocol buffers of TensorFlow that TensorBoard does not ship, built from tables: field names and numbers are the format.

Each table becomes classes in a descriptor pool of its own, under a package name of ours, so that TensorFlow's own classes can be
loaded in the same process. A field is `"name type number"`: `"shape Shape 2"`, `"repeated float value 1"`; "packed" stands
where TensorFlow packs a list of numbers, and `"name map<string, Type> 3"` declares a map. Where tables name messages of
TensorBoard (`".tensorboard.ClusterDef cluster 1"`), the pool is the one that has those.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from importlib import import_module
from types import ModuleType, SimpleNamespace
from typing import Any

_TYPES = {
    "double": 1, "float": 2, "int64": 3, "uint64": 4, "int32": 5, "fixed32": 7, "bool": 8, "string": 9, "bytes": 12,
    "uint32": 13,
}  # fmt: skip
_MESSAGE, _OPTIONAL, _REPEATED = 11, 1, 3
_FIELD = re.compile(r"(repeated |packed )?([\w.]+(?:<string, \w+>)?) (\w+) (\d+)(?: in (\w+))?$")


def message_classes(package: str, tables: Mapping[str, tuple[str, ...]], modules: Collection[ModuleType] = ()) -> Any:
    """Return the message classes that the tables describe, as attributes.

    Args:
      package: a name that no other call uses, such as "millstream.checkpoint".
      tables: the fields of each message, `"[repeated|packed] type name number [in oneof]"`.
      modules: generated modules whose messages the tables name.
    """
    descriptor_pb2, descriptor_pool, message_factory = (
        import_module(f"google.protobuf.{name}") for name in ("descriptor_pb2", "descriptor_pool", "message_factory")
    )
    file = descriptor_pb2.FileDescriptorProto(
        name=f"{package.replace('.', '/')}.proto", package=package, syntax="proto3"
    )
    for name, fields in tables.items():
        _describe(file.message_type.add(name=name), fields, package)
    file.dependency.extend(module.DESCRIPTOR.name for module in modules)
    pool = descriptor_pool.Default() if modules else descriptor_pool.DescriptorPool()
    pool.Add(file)
    return SimpleNamespace(
        **{name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{package}.{name}")) for name in tables}
    )


def _describe(message: Any, fields: tuple[str, ...], package: str) -> None:
    oneofs: dict[str, int] = {}
    for label, kind, name, number, oneof in _parsed(fields):
        made = message.field.add(name=name, number=number, label=_REPEATED if label else _OPTIONAL)
        if kind.startswith("map<"):
            made.label, made.type = _REPEATED, _MESSAGE
            made.type_name = f".{package}.{message.name}.{_entry_of(message, name, kind, package)}"
        elif kind in _TYPES:
            made.type = _TYPES[kind]
            if label and kind not in ("string", "bytes"):
                made.options.packed = label == "packed "
        else:
            made.type, made.type_name = _MESSAGE, kind if kind.startswith(".") else f".{package}.{kind}"
        if oneof:
            if oneof not in oneofs:
                oneofs[oneof] = len(message.oneof_decl)
                message.oneof_decl.add(name=oneof)
            made.oneof_index = oneofs[oneof]


def _parsed(fields: tuple[str, ...]) -> Iterator[tuple[str, str, str, int, str]]:
    for text in fields:
        match = _FIELD.match(text)
        if match is None:
            raise ValueError(f"Malformed field {text!r} of a message")
        label, kind, name, number, oneof = match.groups()
        yield label or "", kind, name, int(number), oneof or ""


def _entry_of(message: Any, field: str, kind: str, package: str) -> str:
    """Declare the message of a map's entries, and return its name."""
    name = "".join(part.capitalize() for part in field.split("_")) + "Entry"
    entry = message.nested_type.add(name=name)
    entry.options.map_entry = True
    entry.field.add(name="key", number=1, label=_OPTIONAL, type=_TYPES["string"])
    value = kind[len("map<string, ") : -1]
    made = entry.field.add(name="value", number=2, label=_OPTIONAL, type=_TYPES.get(value, _MESSAGE))
    if value not in _TYPES:
        made.type_name = f".{package}.{value}"
    return name
