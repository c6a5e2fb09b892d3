"""Receipts as they were issued, each participant's in a row of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, Row, select

from settle.domain.ids import Lei
from settle.services.receipts import Entry, Receipt, ReceiptBook
from settle.store.bulk import BulkStatement
from settle.store.tables_receipt import receipts

if TYPE_CHECKING:
    from collections.abc import Sequence

_ADD: Final = BulkStatement.inserting(receipts)


class ReceiptStore:
    """Writes receipts in the transaction of what they are for."""

    def add_receipts(
        self, conn: Connection, book: ReceiptBook, entries: Sequence[Entry]
    ) -> list[Receipt]:
        """Number, sign and write entries, in their order. One writer at a time: no gap."""
        last: dict[Lei, Receipt | None] = {}
        issued = []
        for one in entries:
            if one.lei not in last:
                last[one.lei] = self.last_receipt(conn, one.lei)
            receipt = book.issue(
                last[one.lei], one.lei, one.kind, one.contents, one.at, one.request
            )
            last[one.lei] = receipt
            issued.append(receipt)
        _ADD.run(
            conn,
            [
                {
                    "lei": one.participant,
                    "number": one.number,
                    "previous": one.previous,
                    "kind": one.kind,
                    "request": one.request,
                    "contents": one.contents,
                    "issued_at": one.issued_at,
                    "signature": one.signature,
                }
                for one in issued
            ],
        )
        return issued

    def last_receipt(self, conn: Connection, lei: Lei) -> Receipt | None:
        """The newest of a participant; None before the first."""
        statement = select(receipts).where(receipts.c.lei == lei)
        found = conn.execute(statement.order_by(receipts.c.number.desc()).limit(1)).one_or_none()
        return None if found is None else _receipt(found)

    def receipts_behind(
        self, conn: Connection, lei: Lei, after: int, limit: int
    ) -> Sequence[Receipt]:
        """A participant's receipts with numbers above `after`, in their order."""
        statement = select(receipts).where(receipts.c.lei == lei, receipts.c.number > after)
        found = conn.execute(statement.order_by(receipts.c.number).limit(limit))
        return [_receipt(row) for row in found]


def _receipt(row: Row[Any]) -> Receipt:
    told = row._asdict()
    return Receipt(participant=Lei(told.pop("lei")), **told)
