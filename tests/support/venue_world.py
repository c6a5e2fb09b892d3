"""A venue over a real database and a fake chain, with two banks that have keys and holdings."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, time
from typing import Any

from settle.chain.derived import Derivation
from settle.chain.eip712 import address_of, recover, sign
from settle.domain.chain_events import Recorded
from settle.domain.ids import Address, AssetId, Lei, TradeId
from settle.domain.instruction import (
    Instruction,
    accounts_of,
    cancellation_digest,
    instruction_id,
)
from settle.domain.ledger import AssetClass
from settle.domain.side import TradeSide
from settle.domain.window import Calendar
from settle.services.admit_participants import Admission, admit_participants
from settle.services.cancel_trade import (
    Cancellation,
    SignedCancellation,
    cancel_trade,
    check_cancellation,
)
from settle.services.chain_calls import BatchLimits, FinalHead
from settle.services.chain_rows import BlockRow, Cursor, NewTransaction, TransactionState
from settle.services.examine_sides import SideRequest, examine_sides
from settle.services.executor import Executor, Step
from settle.services.market_rules import MarketRules
from settle.services.record_outcomes import RecordOutcomes
from settle.services.sign_instructions import Consent, Signed, check_consents, sign_instructions
from settle.services.submit_sides import Submitted, submit_sides
from settle.services.trade_numbers import TradeNumbers
from settle.services.trade_rows import EventRow, TradeRow
from settle.services.venue import Venue
from settle.store.alarms import Alarms
from settle.store.chain_tables import SqlFollowerStore
from settle.store.database import Database
from settle.store.trading import SqlTradingStore
from settle.store.transactions import SqlSenderStore
from tests.fakes import DOMAIN, Call, FakeChain, FakeClock
from tests.support.trade_sides import DELIVERY, EUR, LEI_A, LEI_B, LEI_C, SHARE

NOON = 1_795_690_800  # 26 November 2026, 12:00 in Berlin: a Thursday
TODAY = date(2026, 11, 26)
KEYS = {lei: bytes([n]) * 32 for n, lei in enumerate((LEI_A, LEI_B, LEI_C), start=1)}
ACCOUNTS: dict[Lei, Address] = {lei: address_of(key) for lei, key in KEYS.items()}
BY_ACCOUNT = {account: KEYS[lei] for lei, account in ACCOUNTS.items()}
LIMITS = BatchLimits(
    gas=15_000_000,
    gas_base=30_000,
    gas_instruction=12_000,
    gas_leg=12_000,
    gas_signature=8_000,
    gas_wallet=112_000,
    legs=400,
    calldata=131_072,
)
RULES = MarketRules(
    zone="Europe/Berlin",
    opens=time(0, 0),
    closes=time(18, 0),
    recycling_days=2,
    unmatched_days=1,
    calendars=(Calendar(name="always", version="1", weekend=frozenset()),),
)


@dataclass
class World:
    """Everything of a test, over `database`."""

    database: Database
    limits: BatchLimits = LIMITS
    clock: FakeClock = field(default_factory=lambda: FakeClock(NOON))

    def __post_init__(self) -> None:
        self.chain = FakeChain(clock=self.clock)
        self.store = SqlTradingStore()
        self.followed = SqlFollowerStore()
        bytes_of = (n.to_bytes(10, "big") for n in itertools.count(1))
        self.venue = Venue(
            database=self.database,
            store=self.store,
            alarms=Alarms(),
            chain=self.chain,
            outgoing=self.chain,
            recover=recover,
            clock=self.clock,
            new_id=TradeNumbers(lambda _: next(bytes_of)),
            domain=DOMAIN,
            rules=RULES,
        )
        self.outcomes = RecordOutcomes(venue=self.venue)
        self.executor = Executor(self.venue, self.limits)
        self.block = 0
        self.final = 0
        self.numbers = itertools.count(1)
        self._unfinal: list[Recorded] = []

    # -------------------------------------------------------------------------- setting up

    def open_market(self, *, shares: int = 10_000, cents: int = 100_000_000) -> None:
        """Admit three banks, create a share and the euro, give each bank some of both."""
        with self.database.transaction() as conn:
            admissions = [
                Admission(lei=lei, bic=None, name=f"Bank {lei}", accounts=(account,))
                for lei, account in ACCOUNTS.items()
            ]
            admit_participants(self.venue, conn, admissions, self.clock.now)
        self.chain.admit(*ACCOUNTS.values())
        self.share = self.chain.create(SHARE, AssetClass.SECURITY)
        self.euro = self.chain.create(EUR, AssetClass.CENTRAL_BANK_MONEY, 2)
        for account in ACCOUNTS.values():
            for asset, quantity in ((self.share, shares), (self.euro, cents)):
                if quantity:
                    self.chain.issue(account, asset, quantity)
        self.mine()

    def issue(self, lei: Lei, asset: AssetId, quantity: int) -> None:
        self.chain.issue(ACCOUNTS[lei], asset, quantity)

    # ------------------------------------------------------------------------------ sides

    def pair(self, **changes: Any) -> tuple[TradeSide, TradeSide]:
        """Two sides that match, of a fresh trade: A delivers 500 shares to B for 28,100 euro."""
        n = next(self.numbers)
        fields = {
            "reference": f"A-{n}",
            "common_reference": f"COMMON-{n}",
            "settlement_date": TODAY,
            "nonce": n,
            **changes,
        }
        ours = replace(DELIVERY, **fields)
        return ours, self.answer(ours, reference=f"B-{n}", nonce=n)

    def answer(self, side: TradeSide, **changes: Any) -> TradeSide:
        """The other party states the same."""
        turned = {
            "submitted_by": side.counterparty,
            "movement": "RECE" if side.movement == "DELI" else "DELI",
            "reference": f"{side.reference}-B",
            "account": None,
            "counterparty_account": None,
            **changes,
        }
        return replace(side, **turned)

    def submit(self, *sides: TradeSide, **signed: Any) -> list[Submitted]:
        """Submit sides of one party. `signature`, `instruction`: of the only one."""
        caller = sides[0].submitted_by
        requests = [SideRequest(side=side, **signed) for side in sides]
        examined = examine_sides(self.venue, caller, requests, self.clock.now)
        with self.database.transaction() as conn:
            return submit_sides(self.venue, conn, caller, examined, self.clock.now)

    def match(self, **changes: Any) -> TradeRow:
        """A fresh trade that has matched."""
        ours, theirs = self.pair(**changes)
        self.submit(ours)
        return self.submit(theirs)[0].trade

    # ------------------------------------------------------------------------- signatures

    def sign(self, trade: TradeRow, *leis: Lei) -> list[Signed]:
        """Bring the consents of these parties, of both where none is named."""
        assert trade.digest is not None
        done: list[Signed] = []
        for lei in leis or trade.parties:
            consent = Consent(digest=trade.digest, signature=sign(trade.digest, KEYS[lei]))
            checked = check_consents(self.venue, lei, [consent])
            with self.database.transaction() as conn:
                done += sign_instructions(self.venue, conn, checked, self.clock.now)
        return done

    def affirm(self, **changes: Any) -> TradeRow:
        """A fresh trade that both have signed."""
        return self.sign(self.match(**changes))[-1].trade

    def cancel(
        self, trade: TradeRow, lei: Lei, *, valid_by: int | None = None, key: bytes | None = None
    ) -> Cancellation:
        signed = None
        if trade.digest is not None:
            until = self.clock.now + 600 if valid_by is None else valid_by
            digest = cancellation_digest(ACCOUNTS[lei], trade.digest, DOMAIN, valid_by=until)
            signed = SignedCancellation(valid_by=until, signature=sign(digest, key or KEYS[lei]))
        checked = check_cancellation(self.venue, lei, trade.trade_id, signed)
        with self.database.transaction() as conn:
            return cancel_trade(self.venue, conn, checked, self.clock.now)

    # ------------------------------------------------------------------------------ chain

    def step(self) -> Step:
        return self.executor.step(self.clock.now)

    def mine(self, *, final: bool = True) -> list[Recorded]:
        """Mine a block and follow it; `final` says whether it and those before it are final."""
        self.block += 1
        events = self.chain.mine(self.block)
        self._follow(events, final=final)
        return events

    def _follow(self, events: Sequence[Recorded], *, final: bool) -> None:
        at = self.clock.now
        row = BlockRow(
            number=self.block,
            hash=self.block.to_bytes(32, "big"),
            parent_hash=(self.block - 1).to_bytes(32, "big"),
            timestamp=at,
            final=final,
        )
        with self.database.transaction() as conn:
            self.followed.add_blocks(conn, [row], [])
            undo = None if final else self.block
            Derivation(conn, self.followed, {self.block: at}).write(events, undo_block=undo)
            if final:
                self.followed.mark_final(conn, self.block)
                self.final = self.block
            self.outcomes.appeared(conn, events, at=at)
            self._unfinal += events
            if final:
                done, self._unfinal = self._unfinal, []
                head = FinalHead(number=self.block, timestamp=at)
                self.outcomes.became_final(conn, done, head, at=at)
            self._set_cursor(conn)

    def _set_cursor(self, conn: Any) -> None:
        cursor = Cursor(
            genesis_hash=bytes(32),
            number=self.block,
            hash=self.block.to_bytes(32, "big"),
            final_number=self.final,
        )
        self.followed.set_cursor(conn, cursor)

    def retract(self, state: Any) -> None:
        """Take out the blocks that are not final; the chain is again as `state`."""
        self.chain.state = state
        gone, self._unfinal = self._unfinal, []
        with self.database.transaction() as conn:
            self.followed.remove_blocks(conn, self.final + 1)
            self.block = self.final
            self.outcomes.retracted(conn, gone, at=self.clock.now)
            self._set_cursor(conn)

    def tell_sender(self) -> None:
        """Let the services hear how the calls ended."""
        ended, self.chain.ended = self.chain.ended, []
        for call, succeeded in ended:
            state = TransactionState.SUCCEEDED if succeeded else TransactionState.REVERTED
            self.tell_ended(call, state)

    def tell_ended(self, call: Call, state: TransactionState) -> None:
        sender = SqlSenderStore()
        with self.database.transaction() as conn:
            sender.open_sender(conn, b"\x01" * 20, 0)
            row = sender.add_transaction(
                conn,
                NewTransaction(
                    sender=b"\x01" * 20,
                    to=b"\x02" * 20,
                    data=b"",
                    gas=call.gas,
                    purpose=call.purpose,
                    subject="{}",
                    created_at=self.clock.now,
                ),
            )
            told = replace(row, transaction_id=call.number, state=state)
            self.outcomes.ended(conn, told)

    def settle(self) -> None:
        """Send what is ready and let it become final."""
        self.step()
        self.mine()
        self.tell_sender()

    # ----------------------------------------------------------------------------- looking

    def row(self, trade: TradeRow | TradeId) -> TradeRow:
        number = trade if isinstance(trade, str) else trade.trade_id
        with self.database.reading() as conn:
            return self.store.trades(conn, [number])[number]

    def told(self, lei: Lei | None = None, after: int = 0) -> list[EventRow]:
        with self.database.reading() as conn:
            return list(self.store.read_events(conn, viewer=lei, after=after, limit=10_000))

    def kinds(self, trade: TradeRow) -> list[str]:
        return [e.kind for e in self.told() if e.trade_id == trade.trade_id]


def signed_by_all(instruction: Instruction) -> tuple[bytes, ...]:
    digest = instruction_id(instruction, DOMAIN)
    return tuple(sign(digest, BY_ACCOUNT[account]) for account in accounts_of(instruction))
