"""`tf.strings`."""

from ...ops.strings import as_string, reduce_join, regex_replace, substr
from ...ops.strings import string_join as join
from ...ops.strings import string_strip as strip
from ...ops.strings import string_to_number as to_number
from ...ops.strings.text import regex_full_match
from ...ops.strings.text import string_length as length
from ...ops.strings.text import string_lower as lower
from ...ops.strings.text import string_upper as upper

__all__ = [
    "as_string", "join", "length", "lower", "reduce_join", "regex_full_match", "regex_replace", "strip", "substr", "to_number",
    "upper",
]  # fmt: skip
