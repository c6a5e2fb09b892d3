"""Reads of the rows that the follower derives from the chain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Connection, select

from settle.domain.ids import AssetId
from settle.services.chain_rows import AccountRow, HoldingRow
from settle.store import derived
from settle.store.columns import batches
from settle.store.tables_chain import assets as asset_table
from settle.store.tables_chain import blocks, chain_accounts, cursor, holdings

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from typing import Any

    from sqlalchemy import Row

    from settle.domain.ids import Address
    from settle.services.chain_rows import AssetRow


class ReadBooks:
    """The port `BooksStore`."""

    def assets(self, conn: Connection) -> Sequence[AssetRow]:
        """All assets, by number."""
        found = conn.execute(select(asset_table).order_by(asset_table.c.asset))
        return [derived.asset_row(row) for row in found]

    def asset_numbers(self, conn: Connection, codes: Collection[str]) -> Mapping[str, AssetId]:
        """Assets by ISIN or currency, as far as known."""
        columns = asset_table.c
        found: dict[str, AssetId] = {}
        for some in batches(codes):
            statement = select(columns.code, columns.asset).where(columns.code.in_(some))
            found |= {code: AssetId(number) for code, number in conn.execute(statement)}
        return found

    def holdings_at(
        self, conn: Connection, keys: Collection[tuple[Address, AssetId]]
    ) -> Mapping[tuple[Address, AssetId], HoldingRow]:
        """Holdings by account and asset; one that never was is missing."""
        wanted = frozenset(keys)
        found: dict[tuple[Address, AssetId], HoldingRow] = {}
        # By the index of both columns; SQLite would read the whole table for a list of pairs.
        of_asset = holdings.c.asset.in_({asset for _, asset in wanted})
        for some in batches({account for account, _ in wanted}):
            for row in conn.execute(select(holdings).where(holdings.c.account.in_(some), of_asset)):
                key = (row.account, AssetId(row.asset))
                if key in wanted:
                    found[key] = _holding(row)
        return found

    def holdings_of(self, conn: Connection, accounts: Collection[Address]) -> Sequence[HoldingRow]:
        """All holdings of these accounts."""
        columns = holdings.c
        statement = (
            select(holdings)
            .where(columns.account.in_(accounts))
            .order_by(columns.account, columns.asset)
        )
        return [_holding(row) for row in conn.execute(statement)]

    def account_rows(
        self, conn: Connection, accounts: Collection[Address]
    ) -> Mapping[Address, AccountRow]:
        """What the chain says of these accounts."""
        found: dict[Address, AccountRow] = {}
        for some in batches(accounts):
            statement = select(chain_accounts).where(chain_accounts.c.account.in_(some))
            found |= {row.account: derived.account_row(row) for row in conn.execute(statement)}
        return found

    def followed_to(self, conn: Connection) -> int | None:
        """Number of the newest block that is stored, final or not."""
        found: int | None = conn.execute(select(cursor.c.number)).scalar_one_or_none()
        return found

    def final_head(self, conn: Connection) -> tuple[int, int] | None:
        """Number and timestamp of the newest final block that is stored."""
        found = conn.execute(
            select(blocks.c.number, blocks.c.timestamp)
            .where(blocks.c.final)
            .order_by(blocks.c.number.desc())
            .limit(1)
        ).one_or_none()
        return None if found is None else (found.number, found.timestamp)


def _holding(row: Row[Any]) -> HoldingRow:
    return HoldingRow(account=row.account, asset=row.asset, available=row.available, held=row.held)
