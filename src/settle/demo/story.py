"""Plays the day: submit, match, sign, wait, settle, be killed, go on, cancel, lapse."""

from __future__ import annotations

import threading
import time
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from settle.demo.plan import Deal, Fate, Plan
from settle.demo.sides import sides_of
from settle.domain.errors import Refused, SettleError, Unavailable
from settle.domain.status import Status
from settle.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from settle.client.trades import Trade
    from settle.demo.bank import Bank
    from settle.demo.iso import IsoTrade
    from settle.demo.stage import Stage

_LOOK_S: Final = 0.5
_PAGE: Final = 500
_PATIENCE_S: Final = 120
_OUTCOMES: Final[Mapping[str, str]] = {
    Status.SETTLED.value: "settled",
    Status.UNMATCHED.value: "unmatched",
    Status.LAPSED.value: "lapsed",
    Status.CANCELLED.value: "cancelled",
    Status.REJECTED.value: "rejected",
}
_STAY_UNMATCHED: Final = (Fate.QUANTITY_DIFFERS, Fate.OUTSIDE_TOLERANCE)


class Story:
    """One day on a stage."""

    def __init__(
        self, stage: Stage, plan: Plan, tell: Callable[[str], None], by_message: IsoTrade
    ) -> None:
        """`tell` is told what happens, a line at a time."""
        self.stage = stage
        self.plan = plan
        self.kills = 0
        self.messages_in = 0
        self.messages_out = 0
        self._by_message = by_message
        self.reasons: Counter[str] = Counter()
        self._tell = tell
        self._seen: set[tuple[str, str]] = set()
        self._fault: BaseException | None = None
        ending = [deal for deal in plan.deals if deal.fate not in _STAY_UNMATCHED]
        self._progress = Progress("trades ended", len(ending) + 1, tell)
        self._never = {
            deal.reference + "B" for deal in plan.deals if deal.fate is Fate.NEVER_SIGNED
        }

    def play(self) -> Counter[str]:
        """Play it to the end. Gives how many trades came to which of the six outcomes.

        Raises: Unavailable if a trade that should settle does not within minutes.
        """
        deals = self.plan.deals
        # What has to happen before the close goes first.
        ordered = sorted(deals, key=lambda deal: deal.fate is not Fate.NEVER_SIGNED)
        half = len(ordered) // 2
        with self._signing():
            self._submit(ordered[:half])
            self._tell(f"{half} trades submitted by both sides")
            self._wait("a trade to settle", lambda now: _count(now, Status.SETTLED) > 0)
            self.stage.kill_operator()
            self.kills += 1
            self._tell("the operator's process was killed (SIGKILL); starting it again")
            self.stage.start_operator()
            self._submit(ordered[half:])
            self._tell(f"all {len(deals)} trades submitted")
            self.messages_in = self._by_message.send()
            self._tell("one more, by sese.023 from both sides")
            self._wait_for_the_short()
            made = self.stage.issue(self.plan.half_way)
            self._tell(f"{made} holdings arrived that trades wait for")
            self._cancel()
            self._wait("all trades to end", self._is_over)
        self._together(lambda place: self.stage.banks[place].desk.fetch_bundles())
        self.messages_out = self._by_message.confirmations()
        final = self._look()
        outcomes = [final[deal.reference].status for deal in deals]
        outcomes.append(final[self._by_message.references[0]].status)
        return Counter(_OUTCOMES.get(status, "pending") for status in outcomes)

    # --------------------------------------------------------------------------- acts

    def _submit(self, deals: Iterable[Deal]) -> None:
        """Let both sides of each deal be submitted by their parties, each in a thread."""
        banks = self.stage.banks
        queues: list[list[Deal]] = [[] for _ in banks]
        for deal in deals:
            queues[deal.seller].append(deal)
            queues[deal.buyer].append(deal)

        def run(place: int) -> None:
            sides = sides_of(queues[place], place, banks, self.stage.hours)
            banks[place].desk.submit(sides)

        self._together(run)

    def _cancel(self) -> None:
        trades = self._look()
        for deal in self.plan.deals:
            if deal.fate is Fate.CANCELLED:
                for place in (deal.seller, deal.buyer):
                    self.stage.banks[place].desk.cancel(trades[deal.reference].trade_id)
                self._tell(f"{deal.reference}: both sides asked to cancel")

    def _wait_for_the_short(self) -> None:
        """Until all that can settle has, and the rest says what it lacks."""
        quiet = {Status.SETTLED.value, Status.PENDING.value}

        def waits(now: Mapping[str, Trade]) -> bool:
            return all(
                now[deal.reference].status in quiet
                for deal in self.plan.deals
                if deal.fate in (Fate.SETTLES, Fate.WITHIN_TOLERANCE)
            )

        self._wait("trades to settle or to say what they lack", waits)
        lacking = ", ".join(f"{count} {code}" for code, count in sorted(self.reasons.items()))
        self._tell(f"pending or unmatched so far: {lacking}")

    def _is_over(self, now: Mapping[str, Trade]) -> bool:
        ends = {
            Fate.SETTLES: Status.SETTLED,
            Fate.WITHIN_TOLERANCE: Status.SETTLED,
            Fate.QUANTITY_DIFFERS: Status.UNMATCHED,
            Fate.OUTSIDE_TOLERANCE: Status.UNMATCHED,
            Fate.NEVER_SIGNED: Status.LAPSED,
            Fate.CANCELLED: Status.CANCELLED,
        }
        return all(now[deal.reference].status == ends[deal.fate].value for deal in self.plan.deals)

    # ------------------------------------------------------------------------- looking

    def _look(self) -> dict[str, Trade]:
        """Tell how each deal stands, as its seller sees it."""
        found: dict[str, Trade] = {}
        for bank in self.stage.banks:
            for trade in bank.desk.client.trades(limit=_PAGE):
                if trade.side is None or trade.side.reference is None:
                    continue  # alleged, and not answered yet
                reference = trade.side.reference
                seller = reference.endswith("S")
                if seller or reference == self._by_message.references[0]:
                    found[reference[:-1] if seller else reference] = trade
                    for reason in trade.reasons:
                        if (reference, reason.code) not in self._seen:
                            self._seen.add((reference, reason.code))
                            self.reasons[reason.code] += 1
        return found

    def _wait(self, what: str, done: Callable[[Mapping[str, Trade]], bool]) -> None:
        give_up_at = time.monotonic() + _PATIENCE_S
        while True:
            now = self._look()
            if self._fault is not None:
                raise self._fault
            self._progress.reached(sum(one.ended_at is not None for one in now.values()))
            if done(now):
                return
            if time.monotonic() > give_up_at:
                counts = dict(Counter(one.status for one in now.values()))
                message = f"gave up waiting for {what}: {counts}"
                raise Unavailable(message, code="demo_stuck")
            time.sleep(_LOOK_S)

    @contextmanager
    def _signing(self) -> Iterator[None]:
        """Let every participant's signer run beside the story."""
        stop = threading.Event()

        def run(bank: Bank) -> None:
            program = bank.program()
            try:
                while not stop.is_set():
                    done = program.sign_pending(never=self._never)
                    for refusal in done.refused:
                        message = f"{refusal.reference}: {refusal.message}"
                        raise Refused((), message, code=refusal.code)
                    if not done.signed:
                        stop.wait(_LOOK_S)
            except SettleError as fault:
                self._fault = fault
            finally:
                program.client.close()
                program.journal.close()

        threads = [threading.Thread(target=run, args=(bank,)) for bank in self.stage.banks]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            stop.set()
            for thread in threads:
                thread.join()

    def _together(self, run: Callable[[int], object]) -> None:
        faults: list[BaseException] = []

        def guarded(place: int) -> None:
            try:
                run(place)
            except SettleError as fault:
                faults.append(fault)

        threads = [
            threading.Thread(target=guarded, args=(place,))
            for place in range(len(self.stage.banks))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if faults:
            raise faults[0]


def _count(now: Mapping[str, Trade], status: Status) -> int:
    return sum(one.status == status.value for one in now.values())
