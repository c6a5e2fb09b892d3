"""Digests of all that is signed about an escrow, from EIP-712 and the published type strings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from settle.audit.abi import left_word, word
from settle.audit.escrow_terms import EscrowTerms
from settle.audit.typed_data import Digests
from settle.domain.keccak import keccak256

_LINE_TEXT: Final = (
    b"EscrowLine(uint8 milestone,uint32 asset,address depositor,address beneficiary,"
    b"uint128 quantity,uint128 ifMet,uint128 byDefault,uint128 ifUnruled)"
)
_LINE: Final = keccak256(_LINE_TEXT)
_TERMS: Final = keccak256(
    b"EscrowTerms(uint64 openBy,EscrowLine[] lines,uint64[] deadlines,bytes program,"
    b"address[] arbiters,uint8 quorum,uint64 answerTime,address fallbackArbiter,"
    b"uint64 fallbackTime,bytes32 text,bytes32 ref,bytes32 salt)" + _LINE_TEXT
)
_ATTESTATION: Final = keccak256(
    b"EscrowAttestation(bytes32 escrow,uint8 milestone,address signer,bytes32 statement,"
    b"uint64 observedAt)"
)
_READING: Final = keccak256(
    b"EscrowReading(bytes32 escrow,uint8 milestone,address signer,bytes32 feed,uint8 kind,"
    b"uint64 at,int128 value,uint64 observedAt)"
)
_SPLIT: Final = keccak256(
    b"EscrowSplit(bytes32 escrow,uint8 milestone,address account,uint128[] paid,uint64 validBy)"
)
_DISPUTE: Final = keccak256(
    b"EscrowDispute(bytes32 escrow,uint8 milestone,address account,bytes32 evidence,uint64 validBy)"
)
_RULING: Final = keccak256(
    b"EscrowRuling(bytes32 escrow,uint8 milestone,address arbiter,uint128[] paid,"
    b"bytes4 reason,uint64 validBy)"
)
_WITHDRAWAL: Final = keccak256(b"EscrowWithdrawal(address account,bytes32 escrow)")


def words_hash(values: Sequence[int | bytes]) -> bytes:
    """Hash of a list of words, as EIP-712 writes lists and as a waiting payment is kept."""
    return keccak256(b"".join(word(value) for value in values))


class EscrowDigests:
    """What parties, arbiters and oracles sign for one Settlement."""

    def __init__(self, digests: Digests) -> None:
        """Sign in the same domain."""
        self._of = digests.of

    def terms(self, terms: EscrowTerms) -> bytes:
        """Give the id."""
        lines = b"".join(
            keccak256(_LINE + b"".join(word(part) for part in line)) for line in terms.lines
        )
        return self._of(
            _TERMS,
            word(terms.open_by),
            keccak256(lines),
            words_hash(terms.deadlines),
            keccak256(terms.program),
            words_hash(terms.arbiters),
            word(terms.quorum),
            word(terms.answer_time),
            word(terms.fallback),
            word(terms.fallback_time),
            terms.text,
            terms.ref,
            terms.salt,
        )

    def attestation(
        self, escrow: bytes, milestone: int, signer: bytes, statement: bytes, observed_at: int
    ) -> bytes:
        """Digest of a statement of somebody whom the terms name."""
        words = (word(milestone), word(signer), statement, word(observed_at))
        return self._of(_ATTESTATION, escrow, *words)

    def reading(
        self,
        escrow: bytes,
        milestone: int,
        leaf: tuple[bytes, bytes, int, int],
        value: int,
        observed_at: int,
    ) -> bytes:
        """Digest of an oracle's reading. `leaf`: signer, feed, kind and round or instant."""
        signer, feed, kind, at = leaf
        words = (word(milestone), word(signer), feed, word(kind), word(at), word(value))
        return self._of(_READING, escrow, *words, word(observed_at))

    def split(
        self, escrow: bytes, milestone: int, account: bytes, paid: Sequence[int], valid_by: int
    ) -> bytes:
        """Digest of a party's agreement to end a milestone so."""
        words = (word(milestone), word(account), words_hash(paid), word(valid_by))
        return self._of(_SPLIT, escrow, *words)

    def dispute(
        self, escrow: bytes, milestone: int, account: bytes, evidence: bytes, valid_by: int
    ) -> bytes:
        """Digest of a party's question to the panel."""
        words = (word(milestone), word(account), evidence, word(valid_by))
        return self._of(_DISPUTE, escrow, *words)

    def ruling(
        self,
        escrow: bytes,
        milestone: int,
        arbiter: bytes,
        paid: Sequence[int],
        reason: bytes,
        valid_by: int,
    ) -> bytes:
        """Digest of an arbiter's word."""
        words = (word(milestone), word(arbiter), words_hash(paid), left_word(reason))
        return self._of(_RULING, escrow, *words, word(valid_by))

    def withdrawal(self, account: bytes, escrow: bytes) -> bytes:
        """Digest of a signature taken back before the opening."""
        return self._of(_WITHDRAWAL, word(account), escrow)
