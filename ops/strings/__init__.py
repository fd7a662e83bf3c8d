"""Ops on strings, which are object arrays of bytes: on CPUs only."""

from .join import reduce_join, string_join
from .split import decode_raw
from .text import as_string, decode_base64, encode_base64, regex_replace, string_strip, string_to_number, substr

__all__ = [
    "as_string", "decode_base64", "decode_raw", "encode_base64", "reduce_join", "regex_replace", "string_join",
    "string_strip", "string_to_number", "substr",
]  # fmt: skip
