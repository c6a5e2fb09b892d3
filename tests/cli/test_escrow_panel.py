"""A dispute from the command line: a panel of three is asked, and two of them decide."""

from __future__ import annotations

import hashlib
import os
import signal
import tomllib
from pathlib import Path
from typing import Any

import pytest

from settle.chain.contracts import SettlementContract
from settle.chain.deployment import load_deployment
from settle.chain.node import Node
from settle.chain.rpc import Rpc
from settle.domain.ids import AssetId, account_address, lei_check_digits
from tests.cli.escrow_documents import becomes, opened, purchase, reaches
from tests.cli.test_venue import Venue, venue

__all__ = ["venue"]

ARBITERS = ("anna", "bela", "cora")
EURO = AssetId(2)


@pytest.fixture(scope="module")
def panel(venue: Venue) -> Venue:
    """The venue with three arbiters, and with one who has no part in anything."""
    settings = tomllib.loads(venue.profile("a").read_text())
    where = [f"--{name}={settings[name]}" for name in ("api", "rpc", "deployment")]
    for number, who in enumerate((*ARBITERS, "stranger")):
        base = f"999900PANEL{who.upper():0<7}"[:18]
        lei = base + lei_check_digits(base)
        venue.run("signer", "init", "-p", venue.profile(who), "--lei", lei, *where)
        admitted = ("--lei", lei, "--bic", f"PANLDEF{number}XXX", "--name", who)
        venue.run("participant", "admit", *admitted, "--account", venue.account(who))
    return venue


def drafted(panel: Venue, reference: str) -> str:
    path = purchase(panel, reference, reference, arbiters=ARBITERS)
    return opened(panel, path, ("a", "b", *ARBITERS))


def euro(panel: Venue) -> list[tuple[int, int]]:
    """What seller and buyer have, and what of it is held, as the chain says."""
    settings = tomllib.loads(panel.profile("a").read_text())
    node = Node(Rpc(settings["rpc"]))
    contract = SettlementContract(load_deployment(Path(settings["deployment"])).settlement)
    keys = [(account_address(panel.account(bank)), EURO) for bank in ("a", "b")]
    found = contract.holdings(node, keys, node.head().number)
    return [(one.balance, one.held) for one in found]


def rule(panel: Venue, who: str, escrow: str, pays: str, *more: str, code: int = 0) -> Any:
    """What the venue shows after a ruling, or the error."""
    words = ("--pays", pays, "--reason", "LATE", *more)
    told = panel.of(who, "escrow", "rule", escrow, *words, code=code).json()
    return told["error"] if code else told


def test_two_of_three_arbiters_end_it(panel: Venue) -> None:
    [seller, buyer] = euro(panel)
    escrow = drafted(panel, "Order 1")
    assert euro(panel) == [seller, (buyer[0], 25_000)]

    early = rule(panel, "anna", escrow, "100.00", code=1)
    assert early["code"] == "not_disputed"
    assert "nobody has disputed milestone 1" in early["message"]

    file = panel.folder / "photographs.zip"
    file.write_bytes(b"scratches")
    panel.of("b", "escrow", "dispute", escrow, file)
    found = becomes(panel, escrow, lambda one: one["milestones"][0]["disputed_at"] is not None)
    [asked] = [one for one in found["messages"] if one["kind"] == "dispute"]
    assert asked["data"] == "0x" + hashlib.sha256(b"scratches").hexdigest()
    # Not in the dispute's own second.
    becomes(panel, escrow, lambda one: "ruling" in {turn["what"] for turn in one["waiting_on"]})
    [turn] = panel.of("cora", "escrow", "list", "--waiting-on-me").json()
    assert turn["id"] == escrow
    told = panel.run("escrow", "what-now", escrow, "-p", panel.profile("b")).out
    assert "panel:" in told
    again = panel.of("b", "escrow", "dispute", escrow, file, code=1).json()["error"]
    assert again["code"] == "disputed_before"

    party = rule(panel, "a", escrow, "250.00", code=1)
    assert (party["code"], party["message"]) == (
        "not_an_arbiter",
        "this account is no arbiter here",
    )
    stranger = rule(panel, "stranger", escrow, "250.00", code=1)
    assert stranger["code"] == "not_found"
    assert stranger["message"].startswith("you have no escrow 0x")
    too_much = rule(panel, "anna", escrow, "250.01", code=2)
    assert too_much["code"] == "paid"
    assert becomes(panel, escrow, bool)["messages"] == found["messages"], "nothing was taken"

    rule(panel, "anna", escrow, "100.00")
    twice = rule(panel, "anna", escrow, "250.00", code=1)
    assert twice["code"] == "ruled_before"
    assert "you ruled over milestone 1 already" in twice["message"]
    rule(panel, "cora", escrow, "0.00")
    assert becomes(panel, escrow, bool)["status"] == "Open", "two of three, and not of one mind"
    rule(panel, "cora", escrow, "100.00", "--again")

    [milestone] = reaches(panel, escrow, "Ended")["milestones"]
    assert (milestone["outcome"], milestone["ended_by"]) == ("split", "panel")
    assert milestone["paid"] == [10_000]
    assert euro(panel) == [(seller[0] + 10_000, 0), (buyer[0] - 10_000, 0)]
    late = rule(panel, "bela", escrow, "100.00", code=1)
    assert late["code"] == "milestone_ended"


def test_with_the_venue_gone_the_panel_rules_by_files_that_go_from_hand_to_hand(
    panel: Venue,
) -> None:
    [seller, buyer] = euro(panel)
    escrow, other = drafted(panel, "Order 2"), "0x" + "77" * 32
    file = panel.folder / "letter.txt"
    file.write_bytes(b"nothing came")
    operator = panel.operator_pid()
    os.kill(operator, signal.SIGSTOP)
    try:
        panel.of("b", "escrow", "dispute", escrow, file, "--keep")
        assert panel.of("b", "escrow", "alone", escrow).json()["verb"] == "openDispute"
        ruled = {}
        for who in ("anna", "cora"):
            ruled[who] = panel.folder / f"{who}.json"
            told = panel.of(who, "escrow", "rule", escrow, "--pays", "50.00",
                            "--reason", "LATE", "--keep").out  # fmt: skip
            ruled[who].write_text(told)
        again = rule(panel, "anna", escrow, "0.00", "--keep", code=1)
        assert again["code"] == "ruled_before"
        one, both = (["--with", ruled["anna"]], ["--with", ruled["anna"], "--with", ruled["cora"]])
        missing = panel.of("b", "escrow", "alone", escrow, *one, code=1).json()["error"]
        assert missing["code"] in {"condition_not_met", "nothing_to_do"}, "one of three"
        forged = panel.folder / "forged.json"
        forged.write_text(ruled["cora"].read_text().replace('"paid": [5000]', '"paid": [0]'))
        assert forged.read_text() != ruled["cora"].read_text()
        panel.of("b", "escrow", "alone", escrow, *one, "--with", forged, code=1)
        forged.write_text(ruled["cora"].read_text().replace(escrow, other))
        wrong = panel.of("b", "escrow", "alone", escrow, "--with", forged, code=2).json()["error"]
        assert wrong["code"] == "bundle_of_another"
        forged.write_text("{}")
        wrong = panel.of("b", "escrow", "alone", escrow, "--with", forged, code=2).json()["error"]
        assert wrong["code"] == "bundle_form"
        assert panel.of("b", "escrow", "alone", escrow, *both).json()["verb"] == "endByRuling"
        assert euro(panel) == [(seller[0] + 5_000, 0), (buyer[0] - 5_000, 0)]
    finally:
        os.kill(operator, signal.SIGCONT)
    [milestone] = reaches(panel, escrow, "Ended")["milestones"]
    assert (milestone["ended_by"], milestone["paid"]) == ("panel", [5_000])
