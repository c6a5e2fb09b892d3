"""Receipts that a participant keeps: one line of JSON each, in a file that only grows."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from settle.client.codec import read
from settle.domain.errors import Broken, InvalidInput
from settle.domain.ids import to_hex
from settle.services.receipts import Receipt
from settle.strict_json import read_json

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from settle.client.transport import Transport

_PAGE: Final = 500


class ReceiptMethods:
    """What the client reads of receipts."""

    _transport: Transport

    def receipts(self, after: int = 0) -> list[Receipt]:
        """Your receipts behind number `after`, in their order, up to the newest."""
        pages = self._transport.pages("/v1/receipts", {"after": after, "limit": _PAGE}, by="after")
        return [receipt_of(one) for page in pages for one in page["receipts"]]


def receipt_of(document: object) -> Receipt:
    """Read a receipt as the API tells it. Raises Broken for another document."""
    return read(Receipt, document)


def load_receipts(path: Path) -> list[Receipt]:
    """Read a file of receipts; none if there is no file. Raises InvalidInput naming the line."""
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise InvalidInput("file_read", f"{path}: {error.strerror}") from error
    found = []
    for number, line in enumerate(lines, start=1):
        try:
            found.append(receipt_of(read_json(line)))
        except (ValueError, Broken) as error:
            message = f"{path}, line {number} is no receipt"
            raise InvalidInput("file_format", message) from error
    return found


def append_receipts(path: Path, receipts: Sequence[Receipt]) -> None:
    """Write receipts behind those of the file. Raises InvalidInput."""
    try:
        with path.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(_document(one)) + "\n" for one in receipts)
    except OSError as error:
        raise InvalidInput("file_write", f"{path}: {error.strerror}") from error


def _document(one: Receipt) -> dict[str, Any]:
    told = asdict(one).items()
    return {name: to_hex(value) if isinstance(value, bytes) else value for name, value in told}
