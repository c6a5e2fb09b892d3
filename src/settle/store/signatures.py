"""Signatures that were checked: consents to instructions, and consents to end them."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from sqlalchemy import Connection, select

from settle.domain.ids import InstructionId
from settle.store.columns import batches, upsert
from settle.store.tables import signatures as signature_table

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from settle.domain.ids import Address
    from settle.services.trade_rows import Purpose, SignatureRow


class Signatures:
    """The port `SignatureStore`."""

    def signatures(
        self, conn: Connection, digests: Collection[InstructionId], purpose: Purpose
    ) -> Mapping[InstructionId, Mapping[Address, bytes]]:
        """Signatures by digest and account; a digest without any may be missing."""
        columns = signature_table.c
        found: dict[InstructionId, dict[Address, bytes]] = defaultdict(dict)
        for some in batches(digests):
            statement = select(columns.digest, columns.account, columns.signature).where(
                columns.digest.in_(some), columns.purpose == purpose.value
            )
            for digest, account, signature in conn.execute(statement):
                found[InstructionId(digest)][account] = signature
        return dict(found)

    def add_signatures(self, conn: Connection, rows: Sequence[SignatureRow]) -> None:
        """Write signatures. One that is there already stays."""
        if rows:
            conn.execute(
                upsert(conn, signature_table).on_conflict_do_nothing(),
                [
                    {
                        "digest": row.digest,
                        "purpose": row.purpose.value,
                        "account": row.account,
                        "signature": row.signature,
                        "created_at": row.created_at,
                    }
                    for row in rows
                ],
            )
