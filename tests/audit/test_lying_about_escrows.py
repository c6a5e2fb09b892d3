"""A node that lies about escrows: in a view, in an event, in a call, or by leaving one out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from audited_world import World, build_world, found
from escrow_life import SECRET, EscrowLife
from lying_line import Chain, Noise, NoisyLine, forged, lying
from market_life import CHARLIE

from settle.audit import published
from settle.audit.findings import Code
from settle.audit.report import AuditReport
from settle.chain.abi import load_abi
from settle.domain.errors import InvalidInput

EVENTS = {
    event.name: "0x" + topic.hex() for topic, event in published.load()["Settlement"].events.items()
}
ONE = "0x" + f"{1:064x}"
NONE = "0x" + "00" * 32


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Escrows of every kind, one of them open and in dispute while payments wait."""
    for built in build_world("anvil", tmp_path_factory.mktemp("escrow-lies")):
        life = EscrowLife(built.life)
        for act in (
            *(life.prove_and_follow, life.settle_on_record, life.agree_or_let_it_lapse),
            *(life.withdraw_before_the_opening, life.stay_open),
        ):
            act()
        yield built


def test_without_a_lie_nothing_is_found(world: World) -> None:
    report = world.audit()
    assert report.findings == ()
    assert (report.counts.escrows, report.counts.milestones) == (4, 7)
    told = report.to_json()
    assert (told["escrows"], told["milestones"]) == (4, 7)
    assert "4 escrows, 7 of their milestones ended" in report.to_text()


# ---------------------------------------------------------------------------- views


@pytest.mark.parametrize(
    ("view", "change"),
    [
        ("escrowState", lambda a: a[:65] + f"{int(a[65], 16) ^ 1:x}" + a[66:]),
        ("escrowState", lambda a: a[:129] + f"{int(a[129], 16) ^ 1:x}" + a[130:]),
        ("escrowState", lambda a: a[:-1] + f"{int(a[-1], 16) ^ 1:x}"),
        ("isWithdrawnFromEscrow", lambda a: NONE if a == ONE else ONE),
        ("isRecordedSettled", lambda a: NONE if a == ONE else ONE),
    ],
)
def test_an_altered_answer_about_an_escrow_is_found(
    world: World, view: str, change: Callable[[str], str]
) -> None:
    selector = "0x" + load_abi("Settlement").functions[view].selector.hex()
    asked: list[str] = []

    def lie(params: Sequence[Any], answer: Any) -> Any:
        if not params[0]["data"].startswith(selector):
            return answer
        asked.append(params[0]["data"][-64:])
        return change(answer) if asked[-1] == asked[0] else answer

    report = world.audit(lying("eth_call", lie))
    finding = found(report, Code.ESCROW, instruction=bytes.fromhex(asked[0]))
    assert finding.fact == view
    assert finding.stated != finding.computed
    assert report.counts.differences == 1


# ---------------------------------------------------------------------------- another chain


def audit(world: World, rewrite: Callable[[Chain], object]) -> AuditReport:
    """Audit a rewritten chain in which every hash and root fits."""
    report = world.audit(forged(rewrite))
    by_hash = {Code.BLOCK_HASH, Code.PARENT_HASH, Code.TRANSACTIONS_ROOT, Code.RECEIPTS_ROOT}
    by_hash |= {Code.BLOOM, Code.LOGS, Code.TRANSACTION_HASH, Code.RECEIPT_PLACE}
    assert not by_hash & {finding.code for finding in report.findings}
    return report


def place(chain: Chain, event: str) -> tuple[int, int, dict[str, Any]]:
    """Block, index and log of the first event of a name."""
    for number, receipts in enumerate(chain.receipts):
        for index, receipt in enumerate(receipts):
            for log in receipt["logs"]:
                if log["topics"][0] == EVENTS[event]:
                    return number, index, log
    raise AssertionError(event)


def in_word(position: int, value: int | bytes) -> Callable[[dict[str, Any]], None]:
    """Change one word of a log's data."""
    text = value.to_bytes(32, "big") if isinstance(value, int) else value.rjust(32, b"\0")

    def change(log: dict[str, Any]) -> None:
        at = 2 + 64 * position
        log["data"] = log["data"][:at] + text.hex() + log["data"][at + 64 :]

    return change


@pytest.mark.parametrize(
    ("event", "change", "codes"),
    [
        ("EscrowOpened", in_word(2, b"\1" * 32), {Code.EVENT_DIFFERS}),
        ("LineHeld", in_word(3, 999), {Code.EVENT_DIFFERS, Code.RESULT}),
        ("LinePaid", in_word(3, CHARLIE), {Code.EVENT_DIFFERS, Code.RESULT}),
        ("LinePaid", in_word(4, 999), {Code.EVENT_DIFFERS, Code.IMPOSSIBLE}),
        ("LineReturned", in_word(3, 1), {Code.EVENT_DIFFERS, Code.IMPOSSIBLE}),
        ("MilestoneEnded", in_word(2, 2), {Code.EVENT_DIFFERS, Code.IMPOSSIBLE, Code.ESCROW}),
        ("MilestoneEnded", in_word(3, 1), {Code.EVENT_DIFFERS, Code.IMPOSSIBLE, Code.ESCROW}),
        ("DisputeOpened", in_word(0, 0), {Code.EVENT_DIFFERS, Code.ESCROW}),
    ],
)
def test_an_altered_event_is_found(
    world: World, event: str, change: Callable[[dict[str, Any]], None], codes: set[Code]
) -> None:
    blocks: list[int] = []

    def rewrite(chain: Chain) -> None:
        number, _, log = place(chain, event)
        change(log)
        blocks.append(number)

    report = audit(world, rewrite)
    differs = found(report, Code.EVENT_DIFFERS, block=blocks[0])
    assert event in differs.fact
    assert codes <= {finding.code for finding in report.findings}


@pytest.mark.parametrize("event", ["LineHeld", "MilestoneEnded", "LinePaid", "InstructionRecorded"])
def test_a_dropped_event_is_found(world: World, event: str) -> None:
    blocks: list[int] = []

    def rewrite(chain: Chain) -> None:
        number, index, log = place(chain, event)
        chain.receipts[number][index]["logs"].remove(log)
        blocks.append(number)

    missing = found(audit(world, rewrite), Code.EVENT_MISSING, block=blocks[0])
    assert missing.computed == event


@pytest.mark.parametrize(
    ("event", "code"),
    [
        ("EscrowOpened", Code.TERMS),
        ("MilestoneEnded", Code.ESCROW),
        ("DisputeOpened", Code.ESCROW),
    ],
)
def test_a_hidden_act_is_found(world: World, event: str, code: Code) -> None:
    def rewrite(chain: Chain) -> None:
        number, index, _ = place(chain, event)
        del chain.blocks[number]["transactions"][index], chain.receipts[number][index]

    found(audit(world, rewrite), code)


def test_another_secret_is_found(world: World) -> None:
    blocks: list[int] = []

    def rewrite(chain: Chain) -> None:
        number, index, _ = place(chain, "MilestoneEnded")
        told = chain.blocks[number]["transactions"][index]
        assert SECRET.hex() in told["input"]
        told["input"] = told["input"].replace(SECRET.hex(), "5f" * 32)
        blocks.append(number)

    report = audit(world, rewrite)
    evidence = found(report, Code.EVIDENCE, block=blocks[0])
    assert evidence.fact == "a preimage that does not fit"
    found(report, Code.CONDITION, block=blocks[0])


@pytest.mark.parametrize(("event", "by_s"), [("MilestoneEnded", 86_400), ("DisputeOpened", 10**6)])
def test_an_act_out_of_its_time_is_found(world: World, event: str, by_s: int) -> None:
    blocks: list[int] = []

    def rewrite(chain: Chain) -> None:
        number, _, _ = place(chain, event)
        told = chain.blocks[number]
        told["timestamp"] = hex(int(told["timestamp"], 16) + by_s)
        blocks.append(number)

    found(audit(world, rewrite), Code.WINDOW, block=blocks[0])


@pytest.mark.parametrize("seed", range(1_000, 1_030))
def test_noise_anywhere_is_no_accident(world: World, seed: int) -> None:
    """One part of one answer becomes something else: the audit ends with a report all the same."""
    noise = Noise(seed)
    try:
        report = world.audit(lambda line: NoisyLine(line, noise))
    except InvalidInput as error:
        assert error.code == "rpc_url"  # noqa: PT017  the newest block cannot be told
        return
    assert noise.made, "no noise was made"
    assert report.last_block <= world.life.market.node.head().number
