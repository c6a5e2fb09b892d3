"""Gas of an escrow's life: opened and funded, ended by a signed condition, or disputed and ruled.

Instants are fixed and the chain's clock is set behind them, so that calldata is the same each time.
Both sides hold the asset already; every slot is cold; signatures have 64 bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from settle.chain.abi import load_abi
from settle.chain.eip712 import compact, sign
from settle.domain.escrow.conditions import AllOf, Condition, Signed
from settle.domain.escrow.program import write_program
from settle.domain.escrow.terms import (
    EscrowLine,
    EscrowTerms,
    attestation_digest,
    dispute_digest,
    escrow_id,
    ruling_digest,
    signers_of,
)
from settle.domain.keccak import keccak256

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.gas import Bench
    from settle.domain.ids import Address, AssetId

_DAY: Final = 86_400
_NOON: Final = 2_000_000_000
"""The chain's clock is set to this instant before the first escrow."""
_OBSERVED: Final = _NOON + 5 * _DAY
_VALID_BY: Final = _NOON + 20 * _DAY
_QUANTITY: Final = 2_810_000
_REASON: Final = b"LATE"
_GAS: Final = 1_000_000


def escrow_figures(bench: Bench, asset: AssetId) -> dict[str, int]:
    """Measure whole lives, all their transactions together; the figures by name."""
    life = _Life(bench, asset)
    one = life.terms([Signed(signer=life.third, statement=_statement("delivered"))])
    two = life.terms(
        [
            AllOf(
                of=tuple(
                    Signed(signer=life.third, statement=_statement(word))
                    for word in ("delivered", "inspected")
                )
            )
        ]
    )
    panel = life.terms([Signed(signer=life.third, statement=_statement("delivered"))], panel=3)
    life.until(_NOON)
    opened = [life.open(terms) for terms in (one, two, panel)]
    disputed = life.dispute(panel)
    life.until(_OBSERVED + 1)
    met = life.end(one, ["delivered"])
    both = life.end(two, ["delivered", "inspected"])
    return {
        "escrow_open_fund_release": opened[0] + met,
        "escrow_open": opened[0],
        "escrow_end_by_condition": met,
        "escrow_per_condition": opened[1] + both - opened[0] - met,
        "escrow_dispute_path": opened[2] + disputed + life.rule(panel, 2),
    }


class _Life:
    """Buyer and seller, a third who attests, three arbiters; a fresh pair of holdings each time."""

    def __init__(self, bench: Bench, asset: AssetId) -> None:
        self._bench = bench
        self._asset = asset
        self._abi = load_abi("Settlement")
        self._domain = bench.chain.deployment.domain
        self._buyer, self._seller, self.third, *self._arbiters = bench.accounts
        self._salts = 0

    def terms(self, conditions: Sequence[Condition], *, panel: int = 0) -> EscrowTerms:
        """Pay all to the seller if the condition is met, nothing otherwise."""
        self._salts += 1
        line = EscrowLine(
            milestone=0,
            asset=self._asset,
            depositor=self._buyer,
            beneficiary=self._seller,
            quantity=_QUANTITY,
            if_met=_QUANTITY,
            by_default=0,
            if_unruled=0,
        )
        salt = keccak256(b"escrow %d" % self._salts)
        return EscrowTerms(
            open_by=_NOON + _DAY,
            lines=(line,),
            deadlines=(_NOON + 30 * _DAY,),
            program=write_program(conditions),
            arbiters=tuple(self._arbiters[:panel]),
            quorum=panel // 2 + 1 if panel else 0,
            answer_time=10 * _DAY if panel else 0,
            text=keccak256(b"text" + salt),
            ref=keccak256(b"ref" + salt),
            salt=salt,
        )

    def until(self, instant: int) -> None:
        """Let the next block be of this instant, or later."""
        rpc = self._bench.chain.engine.rpc()
        rpc.call("evm_setNextBlockTimestamp", instant)
        rpc.call("evm_mine")

    def open(self, terms: EscrowTerms) -> int:
        """Open and fund; the gas."""
        number = escrow_id(terms, self._domain)
        signatures = [self._sign(one, number) for one in signers_of(terms)]
        return self._send("openEscrow", words(terms), signatures)

    def end(self, terms: EscrowTerms, statements: Sequence[str]) -> int:
        """End the milestone with an attestation for each statement; the gas."""
        evidence = []
        for word in statements:
            digest = attestation_digest(
                escrow_id(terms, self._domain),
                0,
                self.third,
                _statement(word),
                observed_at=_OBSERVED,
                domain=self._domain,
            )
            evidence.append(_OBSERVED.to_bytes(8, "big") + self._sign(self.third, digest))
        return self._send("endByCondition", words(terms), 0, evidence)

    def dispute(self, terms: EscrowTerms) -> int:
        """Let the buyer ask the panel; the gas."""
        evidence = keccak256(b"evidence")
        digest = dispute_digest(
            escrow_id(terms, self._domain),
            0,
            self._buyer,
            evidence,
            valid_by=_VALID_BY,
            domain=self._domain,
        )
        signature = self._sign(self._buyer, digest)
        return self._send(
            "openDispute", words(terms), 0, self._buyer, evidence, _VALID_BY, signature
        )

    def rule(self, terms: EscrowTerms, arbiters: int) -> int:
        """Let so many arbiters give half to the seller; the gas."""
        paid = [_QUANTITY // 2]
        rulings = []
        for index, arbiter in enumerate(terms.arbiters[:arbiters]):
            digest = ruling_digest(
                escrow_id(terms, self._domain),
                0,
                arbiter,
                paid,
                reason=_REASON,
                valid_by=_VALID_BY,
                domain=self._domain,
            )
            rulings.append((index, _REASON, _VALID_BY, self._sign(arbiter, digest)))
        return self._send("endByRuling", words(terms), 0, paid, rulings)

    def _sign(self, account: Address, digest: bytes) -> bytes:
        return compact(sign(digest, self._bench.keys[account]))

    def _send(self, name: str, *arguments: object) -> int:
        return self._bench.used(self._abi.encode(name, *arguments), _GAS)


def words(terms: EscrowTerms) -> tuple[object, ...]:
    """Give the terms as the ABI's encoder takes a struct."""
    return (
        terms.open_by,
        [
            (
                *(line.milestone, line.asset, line.depositor, line.beneficiary),
                *(line.quantity, line.if_met, line.by_default, line.if_unruled),
            )
            for line in terms.lines
        ],
        list(terms.deadlines),
        terms.program,
        list(terms.arbiters),
        terms.quorum,
        terms.answer_time,
        terms.fallback_arbiter,
        terms.fallback_time,
        *(terms.text, terms.ref, terms.salt),
    )


def _statement(text: str) -> bytes:
    return text.encode().ljust(32, b"\0")
