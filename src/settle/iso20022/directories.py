"""What reading a message needs to know about participants and assets. The store answers it."""

from __future__ import annotations

from typing import Protocol

from settle.domain.ids import Address, Bic, CurrencyCode, Isin, Lei


class PartyDirectory(Protocol):
    """Who is a participant, under which names, and whose account is which."""

    def by_bic(self, bic: Bic) -> Lei | None:
        """Give the participant of a BIC of 11 characters (see `full_bic`), None for a stranger."""

    def by_lei(self, lei: Lei) -> Lei | None:
        """Give the LEI back if it is a participant's."""

    def by_identifier(self, issuer: str, identifier: str) -> Lei | None:
        """Give the participant whom `issuer` calls `identifier`, such as a depository's number."""

    def account(self, owner: Lei, identifier: str) -> Address | None:
        """Give the account that its owner calls by this safekeeping number."""

    def owns(self, owner: Lei, account: Address) -> bool:
        """Tell whether an account is registered for this participant."""


class AssetDirectory(Protocol):
    """Which assets exist, and how many decimals their quantities have."""

    def security_decimals(self, isin: Isin) -> int | None:
        """Give the decimals of the security's quantities, None if there is no such asset."""

    def currency_decimals(self, currency: CurrencyCode) -> int | None:
        """Give the decimals of the money in the books, None if there is none of this currency."""


def full_bic(bic: str) -> Bic:
    """Write a BIC with 11 characters: the head office is the branch XXX (ISO 9362)."""
    return Bic(bic if len(bic) == 11 else bic + "XXX")
