"""Who and what ISO 20022 messages name: participants by BIC, LEI or identifier, accounts by number.

BIC, LEI and addresses are in the directory. Identifiers that a depository gave and numbers that a
custodian gave are data of the operator, in one JSON file:

    {"parties": [{"issuer": "CSD", "identifier": "B02/B", "lei": "..."}],
     "accounts": [{"lei": "...", "number": "ALFA-1", "account": "0x..."}]}
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from settle.domain.errors import InvalidInput
from settle.domain.ids import Address, Bic, Lei, account_address, parse_lei
from settle.domain.ledger import AssetClass
from settle.strict_json import read_json

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Connection

    from settle.domain.ids import CurrencyCode, Isin
    from settle.services.trade_ports import TradingStore

_HEAD_OFFICE = "XXX"


@dataclass(frozen=True, slots=True, kw_only=True)
class IsoNames:
    """Names that only messages use."""

    parties: Mapping[tuple[str, str], Lei] = field(default_factory=dict)
    accounts: Mapping[tuple[Lei, str], Address] = field(default_factory=dict)


def load_iso_names(path: Path | None) -> IsoNames:
    """Read the file; no names without one. Raises InvalidInput if it is not of this form."""
    if path is None:
        return IsoNames()
    try:
        told = read_json(path.read_bytes())
        return IsoNames(
            parties={
                (str(one["issuer"]), str(one["identifier"])): parse_lei(one["lei"])
                for one in told.get("parties", ())
            },
            accounts={
                (parse_lei(one["lei"]), str(one["number"])): account_address(one["account"])
                for one in told.get("accounts", ())
            },
        )
    except OSError as error:
        raise InvalidInput("iso_names", f"{path}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidInput("iso_names", f"{path}: is no file of names: {error}") from error


class StoredDirectory:
    """The ports `PartyDirectory` and `AssetDirectory` over one state of the database."""

    def __init__(self, store: TradingStore, conn: Connection, names: IsoNames) -> None:
        """Read through this connection."""
        self._store = store
        self._conn = conn
        self._names = names

    def by_bic(self, bic: Bic) -> Lei | None:
        """Give the participant of a BIC of 11 characters; the directory may have its first 8."""
        found = self._store.participant_by_bic(self._conn, bic)
        if found is None and bic.endswith(_HEAD_OFFICE):
            found = self._store.participant_by_bic(self._conn, Bic(bic[: -len(_HEAD_OFFICE)]))
        return None if found is None else found.lei

    def by_lei(self, lei: Lei) -> Lei | None:
        """Give the LEI back if it is a participant's."""
        return lei if lei in self._store.participants_of(self._conn, [lei]) else None

    def by_identifier(self, issuer: str, identifier: str) -> Lei | None:
        """Give the participant whom `issuer` calls `identifier`."""
        return self._names.parties.get((issuer, identifier))

    def account(self, owner: Lei, identifier: str) -> Address | None:
        """Give the account that its owner calls by this number."""
        account = self._names.accounts.get((owner, identifier))
        return account if account is not None and self.owns(owner, account) else None

    def owns(self, owner: Lei, account: Address) -> bool:
        """Tell whether an account is registered for this participant."""
        return self._store.owners_of(self._conn, [account]).get(account) == owner

    def security_decimals(self, isin: Isin) -> int | None:
        """Give the decimals of the security's quantities, None if there is no such asset."""
        return self._decimals(isin, cash=False)

    def currency_decimals(self, currency: CurrencyCode) -> int | None:
        """Give the decimals of the money in the books, None if there is none of this currency."""
        return self._decimals(currency, cash=True)

    def _decimals(self, code: str, *, cash: bool) -> int | None:
        for row in self._store.assets(self._conn):
            if row.code == code and AssetClass(row.asset_class).is_cash is cash:
                return row.decimals
        return None
