"""`settle demo --json` prints one object, and what it says adds up."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
LINES = 45
OUTCOMES = ("settled", "pending", "unmatched", "lapsed", "cancelled", "rejected")


def settle(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from settle.cli.main import app; app()", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Any:
    tape = tmp_path_factory.mktemp("tape") / "tape.csv"
    lines = (ROOT / "examples" / "tape.csv").read_text().splitlines(keepends=True)
    tape.write_text("".join(lines[: LINES + 1]))
    done = settle("demo", "--tape", tape, "--participants", "4", "--seed", "3", "--json")
    assert done.returncode == 0, done.stderr
    [line] = done.stdout.splitlines()
    return json.loads(line)


def test_the_object_has_the_members_that_others_read(played: Any) -> None:
    assert {name: sorted(of) if isinstance(of, dict) else None for name, of in played.items()} == {
        "engine": None,
        "chain_id": None,
        "blocks": None,
        "trades": sorted(("submitted", *OUTCOMES)),
        "reasons": sorted(played["reasons"]),
        "gas": ["per_settled_trade", "total"],
        "operator_kills": None,
        "audit": sorted(
            ("verdict", "blocks", "instructions", "signatures", "holdings", "differences")
        ),
        "tamper": ["found", "where"],
        "iso20022": ["in", "out"],
        "elapsed_s": None,
    }


def test_each_trade_counts_once_and_comes_to_the_end_that_was_planned(played: Any) -> None:
    trades = played["trades"]
    assert trades["submitted"] == LINES + 1  # one comes by messages
    assert sum(trades[outcome] for outcome in OUTCOMES) == trades["submitted"]
    assert {name: trades[name] for name in OUTCOMES[1:]} == {
        "pending": 0, "unmatched": 4, "lapsed": 1, "cancelled": 1, "rejected": 0,
    }  # fmt: skip
    assert played["audit"]["instructions"] == trades["settled"]
    assert played["gas"]["per_settled_trade"] == played["gas"]["total"] // trades["settled"]


def test_trades_waited_and_the_operator_was_killed(played: Any) -> None:
    assert {"LACK", "MONY", "DQUA", "DMON"} <= played["reasons"].keys()
    assert played["operator_kills"] == 1
    assert played["iso20022"] == {"in": 2, "out": 2}


def test_the_audit_is_clean_and_the_changed_copy_is_found(played: Any) -> None:
    assert (played["audit"]["verdict"], played["audit"]["differences"]) == ("clean", 0)
    assert played["tamper"]["found"] is True
    [where] = played["tamper"]["where"]
    assert "account 0x" in where
    assert "stated" in where


def test_a_tape_with_a_broken_line_starts_nothing(tmp_path: Path) -> None:
    tape = tmp_path / "tape.csv"
    lines = (ROOT / "examples" / "tape.csv").read_text().splitlines()
    tape.write_text("\n".join([*lines[:30], "DE0007164600,ten,1.00,EUR", *lines[30:]]))
    done = settle("demo", "--tape", tape, "--json")
    assert done.returncode == 2
    assert "line 31" in json.loads(done.stdout)["error"]["message"]
    assert "runs" not in done.stderr
