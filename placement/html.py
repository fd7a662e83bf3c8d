"""A plain HTML table, for notebooks."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from html import escape

_MARKED = ' style="background: #fff3cd; color: #000"'


def table(title: str, head: Sequence[str], rows: Sequence[Sequence[str]], marked: Collection[int] = ()) -> str:
    """Return a titled table; the rows whose numbers are in `marked` stand out."""
    cells = "".join(f"<th>{escape(name)}</th>" for name in head)
    body = "".join(
        f"<tr{_MARKED if number in marked else ''}>{''.join(f'<td>{escape(text)}</td>' for text in row)}</tr>"
        for number, row in enumerate(rows)
    )
    return f"<h4>{escape(title)}</h4><table><thead><tr>{cells}</tr></thead><tbody>{body}</tbody></table>"
