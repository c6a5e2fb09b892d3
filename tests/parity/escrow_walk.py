"""A random history of escrows on contract and twin, with a bias to where the rules have edges."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import Final

from settle.chain.eip712 import compact, sign
from settle.domain import chainstate
from settle.domain.escrow import twin
from settle.domain.escrow.clock import agreeing_of, conditions_of
from settle.domain.escrow.conditions import (
    BY_INSTANT,
    Condition,
    Feed,
    Preimage,
    Reading,
    Settled,
    Signed,
    evidence_leaves,
    leaves_of,
    times_of,
)
from settle.domain.escrow.events import EndedBy
from settle.domain.escrow.evidence import feed_evidence, reading_evidence, signed_evidence
from settle.domain.escrow.explore import explore
from settle.domain.escrow.instruction_words import encode_instruction
from settle.domain.escrow.state import EscrowRecord
from settle.domain.escrow.terms import (
    FALLBACK_INDEX,
    MAX_WAIT,
    EscrowId,
    EscrowTerms,
    attestation_digest,
    dispute_digest,
    escrow_id,
    escrow_withdrawal_digest,
    lines_of,
    parties_of,
    reading_digest,
    ruling_digest,
    signers_of,
    split_digest,
)
from settle.domain.ids import ZERO_ADDRESS, Address, AssetId
from settle.domain.instruction import OPTION_RECORD, Instruction, Leg
from settle.domain.keccak import keccak256
from settle.domain.ledger import Standing
from tests.parity.escrow_both import FEED_STEP, EscrowBoth
from tests.parity.evm import DEPLOYER
from tests.parity.world import START
from tests.support.escrow_draws import SECRETS, Cast, draw_terms
from tests.support.escrow_misdraws import misdrawn

SECRET_OF: Final = {hashlib.sha256(secret).digest(): secret for secret in SECRETS}
ASSETS: Final = (AssetId(1), AssetId(2), AssetId(3))


def _agreed(record: EscrowRecord) -> bool:
    """Whether an agreement may have led to what the exploration leaves out."""
    return any(one.ended_by is EndedBy.AGREEMENT for one in record.milestones)


class EscrowWalk:
    """One history; the same seed goes the same way."""

    def __init__(self, both: EscrowBoth, seed: int) -> None:
        self.both, self.random = both, Random(seed)
        world = both.world
        self._parties = (*world.owners[:3], world.wallet)
        self._neutrals = (*world.owners[3:-1], world.stranger)
        self._trace: list[str] = []
        self._touched: set[EscrowTerms] = set()
        both.instructions += [self._instruction(nonce) for nonce in (1, 2)]
        self._cast = Cast(
            parties=self._parties,
            neutrals=self._neutrals,
            assets=ASSETS,
            feeds=(both.feed, world.owners[3]),
            instructions=[both.both.state.id_of(one) for one in both.instructions],
        )
        self._verbs: Mapping[Callable[[], str], int] = {
            self.open: 8,
            self.open_badly: 3,
            self.withdraw: 1,
            self.end_by_condition: 14,
            self.end_by_agreement: 5,
            self.dispute: 8,
            self.rule: 12,
            self.default: 7,
            self.pay_out: 3,
            self.give_up: 3,
            self.freeze: 7,
            self.suspend: 1,
            self.settle: 1,
            self.wait: 20,
        }

    def run(self, steps: int) -> None:
        """Walk; a difference raises AssertionError with the way that led to it."""
        self.open()
        for _ in range(steps):
            self._touched.clear()
            verb = self._verb()
            self._trace.append(f"{self.both.now - START:>8} {verb.__name__}")
            try:
                ended = verb()
                self._trace[-1] += f" {ended}"
                self.both.compare({*self._touched, self.random.choice(self.both.terms)})
            except Exception as error:
                way = "\n".join(self._trace[-30:])
                raise AssertionError(f"{error}\nafter:\n{way}") from error
        self.both.compare()
        self._compare_with_exploration()

    def _compare_with_exploration(self) -> None:
        """Every end that came about is one that the exploration of the terms had listed."""
        for terms in self.both.terms:
            record = self.both.state.records.get(self._name(terms))
            if record is None or not any(record.outcomes):
                continue
            found = explore(terms, apart=False)
            for k, one in enumerate(record.milestones):
                if one.ended_by not in (None, EndedBy.AGREEMENT) and not _agreed(record):
                    assert (one.ended_by, one.outcome) in found.ends[k], f"unlisted end of {k}"

    def _verb(self) -> Callable[[], str]:
        """Choose what to do next; payments that wait make what ends the wait likelier."""
        waits = any(one.waits for r in self.both.state.records.values() for one in r.milestones)
        if waits and self.random.random() < 0.4:
            return self.random.choice((self.pay_out, self.give_up, self.freeze))
        return self.random.choices(tuple(self._verbs), tuple(self._verbs.values()))[0]

    # ------------------------------------------------------------------ before it is open

    def open(self) -> str:
        """Open newly drawn terms, or ones that stand already, with what signatures."""
        known = self.both.terms
        if known and self.random.random() < 0.2:
            terms = self.random.choice(known)
        else:
            terms = draw_terms(self.random, self._cast, now=self.both.now, most=3)
            known.append(terms)
        return self._open(terms, chance=0.93)

    def open_badly(self) -> str:
        """Try to open terms with one thing wrong, or with any change in their bytes."""
        terms = draw_terms(self.random, self._cast, now=self.both.now, most=3)
        return self._open(misdrawn(self.random, terms), chance=1.0)

    def _open(self, terms: EscrowTerms, chance: float) -> str:
        name, both = self._name(terms), self.both
        signatures = [self._signature(account, name, chance) for account in signers_of(terms)]
        if self.random.random() < 0.03:
            signatures = signatures[1:]
        return both.act(
            "openEscrow",
            (terms, signatures),
            self._anyone(),
            lambda: twin.open_escrow(both.state, terms, signatures, facts=both.facts, now=both.now),
        )

    def withdraw(self) -> str:
        """Take a signature back from terms that may be open."""
        terms, both = self._terms(), self.both
        account = self.random.choice((*signers_of(terms), *self._neutrals))
        caller = self._caller(account)
        digest = escrow_withdrawal_digest(account, self._name(terms), both.world.domain)
        signature = self._own(account, digest, caller)
        return both.act(
            "withdrawFromEscrow",
            (terms, account, signature),
            caller,
            lambda: twin.withdraw_from_escrow(
                both.state, terms, account, signature, caller=caller, facts=both.facts, now=both.now
            ),
        )

    # ------------------------------------------------------------------ ends

    def end_by_condition(self) -> str:
        """Show evidence for a condition: mostly good, some missing, some bad."""
        terms, both = self._terms(), self.both
        milestone = self._milestone(terms)
        evidence = self._evidence(terms, milestone)
        return both.act(
            "endByCondition",
            (terms, milestone, evidence),
            self._anyone(),
            lambda: twin.end_by_condition(
                both.state, terms, milestone, evidence, facts=both.facts, now=both.now
            ),
        )

    def end_by_agreement(self) -> str:
        """Agree a split, with everybody's signature or not."""
        terms, both, random = self._terms(), self.both, self.random
        milestone = self._milestone(terms)
        paid = self._paid(terms, milestone)
        valid_by = both.now + random.choice((0, 1, 1000))
        parties = agreeing_of(terms, milestone) if milestone < len(terms.deadlines) else ()
        caller = self._caller(random.choice(parties)) if parties else self._anyone()
        signatures = []
        for account in parties:
            digest = split_digest(
                self._name(terms),
                milestone,
                account,
                paid,
                valid_by=valid_by,
                domain=both.world.domain,
            )
            signatures.append(self._own(account, digest, caller, chance=0.95))
        if random.random() < 0.05:
            signatures = signatures[1:]
        return both.act(
            "endByAgreement",
            (terms, milestone, paid, valid_by, signatures),
            caller,
            lambda: twin.end_by_agreement(
                both.state,
                terms,
                milestone,
                paid,
                valid_by=valid_by,
                signatures=signatures,
                caller=caller,
                facts=both.facts,
                now=both.now,
            ),
        )

    def dispute(self) -> str:
        """Dispute a milestone, as a party or not."""
        terms, both, random = self._terms(), self.both, self.random
        milestone = self._milestone(terms)
        parties = parties_of(terms, milestone) or self._parties
        account = random.choice((*parties, *parties, *parties, *self._neutrals))
        caller, evidence = self._caller(account), random.randbytes(32)
        valid_by = both.now + random.choice((0, 1, 1000))
        digest = dispute_digest(
            self._name(terms),
            milestone,
            account,
            evidence,
            valid_by=valid_by,
            domain=both.world.domain,
        )
        signature = self._own(account, digest, caller)
        return both.act(
            "openDispute",
            (terms, milestone, account, evidence, valid_by, signature),
            caller,
            lambda: twin.open_dispute(
                both.state,
                terms,
                milestone,
                account,
                evidence,
                valid_by=valid_by,
                signature=signature,
                caller=caller,
                facts=both.facts,
                now=both.now,
            ),
        )

    def rule(self) -> str:
        """Rule as the panel, as the fallback, or as a stranger."""
        terms, both, random = self._terms(disputed=True), self.both, self.random
        milestone = self._disputed_milestone(terms)
        paid = self._paid(terms, milestone)
        draw = random.random()
        if draw < 0.35:
            chosen: list[int] = [FALLBACK_INDEX]
        else:
            count = len(terms.arbiters)
            quorum = min(count, max(0, terms.quorum - (draw > 0.9)))
            chosen = sorted(random.sample(range(count), quorum))
            if draw > 0.95:
                chosen = [*chosen, random.choice((0, count, 255))]
        rulings = [self._ruling(terms, milestone, paid, index) for index in chosen]
        return both.act(
            "endByRuling",
            (terms, milestone, paid, rulings),
            self._anyone(),
            lambda: twin.end_by_ruling(
                both.state, terms, milestone, paid, rulings, facts=both.facts, now=both.now
            ),
        )

    def _ruling(
        self, terms: EscrowTerms, milestone: int, paid: Sequence[int], index: int
    ) -> twin.Ruling:
        arbiter = self._neutrals[0]
        if index < len(terms.arbiters):
            arbiter = terms.arbiters[index]
        elif index == FALLBACK_INDEX and terms.fallback_arbiter != ZERO_ADDRESS:
            arbiter = terms.fallback_arbiter
        valid_by = self.both.now + self.random.choice((0, 1, 1000, 1000, 1000, 1000))
        reason = self.random.choice((b"LATE", b"GOOD"))
        digest = ruling_digest(
            self._name(terms),
            milestone,
            arbiter,
            paid,
            reason=reason,
            valid_by=valid_by,
            domain=self.both.world.domain,
        )
        signature = self._signature(arbiter, digest, 0.96)
        return twin.Ruling(arbiter=index, reason=reason, valid_by=valid_by, signature=signature)

    def default(self) -> str:
        """Call for the default."""
        terms, both = self._terms(), self.both
        milestone = self._milestone(terms)
        return both.act(
            "endByDefault",
            (terms, milestone),
            self._anyone(),
            lambda: twin.end_by_default(both.state, terms, milestone, now=both.now),
        )

    def pay_out(self) -> str:
        """Make payments that wait, or say so."""
        terms, milestone, paid = self._waiting()
        both = self.both
        return both.act(
            "payOut",
            (terms, milestone, paid),
            self._anyone(),
            lambda: twin.pay_out(both.state, terms, milestone, paid, now=both.now),
        )

    def give_up(self) -> str:
        """Give up payments that wait, as one of their depositors or not."""
        terms, milestone, paid = self._waiting()
        both = self.both
        caller = self.random.choice(self._parties)
        if self.random.random() < 0.3:
            both.world.evm.now += MAX_WAIT
        return both.act(
            "giveUpPayments",
            (terms, milestone, paid),
            caller,
            lambda: twin.give_up_payments(
                both.state, terms, milestone, paid, caller=caller, now=both.now
            ),
        )

    # ------------------------------------------------------------------ the rest of the world

    def freeze(self) -> str:
        """Freeze or free an account or an asset."""
        both, random = self.both, self.random
        frozen = random.random() < 0.5
        if random.random() < 0.7:
            account = random.choice(self._parties)
            return both.change(
                "freezeAccount",
                (account, frozen, b"TEST"),
                DEPLOYER,
                lambda: chainstate.freeze_account(
                    both.both.state, account, frozen=frozen, why=b"TEST"
                ),
            )
        asset = random.choice(ASSETS)
        return both.change(
            "freezeAsset",
            (asset, frozen, b"TEST"),
            DEPLOYER,
            lambda: chainstate.freeze_asset(both.both.state, asset, frozen=frozen, why=b"TEST"),
        )

    def suspend(self) -> str:
        """Suspend or admit an account."""
        both = self.both
        account = self.random.choice(self._parties)
        standing = self.random.choice((Standing.ADMITTED, Standing.ADMITTED, Standing.SUSPENDED))
        return both.change(
            "setStanding",
            (account, standing, 1),
            DEPLOYER,
            lambda: chainstate.set_standing(both.both.state, account, standing, 1),
        )

    def settle(self) -> str:
        """Settle an instruction that conditions name."""
        return self.both.settle(self.random.choice(self.both.instructions), self._anyone())

    def wait(self) -> str:
        """Let time pass to where something changes, or a second before or after it."""
        both, random = self.both, self.random
        instants = [both.now + 1, both.now + random.choice((5, 1000, 4000))]
        for terms in both.terms[-4:]:
            instants += [terms.open_by]
            for condition in conditions_of(terms):
                instants += times_of(condition)
                instants += [
                    leaf.at
                    for leaf, _ in leaves_of(condition)
                    if isinstance(leaf, Reading | Feed) and leaf.kind == BY_INSTANT
                ]
            for one in twin.what_now(both.state, terms, now=both.now):
                instants += [one.until, one.deadline]
        later = [at + random.choice((-1, 0, 0, 1)) for at in instants if at > both.now]
        near = sorted(at for at in later if at >= both.now)[:6]
        both.world.evm.now = random.choice(near or [both.now + 1])
        return ""

    # ------------------------------------------------------------------ drawing

    def _evidence(self, terms: EscrowTerms, milestone: int) -> list[bytes]:
        if milestone >= len(terms.deadlines):
            return []
        condition = conditions_of(terms)[milestone]
        pieces = [self._piece(terms, milestone, leaf) for leaf in evidence_leaves(condition)]
        return pieces[1:] if self.random.random() < 0.03 else pieces

    def _piece(self, terms: EscrowTerms, milestone: int, leaf: Condition) -> bytes:
        draw = self.random.random()
        if draw < 0.15:
            return b""
        if draw < 0.19:
            return self.random.randbytes(self.random.choice((1, 8, 10, 24, 31, 32, 73)))
        match leaf:
            case Signed():
                return self._attestation(terms, milestone, leaf)
            case Reading():
                return self._reading(terms, milestone, leaf)
            case Feed():
                return feed_evidence(self._round_of(leaf))
            case Preimage():
                secret = SECRET_OF[leaf.digest]
                return secret if draw < 0.95 else secret[::-1][:31] + b"\x00"
            case Settled():
                named = [
                    one
                    for one in self.both.instructions
                    if self.both.both.state.id_of(one) == leaf.instruction or draw > 0.95
                ]
                return encode_instruction(named[0])
            case _:
                raise AssertionError(leaf)

    def _attestation(self, terms: EscrowTerms, milestone: int, leaf: Signed) -> bytes:
        observed_at = self._observed()
        about = milestone if self.random.random() < 0.95 else milestone + 1
        digest = attestation_digest(
            self._name(terms),
            about,
            leaf.signer,
            leaf.statement,
            observed_at=observed_at,
            domain=self.both.world.domain,
        )
        return signed_evidence(observed_at, self._signature(leaf.signer, digest, 0.97))

    def _reading(self, terms: EscrowTerms, milestone: int, leaf: Reading) -> bytes:
        exact = leaf.kind == BY_INSTANT and self.random.random() < 0.9
        observed_at = leaf.at if exact else self._observed()
        value = self.random.choice((leaf.low, leaf.high, leaf.low - 1, leaf.high + 1))
        digest = reading_digest(
            self._name(terms),
            milestone,
            leaf.signer,
            leaf.feed,
            kind=leaf.kind,
            at=leaf.at,
            value=value,
            observed_at=observed_at,
            domain=self.both.world.domain,
        )
        return reading_evidence(value, observed_at, self._signature(leaf.signer, digest, 0.97))

    def _observed(self) -> int:
        return self.both.now - self.random.choice((0, 0, 0, 1, 100, 5000, -1))

    def _round_of(self, leaf: Feed) -> int:
        if leaf.kind != BY_INSTANT:
            return leaf.at + self.random.choice((0, 0, 0, 1))
        first = -(-(leaf.at - START) // FEED_STEP)
        return max(0, first + self.random.choice((0, 0, 0, 0, 1, -1)))

    def _paid(self, terms: EscrowTerms, milestone: int) -> list[int]:
        random = self.random
        lines = lines_of(terms, milestone)
        kind = random.choice(("all", "none", "some", "some"))
        paid = [
            {"all": line.quantity, "none": 0}.get(kind, random.randint(0, line.quantity))
            for line in lines
        ]
        draw = random.random()
        if draw < 0.03:
            return [*paid, 1]
        if draw < 0.06 and paid:
            return [lines[0].quantity + 1, *paid[1:]]
        return paid

    def _waiting(self) -> tuple[EscrowTerms, int, tuple[int, ...]]:
        both = self.both
        waiting = [
            (terms, k, one.paid)
            for terms in both.terms
            if (record := both.state.records.get(self._name(terms))) is not None
            for k, one in enumerate(record.milestones)
            if one.waits or self.random.random() < 0.02
        ]
        if not waiting:
            terms = self._terms()
            return terms, self._milestone(terms), ()
        terms, milestone, paid = self.random.choice(waiting)
        draw = self.random.random()
        if draw < 0.05:
            return terms, milestone, (*paid, 1)
        if draw < 0.1 and paid:
            return terms, milestone, (paid[0] + 1, *paid[1:])
        return terms, milestone, paid

    def _terms(self, *, disputed: bool = False) -> EscrowTerms:
        """Return terms that are open, mostly; one with a dispute, if that is asked."""
        both = self.both
        going = [
            terms
            for terms in both.terms
            if (record := both.state.records.get(self._name(terms))) is not None
            and not record.has_ended
            and (not disputed or any(at is not None for at in record.disputed_at))
        ]
        draw = self.random.random()
        if draw < 0.02:
            return replace(self.random.choice(both.terms), salt=self.random.randbytes(32))
        return self.random.choice(going if going and draw < 0.92 else both.terms)

    def _disputed_milestone(self, terms: EscrowTerms) -> int:
        """Return a milestone that can be ruled upon, mostly."""
        record = self.both.state.records.get(self._name(terms))
        milestones = () if record is None else record.milestones
        open_ = [k for k, one in enumerate(milestones) if one.disputed_at and not one.outcome]
        if open_ and self.random.random() < 0.9:
            return self.random.choice(open_)
        return self._milestone(terms)

    def _milestone(self, terms: EscrowTerms) -> int:
        count = len(terms.deadlines)
        if self.random.random() < 0.01:
            return count
        record = self.both.state.records.get(self._name(terms))
        still = [k for k in range(count) if record is None or not record.outcomes[k]]
        if still and self.random.random() < 0.9:
            return self.random.choice(still)
        return self.random.randrange(count)

    def _name(self, terms: EscrowTerms) -> EscrowId:
        """Return the id, and note that these terms are spoken of."""
        if terms in self.both.terms:
            self._touched.add(terms)
        return escrow_id(terms, self.both.world.domain)

    def _anyone(self) -> Address:
        return self.random.choice((*self._parties, *self._neutrals))

    def _caller(self, account: Address) -> Address:
        return account if self.random.random() < 0.5 else self._anyone()

    def _own(self, account: Address, digest: bytes, caller: Address, chance: float = 0.9) -> bytes:
        """Give an account's signature, or nothing where it calls itself."""
        if caller == account and self.random.random() < 0.7:
            return b""
        return self._signature(account, digest, chance)

    def _signature(self, account: Address, digest: bytes, chance: float) -> bytes:
        world = self.both.world
        if self.random.random() > chance:
            return self.random.choice((b"", *world.forgeries(account, digest)))
        if account == world.wallet:
            return world.good(account, digest, self.random)
        if account not in world.keys:
            return b"\x01" * 65
        signature = sign(digest, world.keys[account])
        return compact(signature) if self.random.random() < 0.5 else signature

    def _instruction(self, nonce: int) -> Instruction:
        gives, gets = self._parties[:2]
        return Instruction(
            initiator=gives,
            nonce=nonce,
            settle_from=START,
            settle_by=START + 20_000,
            options=OPTION_RECORD,
            trade_ref=keccak256(bytes([nonce])),
            legs=(Leg(asset=ASSETS[0], deliverer=gives, receiver=gets, quantity=1),),
        )
