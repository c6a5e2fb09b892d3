"""Signatures that were checked: consents to instructions, and consents to end them."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, func, select

from settle.domain.ids import InstructionId
from settle.services.trade_rows import CancellationRow
from settle.store.bulk import BulkStatement
from settle.store.columns import batches, upsert, upsert_in
from settle.store.tables import cancellations as cancellation_table
from settle.store.tables import signatures as signature_table

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from settle.domain.ids import Address
    from settle.services.trade_rows import SignatureRow


_ADD: Final = BulkStatement(
    lambda dialect: upsert_in(dialect, signature_table).on_conflict_do_nothing(),
    [column.name for column in signature_table.columns],
)


class Signatures:
    """The port `SignatureStore`."""

    def signatures(
        self, conn: Connection, digests: Collection[InstructionId]
    ) -> Mapping[InstructionId, Mapping[Address, bytes]]:
        """Consents by digest and account; a digest without any may be missing."""
        columns = signature_table.c
        found: dict[InstructionId, dict[Address, bytes]] = defaultdict(dict)
        for some in batches(digests):
            statement = select(columns.digest, columns.account, columns.signature)
            for row in conn.execute(statement.where(columns.digest.in_(some))).all():
                found[InstructionId(row.digest)][row.account] = row.signature
        return dict(found)

    def wallet_signatures(
        self, conn: Connection, digests: Collection[InstructionId]
    ) -> Mapping[InstructionId, int]:
        """How many consents to each are of wallets; one without any is missing."""
        columns = signature_table.c
        found: dict[InstructionId, int] = {}
        for some in batches(digests):
            statement = (
                select(columns.digest, func.count())
                .where(columns.by_wallet, columns.digest.in_(some))
                .group_by(columns.digest)
            )
            for digest, count in conn.execute(statement).all():
                found[InstructionId(digest)] = count
        return found

    def add_signatures(self, conn: Connection, rows: Sequence[SignatureRow]) -> None:
        """Write consents. One that is there already stays."""
        _ADD.run(
            conn,
            [
                {
                    "digest": row.digest,
                    "account": row.account,
                    "signature": row.signature,
                    "created_at": row.created_at,
                    "by_wallet": row.by_wallet,
                }
                for row in rows
            ],
        )

    def cancellations(
        self, conn: Connection, digest: InstructionId
    ) -> Mapping[Address, CancellationRow]:
        """Who asked to end an instruction."""
        found = conn.execute(
            select(cancellation_table).where(cancellation_table.c.digest == digest)
        )
        return {
            row.account: CancellationRow(
                digest=InstructionId(row.digest),
                account=row.account,
                valid_by=row.valid_by,
                signature=row.signature,
                created_at=row.created_at,
            )
            for row in found
        }

    def put_cancellation(self, conn: Connection, row: CancellationRow) -> None:
        """Write that an account asks to end an instruction, in place of what it asked before."""
        values = {
            "valid_by": row.valid_by,
            "signature": row.signature,
            "created_at": row.created_at,
        }
        statement = upsert(conn, cancellation_table)
        conn.execute(
            statement.values(
                digest=row.digest, account=row.account, **values
            ).on_conflict_do_update(index_elements=["digest", "account"], set_=values)
        )
