"""The participants of a run: they submit, sign, cancel, send again and read their events."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from settle.api.idempotency import Answer
from settle.chain.eip712 import sign
from settle.domain.errors import Conflict
from settle.domain.ids import InstructionId, Lei, TradeId
from settle.domain.instruction import cancellation_digest
from settle.services.cancel_trade import SignedCancellation
from settle.services.sign_instructions import Consent
from settle.services.trade_rows import EventRow
from tests.crash.faults import Faults
from tests.crash.operator_model import Operator
from tests.fakes import DOMAIN, FakeClock
from tests.support.trade_sides import DELIVERY, LEI_A, LEI_B, LEI_C
from tests.support.venue_world import ACCOUNTS, KEYS, TODAY

LEIS = (LEI_A, LEI_B, LEI_C)
_MOST_DEALS = 4


@dataclass
class Request:
    """A POST of a participant, sent again until it is answered."""

    key: str
    lei: Lei
    send: Callable[[Operator], tuple[Answer, bool]]
    answer: Answer | None = None


@dataclass
class Deal:
    """A trade as its two parties see it."""

    submitted: list[Request]
    further: list[Request] = field(default_factory=list)
    trade_id: TradeId | None = None
    digest: InstructionId | None = None
    cancels: bool = False


class Parties:
    """Three banks; each keeps what it asked until it is answered."""

    def __init__(
        self, dice: random.Random, faults: Faults, clock: FakeClock, violations: list[str]
    ) -> None:
        self._dice, self._faults, self._clock = dice, faults, clock
        self.violations = violations
        self.deals: list[Deal] = []
        self.requests: list[Request] = []
        self.received: dict[Lei, dict[int, EventRow]] = {lei: {} for lei in LEIS}
        self.cursors = dict.fromkeys(LEIS, 0)

    def deal(self) -> None:
        if len(self.deals) >= _MOST_DEALS:
            return
        seller, buyer = self._dice.sample(LEIS, 2)
        number = len(self.deals) + 1
        ours = replace(
            DELIVERY,
            reference=f"S-{number}",
            common_reference=f"C-{number}",
            settlement_date=TODAY,
            nonce=number,
            submitted_by=seller,
            delivering_party=seller,
            receiving_party=buyer,
            quantity=self._dice.randrange(1, 900),
            amount=self._dice.randrange(1, 4_000_000),
        )
        theirs = replace(ours, submitted_by=buyer, movement="RECE", reference=f"B-{number}")
        made = []
        for side in (ours, theirs):
            key = f"submit-{side.reference}"
            made.append(
                Request(key, side.submitted_by, lambda o, k=key, s=side: o.submit(k, s))  # type: ignore[misc]
            )
        self.requests += made
        self.deals.append(Deal(made))

    def ask(self, operator: Operator) -> None:
        waiting = [one for one in self.requests if one.answer is None]
        if waiting:
            self._post(operator, self._dice.choice(waiting))

    def ask_all(self, operator: Operator) -> None:
        """Send all that is not answered."""
        for one in list(self.requests):
            if one.answer is None:
                self._post(operator, one)

    def ask_again(self, operator: Operator) -> None:
        if self.requests:
            self._post(operator, self._dice.choice(self.requests))

    def _post(self, operator: Operator, request: Request) -> None:
        try:
            answer, _ = request.send(operator)
        except Conflict:
            return  # still under way
        if not self._faults.calm and self._dice.random() < 0.15:
            return  # answered, but the connection was gone
        if request.answer is None:
            request.answer = answer
            self._follow_up(request, answer)
        elif (request.answer.status, request.answer.body) != (answer.status, answer.body):
            self.violations.append(f"doubled: {request.key} was answered twice, differently")

    def _follow_up(self, request: Request, answer: Answer) -> None:
        """Both have submitted: both sign the digest that the answer names."""
        for deal in self.deals:
            if request in deal.submitted and answer.status < 300:
                told = json.loads(answer.body)
                deal.trade_id = TradeId(told["trade_id"])
                if told.get("digest"):
                    deal.digest = InstructionId(bytes.fromhex(told["digest"][2:]))
                    for one in deal.submitted:
                        consent = Consent(
                            digest=deal.digest, signature=sign(deal.digest, KEYS[one.lei])
                        )
                        self._further(
                            deal,
                            f"sign-{one.key}",
                            one.lei,
                            lambda o, k, lei, c=consent: o.sign(k, lei, c),  # type: ignore[misc]
                        )

    def cancel(self) -> None:
        ready = [one for one in self.deals if one.digest and one.trade_id and not one.cancels]
        if not ready or self._dice.random() < 0.4:
            return
        deal = self._dice.choice(ready)
        deal.cancels = True
        assert deal.digest is not None
        until = self._clock.now + 2_000
        for one in deal.submitted:
            digest = cancellation_digest(ACCOUNTS[one.lei], deal.digest, DOMAIN, valid_by=until)
            signed = SignedCancellation(valid_by=until, signature=sign(digest, KEYS[one.lei]))
            self._further(
                deal,
                f"cancel-{one.key}",
                one.lei,
                lambda o, k, lei, s=signed, t=deal.trade_id: o.cancel(k, lei, t, s),  # type: ignore[misc]
            )

    def _further(
        self, deal: Deal, key: str, lei: Lei, send: Callable[..., tuple[Answer, bool]]
    ) -> None:
        made = Request(key, lei, lambda o: send(o, key, lei))
        deal.further.append(made)
        self.requests.append(made)

    def listen_to_the_end(self, operator: Operator) -> None:
        """Read all streams until nothing comes any more."""
        for lei in LEIS:
            before = -1
            while self.cursors[lei] != before:
                before = self.cursors[lei]
                self.listen(operator, lei)

    def listen(self, operator: Operator, lei: Lei | None = None) -> None:
        """Read a stream on from what was acknowledged; the acknowledgement may be lost."""
        lei = lei or self._dice.choice(LEIS)
        with operator.database.reading() as conn:
            page = operator.venue.store.read_events(
                conn, viewer=lei, after=self.cursors[lei], limit=20
            )
        for number, row in enumerate(page, start=self.cursors[lei] + 1):
            if row.number != number:
                self.violations.append(f"lost: event {number} of {lei}, {row.number} came instead")
            if self.received[lei].setdefault(row.number, row) != row:
                self.violations.append(f"doubled: event {row.number} of {lei} has two contents")
        if page and (self._faults.calm or self._dice.random() < 0.7):
            self.cursors[lei] = page[-1].number
