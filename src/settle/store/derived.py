"""The derived tables as data: how a row of each is keyed, written, compared and put back."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Delete, Row, Select, Table, and_, bindparam, delete, select

from settle.services.chain_rows import (
    AccountRow,
    AssetRow,
    DerivedRow,
    EscrowStateRow,
    HoldingRow,
    OutcomeRow,
    RecordedRow,
    SupplyRow,
)
from settle.store.tables_chain import (
    assets,
    chain_accounts,
    escrow_states,
    holdings,
    outcomes,
    recorded,
    supplies,
)

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One derived table. The fields of its row are the columns of the table."""

    name: str
    row: type[DerivedRow]
    table: Table
    keys: tuple[str, ...]

    @property
    def changing(self) -> tuple[str, ...]:
        """The columns that are not its key."""
        return tuple(c.name for c in self.table.columns if c.name not in self.keys)

    def values(self, row: DerivedRow) -> dict[str, Any]:
        """The row as columns."""
        return {column.name: getattr(row, column.name) for column in self.table.columns}

    def key(self, values: dict[str, Any]) -> str:
        """Its key as text, for the list of before-images."""
        return ":".join(_text(values[name]) for name in self.keys)

    def key_values(self, key: str) -> dict[str, Any]:
        """The key columns back from the text, named for `deletion`."""
        parts = zip(self.keys, key.split(":"), strict=True)
        return {f"gone_{name}": _value(text) for name, text in parts}

    def deletion(self) -> Delete:
        """Delete by `key_values`."""
        columns = self.table.columns
        return delete(self.table).where(
            and_(*(columns[name] == bindparam(f"gone_{name}") for name in self.keys))
        )

    def selection(self, rows: Sequence[dict[str, Any]]) -> Select[Any]:
        """Select the stored rows of these keys, and maybe more of the same table.

        Each key column is asked by itself: SQLite would read the whole table for a list of pairs.
        """
        columns = self.table.columns
        return select(self.table).where(
            and_(*(columns[name].in_({row[name] for row in rows}) for name in self.keys))
        )

    def write(self, values: dict[str, Any]) -> str:
        """Columns as the text of a before-image."""
        return json.dumps({name: _tagged(value) for name, value in values.items()})

    def read(self, before: str) -> dict[str, Any]:
        """Columns back from the text of a before-image."""
        return {name: _untagged(value) for name, value in json.loads(before).items()}


KINDS: Final = (
    Kind(name="holding", row=HoldingRow, table=holdings, keys=("account", "asset")),
    Kind(name="supply", row=SupplyRow, table=supplies, keys=("asset",)),
    Kind(name="asset", row=AssetRow, table=assets, keys=("asset",)),
    Kind(name="account", row=AccountRow, table=chain_accounts, keys=("account",)),
    Kind(name="outcome", row=OutcomeRow, table=outcomes, keys=("instruction",)),
    Kind(name="escrow", row=EscrowStateRow, table=escrow_states, keys=("escrow",)),
    Kind(name="recorded", row=RecordedRow, table=recorded, keys=("instruction",)),
)
_BY_ROW: Final = {kind.row: kind for kind in KINDS}


def kind_of(row: DerivedRow) -> Kind:
    """The table that a row belongs to."""
    return _BY_ROW[type(row)]


def asset_row(row: Row[Any]) -> AssetRow:
    """Read a row of the assets."""
    return AssetRow(
        asset=row.asset,
        asset_class=row.asset_class,
        decimals=row.decimals,
        code=row.code,
        issuer=row.issuer,
        frozen=row.frozen,
    )


def account_row(row: Row[Any]) -> AccountRow:
    """Read a row of the accounts as the chain has them."""
    return AccountRow(
        account=row.account,
        standing=row.standing,
        account_class=row.account_class,
        frozen=row.frozen,
    )


def escrow_row(row: Row[Any]) -> EscrowStateRow:
    """Read a row of the escrows as the chain has them."""
    return EscrowStateRow(escrow=row.escrow, withdrawn=row.withdrawn, record=row.record)


def _text(value: bytes | int) -> str:
    return f"0x{value.hex()}" if isinstance(value, bytes) else str(value)


def _value(text: str) -> bytes | int:
    return bytes.fromhex(text[2:]) if text.startswith("0x") else int(text)


def _tagged(value: bytes | int | str | bool) -> object:
    return {"hex": value.hex()} if isinstance(value, bytes) else value


def _untagged(value: Any) -> Any:  # noqa: ANN401  whatever JSON has
    return bytes.fromhex(value["hex"]) if isinstance(value, dict) else value
