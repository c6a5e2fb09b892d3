"""A venue from the command line: up, admit, issue, trade, and go on when the operator is dead."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from settle.chain.direct import DirectSender, Order
from settle.chain.keystore import load_key
from settle.chain.processes import identify
from settle.cli.main import app
from settle.cli.state import State
from tests.cli.conftest import Ended

ROOT = Path(__file__).parents[2]
ISIN, DAY = "DE0007164600", datetime.now(UTC).date().isoformat()
BANKS = {
    "a": ("999900DEMOBANKALFA73", "ALFADEF0XXX"),
    "b": ("999900DEMOBANKBETA55", "BETAFRP0XXX"),
}


@dataclass
class Venue:
    """What `settle up` began, and two banks with their profiles."""

    folder: Path

    @property
    def state(self) -> Path:
        return self.folder / "venue"

    def run(self, *arguments: str | Path, code: int = 0) -> Ended:
        out, err = io.StringIO(), io.StringIO()
        ended_with: int | str | None = 0
        with redirect_stdout(out), redirect_stderr(err):
            try:
                app([str(one) for one in arguments])
            except SystemExit as end:
                ended_with = end.code
        ended = Ended(int(ended_with or 0), out.getvalue(), err.getvalue())
        assert ended.code == code, f"{arguments}: {ended}"
        return ended

    def of(self, bank: str, *arguments: str | Path, code: int = 0) -> Ended:
        return self.run(*arguments, "-p", self.profile(bank), "--json", code=code)

    def profile(self, bank: str) -> Path:
        return self.folder / f"{bank}.toml"

    def account(self, bank: str) -> str:
        return str(tomllib.loads(self.profile(bank).read_text())["account"])

    def side(self, bank: str, reference: str, units: int, cents: int, **more: Any) -> Path:
        path = self.folder / f"{bank}-{reference}.json"
        document = {
            "reference": reference,
            "movement": "DELI" if bank == "a" else "RECE",
            "payment": "APMT",
            "isin": ISIN,
            "quantity": str(units),
            "currency": "EUR",
            "amount": str(cents),
            "trade_date": DAY,
            "settlement_date": DAY,
            "delivering_party": BANKS["a"][0],
            "receiving_party": BANKS["b"][0],
            **more,
        }
        path.write_text(json.dumps(document))
        return path

    def matched(self, reference: str, quantity: int, cents: int) -> str:
        found = {}
        for bank in BANKS:
            path = self.side(bank, reference, quantity, cents)
            [found] = self.of(bank, "trade", "submit", path).json()
        assert found["status"] == "Matched"
        return str(found["trade_id"])

    def sign(self, *banks: str) -> None:
        for bank in banks:
            self.of(bank, "signer", "run", "--once")

    def wait(self, trade_id: str, status: str) -> dict[str, Any]:
        end = time.monotonic() + 60
        while True:
            found: dict[str, Any] = self.of("a", "trade", "show", trade_id).json()
            if found["status"] == status:
                return found
            assert time.monotonic() < end, found
            time.sleep(0.5)

    def operator_pid(self) -> int:
        return int(json.loads((self.state / "operator.pid").read_text())["pid"])


@pytest.fixture(scope="module")
def venue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Venue]:
    made = Venue(tmp_path_factory.mktemp("settle"))
    patch = pytest.MonkeyPatch()
    patch.setenv("SETTLE_MARKET_WEEKEND", "[]")  # tests run at weekends, too
    patch.setenv("SETTLE_STATE", str(made.state))
    try:
        told = made.run("up", "--json").json()
        for bank, (lei, bic) in BANKS.items():
            made.run("signer", "init", "-p", made.profile(bank), "--lei", lei, "--api", told["api"],
                     "--rpc", told["rpc"], "--deployment", told["deployment"])  # fmt: skip
            made.run("participant", "admit", "--lei", lei, "--bic", bic, "--name", f"Bank {bank}",
                     "--account", made.account(bank))  # fmt: skip
        for code, kind, decimals in ((ISIN, "security", "0"), ("EUR", "central_bank_money", "2")):
            made.run("asset", "create", "--code", code, "--class", kind, "--decimals", decimals,
                     "--issuer", made.account("a"))  # fmt: skip
        issue(made, "a", ISIN, "1000")
        issue(made, "b", "EUR", "100000.00")
        yield made
    finally:
        made.run("down")
        patch.undo()


def issue(venue: Venue, bank: str, code: str, quantity: str) -> None:
    venue.run("asset", "issue", "--code", code, "--account", venue.account(bank),
              "--quantity", quantity)  # fmt: skip


def test_up_again_changes_nothing_and_another_engine_is_refused(venue: Venue) -> None:
    pid = venue.operator_pid()
    venue.run("up")
    assert venue.operator_pid() == pid
    assert "belongs to the engine tester" in venue.run("up", "--engine", "anvil", code=1).err


def test_admitting_again_changes_nothing(venue: Venue) -> None:
    lei, bic = BANKS["a"]
    again = ("participant", "admit", "--lei", lei, "--bic", bic, "--name", "Bank a")
    venue.run(*again, "--account", venue.account("a"))
    found = venue.run("participant", "list", "--json").json()
    assert [(one["lei"], len(one["accounts"])) for one in found] == [
        (lei, 1) for lei, _ in BANKS.values()
    ]
    other = ("participant", "admit", "--lei", BANKS["b"][0], "--bic", bic, "--name", "x")
    assert "is an account of" in venue.run(*other, "--account", venue.account("a"), code=1).err
    assert len(venue.of("a", "participant", "list").json()) == 1


def test_a_quantity_with_more_decimals_than_the_asset_is_usage(venue: Venue) -> None:
    venue.run("asset", "issue", "--code", "EUR", "--account", venue.account("a"),
              "--quantity", "1.001", code=2)  # fmt: skip
    assert [one["code"] for one in venue.of("a", "asset", "list").json()] == [ISIN, "EUR"]


def test_a_trade_goes_from_two_files_to_settled(venue: Venue) -> None:
    trade_id = venue.matched("T1", 100, 500_000)
    [again] = venue.of("b", "trade", "submit", venue.folder / "b-T1.json").json()
    assert (again["repeated"], again["trade_id"]) == (True, trade_id)
    venue.sign("a", "b")
    found = venue.wait(trade_id, "Settled")
    assert [leg["quantity"] for leg in found["instruction"]["legs"]] == ["100", "500000"]
    shown = venue.run("trade", "show", trade_id, "-p", venue.profile("a")).out
    assert f"in block {found['ended_block']}, {found['settled_transaction']}" in shown
    assert venue.of("b", "trade", "why", trade_id).json()["reasons"] == []
    listed = venue.of("b", "trade", "list", "--status", "Settled").json()
    assert trade_id in [one["trade_id"] for one in listed]


def test_a_side_that_is_wrong_is_usage_and_goes_nowhere(venue: Venue) -> None:
    for wrong in ({"quantity": 1}, {"quantity": "1.5"}, {"prize": "1"}, {"isin": "DE0007164601"}):
        path = venue.side("a", "W1", 1, 1, **wrong)
        assert (
            venue.of("a", "trade", "submit", path, code=2).json()["error"]["pointer"][:3] == "/0/"
        )
    assert venue.of("a", "trade", "list", "--reference", "W1").json() == []
    path = venue.side("a", "T1", 100, 500_001)
    error = venue.of("a", "trade", "submit", path, code=1).json()["error"]
    assert error["code"] == "duplicate_reference"


def test_what_the_venue_refused_may_come_again_put_right(venue: Venue) -> None:
    wrong = venue.side("a", "C1", 1, 100, isin="US0378331005")
    error = venue.of("a", "trade", "submit", wrong, code=2).json()["error"]
    assert error["code"] == "asset_unknown"
    venue.side("a", "C1", 1, 100)
    [found] = venue.of("a", "trade", "submit", wrong).json()
    assert found["status"] == "Unmatched"
    venue.of("a", "trade", "cancel", found["trade_id"])


def test_a_bank_takes_no_side_of_another_and_none_against_itself(venue: Venue) -> None:
    theirs = venue.side("a", "O1", 1, 100, movement="RECE")
    error = venue.of("a", "trade", "submit", theirs, code=2).json()["error"]
    assert error["code"] == "submitter_is_no_party"
    both = venue.side("a", "O1", 1, 100, receiving_party=BANKS["a"][0])
    error = venue.of("a", "trade", "submit", both, code=2).json()["error"]
    assert error["code"] == "same_party"


def test_one_journal_holds_both_sides_of_a_trade_of_two_entities(venue: Venue) -> None:
    for bank in BANKS:
        text = venue.profile(bank).read_text()
        own = f'journal = "{bank}.journal.db"'
        venue.profile(f"both-{bank}").write_text(text.replace(own, 'journal = "both.db"'))
        assert own in text
    paths = {bank: venue.side(bank, f"B1{bank}", 1, 100, nonce="5000") for bank in BANKS}
    found = {}
    for bank, path in paths.items():
        [found] = venue.of(f"both-{bank}", "trade", "submit", path).json()
    for bank in ("a", "b", "a"):
        venue.of(f"both-{bank}", "signer", "run", "--once")
    venue.wait(found["trade_id"], "Settled")
    journal = sqlite3.connect(venue.folder / "both.db")
    assert journal.execute("SELECT count(*), count(DISTINCT digest) FROM signed").fetchone() == (
        2,
        1,
    )
    assert journal.execute("SELECT count(*) FROM bundles").fetchone() == (1,)
    journal.close()
    other = venue.side("b", "B1a", 2, 100)
    error = venue.of("both-b", "trade", "submit", other, code=1).json()["error"]
    assert error["code"] == "duplicate_reference"


def test_terms_that_were_not_instructed_are_not_signed(venue: Venue) -> None:
    trade_id = venue.matched("N1", 1, 100)
    journal = sqlite3.connect(venue.folder / "a.journal.db")
    with journal:
        changed = "UPDATE sides SET side = replace(side, '\"quantity\": 1,', '\"quantity\": 2,')"
        assert journal.execute(f"{changed} WHERE reference = 'N1'").rowcount == 1
    journal.close()
    [refused] = venue.of("a", "signer", "run", "--once", code=1).json()["refused"]
    assert (refused["reference"], refused["code"]) == ("N1", "not_instructed")
    assert "instructed 2 of asset 1" in refused["message"]
    # Both sides end it.
    assert len(venue.of("a", "trade", "cancel", trade_id).json()["missing"]) == 1
    venue.of("b", "trade", "cancel", trade_id)
    venue.wait(trade_id, "Cancelled")


def test_a_pair_of_messages_settles(venue: Venue) -> None:
    names = ("dvp_delivering.xml", "dvp_receiving_in_envelope.xml")
    for bank, name in zip(BANKS, names, strict=True):
        text = (ROOT / "examples" / "iso20022" / name).read_text()
        path = venue.folder / name
        path.write_text(text.replace("2026-11-24", DAY).replace("2026-11-26", DAY))
        told = venue.of(bank, "iso", "submit", path).json()
        assert told["accepted"]
        assert "sese.024" in told["answer"]
    venue.sign("a", "b")
    venue.wait(told["trade_id"], "Settled")
    wrong = venue.folder / "wrong.xml"
    wrong.write_text((venue.folder / names[0]).read_text().replace(ISIN, "US0378331005"))
    assert not venue.of("a", "iso", "submit", wrong, code=1).json()["accepted"]


def test_the_example_of_the_page_about_the_api_trades(venue: Venue) -> None:
    page = (ROOT / "docs" / "api.md").read_text()
    [_, *blocks] = page.split("```python\n")
    example: dict[str, Any] = {}
    exec("".join(block.partition("```")[0] for block in blocks), example)
    told = venue.run("up", "--json").json()
    deployment = json.loads(Path(told["deployment"]).read_text())
    domain = {
        "name": "settle",
        "version": "1",
        "chainId": told["chain_id"],
        "verifyingContract": deployment["contracts"]["Settlement"],
    }
    api, key = (
        told["api"],
        load_key(venue.folder / "a.key.json", (venue.folder / "a.password").read_text().strip()),
    )
    random = {"trade_ref": "0x" + os.urandom(32).hex(), "terms": "0x" + os.urandom(32).hex()}
    side = json.loads(venue.side("a", "E1", 3, 900, nonce="9000", **random).read_text())
    submitted = example["submit"](api, key, side)
    assert submitted["status"] == "Unmatched"
    assert example["submit"](api, key, side)["side_id"] == submitted["side_id"]
    [matched] = venue.of("b", "trade", "submit", venue.side("b", "E1", 3, 900)).json()
    seen: list[str] = []

    def expected(reference: str, terms: dict[str, Any]) -> bool:
        seen.append(reference)
        return reference == "E1" and [leg["quantity"] for leg in terms["legs"]] == ["3", "900"]

    example["sign_terms"](api, key, domain, expected)
    assert "E1" in seen
    venue.sign("b")
    venue.wait(matched["trade_id"], "Settled")


def test_contracts_are_deployed_under_a_plan_of_other_peoples_keys(venue: Venue) -> None:
    arguments = ("deploy", "--plan", ROOT / "examples" / "approvers.toml", "--json")
    out = venue.folder / "planned.json"
    deployer = ("--keystore", venue.folder / "a.key.json", "--out", out)
    deployer += ("--password-file", venue.folder / "a.password")
    told = venue.run(*arguments, *deployer).json()
    planned = json.loads(out.read_text())
    assert planned["contracts"]["Settlement"] == told["contracts"]["Settlement"]
    assert planned["deployer"] == venue.account("a")
    assert "exists and is not replaced" in venue.run(*arguments, *deployer, code=1).err
    assert "needs --keystore" in venue.run(*arguments, code=2).err


def test_each_bank_takes_back_what_it_signed_alone(venue: Venue) -> None:
    trade_id = venue.matched("W2", 1, 90_000_000)
    venue.sign("a", "b", "a")
    venue.wait(trade_id, "Pending")
    assert (
        venue.of("b", "signer", "cancel", "W2", code=1).json()["error"]["code"] == "not_initiator"
    )
    assert venue.of("b", "signer", "withdraw", "W2").json()["verb"] == "withdraw"
    assert venue.of("b", "signer", "release", "W2", code=1).json()["error"]["reasons"]
    assert venue.of("a", "signer", "cancel", "W2").json()["verb"] == "cancel"
    venue.wait(trade_id, "Cancelled")


def test_receipts_are_kept_and_hold_the_venue_to_its_word(venue: Venue) -> None:
    trade_id = venue.matched("R1", 1, 5_000)
    venue.sign("a", "b")
    venue.wait(trade_id, "Settled")
    file = venue.folder / "receipts-a.jsonl"
    first = venue.of("a", "receipt", "keep", file).json()
    assert first["receipts"] == first["new"] > 2
    assert venue.of("a", "receipt", "keep", file).json()["new"] == 0
    found = venue.of("a", "receipt", "verify", file, "--key", first["key"]).json()
    assert found["findings"] == []
    assert found["settled"] >= 1
    assert found["ended"] >= 1, "what was cancelled before"
    lines = file.read_text().splitlines()
    file.write_text("\n".join([*lines[:1], *lines[2:]]) + "\n")
    found = venue.of("a", "receipt", "verify", file, "--key", first["key"], code=4).json()
    assert {one["code"] for one in found["findings"]} >= {"gap", "previous"}
    changed = venue.of("a", "receipt", "keep", file, code=4).json()
    assert (changed["findings"][0]["code"], changed["new"]) == ("changed", 0)
    file.write_text("\n".join(lines) + "\n")
    other = venue.of("a", "receipt", "verify", file, "--key", venue.account("b"), code=4).json()
    assert {one["code"] for one in other["findings"]} == {"signature"}


def test_with_the_operator_dead_a_signer_settles_alone(venue: Venue) -> None:
    trade_id = venue.matched("D1", 10, 50_000_000)
    venue.sign("b", "a", "b")
    found = venue.wait(trade_id, "Pending")
    assert [one["code"] for one in found["reasons"]] == ["MONY"]
    os.kill(venue.operator_pid(), signal.SIGKILL)
    venue.of("a", "trade", "list", code=3)
    refused = venue.of("a", "signer", "settle", "D1", code=1).json()["error"]
    assert [one["code"] for one in refused["reasons"]] == ["MONY"]
    issue(venue, "b", "EUR", "500000.00")
    done = venue.of("a", "signer", "settle", "D1").json()
    assert (done["verb"], done["reference"]) == ("settle", "D1")
    again = venue.of("b", "signer", "settle", "D1", code=1).json()["error"]
    assert again["reasons"][0]["code"] == "XDON"
    assert (
        venue.of("a", "signer", "cancel", "no-such", code=1).json()["error"]["code"] == "not_found"
    )
    venue.run("up")
    venue.wait(trade_id, "Settled")


def test_a_foreign_transaction_stops_the_sender_until_a_person_has_looked(venue: Venue) -> None:
    assert venue.run("alarm", "list").out == "no alarms\n"
    chain = State(venue.state).running_chain()
    State(venue.state).stop_operator()
    direct = DirectSender(
        node=chain.engine.node(), profile=chain.engine.profile, key=chain.keys["operator"]
    )
    order = Order(to=direct.address, data=b"", gas=21_000, what="a transaction of somebody else")
    for _ in range(2):
        direct.send(order)
    venue.run("up")
    end = time.monotonic() + 30
    with State(venue.state).client() as client:
        while client.is_ready() or not venue.run("alarm", "list", "--json").json():
            assert time.monotonic() < end
            time.sleep(0.2)
    found = venue.run("alarm", "list", "--json").json()
    assert "foreign_transaction" in {one["kind"] for one in found}
    cleared = venue.run("alarm", "acknowledge", "--json").json()
    assert {one["kind"] for one in found} <= {one["kind"] for one in cleared}
    venue.run("up")
    trade_id = venue.matched("F1", 1, 100)
    venue.sign("a", "b")
    venue.wait(trade_id, "Settled")
    assert venue.run("alarm", "list", "--json").json() == []


def test_the_audit_is_clean_and_a_changed_copy_is_found(venue: Venue) -> None:
    told = venue.run("up", "--json").json()
    where = ("audit", "run", "--rpc", told["rpc"], "--deployment", told["deployment"], "--json")
    assert venue.run(*where, "--database", told["database"]).json()["verdict"] == "clean"
    source = sqlite3.connect(told["database"].removeprefix("sqlite:///"))
    copy = sqlite3.connect(venue.folder / "copy.db")
    source.backup(copy)
    source.close()
    with copy:
        copy.execute("DELETE FROM holdings WHERE account = (SELECT min(account) FROM holdings)")
    copy.close()
    changed = f"sqlite:///{venue.folder / 'copy.db'}"
    assert venue.run(*where, "--database", changed, code=4).json()["findings"]


def test_a_signer_that_runs_signs_and_ends_when_it_is_told(venue: Venue) -> None:
    trade_id = venue.matched("signer-runs", 1, 100)
    program = "from settle.cli.main import app; app()"
    with subprocess.Popen(
        [sys.executable, "-c", program, "signer", "run", "-p", "a.toml", "--json"],
        stdout=subprocess.PIPE,
        cwd=venue.folder,
    ) as running:
        assert running.stdout is not None
        # What was refused before is told again by a new process.
        rounds = json.loads(running.stdout.readline())
        running.terminate()
        assert running.wait(20) == 0
    assert [one["trade_id"] for one in rounds["signed"]] == [trade_id]


def test_down_ends_what_up_began_and_nothing_else(venue: Venue, tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as bystander:
        copy = tmp_path / "copy"
        shutil.copytree(venue.state, copy)
        pid_file = copy / "operator.pid"
        told = json.loads(pid_file.read_text())
        # The number of a process that began at another time belongs to somebody else.
        pid_file.write_text(json.dumps({**told, "pid": bystander.pid}))
        (copy / "engine.json").unlink()
        assert venue.run("down", "--state", copy, "--json").json() == {"stopped": []}
        assert bystander.poll() is None
        bystander.communicate(b"\n")
    pid = venue.operator_pid()
    assert venue.run("down", "--json").json() == {"stopped": ["operator", "engine"]}
    assert identify(pid) is None
    assert "--anew" in venue.run("up", code=1).err
    genesis = json.loads((venue.state / "deployment.json").read_text())["genesis_hash"]
    venue.run("up", "--anew")
    told = json.loads((venue.state / "deployment.json").read_text())
    assert told["genesis_hash"] != genesis
    assert venue.run("trade", "list", "--json").json() == []
