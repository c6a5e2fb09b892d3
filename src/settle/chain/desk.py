"""The officers' desk: admit, create, issue, freeze, each by its approver under two signatures.

For the demo, the command line and tests, where one program has both keys of a role. Where two
people have them, each signs with `approvals.sign_operation` and anyone brings both.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

from settle.chain.approvals import (
    Operation,
    approver_domain,
    check_two,
    execute_call,
    sign_operation,
)
from settle.chain.authority import COMPLIANCE, ISSUER, REGISTRAR
from settle.chain.contracts import ParticipantsContract, SettlementContract
from settle.chain.direct import DirectSender, Order
from settle.domain.errors import InvalidInput
from settle.domain.ledger import AssetClass, Standing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from settle.chain.deployment import Deployment
    from settle.chain.node import Receipt
    from settle.domain.ids import Address

VALID_S: Final = 3_600
ROUTINE: Final = b"ROUT"
_GAS: Final = 300_000
_GAS_AN_ACCOUNT: Final = 120_000


class Desk:
    """Makes orders; `perform` sends them. Keys by role, two of two organisations each."""

    def __init__(
        self,
        *,
        deployment: Deployment,
        keys: Mapping[str, tuple[bytes, bytes]],
        direct: DirectSender,
        clock: Callable[[], int],
    ) -> None:
        """`direct` pays; it needs no right of its own. `clock` gives unix seconds."""
        for pair in keys.values():
            check_two(pair)
        self._deployment = deployment
        self._keys = keys
        self._direct = direct
        self._clock = clock
        self._settlement = SettlementContract(deployment.settlement)
        self._participants = ParticipantsContract(deployment.participants)

    def perform(self, orders: Sequence[Order]) -> list[Receipt]:
        """Send orders and wait until all are final. Raises Refused with what the contract says."""
        return self._direct.send_all(orders)

    def admit(
        self, lei: str, bic: str, accounts: Sequence[Address], *, account_class: int = 0
    ) -> Order:
        """Admit a participant with its accounts."""
        return self.order(
            REGISTRAR,
            self._participants.address,
            self._participants.admit(lei, bic, account_class, accounts),
            f"admission of {lei}",
            gas=_GAS + _GAS_AN_ACCOUNT * len(accounts),
        )

    def open_account(self, lei: str, account: Address) -> Order:
        """Open a further account of a participant."""
        data = self._participants.open_account(lei, account)
        what = f"opening of an account of {lei}"
        return self.order(REGISTRAR, self._participants.address, data, what)

    def set_standing(self, lei: str, standing: Standing, reason: bytes) -> Order:
        """Suspend a participant or admit it again."""
        data = self._participants.set_standing(lei, standing, reason)
        gas = _GAS + 64 * _GAS_AN_ACCOUNT
        what = f"standing of {lei}"
        return self.order(REGISTRAR, self._participants.address, data, what, reason=reason, gas=gas)

    def create_asset(
        self, asset_class: AssetClass, decimals: int, code: str, issuer: Address
    ) -> Order:
        """Add an asset; it gets the next number."""
        data = self._settlement.create_asset(asset_class, decimals, code.encode(), issuer)
        return self.order(REGISTRAR, self._settlement.address, data, f"creation of {code}")

    def issue(self, asset: int, account: Address, quantity: int, ref: bytes) -> Order:
        """Bring value into being, in the asset's smallest unit; `ref` has 32 bytes."""
        data = self._settlement.issue(asset, account, quantity, ref)
        return self.order(ISSUER, self._settlement.address, data, f"issue of asset {asset}")

    def freeze_account(self, account: Address, reason: bytes, *, frozen: bool = True) -> Order:
        """Stop debits of an account, or allow them again."""
        data = self._settlement.freeze_account(account, reason, frozen=frozen)
        what = f"freeze of 0x{account.hex()}"
        return self.order(COMPLIANCE, self._settlement.address, data, what, reason=reason)

    def freeze_asset(self, asset: int, reason: bytes, *, frozen: bool = True) -> Order:
        """Stop debits of an asset, or allow them again."""
        data = self._settlement.freeze_asset(asset, reason, frozen=frozen)
        what = f"freeze of asset {asset}"
        return self.order(COMPLIANCE, self._settlement.address, data, what, reason=reason)

    def order(
        self,
        role: str,
        target: Address,
        data: bytes,
        what: str,
        *,
        reason: bytes = ROUTINE,
        gas: int = _GAS,
    ) -> Order:
        """Sign any operation of a role twice and write the call that brings it.

        Raises InvalidInput if this desk lacks the role's keys.
        """
        if role not in self._keys:
            raise InvalidInput("role", f"this desk has no keys of {role}")
        approver = self._deployment.approver_of(role)
        domain = approver_domain(self._deployment.chain_id, approver.address)
        operation = Operation(
            target=target,
            data=data,
            reason=reason,
            nonce=secrets.randbits(64),
            valid_by=self._clock() + VALID_S,
        )
        first, second = (sign_operation(operation, domain, key) for key in self._keys[role])
        return Order(
            to=approver.address, data=execute_call(operation, first, second), gas=gas, what=what
        )
