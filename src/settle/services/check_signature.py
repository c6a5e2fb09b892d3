"""Whose signature it is: of a key by recovery, of a wallet by asking it on chain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from settle.domain.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Collection

    from settle.domain.ids import Address
    from settle.services.venue import Venue


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """An account that signed. `by_wallet`: no key gave the signature, its code takes it."""

    account: Address
    by_wallet: bool = False


def signer_among(
    venue: Venue, digest: bytes, signature: bytes, accounts: Collection[Address]
) -> Signer | None:
    """Which of the accounts signed the digest; None if none did.

    A wallet (ERC-1271) is asked only where recovery did not give one of the accounts. Raises
    Unavailable if the chain does not answer: then nobody knows.
    """
    try:
        recovered = venue.recover(digest, signature)
    except InvalidInput:
        recovered = None
    if recovered is not None and recovered in accounts:
        return Signer(account=recovered)
    for account in accounts:
        if venue.chain.accepts(account, digest, signature):
            return Signer(account=account, by_wallet=True)
    return None
