"""All that can happen to escrows, on a real chain: an audit has to explain it and find nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from chain_market import EURO, KEYS, SHARES
from market_life import ALPHA, BRAVO, CHARLIE, DAY_S, MarketLife

from settle.chain.eip712 import address_of, sign
from settle.domain.escrow.conditions import (
    AllOf,
    AnyOf,
    AtLeast,
    Condition,
    Never,
    Not,
    OutcomeOf,
    Preimage,
    Reading,
    Settled,
    Signed,
    TimeReached,
)
from settle.domain.escrow.evidence import reading_evidence, signed_evidence
from settle.domain.escrow.instruction_words import encode_instruction
from settle.domain.escrow.program import write_program
from settle.domain.escrow.register import AssetEntry, Register
from settle.domain.escrow.terms import (
    EscrowId,
    EscrowLine,
    EscrowTerms,
    attestation_digest,
    dispute_digest,
    escrow_id,
    escrow_withdrawal_digest,
    reading_digest,
    ruling_digest,
    signers_of,
    split_digest,
)
from settle.domain.escrow.wording import with_text
from settle.domain.ids import Address, AssetId
from settle.domain.instruction import Instruction, cancellation_digest

HOUR_S = 3_600
MAX_WAIT_S = 30 * DAY_S
NEUTRAL_KEYS = tuple((0xE000 + n).to_bytes(32, "big") for n in range(5))
NEUTRALS = tuple(address_of(key) for key in NEUTRAL_KEYS)
ORACLE, *ARBITERS, FALLBACK = NEUTRALS
KEY_OF = {ALPHA: KEYS["ALPHA"], BRAVO: KEYS["BRAVO"], CHARLIE: KEYS["CHARLIE"]} | dict(
    zip(NEUTRALS, NEUTRAL_KEYS, strict=True)
)
DELIVERED = b"delivered".ljust(32, b"\0")
GOLD = b"gold in euro".ljust(32, b"\0")
SECRET = b"\x5e" * 32
OPTION_RECORD = 2
REGISTER = Register(
    (
        AssetEntry(number=SHARES, code="DE0007164600", decimals=0),
        AssetEntry(number=EURO, code="EUR", decimals=2),
    )
)


class EscrowLife:
    """Acts on escrows of a market's life, each named for what happens in it."""

    def __init__(self, life: MarketLife) -> None:
        self.life = life
        self.market = life.market
        self.domain = life.market.deployment.domain

    # ------------------------------------------------------------------------ terms

    def terms(self, *conditions: Condition, swap: bool = False, panel: bool = False) -> EscrowTerms:
        """A milestone a condition: Alpha pays Bravo, and Bravo Alpha where it is a swap."""
        now = self.market.now()
        lines: list[EscrowLine] = []
        for milestone in range(len(conditions)):
            lines.append(_line(milestone, EURO, ALPHA, BRAVO, 1_000))
            if swap:
                lines.append(_line(milestone, SHARES, BRAVO, ALPHA, 10))
        terms = EscrowTerms(
            open_by=now + HOUR_S,
            lines=tuple(lines),
            deadlines=tuple(now + (k + 1) * DAY_S for k in range(len(conditions))),
            program=write_program(conditions),
            salt=self.life.random.randbytes(32),
        )
        if panel:
            terms = replace(
                terms,
                arbiters=tuple(ARBITERS),
                quorum=2,
                answer_time=HOUR_S,
                fallback_arbiter=FALLBACK,
                fallback_time=HOUR_S,
            )
        return with_text(terms, REGISTER)

    def identity(self, terms: EscrowTerms) -> EscrowId:
        return escrow_id(terms, self.domain)

    def open(self, terms: EscrowTerms) -> EscrowTerms:
        identity = self.identity(terms)
        signatures = [sign(identity, KEY_OF[account]) for account in signers_of(terms)]
        self.call("openEscrow", terms, signatures)
        return terms

    def call(self, function: str, terms: EscrowTerms, *arguments: object) -> bytes:
        return self.life.call(self.data(function, terms, *arguments))

    def data(self, function: str, terms: EscrowTerms, *arguments: object) -> bytes:
        return self.market.settlement.encode(function, _tuple(terms), *arguments)

    # ------------------------------------------------------------------------ messages

    def attested(self, terms: EscrowTerms, milestone: int, signer: Address) -> bytes:
        at = self.market.now()
        digest = attestation_digest(
            self.identity(terms), milestone, signer, DELIVERED, observed_at=at, domain=self.domain
        )
        return signed_evidence(at, sign(digest, KEY_OF[signer]))

    def read(self, terms: EscrowTerms, milestone: int, leaf: Reading, value: int) -> bytes:
        at = self.market.now()
        digest = reading_digest(
            *(self.identity(terms), milestone, leaf.signer, leaf.feed),
            kind=leaf.kind,
            at=leaf.at,
            value=value,
            observed_at=at,
            domain=self.domain,
        )
        return reading_evidence(value, at, sign(digest, KEY_OF[leaf.signer]))

    def dispute(self, terms: EscrowTerms, milestone: int, account: Address) -> None:
        valid_by, file = self.market.now() + HOUR_S, b"\xee" * 32
        digest = dispute_digest(
            *(self.identity(terms), milestone, account, file),
            valid_by=valid_by,
            domain=self.domain,
        )
        signature = sign(digest, KEY_OF[account])
        self.call("openDispute", terms, milestone, account, file, valid_by, signature)

    def rule(
        self, terms: EscrowTerms, milestone: int, paid: Sequence[int], by: Sequence[int]
    ) -> None:
        """Rule by arbiters' places; 255 is the fallback's."""
        valid_by = self.market.now() + HOUR_S
        rulings = []
        for place in by:
            arbiter = FALLBACK if place == 255 else ARBITERS[place]
            digest = ruling_digest(
                *(self.identity(terms), milestone, arbiter, paid),
                reason=b"DOCS",
                valid_by=valid_by,
                domain=self.domain,
            )
            rulings.append((place, b"DOCS", valid_by, sign(digest, KEY_OF[arbiter])))
        self.call("endByRuling", terms, milestone, list(paid), rulings)

    def agree(
        self, terms: EscrowTerms, milestone: int, paid: Sequence[int], by: Sequence[Address]
    ) -> None:
        valid_by = self.market.now() + HOUR_S
        signatures = [
            sign(
                split_digest(
                    *(self.identity(terms), milestone, account, paid),
                    valid_by=valid_by,
                    domain=self.domain,
                ),
                KEY_OF[account],
            )
            for account in by
        ]
        self.call("endByAgreement", terms, milestone, list(paid), valid_by, signatures)

    # ------------------------------------------------------------------------ acts

    def prove_and_follow(self) -> None:
        """Two of three: a statement and a secret; then what hangs on that end, by nobody's word."""
        lock = Preimage(digest=hashlib.sha256(SECRET).digest())
        later = TimeReached(at=self.market.now() + 20 * HOUR_S)
        proof = AtLeast(count=2, of=(Signed(signer=ORACLE, statement=DELIVERED), lock, later))
        terms = self.open(self.terms(proof, OutcomeOf(milestone=0, mask=1)))
        self.call("endByCondition", terms, 0, [self.attested(terms, 0, ORACLE), SECRET])
        self.call("endByCondition", terms, 1, [])

    def read_a_price(self) -> None:
        """A reading out of range shows nothing; one within it does, through a foreign contract."""
        leaf = Reading(signer=ORACLE, feed=GOLD, kind=0, at=7, low=-5, high=5_000)
        other = replace(leaf, at=8, low=0, high=1)
        terms = self.open(
            self.terms(AnyOf(of=(leaf, other)), Not(of=OutcomeOf(milestone=0, mask=2)))
        )
        evidence = [self.read(terms, 0, leaf, 4_999), self.read(terms, 0, other, 2)]
        self.life.send(self.life.relay, self.data("endByCondition", terms, 0, evidence))
        self.call("endByCondition", terms, 1, [])

    def settle_on_record(self) -> None:
        """One milestone pays if an instruction settled, another if one never can."""
        kept, dead = (replace(self.life.dvp(), options=OPTION_RECORD) for _ in range(2))
        first = Settled(instruction=self.life.identity(kept))
        second = Not(of=Settled(instruction=self.life.identity(dead)))
        terms = self.open(self.terms(first, AllOf(of=(second, OutcomeOf(milestone=0, mask=1)))))
        self.life.call(self.market.settlement.settle(kept, self.life.signatures(kept)))
        self.call("endByCondition", terms, 0, [])
        self._cancel(dead)
        self.call("endByCondition", terms, 1, [encode_instruction(dead)])

    def _cancel(self, instruction: Instruction) -> None:
        valid_by = self.market.now() + 1_000
        identity = self.life.identity(instruction)
        digest = cancellation_digest(ALPHA, identity, self.domain, valid_by=valid_by)
        signature = self.life.sign(digest, ALPHA)
        self.life.call(self.market.settlement.cancel(instruction, valid_by, [signature]))

    def dispute_and_rule(self) -> None:
        """The panel rules one milestone, the fallback another, nobody the third."""
        terms = self.open(self.terms(Never(), Never(), Never(), panel=True))
        for milestone, account in enumerate((ALPHA, BRAVO, ALPHA)):
            self.dispute(terms, milestone, account)
        self.life.travel_to(self.market.now() + 2)
        self.rule(terms, 0, [400], [0, 2])
        self.life.travel_to(terms.deadlines[1] + HOUR_S)
        self.rule(terms, 1, [0], [255])
        self.life.travel_to(terms.deadlines[2] + 2 * HOUR_S)
        self.call("endByDefault", terms, 2)

    def agree_or_let_it_lapse(self) -> None:
        terms = self.open(self.terms(Never(), Never(), swap=True))
        self.agree(terms, 0, [250, 10], [ALPHA, BRAVO])
        self.life.travel_to(terms.deadlines[1])
        self.call("endByDefault", terms, 1)

    def wait_behind_a_freeze(self) -> None:
        """Payments wait, and are made when the freeze ends; others wait too long and go back."""
        desk = self.market.desk
        now = TimeReached(at=self.market.now() + 2 * HOUR_S)
        terms = self.open(self.terms(now, now, swap=True))
        self.life.travel_to(now.at)
        desk.perform([desk.freeze_account(BRAVO, b"AUTH")])
        for milestone in (0, 1):
            self.call("endByCondition", terms, milestone, [])
        desk.perform([desk.freeze_account(BRAVO, b"AUTH", frozen=False)])
        self.call("payOut", terms, 0, [1_000, 10])
        desk.perform([desk.freeze_asset(SHARES, b"AUTH")])
        self.life.travel_to(self.market.now() + MAX_WAIT_S)
        self.life.own(KEYS["ALPHA"], self.data("giveUpPayments", terms, 1, [1_000, 10]))
        desk.perform([desk.freeze_asset(SHARES, b"AUTH", frozen=False)])

    def wait_with_one_payment(self) -> None:
        """What is not paid goes back at once, though another payment of its milestone waits."""
        desk = self.market.desk
        terms = self.open(self.terms(Never(), swap=True))
        desk.perform([desk.freeze_account(ALPHA, b"AUTH")])
        self.agree(terms, 0, [400, 0], [ALPHA, BRAVO])
        desk.perform([desk.freeze_account(ALPHA, b"AUTH", frozen=False)])
        self.call("payOut", terms, 0, [400, 0])

    def withdraw_before_the_opening(self) -> None:
        terms = self.terms(Never())
        digest = escrow_withdrawal_digest(BRAVO, self.identity(terms), self.domain)
        self.call("withdrawFromEscrow", terms, BRAVO, sign(digest, KEY_OF[BRAVO]))

    def stay_open(self) -> None:
        """Leave one open and in dispute, with payments of its first milestone waiting."""
        desk = self.market.desk
        now = TimeReached(at=self.market.now() + 2 * HOUR_S)
        terms = self.open(self.terms(now, Never(), swap=True, panel=True))
        self.life.travel_to(now.at)
        desk.perform([desk.freeze_account(BRAVO, b"AUTH")])
        self.call("endByCondition", terms, 0, [])
        desk.perform([desk.freeze_account(BRAVO, b"AUTH", frozen=False)])
        self.dispute(terms, 1, BRAVO)

    def live_once_each(self) -> None:
        """Do everything once."""
        for act in (
            *(self.prove_and_follow, self.read_a_price, self.settle_on_record),
            *(self.dispute_and_rule, self.agree_or_let_it_lapse, self.wait_behind_a_freeze),
            *(self.wait_with_one_payment, self.withdraw_before_the_opening, self.stay_open),
        ):
            act()


def _line(
    milestone: int, asset: int, depositor: Address, beneficiary: Address, quantity: int
) -> EscrowLine:
    return EscrowLine(
        milestone=milestone,
        asset=AssetId(asset),
        depositor=depositor,
        beneficiary=beneficiary,
        quantity=quantity,
        if_met=quantity,
        by_default=0,
        if_unruled=quantity // 2,
    )


def _tuple(terms: EscrowTerms) -> tuple[object, ...]:
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
