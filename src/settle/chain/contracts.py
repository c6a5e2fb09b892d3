"""The contracts, a thin class each: what to call them with, what their answers and errors mean.

The classes write and read bytes. Who sends them is for the sender, the direct sender or the node;
each read names its block.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from settle.chain.abi import load_abi
from settle.chain.contract_errors import good_answer, read_code, read_reason
from settle.chain.node import ContractCall
from settle.chain.packing import pack_instruction, pack_request, pack_requests
from settle.domain.ids import Address, AssetId
from settle.domain.ledger import (
    Account,
    Asset,
    AssetClass,
    ChainStatus,
    Holding,
    NonceState,
    Standing,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from settle.chain.node import Node
    from settle.domain.escrow.terms import EscrowTerms
    from settle.domain.instruction import Instruction
    from settle.domain.reasons import Reason

_NO_SENDER: Final = bytes(20)


class SettlementContract:
    """Settlement: the books and the settlement of signed instructions."""

    def __init__(self, address: bytes) -> None:
        """Speak to the contract at `address`."""
        self.address = Address(address)
        self._abi = load_abi("Settlement")

    # ------------------------------------------------------------------- what to send

    def settle(self, instruction: Instruction, signatures: Sequence[bytes]) -> bytes:
        """Settle one instruction, or revert with the first reason."""
        return self._selector("settle") + pack_request(instruction, signatures)

    def settle_many(self, requests: Sequence[tuple[Instruction, Sequence[bytes]]]) -> bytes:
        """Settle what can be settled, each whole or not at all, in this order."""
        return self._selector("settleMany") + pack_requests(requests)

    def affirm(self, instruction: Instruction, signatures: Sequence[bytes]) -> bytes:
        """Put consents on chain."""
        return self._selector("affirm") + pack_request(instruction, signatures)

    def cancel(self, instruction: Instruction, valid_by: int, signatures: Sequence[bytes]) -> bytes:
        """End an instruction, by its initiator or by all together; `valid_by` as they signed it."""
        terms = instruction_tuple(instruction)
        return self._abi.encode("cancel", terms, valid_by, list(signatures))

    def reserve(
        self, instruction: Instruction, account: bytes, signature: bytes, *, committed: bool
    ) -> bytes:
        """Hold all that the account delivers under the instruction."""
        terms = instruction_tuple(instruction)
        return self._abi.encode("reserve", terms, account, committed, signature)

    def release(self, instruction: Instruction, account: bytes, signature: bytes) -> bytes:
        """End the account's reservation."""
        return self._abi.encode("release", instruction_tuple(instruction), account, signature)

    def withdraw(self, instruction: Instruction, account: bytes, signature: bytes) -> bytes:
        """Take the account's consent back."""
        return self._abi.encode("withdraw", instruction_tuple(instruction), account, signature)

    def create_asset(
        self, asset_class: AssetClass, decimals: int, code: bytes, issuer: bytes
    ) -> bytes:
        """Add an asset; `code` is padded to 12 bytes. For the registrar's approver."""
        padded = code.ljust(12, b"\0")
        return self._abi.encode("createAsset", int(asset_class), decimals, padded, issuer)

    def issue(self, asset: int, account: bytes, quantity: int, ref: bytes) -> bytes:
        """Bring value into being. For the issuer's approver."""
        return self._abi.encode("issue", asset, account, quantity, ref)

    def freeze_account(self, account: bytes, reason: bytes, *, frozen: bool) -> bytes:
        """Stop debits of an account or allow them again. For the approver of compliance."""
        return self._abi.encode("freezeAccount", account, frozen, reason)

    def freeze_asset(self, asset: int, reason: bytes, *, frozen: bool) -> bytes:
        """Stop debits of an asset or allow them again. For the approver of compliance."""
        return self._abi.encode("freezeAsset", asset, frozen, reason)

    def escrow(self, function: str, terms: EscrowTerms, *arguments: object) -> bytes:
        """Write an act on an escrow; all of them begin with the terms."""
        return self._abi.encode(function, escrow_tuple(terms), *arguments)

    def encode(self, function: str, *arguments: object) -> bytes:
        """Write any other call of the contract."""
        return self._abi.encode(function, *arguments)

    # ------------------------------------------------------------------- what to read

    def why_not(
        self,
        node: Node,
        requests: Sequence[tuple[Instruction, Sequence[bytes]]],
        block: int,
        sender: bytes = _NO_SENDER,
    ) -> list[tuple[Reason, ...]]:
        """Ask for each instruction why it would not settle after this block; empty: it would."""
        selector = self._selector("whyNot")
        calls = [
            ContractCall(
                to=self.address,
                data=selector + pack_request(instruction, signatures),
                sender=sender,
            )
            for instruction, signatures in requests
        ]
        answers = node.calls(calls, block)
        return [
            tuple(map(read_reason, self._abi.decode("whyNot", good_answer(a))[0])) for a in answers
        ]

    def holdings(self, node: Node, keys: Sequence[tuple[bytes, int]], block: int) -> list[Holding]:
        """Read what accounts hold, by (account, asset)."""
        answers = self._reads(node, "holdingOf", keys, block)
        return [Holding(available=a[0][0], held=a[0][1]) for a in answers]

    def accounts(self, node: Node, accounts: Sequence[bytes], block: int) -> list[Account]:
        """Read what the ledger says of accounts."""
        return [
            Account(standing=Standing(word[0]), frozen=word[1], class_=word[2], withdrawals=word[3])
            for (word,) in self._reads(node, "accountOf", [(a,) for a in accounts], block)
        ]

    def assets(self, node: Node, block: int) -> dict[AssetId, Asset]:
        """Read all assets."""
        [(count,)] = self._reads(node, "assetCount", [()], block)
        # Numbers begin with 1: 0 means that there is none.
        numbers = [AssetId(n) for n in range(1, count + 1)]
        answers = self._reads(node, "assetOf", [(n,) for n in numbers], block)
        return {
            number: Asset(
                class_=AssetClass(found[0]),
                decimals=found[1],
                frozen=found[2],
                code=found[3],
                issuer=Address(bytes.fromhex(found[4][2:])),
                total_supply=found[5],
            )
            for number, (found,) in zip(numbers, answers, strict=True)
        }

    def nonce_states(
        self, node: Node, keys: Sequence[tuple[bytes, int]], block: int
    ) -> list[NonceState]:
        """Read the two bits of nonces, by (initiator, nonce)."""
        return [NonceState(a[0]) for a in self._reads(node, "nonceStatus", keys, block)]

    def status(self, node: Node, instruction: Instruction, block: int) -> ChainStatus:
        """Read where an instruction stands, as far as its nonce and the clock tell."""
        data = self._selector("statusOf") + _offset_of_one() + pack_instruction(instruction)
        [answer] = node.calls([ContractCall(to=self.address, data=data)], block)
        return ChainStatus(self._abi.decode("statusOf", good_answer(answer))[0])

    def instruction_id(self, node: Node, instruction: Instruction, block: int) -> bytes:
        """Ask the contract for the id; it is the one that `domain.instruction` computes."""
        data = self._selector("idOf") + _offset_of_one() + pack_instruction(instruction)
        [answer] = node.calls([ContractCall(to=self.address, data=data)], block)
        return bytes(self._abi.decode("idOf", good_answer(answer))[0])

    def settle_many_codes(self, answer: bytes) -> tuple[str, ...]:
        """Read what settleMany gives back: a code for each request, empty where it settled."""
        return tuple(read_code(code) for code in self._abi.decode("settleMany", answer)[0])

    def is_withdrawn_from_escrow(self, node: Node, escrow: bytes, block: int) -> bool:
        """Whether a signer took its signature under these terms back: they never open."""
        [(found,)] = self._reads(node, "isWithdrawnFromEscrow", [(escrow,)], block)
        return bool(found)

    def _reads(
        self, node: Node, function: str, arguments: Sequence[tuple[object, ...]], block: int
    ) -> list[tuple[Any, ...]]:
        calls = [
            ContractCall(to=self.address, data=self._abi.encode(function, *a)) for a in arguments
        ]
        return [self._abi.decode(function, good_answer(a)) for a in node.calls(calls, block)]

    def _selector(self, function: str) -> bytes:
        return self._abi.functions[function].selector


class ParticipantsContract:
    """Participants: the registry. All of it is for the registrar's approver."""

    def __init__(self, address: bytes) -> None:
        """Speak to the contract at `address`."""
        self.address = Address(address)
        self._abi = load_abi("Participants")

    def admit(self, lei: str, bic: str, account_class: int, accounts: Sequence[bytes]) -> bytes:
        """Admit a participant with its accounts."""
        code = bic.encode().ljust(11, b"\0")
        return self._abi.encode("admit", lei.encode(), code, account_class, list(accounts))

    def open_account(self, lei: str, account: bytes) -> bytes:
        """Open a further account."""
        return self._abi.encode("openAccount", lei.encode(), account)

    def set_standing(self, lei: str, standing: Standing, reason: bytes) -> bytes:
        """Suspend a participant or admit it again."""
        return self._abi.encode("setStanding", lei.encode(), int(standing), reason)

    def lei_of(self, node: Node, account: bytes, block: int) -> str:
        """Read whose an account is; empty if nobody's."""
        data = self._abi.encode("leiOf", account)
        answer = node.call(ContractCall(to=self.address, data=data), block)
        found: bytes = self._abi.decode("leiOf", answer)[0]
        return found.rstrip(b"\0").decode()


def instruction_tuple(instruction: Instruction) -> tuple[object, ...]:
    """Give the terms as the general encoder takes the struct."""
    return (
        instruction.initiator,
        instruction.nonce,
        instruction.settle_from,
        instruction.settle_by,
        instruction.cycle,
        instruction.options,
        instruction.minimum_lot,
        instruction.predecessor,
        instruction.trade_ref,
        instruction.terms,
        [(leg.asset, leg.deliverer, leg.receiver, leg.quantity) for leg in instruction.legs],
    )


def escrow_tuple(terms: EscrowTerms) -> tuple[object, ...]:
    """Give the terms of an escrow as the general encoder takes the struct."""
    lines = [
        (
            *(line.milestone, line.asset, line.depositor, line.beneficiary),
            *(line.quantity, line.if_met, line.by_default, line.if_unruled),
        )
        for line in terms.lines
    ]
    return (
        *(terms.open_by, lines, list(terms.deadlines), terms.program, list(terms.arbiters)),
        *(terms.quorum, terms.answer_time, terms.fallback_arbiter, terms.fallback_time),
        *(terms.text, terms.ref, terms.salt),
    )


def _offset_of_one() -> bytes:
    return (32).to_bytes(32, "big")
