"""The written terms of an escrow, their id, and the digests of all messages about it.

Twin of the structs and constants of contracts/src/interfaces/IEscrow.sol and of the EIP-712 code of
the contract; kept equal by tests/parity.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NewType

from settle.domain.ids import ADDRESS_BYTES, ZERO_ADDRESS, ZERO_WORD, Address, AssetId
from settle.domain.instruction import SigningDomain
from settle.domain.keccak import keccak256

EscrowId = NewType("EscrowId", bytes)  # 32 bytes, the EIP-712 digest of all terms

MAX_ESCROW_LINES: Final = 16
MAX_MILESTONES: Final = 8
MAX_ARBITERS: Final = 7
MAX_PROGRAM: Final = 2048  # bytes
MAX_CONDITION_NODES: Final = 32
MAX_CONDITION_DEPTH: Final = 4
MAX_ESCROW_WINDOW: Final = 1096 * 86_400  # seconds
MAX_DISPUTE: Final = 90 * 86_400  # seconds
MAX_WAIT: Final = 30 * 86_400  # seconds that a payment waits before it can be given up
MIN_STEP: Final = 3_600  # seconds between two instants of which one must follow the other
FALLBACK_INDEX: Final = 255
"""The index of the fallback arbiter in a ruling; arbiters of the panel count from 0."""

LINE_TYPE: Final = (
    "EscrowLine(uint8 milestone,uint32 asset,address depositor,address beneficiary,"
    "uint128 quantity,uint128 ifMet,uint128 byDefault,uint128 ifUnruled)"
)
TERMS_TYPE: Final = (
    "EscrowTerms(uint64 openBy,EscrowLine[] lines,uint64[] deadlines,bytes program,"
    "address[] arbiters,uint8 quorum,uint64 answerTime,address fallbackArbiter,"
    "uint64 fallbackTime,bytes32 text,bytes32 ref,bytes32 salt)"
) + LINE_TYPE
ATTESTATION_TYPE: Final = (
    "EscrowAttestation(bytes32 escrow,uint8 milestone,address signer,bytes32 statement,"
    "uint64 observedAt)"
)
READING_TYPE: Final = (
    "EscrowReading(bytes32 escrow,uint8 milestone,address signer,bytes32 feed,uint8 kind,"
    "uint64 at,int128 value,uint64 observedAt)"
)
RULING_TYPE: Final = (
    "EscrowRuling(bytes32 escrow,uint8 milestone,address arbiter,uint128[] paid,bytes4 reason,"
    "uint64 validBy)"
)
SPLIT_TYPE: Final = (
    "EscrowSplit(bytes32 escrow,uint8 milestone,address account,uint128[] paid,uint64 validBy)"
)
DISPUTE_TYPE: Final = (
    "EscrowDispute(bytes32 escrow,uint8 milestone,address account,bytes32 evidence,uint64 validBy)"
)
ESCROW_WITHDRAWAL_TYPE: Final = "EscrowWithdrawal(address account,bytes32 escrow)"

_LINE_HASH = keccak256(LINE_TYPE.encode())
_TERMS_HASH = keccak256(TERMS_TYPE.encode())
_ATTESTATION_HASH = keccak256(ATTESTATION_TYPE.encode())
_READING_HASH = keccak256(READING_TYPE.encode())
_RULING_HASH = keccak256(RULING_TYPE.encode())
_SPLIT_HASH = keccak256(SPLIT_TYPE.encode())
_DISPUTE_HASH = keccak256(DISPUTE_TYPE.encode())
_WITHDRAWAL_HASH = keccak256(ESCROW_WITHDRAWAL_TYPE.encode())
_LEFT_OF_ADDRESS = bytes(32 - ADDRESS_BYTES)
_WORD_RANGE: Final = 1 << 256


@dataclass(frozen=True, slots=True, kw_only=True)
class EscrowLine:
    """One payment that hangs on a milestone; amounts in the asset's smallest unit.

    The whole `quantity` is held with the depositor until the milestone ends; `if_met`, `by_default`
    and `if_unruled` say how much of it the beneficiary then gets. The rest returns.
    """

    milestone: int
    asset: AssetId
    depositor: Address
    beneficiary: Address
    quantity: int
    if_met: int
    by_default: int
    if_unruled: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EscrowTerms:
    """All that the parties sign. Field for field the Solidity struct; instants in unix seconds."""

    open_by: int
    lines: tuple[EscrowLine, ...]
    deadlines: tuple[int, ...]
    program: bytes
    arbiters: tuple[Address, ...] = ()
    quorum: int = 0
    answer_time: int = 0
    fallback_arbiter: Address = ZERO_ADDRESS
    fallback_time: int = 0
    text: bytes = ZERO_WORD
    ref: bytes = ZERO_WORD
    salt: bytes = ZERO_WORD

    @property
    def dispute_time(self) -> int:
        """Seconds by which one dispute moves a deadline."""
        return self.answer_time + self.fallback_time


# ------------------------------------------------------------------------------ who signs


def signers_of(terms: EscrowTerms) -> tuple[Address, ...]:
    """List who signs the terms, in the order of the signatures.

    Each line's depositor, then its beneficiary; the arbiters; the fallback. Each at its first
    appearance only.
    """
    ordered = dict.fromkeys(_parties(terms.lines))
    ordered.update(dict.fromkeys(terms.arbiters))
    if terms.fallback_arbiter != ZERO_ADDRESS:
        ordered[terms.fallback_arbiter] = None
    return tuple(ordered)


def parties_of(terms: EscrowTerms, milestone: int | None = None) -> tuple[Address, ...]:
    """List the depositors and beneficiaries, of one milestone or of all, as they first appear.

    Those of a milestone are who agrees a split of it and who may dispute it.
    """
    lines = terms.lines if milestone is None else lines_of(terms, milestone)
    return tuple(dict.fromkeys(_parties(lines)))


def lines_of(terms: EscrowTerms, milestone: int) -> tuple[EscrowLine, ...]:
    """List the lines of a milestone, in their order."""
    return tuple(line for line in terms.lines if line.milestone == milestone)


def first_line_of(terms: EscrowTerms, milestone: int) -> int:
    """Give the index, among all lines, of the milestone's first; raises ValueError without one."""
    return [line.milestone for line in terms.lines].index(milestone)


def shared_milestones(terms: EscrowTerms) -> frozenset[int]:
    """Give the milestones with payments of more than one depositor."""
    givers = {(line.milestone, line.depositor) for line in terms.lines}
    counted = [milestone for milestone, _ in givers]
    return frozenset(one for one in counted if counted.count(one) > 1)


def _parties(lines: Iterable[EscrowLine]) -> list[Address]:
    return [account for line in lines for account in (line.depositor, line.beneficiary)]


# ------------------------------------------------------------------------------ digests


def line_hash(line: EscrowLine) -> bytes:
    """Hash one line as EIP-712 does a struct."""
    numbers = (line.quantity, line.if_met, line.by_default, line.if_unruled)
    return keccak256(
        b"".join(
            (
                _LINE_HASH,
                _word(line.milestone),
                _word(line.asset),
                _LEFT_OF_ADDRESS + line.depositor,
                _LEFT_OF_ADDRESS + line.beneficiary,
                *map(_word, numbers),
            )
        )
    )


def terms_hash(terms: EscrowTerms) -> bytes:
    """Hash all terms as EIP-712 does a struct, without the domain."""
    return keccak256(
        b"".join(
            (
                _TERMS_HASH,
                _word(terms.open_by),
                keccak256(b"".join(map(line_hash, terms.lines))),
                _list_hash(terms.deadlines),
                keccak256(terms.program),
                keccak256(b"".join(_LEFT_OF_ADDRESS + one for one in terms.arbiters)),
                _word(terms.quorum),
                _word(terms.answer_time),
                _LEFT_OF_ADDRESS + terms.fallback_arbiter,
                _word(terms.fallback_time),
                terms.text,
                terms.ref,
                terms.salt,
            )
        )
    )


def escrow_id(terms: EscrowTerms, domain: SigningDomain) -> EscrowId:
    """Give the EIP-712 digest of all the terms: the id, and what parties and arbiters sign."""
    return EscrowId(_digest(terms_hash(terms), domain))


def attestation_digest(
    escrow: EscrowId,
    milestone: int,
    signer: Address,
    statement: bytes,
    *,
    observed_at: int,
    domain: SigningDomain,
) -> bytes:
    """Give what a named signer signs to state a fact; `observed_at` in unix seconds."""
    parts = (_LEFT_OF_ADDRESS + signer, statement, _word(observed_at))
    return _about(_ATTESTATION_HASH, escrow, milestone, parts, domain)


def reading_digest(
    escrow: EscrowId,
    milestone: int,
    signer: Address,
    feed: bytes,
    *,
    kind: int,
    at: int,
    value: int,
    observed_at: int,
    domain: SigningDomain,
) -> bytes:
    """Give what an oracle signs: the value (int128) of its feed in a round or at an instant."""
    numbers = (kind, at, value, observed_at)
    parts = (_LEFT_OF_ADDRESS + signer, feed, *map(_word, numbers))
    return _about(_READING_HASH, escrow, milestone, parts, domain)


def ruling_digest(
    escrow: EscrowId,
    milestone: int,
    arbiter: Address,
    paid: Sequence[int],
    *,
    reason: bytes,
    valid_by: int,
    domain: SigningDomain,
) -> bytes:
    """Give what an arbiter signs: what each line of the milestone pays; `reason` has 4 bytes."""
    head = (_LEFT_OF_ADDRESS + arbiter, _list_hash(paid))
    parts = (*head, reason.ljust(32, b"\x00"), _word(valid_by))
    return _about(_RULING_HASH, escrow, milestone, parts, domain)


def split_digest(
    escrow: EscrowId,
    milestone: int,
    account: Address,
    paid: Sequence[int],
    *,
    valid_by: int,
    domain: SigningDomain,
) -> bytes:
    """Give what a party signs to agree what each line of the milestone pays."""
    parts = (_LEFT_OF_ADDRESS + account, _list_hash(paid), _word(valid_by))
    return _about(_SPLIT_HASH, escrow, milestone, parts, domain)


def dispute_digest(
    escrow: EscrowId,
    milestone: int,
    account: Address,
    evidence: bytes,
    *,
    valid_by: int,
    domain: SigningDomain,
) -> bytes:
    """Give what a party signs to ask the panel; `evidence` is the hash of the file it keeps."""
    parts = (_LEFT_OF_ADDRESS + account, evidence, _word(valid_by))
    return _about(_DISPUTE_HASH, escrow, milestone, parts, domain)


def escrow_withdrawal_digest(account: Address, escrow: EscrowId, domain: SigningDomain) -> bytes:
    """Give what a signer signs to take its signature under terms that are not open back."""
    return _digest(keccak256(_WITHDRAWAL_HASH + _LEFT_OF_ADDRESS + account + escrow), domain)


def _about(
    kind: bytes, escrow: EscrowId, milestone: int, parts: Iterable[bytes], domain: SigningDomain
) -> bytes:
    return _digest(keccak256(b"".join((kind, escrow, _word(milestone), *parts))), domain)


def _digest(hashed: bytes, domain: SigningDomain) -> bytes:
    return keccak256(b"\x19\x01" + domain.separator + hashed)


def _list_hash(numbers: Iterable[int]) -> bytes:
    return keccak256(b"".join(map(_word, numbers)))


def _word(number: int) -> bytes:
    """Write a number as the word of an ABI, negative ones as two's complement."""
    return (number % _WORD_RANGE).to_bytes(32, "big")
