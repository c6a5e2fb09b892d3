"""The chain as the services see it: questions at one block, and calls that the sender carries."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from settle.chain.contract_errors import contract_error, revert_data
from settle.chain.contracts import SettlementContract
from settle.chain.node import ContractCall
from settle.chain.rpc import RpcError
from settle.domain.errors import Unavailable
from settle.domain.instruction import instruction_id
from settle.domain.keccak import keccak256

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from settle.chain.deployment import Deployment
    from settle.chain.node import Node
    from settle.chain.profile import EngineProfile
    from settle.chain.sender import Sender
    from settle.domain.ids import Address
    from settle.domain.reasons import Reason
    from settle.services.chain_calls import SignedInstruction
    from settle.services.escrow_calls import EscrowCall

SETTLE: Final = "settle"
CANCEL: Final = "cancel"
ESCROW: Final = "escrow"
_CANCEL_GAS: Final = 400_000
_MAGIC: Final = keccak256(b"isValidSignature(bytes32,bytes)")[:4]


class NodeReader:
    """The port `ChainReader` over a node. Asks at the newest block that is final."""

    def __init__(self, *, node: Node, deployment: Deployment, profile: EngineProfile) -> None:
        """Ask about the contracts of `deployment`."""
        self._node = node
        self._depth = profile.finality_depth
        self._contract = SettlementContract(deployment.settlement)

    def why_not(self, requests: Sequence[SignedInstruction]) -> Sequence[tuple[Reason, ...]]:
        """All reasons for each request, in the order of the requests; empty: it would settle."""
        pairs = [(request.instruction, request.signatures) for request in requests]
        return self._contract.why_not(self._node, pairs, self._block())

    def escrow_gas(self, call: EscrowCall) -> int:
        """How much gas an act on an escrow would take now. Raises Refused if it would revert."""
        data = self._contract.escrow(call.function, call.terms, *call.arguments)
        try:
            return self._node.estimate_gas(ContractCall(to=self._contract.address, data=data))
        except RpcError as error:
            reverted = revert_data(error)
            if reverted is None:
                raise Unavailable(f"the node does not run a call: {error.message}") from error
            raise contract_error(reverted) from error

    def accepts(self, account: Address, digest: bytes, signature: bytes) -> bool:
        """Whether the account is a wallet that takes the signature for its own (ERC-1271)."""
        call = ContractCall(to=account, data=_is_valid_signature(digest, signature))
        try:
            answer = self._node.call(call, self._block())
        except RpcError as error:
            if revert_data(error) is None:
                raise
            return False
        return answer == _MAGIC.ljust(32, b"\0")

    def _block(self) -> int:
        return max(0, self._node.head().number - self._depth)


class SenderOutgoing:
    """The port `Outgoing` over the sender. The subject of a call tells its instructions."""

    def __init__(self, *, sender: Sender, deployment: Deployment) -> None:
        """Send to the contracts of `deployment`."""
        self._sender = sender
        self._domain = deployment.domain
        self._contract = SettlementContract(deployment.settlement)

    def room(self, conn: Connection) -> int:
        """How many more transactions make sense now."""
        return max(0, self._sender.room(conn))

    def settle_many(self, conn: Connection, batch: Sequence[SignedInstruction], *, gas: int) -> int:
        """Enqueue `settleMany`; the number of the transaction."""
        data = self._contract.settle_many([(r.instruction, r.signatures) for r in batch])
        row = self._sender.enqueue(
            conn,
            purpose=SETTLE,
            to=self._contract.address,
            data=data,
            gas=gas,
            subject=self._subject(batch),
        )
        return row.transaction_id

    def cancel(self, conn: Connection, instruction: SignedInstruction, *, valid_by: int) -> int:
        """Enqueue `cancel` with its Cancellation signatures, one of every account in order."""
        data = self._contract.cancel(
            instruction.instruction, valid_by, list(instruction.signatures)
        )
        row = self._sender.enqueue(
            conn,
            purpose=CANCEL,
            to=self._contract.address,
            data=data,
            gas=_CANCEL_GAS,
            subject=self._subject([instruction]),
        )
        return row.transaction_id

    def escrow(self, conn: Connection, call: EscrowCall, *, gas: int) -> int:
        """Enqueue an act on an escrow; the number of the transaction."""
        row = self._sender.enqueue(
            conn,
            purpose=ESCROW,
            to=self._contract.address,
            data=self._contract.escrow(call.function, call.terms, *call.arguments),
            gas=gas,
            subject=json.dumps({"escrow": f"0x{call.escrow.hex()}", "act": call.function}),
        )
        return row.transaction_id

    def _subject(self, batch: Sequence[SignedInstruction]) -> str:
        ids = [f"0x{instruction_id(r.instruction, self._domain).hex()}" for r in batch]
        return json.dumps({"instructions": ids}, separators=(",", ":"))


def _is_valid_signature(digest: bytes, signature: bytes) -> bytes:
    size = len(signature).to_bytes(32, "big")
    padded = signature + bytes(-len(signature) % 32)
    return b"".join((_MAGIC, digest, (64).to_bytes(32, "big"), size, padded))
