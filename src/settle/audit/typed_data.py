"""Digests of all that is signed, written anew from EIP-712 and the published type strings."""

from __future__ import annotations

from typing import Final

from settle.audit.abi import left_word, word
from settle.audit.terms import Instruction
from settle.domain.keccak import keccak256

_DOMAIN: Final = keccak256(
    b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
)
_LEG_TEXT: Final = b"Leg(uint32 asset,address deliverer,address receiver,uint128 quantity)"
_LEG: Final = keccak256(_LEG_TEXT)
_INSTRUCTION: Final = keccak256(
    b"Instruction(address initiator,uint64 nonce,uint64 settleFrom,uint64 settleBy,bytes32 cycle,"
    b"uint32 options,uint128 minimumLot,bytes32 predecessor,bytes32 tradeRef,bytes32 terms,"
    b"Leg[] legs)" + _LEG_TEXT
)
_RESERVATION: Final = keccak256(b"Reservation(address account,bytes32 instruction,bool committed)")
_RELEASE: Final = keccak256(b"Release(address account,bytes32 instruction)")
_WITHDRAWAL: Final = keccak256(b"Withdrawal(address account,bytes32 instruction)")
_CANCELLATION: Final = keccak256(
    b"Cancellation(address account,bytes32 instruction,uint64 validBy)"
)
_REDEMPTION: Final = keccak256(
    b"Redemption(address account,uint32 asset,uint128 quantity,bytes32 ref,uint64 nonce,"
    b"uint64 validBy)"
)
_OPERATION: Final = keccak256(
    b"Operation(address target,bytes data,bytes4 reason,bytes32 evidence,uint64 nonce,"
    b"uint64 validBy)"
)
_PAD: Final = bytes(12)

SETTLE: Final = "settle"
SETTLE_APPROVER: Final = "settle approver"
VERSION: Final = "1"


def separator(name: str, chain_id: int, contract: bytes) -> bytes:
    """Separator of a contract's domain."""
    return keccak256(
        _DOMAIN
        + keccak256(name.encode())
        + keccak256(VERSION.encode())
        + word(chain_id)
        + word(contract)
    )


class Digests:
    """What participants sign for one Settlement."""

    def __init__(self, chain_id: int, settlement: bytes) -> None:
        """Take the domain that the deployment file names."""
        self._head = b"\x19\x01" + separator(SETTLE, chain_id, settlement)

    def instruction(self, terms: Instruction) -> bytes:
        """Give the id."""
        legs = b"".join(
            [
                keccak256(
                    b"".join(
                        (
                            _LEG,
                            leg[0].to_bytes(32, "big"),
                            _PAD,
                            leg[1],
                            _PAD,
                            leg[2],
                            leg[3].to_bytes(32, "big"),
                        )
                    )
                )
                for leg in terms.legs
            ]
        )
        return self.of(
            _INSTRUCTION,
            _PAD,
            terms.initiator,
            word(terms.nonce),
            word(terms.settle_from),
            word(terms.settle_by),
            terms.cycle,
            word(terms.options),
            word(terms.minimum_lot),
            terms.predecessor,
            terms.trade_ref,
            terms.terms,
            keccak256(legs),
        )

    def reservation(self, account: bytes, instruction: bytes, committed: int) -> bytes:
        """Digest of a reservation."""
        return self.of(_RESERVATION, word(account), instruction, word(committed))

    def release(self, account: bytes, instruction: bytes) -> bytes:
        """Digest of the release of a reservation."""
        return self.of(_RELEASE, word(account), instruction)

    def withdrawal(self, account: bytes, instruction: bytes) -> bytes:
        """Digest of a withdrawal of consent."""
        return self.of(_WITHDRAWAL, word(account), instruction)

    def cancellation(self, account: bytes, instruction: bytes, valid_by: int) -> bytes:
        """Digest of a cancellation."""
        return self.of(_CANCELLATION, word(account), instruction, word(valid_by))

    def redemption(
        self, account: bytes, asset: int, quantity: int, ref: bytes, nonce: int, valid_by: int
    ) -> bytes:
        """Digest of a redemption."""
        return self.of(
            *(_REDEMPTION, word(account), word(asset), word(quantity), ref),
            *(word(nonce), word(valid_by)),
        )

    def of(self, *words: bytes) -> bytes:
        """Digest of a struct: the hash of its type, then its members as words."""
        return keccak256(self._head + keccak256(b"".join(words)))


def operation_digest(
    *,
    chain_id: int,
    approver: bytes,
    target: bytes,
    data: bytes,
    reason: bytes,
    evidence: bytes,
    nonce: int,
    valid_by: int,
) -> bytes:
    """Digest of an operation that two people of two organisations sign for an approver."""
    hashed = keccak256(
        b"".join(
            (
                *(_OPERATION, word(target), keccak256(data), left_word(reason), evidence),
                *(word(nonce), word(valid_by)),
            )
        )
    )
    return keccak256(b"\x19\x01" + separator(SETTLE_APPROVER, chain_id, approver) + hashed)
