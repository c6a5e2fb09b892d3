"""A trade of the journal taken to the chain by its own participant: no operator, no API.

The participant's key pays for the transaction and is the account that calls, so its own message
needs no second signature.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from settle.chain.contract_errors import contract_error, revert_data
from settle.chain.contracts import SettlementContract
from settle.chain.deployment import check_deployment
from settle.chain.direct import DirectSender, Order
from settle.chain.node import ContractCall
from settle.chain.profile import EngineProfile, FeePolicy, SenderPolicy
from settle.chain.rpc import RpcError
from settle.domain.errors import InvalidInput, Refused, Unavailable
from settle.domain.ids import InstructionId, to_hex
from settle.domain.instruction import Instruction, accounts_of
from settle.domain.reasons import kind_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from settle.chain.deployment import Deployment
    from settle.domain.reasons import Reason
    from settle.signer.journal import Journal

CANCEL_S: Final = 3_600
_CALLER: Final = b""
"""In place of a signature: the account itself calls."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What stands in a final block."""

    verb: str
    reference: str
    digest: InstructionId
    transaction: bytes
    block: int
    gas_used: int


class Alone:
    """One participant and the chain. Each verb waits until it is final.

    Each raises NotFound for a reference that the journal does not have signed, Refused with what
    the contract says, Unavailable if the node does not answer or the key has no means, and Broken
    if the node's chain is not that of the deployment.
    """

    def __init__(
        self,
        *,
        deployment: Deployment,
        journal: Journal,
        direct: DirectSender,
        clock: Callable[[], int],
    ) -> None:
        """`direct` sends with the participant's key; `clock` gives unix seconds."""
        self._deployment = deployment
        self._journal = journal
        self._direct = direct
        self._node = direct.node
        self._clock = clock
        self._contract = SettlementContract(deployment.settlement)

    def settle(self, reference: str) -> Done:
        """Settle a trade whose bundle is complete. Refused with all that is in the way."""
        digest, terms = self._begin(reference)
        signatures = self._journal.bundle(digest)
        block = self._node.head().number
        [reasons] = self._contract.why_not(self._node, [(terms, signatures)], block)
        if reasons:
            raise Refused(reasons, f"{reference!r} does not settle now: {_told(reasons)}")
        return self._send("settle", reference, digest, self._contract.settle(terms, signatures))

    def cancel(self, reference: str) -> Done:
        """Cancel a trade that this account initiated; not once all consents are on chain."""
        digest, terms = self._begin(reference)
        if terms.initiator != self._direct.address:
            message = (
                f"{reference!r} was initiated by {to_hex(terms.initiator)}, which alone can cancel "
                "it: withdraw your consent instead"
            )
            raise Refused((), message, code="not_initiator")
        data = self._contract.cancel(terms, self._clock() + CANCEL_S, [_CALLER])
        done = self._send("cancel", reference, digest, data)
        self._journal.retire(digest)
        return done

    def withdraw(self, reference: str) -> Done:
        """Take the consent back for good; for every account but the initiator's."""
        digest, terms = self._begin(reference)
        if terms.initiator == self._direct.address:
            message = f"{reference!r} was initiated by this account: cancel it instead"
            raise Refused((), message, code="is_initiator")
        data = self._contract.withdraw(terms, self._direct.address, _CALLER)
        return self._send("withdraw", reference, digest, data)

    def release(self, reference: str) -> Done:
        """End what is held under the trade for this account, where it does not bind."""
        digest, terms = self._begin(reference)
        data = self._contract.release(terms, self._direct.address, _CALLER)
        return self._send("release", reference, digest, data)

    def _begin(self, reference: str) -> tuple[InstructionId, Instruction]:
        digest, terms = self._journal.signed_terms(reference)
        own = self._direct.address
        if own not in accounts_of(terms):
            message = f"{to_hex(own)} is no account of {reference!r}: another key is meant"
            raise InvalidInput("another_account", message)
        check_deployment(self._deployment, self._node)
        return digest, terms

    def _send(self, verb: str, reference: str, digest: InstructionId, data: bytes) -> Done:
        gas = gas_of(self._direct, self._contract.address, verb, data)
        order = Order(to=self._contract.address, data=data, gas=gas, what=f"{verb} of {reference}")
        receipt = self._direct.send(order)
        return Done(
            verb=verb,
            reference=reference,
            digest=digest,
            transaction=receipt.transaction_hash,
            block=receipt.block_number,
            gas_used=receipt.gas_used,
        )


def gas_of(direct: DirectSender, to: bytes, verb: str, data: bytes) -> int:
    """Ask what a call takes, and a quarter more; what would revert is refused unsent.

    Raises: Refused as the contract does; Unavailable if the node does not run it or the key has
    no means.
    """
    own, node = direct.address, direct.node
    call = ContractCall(to=to, data=data, sender=own)
    head = node.head()
    try:
        gas = node.estimate_gas(call) * 5 // 4
    except RpcError as error:
        octets = revert_data(error)
        if octets is None:
            message = f"the node does not run the {verb}: {error.message}"
            raise Unavailable(message, code="node_call") from error
        raise contract_error(octets) from error
    if node.balance(own, head.number) < gas * head.base_fee:
        message = f"{to_hex(own)} cannot pay {gas} gas at {head.base_fee} wei: send it some"
        raise Unavailable(message, code="no_means")
    return gas


def any_node(chain_id: int, confirmations: int) -> EngineProfile:
    """Describe a node of which only the address is known, with cautious figures.

    `confirmations`: blocks that must stand on a block until it counts as final.
    """
    return EngineProfile(
        name="any",
        kind="remote",
        chain_id=chain_id,
        hardfork="cancun",
        finality_depth=confirmations,
        block_interval_ms=1_000,
        block_gas_limit=30_000_000,
        transaction_gas_limit=15_000_000,
        transaction_bytes_limit=131_072,
        in_flight=1,
        rpc_batch=50,
        log_range=500,
        state_interval_s=0,
        fees=FeePolicy(
            priority_wei=0, base_fee_percent=200, cap_wei=100_000_000_000, bump_percent=13
        ),
        sender=SenderPolicy(resend_after_s=5, bump_after_s=30, hopeless_after_s=60),
    )


def _told(reasons: Sequence[Reason]) -> str:
    """Name all of them, or, where some stay for good, those."""
    reasons = [one for one in reasons if kind_of(one.code).permanent] or reasons
    return "; ".join(f"{reason.code} {kind_of(reason.code).sentence}" for reason in reasons)
