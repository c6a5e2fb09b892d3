"""An operator without its loops over a real chain: each round sends, mines and follows once."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from chain_engines import FUNDED_KEYS, mine
from chain_market import ACCOUNTS, KEYS, LEIS, NAMES, Market
from sqlalchemy import Connection

from settle.chain.eip712 import recover, sign
from settle.chain.follower import Follower
from settle.chain.operator_chain import NodeReader, SenderOutgoing
from settle.chain.sender import Sender
from settle.domain.ids import Address, Lei
from settle.domain.window import Calendar
from settle.services.admit_participants import Admission, admit_participants
from settle.services.chain_calls import BatchLimits
from settle.services.chain_rows import TransactionRow
from settle.services.examine_sides import SideRequest, examine_sides
from settle.services.executor import Executor, Step
from settle.services.market_rules import MarketRules
from settle.services.record_outcomes import RecordOutcomes
from settle.services.sign_instructions import Consent, check_consents, sign_instructions
from settle.services.submit_sides import submit_sides
from settle.services.trade_numbers import TradeNumbers
from settle.services.trade_rows import TradeRow
from settle.services.venue import Venue
from settle.store.alarms import Alarms
from settle.store.chain_tables import SqlFollowerStore
from settle.store.database import open_database
from settle.store.trading import SqlTradingStore
from settle.store.transactions import SqlSenderStore
from tests.support.trade_sides import DELIVERY

RULES = MarketRules(
    recycling_days=2,
    unmatched_days=3,
    calendars=(Calendar(name="always", version="1", weekend=frozenset()),),
)


LEI_OF = {name: Lei(lei) for name, lei in zip(NAMES, LEIS, strict=True)}


class _SendingStore(SqlSenderStore, Alarms):
    """What the sender writes."""


@dataclass(frozen=True)
class Bank:
    """A participant: its account, and its key; without one its wallet takes whatever comes."""

    lei: Lei
    account: Address
    key: bytes | None


class OperatorOnChain:
    """All services of an operator over a market that is mined by hand."""

    def __init__(
        self,
        market: Market,
        path: Path,
        limits: BatchLimits,
        banks: Mapping[str, Bank],
    ) -> None:
        """`banks` are admitted on chain already."""
        self.market, self.banks = market, banks
        self.now = market.now()
        self.database = open_database(f"sqlite:///{path / 'settle.sqlite'}")
        node, profile = market.node, market.engine.profile
        self.sender = Sender(
            database=self.database,
            store=_SendingStore(),
            node=node,
            key=FUNDED_KEYS[0],
            profile=profile,
            clock=self.clock,
            on_result=self._on_result,
        )
        ids = (n.to_bytes(10, "big") for n in itertools.count(1))
        self.venue = Venue(
            database=self.database,
            store=SqlTradingStore(),
            alarms=Alarms(),
            chain=NodeReader(node=node, deployment=market.deployment, profile=profile),
            outgoing=SenderOutgoing(sender=self.sender, deployment=market.deployment),
            recover=recover,
            clock=self.clock,
            new_id=TradeNumbers(lambda _: next(ids)),
            domain=market.deployment.domain,
            rules=RULES,
        )
        self.outcomes = RecordOutcomes(venue=self.venue)
        self.follower = Follower(
            database=self.database,
            store=SqlFollowerStore(),
            node=node,
            deployment=market.deployment,
            profile=profile,
            clock=self.clock,
            listeners=[self.outcomes],
        )
        self.executor = Executor(self.venue, limits)
        with self.database.transaction() as conn:
            admissions = [
                Admission(lei=bank.lei, bic=None, name=name, accounts=(bank.account,))
                for name, bank in banks.items()
            ]
            admit_participants(self.venue, conn, admissions, self.now)
        self.sender.start()
        self.follower.open()
        self.follow()

    def clock(self) -> int:
        return self.now

    def _on_result(self, conn: Connection, row: TransactionRow) -> None:
        self.outcomes.ended(conn, row)

    def close(self) -> None:
        self.database.close()

    # ------------------------------------------------------------------------- trades

    def affirm(self, seller: str, buyer: str, shares: int, cents: int) -> TradeRow:
        """Let both instruct and sign."""
        trade = self.match(seller, buyer, shares, cents)
        self.sign(trade, seller)
        return self.sign(trade, buyer)

    def match(self, seller: str, buyer: str, shares: int, cents: int) -> TradeRow:
        """Let both instruct."""
        self.market.next_nonce += 1
        n = self.market.next_nonce
        ours = replace(
            DELIVERY,
            reference=f"S-{n}",
            common_reference=f"C-{n}",
            submitted_by=self.banks[seller].lei,
            delivering_party=self.banks[seller].lei,
            receiving_party=self.banks[buyer].lei,
            quantity=shares,
            amount=cents,
            trade_date=self._today() - timedelta(days=1),
            settlement_date=self._today(),
            nonce=n,
        )
        theirs = replace(
            ours, submitted_by=self.banks[buyer].lei, movement="RECE", reference=f"B-{n}"
        )
        for side in (ours, theirs):
            examined = examine_sides(
                self.venue, side.submitted_by, [SideRequest(side=side)], self.now
            )
            with self.database.transaction() as conn:
                [done] = submit_sides(self.venue, conn, side.submitted_by, examined, self.now)
        return done.trade

    def sign(self, trade: TradeRow, name: str) -> TradeRow:
        """Bring the consent of one of them."""
        bank = self.banks[name]
        assert trade.digest is not None
        signature = sign(trade.digest, bank.key or KEYS["ALPHA"])
        checked = check_consents(
            self.venue, bank.lei, [Consent(digest=trade.digest, signature=signature)]
        )
        with self.database.transaction() as conn:
            [signed] = sign_instructions(self.venue, conn, checked, self.now)
        return signed.trade

    def row(self, trade: TradeRow) -> TradeRow:
        with self.database.reading() as conn:
            return self.venue.store.trades(conn, [trade.trade_id])[trade.trade_id]

    def _today(self) -> date:
        return datetime.fromtimestamp(self.now, UTC).date()

    # -------------------------------------------------------------------------- rounds

    def round(self) -> Step:
        """Decide, send, mine, and take in all that is final then."""
        step = self.executor.step(self.now)
        self.settle_down()
        return step

    def settle_down(self) -> None:
        """Let what is on its way become final and be heard of."""
        for _ in range(20):
            idle = self.sender.pump().idle
            self.follow()
            if idle:
                return
            mine(self.market.node, 2)
        raise AssertionError("the sender never came to rest")

    def follow(self) -> None:
        """Take in all blocks."""
        while not self.follower.step().idle:
            pass
        self.now = max(self.now, self.market.now())

    def call(self, name: str, data: bytes) -> None:
        """Let a party call the contract itself, and take in the block."""
        self.market.call(name, data)
        self.follow()


def banks_of(*names: str) -> dict[str, Bank]:
    """The market's participants, who sign with keys."""
    return {name: Bank(LEI_OF[name], ACCOUNTS[name], KEYS[name]) for name in names}
