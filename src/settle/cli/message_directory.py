"""Who and what a participant's own messages name, asked of the chain and not of the venue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from settle.api.iso_names import load_iso_names
from settle.chain.contracts import SettlementContract
from settle.chain.events import EventDecoder
from settle.domain.ids import Address, Bic, CurrencyCode, Isin, Lei
from settle.domain.ledger import Asset, code_text
from settle.domain.registry_events import AccountOpened, ParticipantAdmitted
from settle.iso20022 import full_bic

if TYPE_CHECKING:
    from pathlib import Path

    from settle.chain.deployment import Deployment
    from settle.chain.node import Node

_RANGE: Final = 500


class ChainDirectory:
    """The ports `PartyDirectory` and `AssetDirectory` over the registry's and ledger's state."""

    def __init__(self, node: Node, deployment: Deployment, names: Path | None) -> None:
        """Read the registry's events once; `names`: see settle.api.iso_names."""
        self._names = load_iso_names(names)
        self._bics: dict[Bic, Lei] = {}
        self._owners: dict[Address, Lei] = {}
        head = node.head().number
        settlement = SettlementContract(deployment.settlement)
        self._assets: dict[str, Asset] = {
            code_text(one.code): one for one in settlement.assets(node, head).values()
        }
        decoder = EventDecoder("Participants")
        for first in range(deployment.block, head + 1, _RANGE):
            last = min(head, first + _RANGE - 1)
            for log in node.logs(first, last, [deployment.participants]):
                event = decoder.decode(b"".join(log.topics), log.data)
                if isinstance(event, ParticipantAdmitted):
                    self._bics[full_bic(_text(event.bic))] = Lei(_text(event.lei))
                elif isinstance(event, AccountOpened):
                    self._owners[event.account] = Lei(_text(event.lei))

    def by_bic(self, bic: Bic) -> Lei | None:
        """Give the participant of a BIC of 11 characters."""
        return self._bics.get(full_bic(bic))

    def by_lei(self, lei: Lei) -> Lei | None:
        """Give the LEI back if it is a participant's."""
        return lei if lei in self._bics.values() else None

    def by_identifier(self, issuer: str, identifier: str) -> Lei | None:
        """Give the participant whom `issuer` calls `identifier`."""
        return self._names.parties.get((issuer, identifier))

    def account(self, owner: Lei, identifier: str) -> Address | None:
        """Give the account that its owner calls by this number."""
        found = self._names.accounts.get((owner, identifier))
        return found if found is not None and self.owns(owner, found) else None

    def owns(self, owner: Lei, account: Address) -> bool:
        """Tell whether an account is registered for this participant."""
        return self._owners.get(account) == owner

    def security_decimals(self, isin: Isin) -> int | None:
        """Give the decimals of the security's quantities, None if there is no such asset."""
        return self._decimals(isin, cash=False)

    def currency_decimals(self, currency: CurrencyCode) -> int | None:
        """Give the decimals of the money in the books, None if there is none of this currency."""
        return self._decimals(currency, cash=True)

    def _decimals(self, code: str, *, cash: bool) -> int | None:
        found = self._assets.get(code)
        return found.decimals if found is not None and found.class_.is_cash is cash else None


def _text(octets: bytes) -> str:
    return octets.rstrip(b"\0").decode()
