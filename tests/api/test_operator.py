"""The operator whole: database, chain, loops, API, and the client that speaks with it."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from settle.bootstrap import Operator, build_operator
from settle.chain.keystore import load_key
from settle.client import Client, KeySigner
from settle.domain.errors import Conflict, Forbidden, InvalidInput, NotFound, Unavailable
from settle.settings import read_password
from tests.api.stage import EURO, ISIN, SHARE, Bank, Stage, set_stage
from tests.api.world import key_of, wait_for

PROGRAM = """
import sys
from pathlib import Path
from settle.bootstrap import build_operator
from settle.chain.keystore import load_key
from settle.settings import read_password, read_settings
settings = read_settings()
key = load_key(settings.key_file, read_password(settings.password_file))
operator = build_operator(settings, key)
operator.run("127.0.0.1", int(sys.argv[2]), on_up=Path(sys.argv[1]).write_text)
print("ended well", flush=True)
"""


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    made = set_stage(tmp_path_factory.mktemp("stage"), "tester")
    yield made
    made.chain.engine.stop()


class Running:
    """An operator in a thread of this process."""

    def __init__(self, stage: Stage, **changes: Any) -> None:
        settings = stage.settings.model_copy(update=changes)
        key = load_key(settings.key_file, read_password(settings.password_file))
        self.operator: Operator = build_operator(settings, key)
        self.url = ""
        self._up = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self._up.wait(30), "the operator did not come up"

    def _run(self) -> None:
        def up(url: str) -> None:
            self.url = url
            self._up.set()

        self.operator.run("127.0.0.1", 0, on_up=up)

    def stop(self) -> None:
        self.operator.stop()
        self._thread.join(30)
        assert not self._thread.is_alive(), "the operator did not end"


class Clients:
    """Makes clients, and closes them at the end."""

    def __init__(self) -> None:
        self._open = ExitStack()

    def __call__(self, url: str, party: Bank | None = None, **more: Any) -> Client:
        key = more.pop("key", None if party is None else party.key)
        signer = None if key is None else KeySigner(key)
        return self._open.enter_context(Client(url, signer, **more))

    def close(self) -> None:
        self._open.close()


@pytest.fixture
def clients() -> Iterator[Clients]:
    made = Clients()
    yield made
    made.close()


@pytest.fixture
def running(stage: Stage, clients: Clients) -> Iterator[Running]:
    made = Running(stage)
    wait_for(clients(made.url).is_ready, 30)
    stage.enter(made.url)
    yield made
    clients.close()
    made.stop()


def held(client: Client, asset: int) -> int:
    return sum(one.available + one.held for one in client.positions() if one.asset_id == asset)


def test_a_trade_settles_by_itself_and_everybody_hears_of_it(
    stage: Stage, running: Running, clients: Clients
) -> None:
    seller = clients(running.url, stage.seller)
    buyer = clients(running.url, stage.buyer)
    wait_for(lambda: len(seller.assets()) == 2 and held(buyer, EURO) > 0, 30)
    shares, euros = held(seller, SHARE), held(seller, EURO)
    first = seller.submit(stage.side(stage.seller))
    second = buyer.submit(stage.side(stage.buyer))
    assert (first.status, second.status) == ("Unmatched", "Matched")
    assert first.trade_id == second.trade_id
    for client, party in ((seller, stage.seller), (buyer, stage.buyer)):
        assert stage.sign_all(client, party) == 1
    trade = seller.trade(first.trade_id, wait_s=30)
    assert trade.status == "Settled"
    assert trade.settled_transaction is not None
    assert trade.ended_block is not None
    assert held(seller, SHARE) == shares - 500
    assert held(seller, EURO) == euros + 2_810_000
    kinds = []
    for event in buyer.events():
        if event.trade_id == first.trade_id:
            kinds.append(event.kind)
        if event.kind == "trade.settled":
            break
    assert kinds[:2] == ["trade.received", "trade.matched"]
    bundle = buyer.bundle(first.trade_id)
    assert bundle.instruction.value() == trade.instruction.value()  # type: ignore[union-attr]
    assert [one.account for one in bundle.signatures] == [stage.seller.account, stage.buyer.account]
    [one] = list(seller.trades(reference=first.reference))
    assert (one.trade_id, one.side.isin if one.side else "") == (first.trade_id, ISIN)


def test_what_is_short_waits_with_its_reason_and_settles_when_it_arrives(
    stage: Stage, running: Running, clients: Clients
) -> None:
    seller = clients(running.url, stage.seller)
    buyer = clients(running.url, stage.buyer)
    much = 2_000_000
    made = seller.submit(stage.side(stage.seller, shares=much))
    buyer.submit(stage.side(stage.buyer, shares=much))
    for client, party in ((seller, stage.seller), (buyer, stage.buyer)):
        stage.sign_all(client, party)
    wait_for(lambda: seller.trade(made.trade_id).status == "Pending", 30)
    [reason] = seller.why_not(made.trade_id).reasons
    assert (reason.code, reason.needed, reason.account) == ("LACK", much, stage.seller.account)
    [told] = buyer.why_not(made.trade_id).reasons
    assert (told.iso, told.have) == ("CLAC", None)
    desk = stage.chain.desk
    desk.perform([desk.issue(SHARE, stage.seller.account, much, b"\1" * 32)])
    assert seller.trade(made.trade_id, wait_s=30).status == "Settled"


def test_the_client_raises_what_the_api_means(
    stage: Stage, running: Running, clients: Clients
) -> None:
    seller = clients(running.url, stage.seller)
    with pytest.raises(NotFound):
        seller.trade("00000000000000000000000000")
    with pytest.raises(Forbidden) as forbidden:
        clients(running.url, key=key_of("stranger")).assets()
    assert forbidden.value.code == "key_unknown"
    side = stage.side(stage.seller)
    made = seller.submit(side)
    assert seller.submit(side).repeated
    with pytest.raises(Conflict) as conflict:
        seller.cancel(made.trade_id, version=99)
    assert conflict.value.code == "stale_version"
    assert seller.cancel(made.trade_id, version=made.version).status == "Cancelled"
    with pytest.raises(InvalidInput) as invalid:
        seller.submit(replace(stage.side(stage.seller), quantity=0))
    assert (invalid.value.code, invalid.value.pointer) == ("quantity_range", "/quantity")
    with pytest.raises(Forbidden) as audience:
        clients(running.url, stage.seller, audience="http://other:1").assets()
    assert audience.value.code == "signature_invalid"
    with pytest.raises(Unavailable):
        clients("http://127.0.0.1:1", patience_s=0.3).venue()
    assert seller.venue().signing_domain() == stage.chain.deployment.domain


def test_a_loop_that_breaks_is_seen(stage: Stage, clients: Clients) -> None:
    running = Running(stage)
    try:
        client = clients(running.url)
        wait_for(client.is_ready, 30)

        def breaks(*_: Any) -> None:
            raise RuntimeError("a belief was false")

        running.operator._executor.step = breaks  # type: ignore[method-assign]
        wait_for(lambda: not client.is_ready(), 30)
        assert client.is_live()
        checks = {one.name: one for one in running.operator._checks()}
        assert (checks["executor"].ok, checks["executor"].detail) == (False, "RuntimeError")
        assert checks["follower"].ok
        with running.operator.database.reading() as conn:
            [alarm] = running.operator.venue.alarms.open_alarms(conn, "executor")
        assert alarm.kind == "loop_ended"
        assert b'settle_loop_up{loop="executor"} 0.0' in running.operator.metrics.text()
    finally:
        clients.close()
        running.stop()


def start(stage: Stage, folder: Path, port: int = 0) -> tuple[subprocess.Popen[bytes], str]:
    told = folder / "url"
    told.unlink(missing_ok=True)
    with (folder / "out").open("ab") as out, (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(told), str(port)],
            env=stage.environment(),
            stdout=out,
            stderr=log,
        )
    wait_for(lambda: told.exists() and told.read_text(), 60)
    return process, told.read_text()


def test_an_operator_that_is_killed_goes_on_where_it_was(
    stage: Stage, tmp_path: Path, clients: Clients
) -> None:
    process, url = start(stage, tmp_path)
    try:
        port = int(url.rpartition(":")[2])
        stage.enter(url)
        seller = clients(url, stage.seller, patience_s=60)
        buyer = clients(url, stage.buyer, patience_s=60)
        heard: list[int] = []
        stop = threading.Event()

        def listen() -> None:
            heard.extend(event.number for event in seller.events(stop=stop))

        ears = threading.Thread(target=listen, daemon=True)
        ears.start()
        sides = [stage.side(stage.seller) for _ in range(20)]
        made = seller.submit_many(sides)
        buyer.submit_many(stage.side(stage.buyer) for _ in range(20))
        assert stage.sign_all(seller, stage.seller) == 20
        assert stage.sign_all(buyer, stage.buyer) == 20
        process.send_signal(signal.SIGKILL)
        process.wait(30)
        process, again = start(stage, tmp_path, port)
        assert again == url
        for one in made:
            assert seller.trade(one.trade_id, wait_s=30).status == "Settled"
        repeated = seller.submit_many(sides)
        assert all(one.repeated for one in repeated)
        time.sleep(0.5)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        assert (tmp_path / "out").read_text() == "ended well\n"
        stop.set()
        ears.join(10)
        assert heard == list(range(1, len(heard) + 1))
        assert len(heard) > 80
        log = (tmp_path / "log").read_text()
        assert "signature=" not in log
        assert "Traceback" not in log, log
    finally:
        process.kill()
        process.wait(30)


# The last one: to the database of the tests before, what this operator sends is a stranger's.
def test_the_same_operator_works_on_postgresql(
    stage: Stage, postgres_database: str, clients: Clients
) -> None:
    running = Running(stage, database_url=postgres_database)
    try:
        wait_for(clients(running.url).is_ready, 30)
        stage.enter(running.url)
        seller = clients(running.url, stage.seller)
        buyer = clients(running.url, stage.buyer)
        wait_for(lambda: len(seller.assets()) == 2, 30)
        [made] = seller.submit_many([stage.side(stage.seller)])
        buyer.submit_many([stage.side(stage.buyer)])
        for client, party in ((seller, stage.seller), (buyer, stage.buyer)):
            stage.sign_all(client, party)
        assert seller.trade(made.trade_id, wait_s=30).status == "Settled"
    finally:
        clients.close()
        running.stop()
