"""An escrow from the command line, on a venue that runs: two banks, one document."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

from settle.chain.deployment import load_deployment
from settle.domain.ids import AssetId, account_address, to_hex
from settle.domain.instruction import OPTION_RECORD, Instruction, Leg, instruction_id
from settle.domain.instruction_json import to_json
from tests.cli.escrow_documents import opened, purchase, reaches
from tests.cli.test_venue import ISIN, Venue, venue

__all__ = ["venue"]


def signed_by_both(venue: Venue, path: Path) -> str:
    return opened(venue, path, ("a", "b"))


def test_goods_accepted_are_paid(venue: Venue) -> None:
    path = purchase(venue, "goods", "Order 1")
    escrow = str(venue.of("a", "escrow", "draft", path).json()["id"])
    [waiting] = venue.of("b", "escrow", "list", "--waiting-on-me").json()
    assert waiting["id"] == escrow
    shown = venue.of("b", "escrow", "sign", escrow, path, "--yes")
    assert "goods accepted" in shown.err, "the English is printed before it is signed"
    venue.of("a", "escrow", "sign", escrow, path, "--yes")
    reaches(venue, escrow, "Open")
    told = venue.run("escrow", "what-now", escrow, "-p", venue.profile("a")).out
    assert "condition: Whoever shows that the condition holds ends it." in told
    refused = venue.of("a", "escrow", "evidence", escrow, code=1).json()
    assert refused["error"]["code"] == "not_asked"
    venue.of("b", "escrow", "evidence", escrow)
    [milestone] = reaches(venue, escrow, "Ended")["milestones"]
    assert (milestone["outcome"], milestone["ended_by"]) == ("released", "condition")


def test_what_is_not_the_own_document_is_not_signed(venue: Venue) -> None:
    path = purchase(venue, "offered", "Order 2")
    mine = purchase(venue, "mine", "Order 2", amount="249.00")
    escrow = str(venue.of("a", "escrow", "draft", path).json()["id"])
    refused = venue.of("b", "escrow", "sign", escrow, mine, "--yes", code=1).json()
    assert refused["error"]["code"] == "not_as_written"
    venue.of("a", "escrow", "sign", escrow, path, "--yes")
    amended = str(venue.of("a", "escrow", "draft", mine).json()["id"])
    refused = venue.of("a", "escrow", "sign", amended, mine, "--yes", code=1).json()
    assert refused["error"]["code"] == "another_draft"
    venue.of("a", "escrow", "withdraw", escrow)
    reaches(venue, escrow, "Withdrawn")
    venue.of("a", "escrow", "sign", amended, mine, "--yes")


def test_the_legs_of_a_named_instruction_are_shown_before_signing(venue: Venue) -> None:
    seller, buyer = (account_address(venue.account(bank)) for bank in ("a", "b"))
    leg = Leg(asset=AssetId(1), deliverer=seller, receiver=buyer, quantity=3)
    now = int(time.time())
    trade = Instruction(
        initiator=seller,
        nonce=7_000,
        settle_from=now,
        settle_by=now + 86_400,
        options=OPTION_RECORD,
        legs=(leg,),
    )
    profile = tomllib.loads(venue.profile("a").read_text())
    domain = load_deployment(Path(profile["deployment"])).domain
    name = to_hex(instruction_id(trade, domain))
    told = tomllib.loads(purchase(venue, "delivery", "Order 6").read_text())
    told["open_by"] = told["open_by"].isoformat()
    told["milestones"][0]["when"] = {"settled": name}
    unseen = venue.folder / "unseen.json"
    unseen.write_text(json.dumps(told))
    refused = venue.of("a", "escrow", "draft", unseen, code=1).json()
    assert refused["error"]["code"] == "escrow_refused"
    seen = venue.folder / "seen.json"
    seen.write_text(
        json.dumps(told | {"instructions": [{"id": name, "instruction": to_json(trade)}]})
    )
    escrow = str(venue.of("a", "escrow", "draft", seen).json()["id"])
    refused = venue.of("b", "escrow", "sign", escrow, unseen, "--yes", code=1).json()
    assert refused["error"]["code"] == "escrow_refused"
    signed = venue.of("b", "escrow", "sign", escrow, seen, "--yes")
    assert f"3 {ISIN} from account {to_hex(seller)} (seller) to" in signed.err
    venue.of("b", "escrow", "withdraw", escrow)
    reaches(venue, escrow, "Withdrawn")


def test_an_instruction_that_did_not_settle_ends_it(venue: Venue) -> None:
    """The buyer pays damages if a delivery has not settled, and its time is over."""
    seller, buyer = (account_address(venue.account(bank)) for bank in ("a", "b"))
    now = int(time.time())
    trade = Instruction(
        initiator=buyer,
        nonce=7_001,
        settle_from=now - 2,
        settle_by=now - 1,
        options=OPTION_RECORD,
        legs=(Leg(asset=AssetId(1), deliverer=buyer, receiver=seller, quantity=3),),
    )
    profile = tomllib.loads(venue.profile("a").read_text())
    domain = load_deployment(Path(profile["deployment"])).domain
    name = to_hex(instruction_id(trade, domain))
    told = tomllib.loads(purchase(venue, "damages", "Order 8").read_text())
    told["open_by"] = told["open_by"].isoformat()
    told["milestones"][0]["when"] = {"not": {"settled": name}}
    told["instructions"] = [{"id": name, "instruction": to_json(trade)}]
    path = venue.folder / "damages.json"
    path.write_text(json.dumps(told))
    escrow = signed_by_both(venue, path)
    venue.of("a", "escrow", "evidence", escrow, "--unsettled", path)
    [milestone] = reaches(venue, escrow, "Ended")["milestones"]
    assert (milestone["outcome"], milestone["ended_by"]) == ("released", "condition")


def test_a_split_is_proposed_and_accepted(venue: Venue) -> None:
    escrow = signed_by_both(venue, purchase(venue, "split", "Order 3"))
    venue.of("b", "escrow", "propose", escrow, "--pays", "100.00")
    assert [one["id"] for one in venue.of("a", "escrow", "list", "--waiting-on-me").json()] == [
        escrow
    ]
    other = venue.of("a", "escrow", "accept", escrow, "--pays", "200.00", code=1).json()
    assert other["error"]["code"] == "not_found"
    venue.of("a", "escrow", "accept", escrow, "--pays", "100.00")
    [milestone] = reaches(venue, escrow, "Ended")["milestones"]
    assert (milestone["outcome"], milestone["ended_by"]) == ("split", "agreement")
    assert json.dumps(milestone["paid"]) == "[10000]"


def test_with_the_venue_gone_the_kept_messages_end_it(venue: Venue) -> None:
    escrow = signed_by_both(venue, purchase(venue, "alone", "Order 4"))
    venue.of("b", "escrow", "show", escrow)
    kept = venue.of("b", "escrow", "evidence", escrow, "--keep").json()["messages"]
    assert [one["kind"] for one in kept] == ["consent", "consent", "evidence"]
    operator = venue.operator_pid()
    os.kill(operator, signal.SIGSTOP)
    try:
        done = venue.of("b", "escrow", "alone", escrow).json()
        assert done["verb"] == "endByCondition"
    finally:
        os.kill(operator, signal.SIGCONT)
    [milestone] = reaches(venue, escrow, "Ended")["milestones"]
    assert (milestone["outcome"], milestone["ended_by"]) == ("released", "condition")


def test_the_auditor_finds_what_the_database_says_of_an_escrow(venue: Venue) -> None:
    escrow = signed_by_both(venue, purchase(venue, "audited", "Order 5"))
    venue.of("b", "escrow", "evidence", escrow)
    reaches(venue, escrow, "Ended")
    copy = venue.folder / "copy.db"
    profile = tomllib.loads(venue.profile("a").read_text())
    source = sqlite3.connect(venue.state / "venue.db")

    def audited(change: str, *values: object, code: int) -> list[Any]:
        copy.unlink(missing_ok=True)
        to = sqlite3.connect(copy)
        source.backup(to)
        assert to.execute(change, values).rowcount == 1
        to.commit()
        to.close()
        ended = subprocess.run(
            [sys.executable, "-m", "settle.audit", "run", "--json", "--rpc", profile["rpc"],
             "--deployment", profile["deployment"], "--database", f"sqlite:///{copy}"],
            capture_output=True, check=False,
        )  # fmt: skip
        assert ended.returncode == code, ended
        return list(json.loads(ended.stdout)["findings"])

    identity = bytes.fromhex(escrow[2:])
    same = "UPDATE escrow_states SET withdrawn = withdrawn WHERE escrow = ?"
    assert audited(same, identity, code=0) == []
    [paid] = audited(
        "UPDATE escrow_states SET record = replace(record, '25000', '25001') WHERE escrow = ?",
        identity,
        code=4,
    )
    assert (paid["code"], paid["instruction"]) == ("database_row_differs", escrow)
    [gone] = audited("DELETE FROM escrow_states WHERE escrow = ?", identity, code=4)
    assert (gone["code"], gone["instruction"]) == ("database_row_missing", escrow)
    [more] = audited("INSERT INTO recorded VALUES (?, 1)", identity, code=4)
    assert (more["code"], more["instruction"]) == ("database_row_added", escrow)
