"""What commands write: data on standard output, everything else on standard error."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from settle.domain.ids import to_hex

JsonOption = Annotated[bool, typer.Option("--json", help="JSON on standard output")]
_UNITS: Final = frozenset(("quantity", "amount", "available", "held", "needed", "have", "nonce"))
"""Members that may exceed what a JSON number keeps exactly: written as strings."""


def plain(value: object, name: str = "") -> Any:  # noqa: ANN401  JSON
    """Turn records into JSON: bytes as hex, dates as text, quantities as strings."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in dataclasses.fields(value)]
        return {one: plain(getattr(value, one), one) for one in names}
    if isinstance(value, bytes):
        return to_hex(value)
    if isinstance(value, date | Path):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): plain(one, str(key)) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, int) and not isinstance(value, bool) and name in _UNITS:
        return str(value)
    return value


def show(value: object, *, as_json: bool, text: str) -> None:
    """Write the result: as JSON, or the text for people."""
    print(json.dumps(plain(value)) if as_json else text, flush=True)


def tell(line: str) -> None:
    """Write a line of progress."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def table(rows: list[tuple[object, ...]], *heads: str) -> str:
    """Lay rows out in columns under their heads."""
    texts = [heads, *(tuple(str(cell) for cell in row) for row in rows)]
    widths = [max(len(row[column]) for row in texts) for column in range(len(heads))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in texts
    )
