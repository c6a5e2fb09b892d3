from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest
from chain_engines import mine
from chain_sending import COUNTER, REVERTER, Bench, send

from settle.chain.eip712 import address_of
from settle.chain.engine import RunningEngine
from settle.chain.sender import Sender
from settle.domain.errors import Broken, InvalidInput, Unavailable
from settle.services.chain_rows import AttemptKind, AttemptRow, TransactionState


@pytest.fixture
def bench(engine: RunningEngine, tmp_path: Path) -> Iterator[Bench]:
    made = Bench(engine, tmp_path)
    yield made
    made.close()


@pytest.fixture(scope="module")
def counter(engine: RunningEngine, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    made = Bench(engine, tmp_path_factory.mktemp("counter"))
    made.close()
    return made.deploy(COUNTER)


def finish(bench: Bench, sender: Sender, rounds: int = 12) -> None:
    """Pump and mine until nothing is open."""
    for _ in range(rounds):
        if sender.pump().idle:
            return
        mine(bench.node)
        bench.clock.now += 1
    assert sender.pump().idle, "something stays open"


def attempts(bench: Bench, transaction_id: int) -> list[AttemptRow]:
    with bench.database.reading() as conn:
        return list(bench.store.attempts(conn, [transaction_id]).get(transaction_id, ()))


def test_a_call_is_sent_and_its_end_told_once(bench: Bench, counter: bytes) -> None:
    sender = bench.sender()
    sender.start()
    row = bench.add(sender, counter, slot=1)
    before = bench.count(counter, 1)
    finish(bench, sender)
    assert bench.count(counter, 1) == before + 1
    assert bench.results() == [(row.nonce, "succeeded", "1")]
    assert sender.pump().idle
    assert len(bench.results()) == 1


def test_calls_end_in_the_order_in_which_they_were_queued(bench: Bench, counter: bytes) -> None:
    sender = bench.sender()
    sender.start()
    rows = [bench.add(sender, counter, slot=100 + i) for i in range(10)]
    assert [row.nonce for row in rows] == list(range(10))
    finish(bench, sender)
    assert [nonce for nonce, _, _ in bench.results()] == list(range(10))


def test_no_more_are_in_flight_than_the_engine_takes(bench: Bench, counter: bytes) -> None:
    profile = dataclasses.replace(bench.engine.profile, in_flight=3)
    sender = bench.sender(profile=profile)
    sender.start()
    for i in range(8):
        bench.add(sender, counter, slot=200 + i)
    assert sender.pump().signed == 3
    assert sender.pump().signed == 0
    with bench.database.reading() as conn:
        assert sender.room(conn) <= 0
    mine(bench.node)
    assert sender.pump().signed == 3
    finish(bench, sender)
    assert len(bench.results()) == 8


def test_a_call_that_rolls_back_with_its_caller_leaves_no_gap(bench: Bench, counter: bytes) -> None:
    sender = bench.sender()
    sender.start()
    with pytest.raises(ZeroDivisionError), bench.database.transaction() as conn:  # noqa: PT012
        sender.enqueue(conn, purpose="x", to=counter, data=bytes(32), gas=60_000)
        _ = 1 // 0
    assert bench.add(sender, counter, slot=300).nonce == 0


def test_a_call_that_reverts_is_told_as_reverted(bench: Bench) -> None:
    reverter = bench.deploy(REVERTER)
    sender = bench.sender()
    sender.start()
    bench.add(sender, reverter, slot=1)
    finish(bench, sender)
    assert [state for _, state, _ in bench.results()] == ["reverted"]


def test_what_no_node_would_take_is_refused_before_it_gets_a_nonce(bench: Bench) -> None:
    sender = bench.sender()
    sender.start()
    profile = bench.engine.profile
    with bench.database.transaction() as conn:
        with pytest.raises(InvalidInput, match="gas"):
            sender.enqueue(
                conn, purpose="x", to=bytes(20), data=b"", gas=profile.transaction_gas_limit + 1
            )
        with pytest.raises(InvalidInput, match="bytes"):
            sender.enqueue(
                conn,
                purpose="x",
                to=bytes(20),
                data=bytes(profile.transaction_bytes_limit),
                gas=100_000,
            )
        row = sender.enqueue(conn, purpose="x", to=bytes(20), data=b"", gas=21_000)
    assert row.nonce == 0


def test_the_same_bytes_go_out_again_after_a_crash(bench: Bench, counter: bytes) -> None:
    class Ended(BaseException):
        pass

    def end(step: str) -> None:
        if step == "before broadcast":
            raise Ended

    sender = bench.sender(end)
    sender.start()
    row = bench.add(sender, counter, slot=400)
    with pytest.raises(Ended):
        sender.pump()
    [stored] = attempts(bench, row.transaction_id)
    assert stored.broadcasts == 0
    assert bench.node.knows([stored.hash]) == [False]
    successor = bench.sender()
    successor.start()
    assert successor.pump().broadcast == 1
    assert bench.node.knows([stored.hash]) == [True]
    finish(bench, successor)
    assert bench.count(counter, 400) == 1


def test_a_dropped_transaction_goes_out_again(bench: Bench, counter: bytes) -> None:
    sender = bench.sender()
    sender.start()
    row = bench.add(sender, counter, slot=500)
    sender.pump()
    [stored] = attempts(bench, row.transaction_id)
    bench.node.rpc.call("anvil_dropTransaction", "0x" + stored.hash.hex())
    assert bench.node.knows([stored.hash]) == [False]
    assert sender.pump().broadcast == 0, "patience first"
    bench.clock.now += bench.engine.profile.sender.resend_after_s
    assert sender.pump().broadcast == 1
    assert bench.node.knows([stored.hash]) == [True]
    finish(bench, sender)
    assert [a.hash for a in attempts(bench, row.transaction_id)] == [stored.hash]
    assert bench.count(counter, 500) == 1


def test_a_transaction_that_blocks_pass_by_gets_a_better_offer(
    bench: Bench, counter: bytes
) -> None:
    sender = bench.sender()
    sender.start()
    row = bench.add(sender, counter, slot=600)
    sender.pump()
    [first] = attempts(bench, row.transaction_id)
    policy = bench.engine.profile.sender
    bench.clock.now += policy.bump_after_s
    assert sender.pump().broadcast == 0, "no block has passed it by"
    bench.node.rpc.call("anvil_dropTransaction", "0x" + first.hash.hex())
    mine(bench.node, 2)
    sender.pump()  # out again, and known again
    bench.clock.now += policy.resend_after_s
    sender.pump()
    _, second = attempts(bench, row.transaction_id)
    assert second.kind is AttemptKind.REPLACEMENT
    assert second.max_fee_per_gas * 100 >= first.max_fee_per_gas * 110
    finish(bench, sender)
    assert bench.results() == [(0, "succeeded", "600")]
    assert bench.count(counter, 600) == 1


def test_a_nonce_that_no_node_takes_is_used_up_by_nothing(bench: Bench, counter: bytes) -> None:
    # Less gas than the call data alone costs: refused by every node for ever.
    sender = bench.sender()
    sender.start()
    hopeless = bench.add(sender, counter, slot=700, gas=21_001)
    bench.add(sender, counter, slot=701)
    policy = bench.engine.profile.sender
    for _ in range(3 + policy.hopeless_after_s // policy.resend_after_s):
        sender.pump()
        mine(bench.node)
        bench.clock.now += policy.resend_after_s
    finish(bench, sender)
    assert bench.results() == [(0, "void", "700"), (1, "succeeded", "701")]
    assert bench.count(counter, 700) == 0
    assert bench.count(counter, 701) == 1
    kinds = [a.kind for a in attempts(bench, hopeless.transaction_id)]
    assert kinds == [AttemptKind.FIRST, AttemptKind.NOOP]
    with bench.database.reading() as conn:
        [alarm] = bench.store.open_alarms(conn, sender.subject)
    assert alarm.kind == "sender_stuck"


def test_a_lost_answer_to_a_broadcast_changes_nothing(bench: Bench, counter: bytes) -> None:
    sender = bench.sender()
    sender.start()
    bench.add(sender, counter, slot=800)
    for where in ("before", "after"):
        bench.faulty.fault = lambda m, w=where: w if m == "eth_sendRawTransaction" else None  # type: ignore[misc]
        with pytest.raises(Unavailable):
            sender.pump()
    bench.faulty.fault = lambda _method: None
    finish(bench, sender)
    assert bench.results() == [(0, "succeeded", "800")]
    assert bench.count(counter, 800) == 1


def test_a_transaction_of_somebody_else_with_our_key_raises_an_alarm(
    bench: Bench, counter: bytes
) -> None:
    sender = bench.sender()
    sender.start()
    bench.add(sender, counter, slot=900)
    send(bench.node, bench.engine.profile.chain_id, bench.key, bytes(20))
    mine(bench.node, 2)
    with pytest.raises(Broken, match="somebody else has the key"):  # noqa: PT012 the steps are one
        for _ in range(5):
            sender.pump()
            bench.clock.now += bench.engine.profile.sender.resend_after_s
    assert bench.results() == [(0, "displaced", "900")]
    assert bench.count(counter, 900) == 0
    with pytest.raises(Broken):
        sender.pump()
    sender.acknowledge()
    bench.add(sender, counter, slot=901)
    finish(bench, sender)
    assert bench.results()[1:] == [(1, "succeeded", "901")]


def test_a_foreign_nonce_beyond_ours_raises_an_alarm_too(bench: Bench, counter: bytes) -> None:
    sender = bench.sender()
    sender.start()
    bench.add(sender, counter, slot=1000)
    finish(bench, sender)
    send(bench.node, bench.engine.profile.chain_id, bench.key, bytes(20))
    mine(bench.node, 2)
    bench.clock.now += 10
    with pytest.raises(Broken, match="another program uses the key"):
        sender.pump()
    with pytest.raises(Broken):
        bench.sender().start()
    successor = bench.sender()
    successor.acknowledge()
    assert bench.add(successor, counter, slot=1001).nonce == 2
    finish(bench, successor)
    assert bench.count(counter, 1001) == 1


def test_a_chain_that_lost_what_was_final_stops_the_sender(bench: Bench, counter: bytes) -> None:
    sender = bench.sender()
    sender.start()
    bench.add(sender, counter, slot=1100)
    finish(bench, sender)
    bench.node.rpc.call("anvil_rollback", 3)
    mine(bench.node)
    bench.clock.now += 10
    with pytest.raises(Broken, match="lost blocks"):
        sender.pump()
    with bench.database.reading() as conn:
        [alarm] = bench.store.open_alarms(conn, sender.subject)
    assert alarm.kind == "chain_went_back"


def test_a_reorganisation_before_finality_sends_again(bench: Bench, counter: bytes) -> None:
    profile = dataclasses.replace(bench.engine.profile, finality_depth=2)
    sender = bench.sender(profile=profile)
    sender.start()
    bench.add(sender, counter, slot=1200)
    sender.pump()
    mine(bench.node)
    sender.pump()
    with bench.database.reading() as conn:
        [row] = bench.store.open_transactions(conn, sender.address, limit=5)
    assert row.state is TransactionState.MINED
    bench.node.rpc.call("anvil_rollback", 1)
    sender.pump()
    with bench.database.reading() as conn:
        [row] = bench.store.open_transactions(conn, sender.address, limit=5)
    assert row.state is TransactionState.SENT
    assert row.block_hash is None
    assert bench.results() == []
    bench.clock.now += profile.sender.resend_after_s
    finish(bench, sender)
    assert bench.results() == [(0, "succeeded", "1200")]
    assert bench.count(counter, 1200) == 1


def test_only_one_process_sends_under_a_key(bench: Bench, counter: bytes) -> None:
    first = bench.sender(holder="far-away/1/1")
    first.start()
    second = bench.sender(holder="far-away/2/1")
    with pytest.raises(Unavailable, match="already"):
        second.start()
    bench.clock.now += 60
    second.start()
    with pytest.raises(Unavailable, match="took over"):
        bench.add(first, counter, slot=1300)
    bench.add(second, counter, slot=1300)
    with pytest.raises(Unavailable, match="already"):
        first.pump()
    finish(bench, second)
    assert bench.count(counter, 1300) == 1
    second.stop()
    assert first.pump().idle, "free again, and taken by whoever goes on"


def test_a_stale_holder_writes_nothing_in_the_middle_of_a_round(
    bench: Bench, counter: bytes
) -> None:
    """The other process takes over between the signature and the write of the first one."""
    second = bench.sender(holder="far-away/2/1")

    def overtaken(step: str) -> None:
        if step == "signed":
            bench.clock.now += 60
            second.start()

    first = bench.sender(overtaken, holder="far-away/1/1")
    first.start()
    row = bench.add(first, counter, slot=1400)
    with pytest.raises(Unavailable, match="took over"):
        first.pump()
    assert attempts(bench, row.transaction_id) == []
    finish(bench, second)
    assert bench.count(counter, 1400) == 1


def test_a_stale_holder_tells_no_end(bench: Bench, counter: bytes) -> None:
    """The other process takes over between the look at the chain and the write of what it said."""
    second = bench.sender(holder="far-away/2/1")

    def overtaken(step: str) -> None:
        if step == "chain read" and bench.node.head().number > height:
            bench.clock.now += 60
            second.start()

    height = 10**9
    first = bench.sender(overtaken, holder="far-away/1/1")
    first.start()
    bench.add(first, counter, slot=1410)
    first.pump()
    height = bench.node.head().number
    mine(bench.node, 2)
    with pytest.raises(Unavailable, match="took over"):
        first.pump()
    assert bench.results() == []
    finish(bench, second)
    assert bench.results() == [(0, "succeeded", "1410")]


def test_another_branch_of_the_same_height_takes_a_transaction_back(
    bench: Bench, counter: bytes
) -> None:
    profile = dataclasses.replace(bench.engine.profile, finality_depth=2)
    sender = bench.sender(profile=profile)
    sender.start()
    bench.add(sender, counter, slot=1420)
    sender.pump()
    mine(bench.node)
    sender.pump()
    bench.node.rpc.call("anvil_rollback", 1)
    mine(bench.node, 3)
    sender.pump()
    assert bench.results() == [], "its block is not the one of that height any more"
    with bench.database.reading() as conn:
        [row] = bench.store.open_transactions(conn, sender.address, limit=5)
    assert row.state is TransactionState.SENT
    bench.clock.now += profile.sender.resend_after_s
    finish(bench, sender)
    assert bench.count(counter, 1420) == 1


def test_one_answer_without_a_receipt_is_no_proof_of_a_stranger(
    bench: Bench, counter: bytes
) -> None:
    sender = bench.sender()
    sender.start()
    bench.add(sender, counter, slot=1430)
    sender.pump()
    mine(bench.node, 2)
    bench.faulty.forget = "eth_getTransactionReceipt"
    sender.pump()
    assert bench.results() == []
    bench.faulty.forget = ""
    finish(bench, sender)
    assert bench.results() == [(0, "succeeded", "1430")]


def test_work_behind_a_full_window_is_not_forgotten(bench: Bench, counter: bytes) -> None:
    profile = dataclasses.replace(bench.engine.profile, finality_depth=4, in_flight=1)
    sender = bench.sender(profile=profile)
    sender.start()
    for i in range(6):
        bench.add(sender, counter, slot=1440 + i)
    for _ in range(4):
        sender.pump()
        mine(bench.node)
    sender.pump()
    mine(bench.node, 4)
    done = sender.pump()
    assert done.finished == 4
    assert not done.idle
    finish(bench, sender, rounds=30)
    assert len(bench.results()) == 6


def test_signed_bytes_are_on_disk_before_a_node_sees_them(bench: Bench, counter: bytes) -> None:
    sender = bench.sender()
    sender.start()
    row = bench.add(sender, counter, slot=1500)
    seen: list[int] = []

    def look(method: str) -> None:
        if method == "eth_sendRawTransaction":
            seen.append(len(attempts(bench, row.transaction_id)))

    bench.faulty.fault = look  # type: ignore[assignment]
    sender.pump()
    assert seen == [1]


def test_a_key_without_funds_is_found_in_the_alarm(engine: RunningEngine, tmp_path: Path) -> None:
    bench = Bench(engine, tmp_path)
    bench.key = bytes(31) + b"\x63"
    assert address_of(bench.key) != bytes(20)
    sender = bench.sender()
    sender.start()
    bench.add(sender, bytes(20), slot=1)
    policy = engine.profile.sender
    for _ in range(3 + policy.hopeless_after_s // policy.resend_after_s):
        sender.pump()
        bench.clock.now += policy.resend_after_s
    with bench.database.reading() as conn:
        [alarm] = bench.store.open_alarms(conn, sender.subject)
    assert "nsufficient funds" in alarm.message
    bench.fund(sender.address, 10**18)
    bench.clock.now += policy.resend_after_s
    finish(bench, sender, rounds=30)
    assert len(bench.results()) == 1
    bench.close()
