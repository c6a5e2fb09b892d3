"""Did this account agree? By its key, by its own call, or by its wallet at the state before."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from settle.audit import abi, wire
from settle.audit.calls import Call, CallReader, NoTrace
from settle.audit.findings import Code, Findings
from settle.audit.rpc import NodeLine
from settle.audit.signatures import signer_of
from settle.audit.wire import NodeError

_MAGIC: Final = bytes.fromhex("1626ba7e")
_WALLET_GAS: Final = 500_000  # the contracts give 100,000; a call pays for its own data besides


class Consents:
    """Verifies consents and counts them. `wallets` of the `signatures` were a contract's."""

    def __init__(
        self, line: NodeLine, calls: CallReader, settlement: bytes, findings: Findings
    ) -> None:
        """Ask wallets over `line`, as if `settlement` asked."""
        self._line = line
        self._calls = calls
        self._settlement = settlement
        self._findings = findings
        self.signatures = 0
        self.wallets = 0
        self.own_calls = 0

    def message(
        self, call: Call, digest: bytes, account: bytes, signature: bytes, instruction: bytes
    ) -> None:
        """Verify a signed message, or, where the signature is empty, the account's own call."""
        if signature:
            self.signature(call, digest, account, signature, instruction)
        elif call.caller == account:
            self.own_calls += 1
        else:
            self._findings.tell(
                call.place,
                Code.CONSENT_MISSING,
                "neither a signature nor the account's own call",
                instruction=instruction,
                account=account,
                stated=call.caller,
                computed=account,
            )

    def signature(
        self, call: Call, digest: bytes, account: bytes, signature: bytes, instruction: bytes
    ) -> None:
        """Verify a signature over a digest."""
        self.signatures += 1
        signer = signer_of(digest, signature)
        if signer == account and any(account):
            return
        if self._wallet_agrees(call, digest, account, signature):
            self.wallets += 1
            return
        is_wallet = self.has_code(account, call.place.block)
        self._findings.tell(
            call.place,
            Code.SIGNATURE_UNEVIDENCED if is_wallet else Code.SIGNATURE,
            "who signed",
            instruction=instruction,
            account=account,
            stated=signer or "nobody",
            computed=account,
        )

    def _wallet_agrees(self, call: Call, digest: bytes, account: bytes, signature: bytes) -> bool:
        question = _MAGIC + digest + abi.word(64) + abi.tail(signature)
        return any(map(_says_yes, self.answers(call, account, question, _WALLET_GAS)))

    def answers(self, call: Call, contract: bytes, question: bytes, gas: int) -> Iterator[bytes]:
        """Give what a foreign contract answers at the state before, then what the trace has of it.

        An earlier transaction of the block may have made the contract, or changed its mind.
        """
        told = {
            "from": wire.hexadecimal(self._settlement),
            "to": wire.hexadecimal(contract),
            "data": wire.hexadecimal(question),
            "gas": wire.quantity(gas),
        }
        try:
            answer = self._line.call("eth_call", told, wire.quantity(call.place.block - 1))
            yield wire.data(answer)
        except (NodeError, wire.Unreadable):
            pass
        if call.place.transaction is None:
            return
        try:
            frames = self._calls.trace(call.place.transaction)
        except NoTrace:
            return
        for frame in frames:
            if frame.kind == "STATICCALL" and (frame.target, frame.data) == (contract, question):
                yield frame.output

    def has_code(self, account: bytes, block: int) -> bool:
        """Whether an address has code after a block; False where the node does not tell."""
        try:
            code = self._line.call("eth_getCode", wire.hexadecimal(account), wire.quantity(block))
            return bool(wire.data(code))
        except (NodeError, wire.Unreadable):
            return False


def _says_yes(answer: bytes) -> bool:
    return len(answer) >= abi.WORD and answer[: abi.WORD] == abi.left_word(_MAGIC)
