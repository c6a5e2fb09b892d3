"""What a participant knows of the market by itself: asked of the chain, not of the venue."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from settle.chain.contracts import ParticipantsContract, SettlementContract
from settle.domain.ids import Address, AssetId, Lei
from settle.domain.ledger import code_text
from settle.services.market_rules import MarketRules
from settle.signer.review import Market

if TYPE_CHECKING:
    from collections.abc import Collection

    from settle.chain.deployment import Deployment
    from settle.chain.node import Node


class ChainAssets(Mapping[str, AssetId]):
    """Assets by code. Numbers and codes never change; one that is not known yet is asked for."""

    def __init__(self, node: Node, settlement: Address) -> None:
        """Read from the contract at `settlement` when asked."""
        self._node = node
        self._contract = SettlementContract(settlement)
        self._known: dict[str, AssetId] = {}

    def __getitem__(self, code: str) -> AssetId:
        """Give the number of a code. Raises KeyError."""
        if code not in self._known:
            self._read()
        return self._known[code]

    def __iter__(self) -> Iterator[str]:
        """Go through all codes."""
        self._read()
        return iter(self._known)

    def __len__(self) -> int:
        """Count all assets."""
        self._read()
        return len(self._known)

    def _read(self) -> None:
        block = self._node.head().number
        for number, asset in self._contract.assets(self._node, block).items():
            self._known.setdefault(code_text(asset.code), number)


class ChainOwners:
    """Whose an account is, by the registry. An account keeps its owner for good."""

    def __init__(self, node: Node, participants: Address) -> None:
        """Read from the registry at `participants`."""
        self._node = node
        self._contract = ParticipantsContract(participants)
        self._known: dict[Address, Lei] = {}

    def __call__(self, account: Address) -> Lei | None:
        """Give the owner, None for nobody."""
        if account not in self._known:
            found = self._contract.lei_of(self._node, account, self._node.head().number)
            if not found:
                return None
            self._known[account] = Lei(found)
        return self._known[account]


def chain_market(
    node: Node,
    deployment: Deployment,
    own_accounts: Collection[Address],
    rules: MarketRules | None = None,
) -> Market:
    """Describe the market of a deployment to a participant with these accounts."""
    return Market(
        assets=ChainAssets(node, deployment.settlement),
        own_accounts=frozenset(own_accounts),
        owner_of=ChainOwners(node, deployment.participants),
        rules=rules or MarketRules(),
    )
