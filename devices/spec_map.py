"""Requests brought to other machines: device names replaced by a table, where a graph that asks for them is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TypeAlias

from .spec import DeviceLike, DeviceSpec, canonical_name, parse

DeviceMap: TypeAlias = Mapping[str, DeviceLike] | Callable[[str], DeviceLike]

_FIELDS = ("job", "replica", "task", "device_type", "device_index")


def remapping(devices: DeviceMap | None) -> Callable[[str], str]:
    """Return a function from requested device names to those that take their place.

    Args:
      devices: a function of a canonical name; or a table, of which for each request the entry counts that names most of what the
        request says. That part of the request is replaced, the rest stays: by {"/gpu:1": "/gpu:0"} a request for
        "/job:worker/gpu:1" becomes one for "/job:worker/gpu:0". None stands for no device. Without its job, a request names no
        task either.

    Raises:
      ValueError: for a name that is none.
    """
    if devices is None:
        return canonical_name
    if callable(devices):
        function = devices
        return lambda name: canonical_name(function(canonical_name(name)))
    table = {parse(key): parse(canonical_name(value)) for key, value in devices.items()}
    return partial(_replaced, table)


def _said(spec: DeviceSpec) -> dict[str, str | int]:
    return {field: value for field in _FIELDS if (value := getattr(spec, field)) is not None}


def _replaced(table: Mapping[DeviceSpec, DeviceSpec], name: str) -> str:
    asked = _said(parse(name))
    matching = [key for key in table if _said(key).items() <= asked.items()]
    if not name or not matching:
        return canonical_name(name)
    key = max(matching, key=lambda spec: len(_said(spec)))
    new = _said(table[key])
    dropped = set(_said(key))
    if "job" in dropped and "job" not in new:
        dropped |= {"replica", "task"}
    if "device_type" in dropped | set(new):
        dropped.add("device_index")
    kept = {field: value for field, value in asked.items() if field not in dropped or _keeps_index(field, key, new)}
    return DeviceSpec(**{**kept, **new}).to_string()  # type: ignore[arg-type]


def _keeps_index(field: str, key: DeviceSpec, new: Mapping[str, str | int]) -> bool:
    """Tell whether an index that the table says nothing of goes on counting devices of the new type."""
    return field == "device_index" and key.device_index is None and "device_type" in new and "device_index" not in new
