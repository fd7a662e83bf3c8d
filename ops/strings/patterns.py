"""Patterns of RE2's syntax on bytes, by Python's `re`, with RE2's meaning of replacing.

They differ in two places that matter: after a match RE2 finds no empty match at its end, and a rewrite that names a group
which the pattern has not leaves the string as it is. Text is matched as characters of UTF-8.
"""

from __future__ import annotations

import functools
import re

from .arrays import coded, invalid, text

_GROUP = re.compile(r"\\(\\|\d)")


@functools.lru_cache(256)
def _compiled(pattern: bytes) -> re.Pattern[str]:
    try:
        return re.compile(text(pattern).replace(r"\z", r"\Z"), re.ASCII)
    except re.error as error:
        raise invalid(f"Invalid pattern: {text(pattern)}, error: {error}") from None


def full_match(item: bytes, pattern: bytes) -> bool:
    """Tell whether the whole of a string matches."""
    return _compiled(pattern).fullmatch(text(item)) is not None


def replaced(item: bytes, pattern: bytes, rewrite: bytes, everywhere: bool) -> bytes:
    """Return a string with its first match, or all of them, rewritten; `\\0` to `\\9` in the rewrite are groups."""
    found, template = _compiled(pattern), text(rewrite)
    named = [int(name) for name in _GROUP.findall(template) if name != "\\"]
    if max(named, default=0) > found.groups or "\\" in _GROUP.sub("", template):
        return item
    source, end = text(item), 0
    parts: list[str] = []
    for match in found.finditer(source):
        if match.start() == match.end() == end and parts:
            continue
        parts += [source[end : match.start()], _GROUP.sub(functools.partial(_filled, match), template)]
        end = match.end()
        if not everywhere:
            break
    return coded("".join([*parts, source[end:]]))


def _filled(match: re.Match[str], name: re.Match[str]) -> str:
    return "\\" if name[1] == "\\" else match[int(name[1])] or ""
