"""Names for values whose type depends on the device: NumPy's, CuPy's or a simulated GPU's arrays.

No static type covers all three, so the aliases are `Any`; they say to the reader what is meant.
"""

from __future__ import annotations

from typing import Any, TypeAlias

Array: TypeAlias = Any
Namespace: TypeAlias = Any
# Gives the memory of a result: `empty(shape, dtype)`.
Empty: TypeAlias = Any
