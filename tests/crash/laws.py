"""What must hold after a run, whatever went wrong in it: lost, doubled, gaps, and equality."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from sqlalchemy import Connection

from settle.domain.chain_events import InstructionCancelled, InstructionSettled
from settle.domain.instruction import instruction_id
from settle.domain.ledger import NonceState
from settle.domain.status import Status
from settle.services.chain_rows import TransactionState
from settle.services.trade_rows import TradeRow
from tests.crash.chain_model import read_call
from tests.crash.parties import LEIS, Parties
from tests.crash.story import SENDER, Story
from tests.fakes import DOMAIN
from tests.support.venue_world import ACCOUNTS


def violations(story: Story) -> list[str]:
    """Check a run that has ended; each fault begins with the name of its kind."""
    checks = (_answers, _trades, _tellings, _nonces, _attempts, _equality, _sent_once)
    operator = story._process()
    with operator.database.reading() as conn:
        return [*story.violations, *(found for check in checks for found in check(story, conn))]


def _rows(conn: Connection, statement: str) -> list[Any]:
    return conn.exec_driver_sql(statement).all()  # type: ignore[return-value]


def _trade_rows(story: Story, conn: Connection) -> dict[str, TradeRow]:
    numbers = [row.trade_id for row in _rows(conn, "SELECT trade_id FROM trades")]
    return dict(story._process().venue.store.trades(conn, numbers))


# ---------------------------------------------------------------------- what was asked


def _answers(story: Story, conn: Connection) -> list[str]:
    """Every request has its one answer; every accepted side is in one trade."""
    found = []
    trades = _trade_rows(story, conn)
    for one in story.parties.requests:
        if one.answer is None:
            found.append(f"lost: {one.key} has no answer")
            continue
        kept = conn.exec_driver_sql(
            "SELECT http_status FROM idempotency WHERE lei = ? AND key = ?", (one.lei, one.key)
        ).scalar_one_or_none()
        if kept != one.answer.status:
            found.append(f"lost: {one.key} was answered {one.answer.status}, {kept} is kept")
        if one.answer.status < 300:
            told = json.loads(one.answer.body)
            if told["trade_id"] not in trades:
                found.append(f"lost: {one.key} was accepted as {told['trade_id']}, which is gone")
    found += [
        f"doubled: the side {row.reference} is there {row.n} times"
        for row in _rows(conn, "SELECT reference, count(*) AS n FROM sides GROUP BY lei, reference")
        if row.n != 1
    ]
    if len(trades) > len(story.parties.deals):
        found.append(f"doubled: {len(trades)} trades of {len(story.parties.deals)} deals")
    return found


def _trades(story: Story, conn: Connection) -> list[str]:
    """Each trade is settled once on chain and here, or refused for good with a reason.

    What both signed, nobody cancelled and is covered must settle: to lie until it lapses is a loss.
    """
    found = []
    wanted = {deal.digest for deal in story.parties.deals if not deal.cancels}
    books = story.chain.head.state.books
    ends = _ends(story)
    for row in _trade_rows(story, conn).values():
        if not row.status.is_terminal:
            found.append(f"lost: {row.trade_id} is {row.status} for ever, {row.queue}")
        if row.digest is None:
            if not row.reasons:
                found.append(f"lost: {row.trade_id} ended without a reason")
            continue
        settled = ends[row.digest, "InstructionSettled"]
        if story.all_is_covered and row.digest in wanted and row.status is not Status.SETTLED:
            found.append(f"lost: {row.trade_id} is {row.status}, nothing stood in its way")
        if settled > 1:
            found.append(f"doubled: {row.trade_id} settled {settled} times")
        if (row.status is Status.SETTLED) != (settled == 1):
            found.append(f"lost: {row.trade_id} is {row.status}, on chain {settled} times settled")
        if row.status is not Status.SETTLED and not row.reasons:
            found.append(f"lost: {row.trade_id} is {row.status} without a reason")
        state = books.nonce_state(row.initiator, row.nonce)
        if (state is NonceState.SETTLED) != (row.status is Status.SETTLED):
            found.append(f"lost: {row.trade_id} is {row.status}, its nonce {state}")
    return found


def _ends(story: Story) -> Counter[tuple[bytes, str]]:
    kinds = InstructionSettled | InstructionCancelled
    return Counter(
        (event.id, type(event).__name__)
        for block in story.chain.blocks
        for mined in block.mined
        for event in mined.events
        if isinstance(event, kinds)
    )


def _tellings(story: Story, conn: Connection) -> list[str]:
    """Both parties got every event, in order, and of each end exactly one."""
    found = []
    store = story._process().venue.store
    parties: Parties = story.parties
    ends = {"trade.settled", "trade.cancelled", "trade.lapsed"}
    for lei in LEIS:
        rows = store.read_events(conn, viewer=lei, after=0, limit=10_000)
        if list(parties.received[lei].values()) != list(rows):
            got = sorted(parties.received[lei])
            found.append(f"lost: {lei} received {len(got)} events of {len(rows)}")
        if [row.number for row in rows] != list(range(1, len(rows) + 1)):
            found.append(f"gaps: the events of {lei} are not numbered without a gap")
        told = Counter(row.trade_id for row in rows if row.kind in ends)
        for row in _trade_rows(story, conn).values():
            if lei in row.parties and row.digest and told[row.trade_id] != 1:
                kind = "doubled" if told[row.trade_id] else "lost"
                found.append(f"{kind}: {lei} heard {told[row.trade_id]} ends of {row.trade_id}")
    return found


# -------------------------------------------------------------------- what was sent


def _nonces(story: Story, conn: Connection) -> list[str]:
    """Every nonce that was given out is used, by us or by whom the alarm named."""
    in_chain = story.chain.head.nonces.get(SENDER, 0)
    next_nonce = conn.exec_driver_sql("SELECT max(next_nonce) FROM senders").scalar_one() or 0
    found = []
    if next_nonce > in_chain:
        found.append(f"gaps: {next_nonce} nonces given out, {in_chain} in the chain")
    if next_nonce < in_chain and not story.foreign:
        found.append(f"gaps: {in_chain} in the chain, {next_nonce} given out")
    by_nonce = {row.nonce: row for row in _rows(conn, "SELECT * FROM transactions")}
    for block in story.chain.blocks:
        for mined in block.mined:
            row = by_nonce.pop(mined.tx.nonce, None)
            ours = row is not None and row.attempt_hash == mined.tx.hash
            if mined.tx.hash in story.foreign:
                if row is not None and row.state != TransactionState.DISPLACED:
                    found.append(f"gaps: nonce {mined.tx.nonce} is {row.state}, others took it")
            elif not ours or row.block_hash != block.hash:
                found.append(f"gaps: nonce {mined.tx.nonce} in the chain is not the row's")
            elif row.state != _state_of(mined.succeeded, noop=not mined.tx.data):
                found.append(f"gaps: nonce {mined.tx.nonce} is {row.state}, the chain says not")
    found += [f"gaps: nonce {n} ({row.state}) is in no block" for n, row in by_nonce.items()]
    return found


def _state_of(succeeded: bool, *, noop: bool) -> TransactionState:
    if noop:
        return TransactionState.VOID
    return TransactionState.SUCCEEDED if succeeded else TransactionState.REVERTED


def _attempts(story: Story, conn: Connection) -> list[str]:
    """No attempt can still come true, and none is without its transaction."""
    found = [
        f"gaps: an attempt of nonce {nonce} waits in the pool"
        for sender, nonce in story.chain.pool
        if sender == SENDER
    ]
    orphans = _rows(
        conn,
        "SELECT hex(a.hash) AS hash FROM attempts a LEFT JOIN transactions t USING "
        "(transaction_id) LEFT JOIN attempt_bytes b USING (hash) WHERE t.transaction_id IS NULL "
        "OR b.hash IS NULL OR t.state IN ('queued', 'sent', 'mined')",
    )
    found += [f"gaps: the attempt {row.hash} is an orphan" for row in orphans]
    for nonce, payloads in story.payloads.items():
        if len(payloads) > 1:
            found.append(f"doubled: {len(payloads)} different calls left under nonce {nonce}")
    return found


def _sent_once(story: Story, conn: Connection) -> list[str]:
    """What has settled goes to the chain no more; after a reorganisation it may be under way."""
    if story.chain.reorganised:
        return []
    found, settled = [], set()
    for block in story.chain.blocks:
        for mined in block.mined:
            if mined.tx.data:
                name, requests, _ = read_call(mined.tx.data)
                again = {instruction_id(one, DOMAIN) for one, _ in requests} & settled
                if again and name == "settleMany":
                    found.append(f"doubled: nonce {mined.tx.nonce} brings what has settled")
            settled |= {one.id for one in mined.events if isinstance(one, InstructionSettled)}
    return found


# ------------------------------------------------------------------- database and chain


def _equality(story: Story, conn: Connection) -> list[str]:
    """The derived rows are the chain's state, and the events of the chain are all here, once."""
    found = []
    books = story.chain.head.state.books
    [cursor] = _rows(conn, "SELECT * FROM cursor")
    if cursor.hash != story.chain.head.hash:
        found.append(f"lost: followed to {cursor.number}, the chain is at other blocks")
    held = story._process().venue.store.holdings_of(conn, ACCOUNTS.values())
    here = {(bytes(row.account), row.asset): (row.available, row.held) for row in held}
    for account in ACCOUNTS.values():
        for asset in (1, 2):
            there = books.holding(account, asset)  # type: ignore[arg-type]
            if here.get((bytes(account), asset)) != (there.available, there.held):
                found.append(f"lost: the holding of asset {asset} is not the chain's")
    ends = Counter(
        {
            (bytes(row.instruction), row.outcome): 1
            for row in _rows(conn, "SELECT instruction, outcome FROM outcomes")
        }
    )
    names = {"InstructionSettled": "settled", "InstructionCancelled": "cancelled"}
    if ends != Counter({(bytes(i), names[kind]): n for (i, kind), n in _ends(story).items()}):
        found.append("lost: the outcomes are not the chain's")
    events = sum(
        len(block.said) + sum(len(one.events) for one in block.mined)
        for block in story.chain.blocks
    )
    [stored] = _rows(conn, "SELECT count(*) AS n FROM chain_events")
    if stored.n != events:
        found.append(f"lost: {stored.n} events of the chain are here, it has {events}")
    return found
