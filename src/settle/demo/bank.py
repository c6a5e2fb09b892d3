"""A participant of the demo: who it is, its key, and the programs that it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from settle.chain.eip712 import address_of
from settle.client.client import Client
from settle.client.signer import KeySigner
from settle.signer import Journal, Market, Participant

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from settle.demo.plan import Member
    from settle.domain.ids import AssetId
    from settle.domain.instruction import SigningDomain
    from settle.services.market_rules import MarketRules

_PATIENCE_S: Final = 60


class Bank:
    """One participant. `desk` instructs; what signs runs beside it, on the same journal."""

    desk: Participant

    def __init__(self, member: Member, key: bytes, folder: Path, domain: SigningDomain) -> None:
        """Nothing is opened until `join`."""
        self.member = member
        self.key = key
        self.account = address_of(key)
        self._domain = domain
        self._journal = folder / f"{member.lei}.db"
        self._url = ""
        self._market: Market | None = None

    def join(
        self,
        url: str,
        assets: Mapping[str, AssetId],
        banks: Sequence[Bank],
        rules: MarketRules,
    ) -> None:
        """Take what it knows of the market by itself, and open its desk at a venue."""
        self._url = url
        owners = {bank.account: bank.member.lei for bank in banks}
        self._market = Market(
            assets=assets,
            own_accounts=frozenset({self.account}),
            owner_of=owners.get,
            rules=rules,
        )
        self.desk = self.program()

    def program(self) -> Participant:
        """Start the participant's program once more: for one thread, on the one journal."""
        assert self._market is not None, "it has joined"
        signer = KeySigner(self.key)
        client = Client(self._url, signer, patience_s=_PATIENCE_S, timeout_s=30)
        return Participant(client, Journal(self._journal), signer, self._market, self._domain)
