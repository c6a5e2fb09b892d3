"""Participants, their accounts and the keys that sign their requests."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, select, update

from settle.domain.ids import Address, Bic, Lei
from settle.services.trade_rows import ParticipantRow, Role
from settle.store.columns import upsert
from settle.store.tables import accounts as account_table
from settle.store.tables import participants, request_keys

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from settle.services.trade_rows import OwnedAccount


class Directory:
    """The port `DirectoryStore`."""

    def put_participants(self, conn: Connection, rows: Sequence[ParticipantRow]) -> None:
        """Add participants, or restate them by LEI."""
        if not rows:
            return
        statement = upsert(conn, participants)
        changing = ("bic", "name", "role", "participant_class")
        conn.execute(
            statement.on_conflict_do_update(
                index_elements=["lei"],
                set_={name: statement.excluded[name] for name in changing},
            ),
            [
                {
                    "lei": row.lei,
                    "bic": row.bic,
                    "name": row.name,
                    "role": row.role.value,
                    "participant_class": row.participant_class,
                    "created_at": row.created_at,
                }
                for row in rows
            ],
        )

    def participants(self, conn: Connection) -> Sequence[ParticipantRow]:
        """All of them, by LEI."""
        found = conn.execute(select(participants).order_by(participants.c.lei))
        return [_participant(row) for row in found]

    def participants_of(
        self, conn: Connection, leis: Collection[Lei]
    ) -> Mapping[Lei, ParticipantRow]:
        """Those of these LEIs that are known."""
        found = conn.execute(select(participants).where(participants.c.lei.in_(leis)))
        return {row.lei: _participant(row) for row in found}

    def participant_by_bic(self, conn: Connection, bic: Bic) -> ParticipantRow | None:
        """The participant with this BIC."""
        found = conn.execute(select(participants).where(participants.c.bic == bic)).one_or_none()
        return None if found is None else _participant(found)

    def put_accounts(self, conn: Connection, rows: Sequence[OwnedAccount]) -> None:
        """Add accounts. One that is there already stays whose it is."""
        if not rows:
            return
        conn.execute(
            upsert(conn, account_table).on_conflict_do_nothing(index_elements=["address"]),
            [
                {
                    "address": row.address,
                    "lei": row.lei,
                    "position": row.position,
                    "created_at": row.created_at,
                }
                for row in rows
            ],
        )

    def accounts_of(
        self, conn: Connection, leis: Collection[Lei]
    ) -> Mapping[Lei, Sequence[Address]]:
        """Accounts by owner, in order of position."""
        found: dict[Lei, list[Address]] = defaultdict(list)
        statement = (
            select(account_table)
            .where(account_table.c.lei.in_(leis))
            .order_by(account_table.c.position)
        )
        for row in conn.execute(statement):
            found[Lei(row.lei)].append(row.address)
        return dict(found)

    def owners_of(self, conn: Connection, accounts: Collection[Address]) -> Mapping[Address, Lei]:
        """Owners of these accounts, as far as known."""
        columns = account_table.c
        statement = select(columns.address, columns.lei).where(columns.address.in_(accounts))
        return {address: Lei(lei) for address, lei in conn.execute(statement)}

    def put_request_key(self, conn: Connection, key: Address, lei: Lei, at: int) -> None:
        """Let a key sign requests for a participant."""
        conn.execute(
            upsert(conn, request_keys).on_conflict_do_nothing(index_elements=["key"]),
            {"key": key, "lei": lei, "created_at": at},
        )

    def revoke_request_key(self, conn: Connection, key: Address, at: int) -> bool:
        """End that. False if it did not."""
        ended = conn.execute(
            update(request_keys)
            .where(request_keys.c.key == key, request_keys.c.revoked_at.is_(None))
            .values(revoked_at=at)
        )
        return ended.rowcount == 1

    def request_key_owner(self, conn: Connection, key: Address) -> ParticipantRow | None:
        """Whose requests a key signs; None for an unknown or revoked one."""
        found = conn.execute(
            select(participants)
            .join(request_keys, request_keys.c.lei == participants.c.lei)
            .where(request_keys.c.key == key, request_keys.c.revoked_at.is_(None))
        ).one_or_none()
        return None if found is None else _participant(found)


def _participant(row: Row[Any]) -> ParticipantRow:
    return ParticipantRow(
        lei=Lei(row.lei),
        bic=None if row.bic is None else Bic(row.bic),
        name=row.name,
        role=Role(row.role),
        participant_class=row.participant_class,
        created_at=row.created_at,
    )
