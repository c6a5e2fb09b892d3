"""The chain's register of assets, as far as terms speak of it: number, code, decimals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from settle.domain.books_state import Books
from settle.domain.errors import InvalidInput
from settle.domain.ids import AssetId
from settle.domain.ledger import code_text
from settle.domain.money import format_quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetEntry:
    """One asset: its number in the books, its code (ISIN or currency), its decimals."""

    number: AssetId
    code: str
    decimals: int


class Register:
    """Assets by number and by code."""

    def __init__(self, entries: Iterable[AssetEntry] = ()) -> None:
        """Keep the entries. Raises: InvalidInput for a number or a code that stands twice."""
        self.by_number: Mapping[AssetId, AssetEntry] = {}
        self.by_code: Mapping[str, AssetEntry] = {}
        listed = tuple(entries)
        self.by_number = {entry.number: entry for entry in listed}
        self.by_code = {entry.code: entry for entry in listed}
        if not len(self.by_number) == len(self.by_code) == len(listed):
            raise InvalidInput("assets_twice", "an asset has one number and one code")

    def amount(self, asset: AssetId, quantity: int) -> str:
        """Write a quantity in smallest units as people read it: `12.50 EUR`."""
        entry = self.entry(asset)
        return f"{format_quantity(quantity, entry.decimals)} {entry.code}"

    def entry(self, asset: AssetId) -> AssetEntry:
        """Find an asset. Raises: InvalidInput if the register does not have it."""
        if asset not in self.by_number:
            raise InvalidInput("asset_unknown", f"the register has no asset {asset}")
        return self.by_number[asset]


def register_of(books: Books) -> Register:
    """Give the register of the books."""
    return Register(
        AssetEntry(number=number, code=code_text(asset.code), decimals=asset.decimals)
        for number, asset in books.assets.items()
    )
