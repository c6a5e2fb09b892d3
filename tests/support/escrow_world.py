"""Books with two assets, accounts with keys, and terms over them: where escrows are tried out."""

from __future__ import annotations

from collections.abc import Sequence

from settle.chain.eip712 import address_of, recover, sign
from settle.domain import chainstate
from settle.domain.errors import InvalidInput
from settle.domain.escrow.conditions import Condition
from settle.domain.escrow.evidence import Facts, FeedRound
from settle.domain.escrow.program import write_program
from settle.domain.escrow.state import EscrowState
from settle.domain.escrow.terms import (
    EscrowLine,
    EscrowTerms,
    attestation_digest,
    dispute_digest,
    escrow_id,
    ruling_digest,
    signers_of,
    split_digest,
)
from settle.domain.escrow.twin import Ruling
from settle.domain.ids import Address, AssetId
from settle.domain.instruction import SigningDomain
from settle.domain.ledger import AssetClass, Standing, code_bytes
from settle.domain.twin_state import ChainState, Step

KEYS = {address_of(bytes(31) + bytes([n])): bytes(31) + bytes([n]) for n in range(1, 9)}
BUYER, SELLER, THIRD, ORACLE, ARBITER, OTHER_ARBITER, LAST_ARBITER, FALLBACK = KEYS
EUR, SHARE = AssetId(1), AssetId(2)
DOMAIN = SigningDomain(chain_id=31_337, verifying_contract=Address(b"\x11" * 20))
NOW = 1_800_000_000
HOUR, DAY = 3_600, 86_400
GRANT = 1_000


def line(milestone: int = 0, *, pays: tuple[int, int, int] = (100, 0, 50)) -> EscrowLine:
    """100 cents of the buyer for the seller: if met, by default, if unruled."""
    if_met, by_default, if_unruled = pays
    return EscrowLine(
        milestone=milestone,
        asset=EUR,
        depositor=BUYER,
        beneficiary=SELLER,
        quantity=100,
        if_met=if_met,
        by_default=by_default,
        if_unruled=if_unruled,
    )


def panel_terms(*conditions: Condition, lines: Sequence[EscrowLine] = ()) -> EscrowTerms:
    """Return terms with a milestone a condition, one line each, and a panel of 2 of 3."""
    count = len(conditions)
    return EscrowTerms(
        open_by=NOW + HOUR,
        lines=tuple(lines) or tuple(line(k) for k in range(count)),
        deadlines=tuple(NOW + (k + 1) * DAY for k in range(count)),
        program=write_program(conditions),
        arbiters=(ARBITER, OTHER_ARBITER, LAST_ARBITER),
        quorum=2,
        answer_time=3 * HOUR,
        fallback_arbiter=FALLBACK,
        fallback_time=2 * HOUR,
    )


def funded() -> EscrowState:
    """Return books in which the buyer, the seller and a third hold 1,000 of each asset."""
    state = ChainState(domain=DOMAIN)
    steps: list[Step] = []

    def then(step: Step) -> None:
        steps.append(step)

    for code, kind in ((EUR, AssetClass.DEPOSIT_MONEY), (SHARE, AssetClass.SECURITY)):
        name = {EUR: "EUR", SHARE: "DE0007164600"}[code]
        then(
            chainstate.create_asset(
                steps[-1][0] if steps else state,
                class_=kind,
                decimals=2 if code == EUR else 0,
                code=code_bytes(name),
                issuer=THIRD,
            )
        )
    for account in (BUYER, SELLER, THIRD):
        then(chainstate.set_standing(steps[-1][0], account, Standing.ADMITTED, 1))
        for asset in (EUR, SHARE):
            then(chainstate.issue(steps[-1][0], asset, account, GRANT, bytes(32)))
    return EscrowState(chain=steps[-1][0])


def binds(account: Address, digest: bytes, signature: bytes) -> bool:
    """Whether the bytes are the account's signature."""
    try:
        return recover(digest, signature) == account
    except InvalidInput:
        return False


def facts(rounds: dict[int, FeedRound] | None = None) -> Facts:
    """Return what a call can find out; every feed has these rounds."""
    known = rounds or {}
    return Facts(
        binds=binds, recovers=binds, feed_round=lambda _contract, number: known.get(number)
    )


def signatures(terms: EscrowTerms) -> list[bytes]:
    """Everybody signs the terms."""
    return [sign(escrow_id(terms, DOMAIN), KEYS[account]) for account in signers_of(terms)]


def attested(
    terms: EscrowTerms, milestone: int, signer: Address, statement: bytes, at: int
) -> bytes:
    """A signer's attestation over what it saw at an instant, as evidence."""
    digest = attestation_digest(
        escrow_id(terms, DOMAIN), milestone, signer, statement, observed_at=at, domain=DOMAIN
    )
    return at.to_bytes(8, "big") + sign(digest, KEYS[signer])


def agreed(
    terms: EscrowTerms, milestone: int, account: Address, paid: Sequence[int], by: int
) -> bytes:
    """One party's signature under a split."""
    digest = split_digest(
        escrow_id(terms, DOMAIN), milestone, account, paid, valid_by=by, domain=DOMAIN
    )
    return sign(digest, KEYS[account])


def disputed(terms: EscrowTerms, milestone: int, account: Address, by: int) -> bytes:
    """A party's signature under a dispute about the evidence of zeros."""
    digest = dispute_digest(
        escrow_id(terms, DOMAIN), milestone, account, bytes(32), valid_by=by, domain=DOMAIN
    )
    return sign(digest, KEYS[account])


def ruling(
    terms: EscrowTerms,
    milestone: int,
    index: int,
    arbiter: Address,
    paid: Sequence[int],
    by: int = NOW + 30 * DAY,
) -> Ruling:
    """One arbiter's signed ruling."""
    digest = ruling_digest(
        escrow_id(terms, DOMAIN),
        milestone,
        arbiter,
        paid,
        reason=b"LATE",
        valid_by=by,
        domain=DOMAIN,
    )
    signature = sign(digest, KEYS[arbiter])
    return Ruling(arbiter=index, reason=b"LATE", valid_by=by, signature=signature)
