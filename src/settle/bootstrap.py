"""Puts an operator together: database, chain, use cases, loops, API. The one composition root.

Nothing here keeps state that a restart needs: what a killed process left is in the database and on
the chain, and each part goes on from there.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from settle.api.app import create_app
from settle.api.context import ApiContext, Check, Receipts
from settle.api.event_watch import EventWatch
from settle.api.iso_names import load_iso_names
from settle.api.logs import log, set_up_logging
from settle.api.metrics import Metrics
from settle.api.serving import ApiServer, bind, urls_of
from settle.background import WatchedLoop, stop_all
from settle.batch_gas import batch_limits
from settle.chain.deployment import Deployment, load_deployment
from settle.chain.eip712 import address_of, recover, sign
from settle.chain.follower import Follower
from settle.chain.node import Node
from settle.chain.operator_chain import NodeReader, SenderOutgoing
from settle.chain.profile import EngineProfile, load_profile
from settle.chain.rpc import Rpc
from settle.chain.sender import Sender
from settle.domain.errors import SettleError, Unavailable
from settle.gauges import DESCRIBED, gauges_of
from settle.services.chain_rows import Alarm
from settle.services.escrow_executor import EscrowExecutor
from settle.services.executor import Executor
from settle.services.receipts import ReceiptBook
from settle.services.record_escrows import ESCROW, RecordEscrows
from settle.services.record_outcomes import RecordOutcomes
from settle.services.trade_numbers import TradeNumbers
from settle.services.venue import Venue
from settle.store.alarms import Alarms
from settle.store.chain_tables import SqlFollowerStore
from settle.store.database import Database, open_database
from settle.store.receipts import ReceiptStore
from settle.store.trading import SqlTradingStore
from settle.store.transactions import SqlSenderStore

if TYPE_CHECKING:
    from fastapi import FastAPI
    from sqlalchemy import Connection

    from settle.domain.ids import Lei
    from settle.services.chain_rows import TransactionRow
    from settle.settings import Settings

_CHAIN_POLL_MS: Final = 100
_HOUSEKEEPING_MS: Final = 60_000
_ENDING: Final = ("escrows", "executor", "follower", "sender", "housekeeping")


class _SendingStore(SqlSenderStore, Alarms):
    """What the sender writes, alarms included."""


def now() -> int:
    """Unix seconds."""
    return int(time.time())


def build_operator(settings: Settings, key: bytes) -> Operator:
    """Open and connect everything; nothing runs yet. `key` signs the operator's transactions.

    Raises: InvalidInput for what the settings name and is not there or not right; Unavailable or
    Broken for a database that cannot be used.
    """
    set_up_logging(settings.log_level)
    profile = load_profile(settings.chain_toml, settings.engine)
    deployment = load_deployment(settings.deployment)
    database = open_database(settings.database_url)
    try:
        return Operator(settings, profile, deployment, key, database)
    except BaseException:
        database.close()
        raise


class Operator:
    """A running venue: `run` serves until it is told to stop."""

    def __init__(
        self,
        settings: Settings,
        profile: EngineProfile,
        deployment: Deployment,
        key: bytes,
        database: Database,
    ) -> None:
        """Connect the parts; `build_operator` reads them from the settings."""
        self.settings = settings
        self.database = database
        self.metrics = Metrics()
        self._profile = profile
        self._iso_names = load_iso_names(settings.iso_names)
        self._alarms = Alarms()
        self._followed = SqlFollowerStore()
        self._server: ApiServer | None = None
        self._stop_asked = False
        self._follower_open = False
        self._sending = False
        node = Node(Rpc(settings.rpc_url, max_batch=profile.rpc_batch))
        self._sender = Sender(
            database=database,
            store=_SendingStore(),
            node=node,
            key=key,
            profile=profile,
            clock=now,
            on_result=self._on_result,
        )
        self._book = ReceiptBook(
            key=address_of(key), domain=deployment.domain, sign=lambda digest: sign(digest, key)
        )
        self.venue = Venue(
            database=database,
            store=SqlTradingStore(self._book),
            alarms=self._alarms,
            chain=NodeReader(node=node, deployment=deployment, profile=profile),
            outgoing=SenderOutgoing(sender=self._sender, deployment=deployment),
            recover=recover,
            clock=now,
            new_id=TradeNumbers(secrets.token_bytes),
            domain=deployment.domain,
            rules=settings.market.rules(),
        )
        self._outcomes = RecordOutcomes(venue=self.venue)
        self._escrows = RecordEscrows(venue=self.venue)
        self._follower = Follower(
            database=database,
            store=self._followed,
            node=node,
            deployment=deployment,
            profile=profile,
            clock=now,
            listeners=[self._outcomes, self._escrows],
        )
        self._executor = Executor(self.venue, batch_limits(profile))
        self._escrow_executor = EscrowExecutor(self.venue)
        self.watch = EventWatch(self._last_numbers, idle_s=settings.idle_s)
        self.loops = self._make_loops()
        gauges = gauges_of(self.venue, self._followed, self._alarms, self.loops)
        self.metrics.watch(gauges, DESCRIBED)

    # ----------------------------------------------------------------------------- API

    def create_app(self, audiences: Sequence[str]) -> FastAPI:
        """Make the API for those who reach it under these origins."""
        api = self.settings.api
        context = ApiContext(
            database=self.database,
            venue=self.venue,
            settings=api,
            audiences=api.public_urls or tuple(audiences),
            watch=self.watch,
            metrics=self.metrics,
            followed=self._followed,
            iso_names=self._iso_names,
            receipts=Receipts(book=self._book, store=ReceiptStore()),
            checks=self._checks,
            on_commit=self._on_commit,
        )
        return create_app(context)

    def run(
        self, host: str, port: int, *, on_up: Callable[[str], None] = lambda _url: None
    ) -> None:
        """Serve until SIGTERM, SIGINT or `stop`; then end the loops and give everything back.

        `on_up` is told the URL when requests are taken; port 0 takes a free port.
        Raises: Unavailable if the address is taken.
        """
        listening = bind(host, port)
        urls = urls_of(listening)

        def up() -> None:
            log().info("serving", url=urls[0], engine=self._profile.name)
            on_up(urls[0])

        self._server = ApiServer(self.create_app(urls), on_up=up, on_ending=self.watch.stop)
        if self._stop_asked:
            listening.close()
            return
        self.start()
        try:
            self._server.run(sockets=[listening])
        finally:
            listening.close()
            self.close()

    def stop(self) -> None:
        """End `run`; any thread may ask for it."""
        self._stop_asked = True
        if self._server is not None:
            self._server.end()

    # --------------------------------------------------------------------------- loops

    def start(self) -> None:
        """Begin the loops; `run` does so by itself."""
        for loop in self.loops.values():
            loop.start()

    def close(self) -> None:
        """End the loops, give the sender's lease back, close the database."""
        stop_all([self.loops[name] for name in _ENDING])
        try:
            self._sender.stop()
        except SettleError as error:
            log().warning("lease not given back", code=error.code, detail=error.message)
        self.database.close()
        log().info("stopped")

    def _make_loops(self) -> Mapping[str, WatchedLoop]:
        idle_ms = self.settings.idle_s * 1000

        def loop(
            name: str, step: Callable[[], bool], idle_pause_ms: int, busy_pause_ms: int = 0
        ) -> WatchedLoop:
            return WatchedLoop(
                name,
                step,
                metrics=self.metrics,
                busy_pause_ms=busy_pause_ms,
                idle_pause_ms=idle_pause_ms,
                on_fault=self._raise_alarm,
            )

        return {
            "sender": loop("sender", self._send, idle_ms, busy_pause_ms=_CHAIN_POLL_MS),
            "follower": loop("follower", self._follow, _CHAIN_POLL_MS),
            "executor": loop("executor", self._execute, idle_ms),
            "escrows": loop("escrows", self._end_escrows, idle_ms),
            "housekeeping": loop("housekeeping", self._keep_house, _HOUSEKEEPING_MS),
        }

    def _send(self) -> bool:
        done = self._sender.pump()
        self._sending = True
        if done.finished:
            self._on_commit()
        return done.idle

    def _follow(self) -> bool:
        if not self._follower_open:
            self._follower.open()
            self._follower_open = True
        step = self._follower.step()
        if step.blocks or step.retracted:
            self._on_commit()
        return step.idle

    def _execute(self) -> bool:
        if not self._sending:
            # Only who holds the sender's lease may give it something to send.
            raise Unavailable("the sender has not begun", code="sender_not_begun")
        step = self._executor.step(now())
        if step.transactions:
            self.loops["sender"].wake()
        if step.sent or step.parked:
            self.watch.ring()
        return not step.again

    def _end_escrows(self) -> bool:
        if not self._sending:
            raise Unavailable("the sender has not begun", code="sender_not_begun")
        step = self._escrow_executor.step(now())
        if step.sent:
            self.loops["sender"].wake()
        return not step.again

    def _keep_house(self) -> bool:
        at = now()
        with self.database.transaction() as conn:
            self.venue.store.forget_request_nonces(conn, at)
            self.venue.store.forget_keys(conn, at - self.settings.api.idempotency_keep_s)
        return True

    def _on_commit(self) -> None:
        """Something was written: whoever waits for it looks again."""
        self.watch.ring()
        self.loops["executor"].wake()

    def _on_result(self, conn: Connection, row: TransactionRow) -> None:
        (self._escrows if row.purpose == ESCROW else self._outcomes).ended(conn, row)

    def _raise_alarm(self, name: str, fault: Exception) -> None:
        words = fault.message if isinstance(fault, SettleError) else type(fault).__name__
        alarm = Alarm(kind="loop_ended", subject=name, message=words, raised_at=now())
        try:
            with self.database.transaction() as conn:
                self._alarms.raise_alarm(conn, alarm)
        except SettleError as error:
            log().error("alarm not written", loop=name, code=error.code)

    def acknowledge(self) -> Sequence[Alarm]:
        """Clear all alarms on a person's word; gives them. Nonces that others took are skipped.

        Raises: Unavailable while an operator runs with the same key.
        """
        with self.database.reading() as conn:
            found = self._alarms.open_alarms(conn)
        self._sender.acknowledge()
        with self.database.transaction() as conn:
            for alarm in found:
                self._alarms.clear_alarms(conn, alarm.subject, now())
        return found

    # -------------------------------------------------------------------------- health

    def _checks(self) -> list[Check]:
        return [loop.check() for loop in self.loops.values()]

    def _last_numbers(self, viewers: Collection[Lei | None]) -> dict[Lei | None, int]:
        with self.database.reading() as conn:
            return {viewer: self.venue.store.last_event(conn, viewer=viewer) for viewer in viewers}
