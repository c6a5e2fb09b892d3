"""Exit codes say who can act, data goes to standard output, words to standard error."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from settle.cli.exits import INFRASTRUCTURE, REFUSED, USAGE, exit_code
from settle.domain.errors import (
    Broken,
    Conflict,
    Forbidden,
    InvalidInput,
    NotFound,
    Refused,
    SettleError,
    Unavailable,
)
from tests.cli.conftest import Settle

LEI = "529900T8BM49AURSDO55"
NOWHERE = "http://127.0.0.1:1"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SETTLE_STATE", raising=False)
    monkeypatch.delenv("SETTLE_PROFILE", raising=False)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InvalidInput("c", "m"), USAGE),
        (Refused((), "m"), REFUSED),
        (NotFound("m"), REFUSED),
        (Forbidden("m"), REFUSED),
        (Conflict("c", "m"), REFUSED),
        (Unavailable("m"), INFRASTRUCTURE),
        (Broken("m"), INFRASTRUCTURE),
        (SettleError("m", code="c"), INFRASTRUCTURE),
    ],
)
def test_each_kind_of_exception_has_its_code(error: SettleError, code: int) -> None:
    assert exit_code(error) == code


def test_a_wrong_call_is_usage(settle: Settle) -> None:
    assert settle("trade", "show", code=2).out == ""
    settle("no-such-command", code=2)
    settle("up", "--engine", "no-such-engine", code=2)
    settle("asset", "create", "--code", "EUR", "--class", "gold", "--decimals", "2",
           "--issuer", "0x" + "11" * 20, code=2)  # fmt: skip


def test_an_empty_folder_has_no_venue_and_says_how_to_get_one(settle: Settle) -> None:
    assert "settle up" in settle("trade", "list", code=3).err
    assert settle("down", "--json").json() == {"stopped": []}


def test_errors_are_json_where_json_is_asked_for(settle: Settle) -> None:
    told = settle("trade", "list", "--json", code=3)
    assert told.json()["error"]["code"] == "operator_down"
    assert "no operator runs" in told.err


def test_the_program_itself_ends_with_the_code(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from settle.cli.main import app; app()", "trade", "list"],
        capture_output=True,
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 3
    assert done.stdout == b""
    assert done.stderr.startswith(b"settle: no operator runs")


@pytest.mark.parametrize(
    "arguments",
    [
        ("trade", "submit", "deep.json", "-p", "bank.toml"),
        ("signer", "settle", "R1", "-p", "bank.toml", "--deployment", "deep.json"),
        ("audit", "run", "--rpc", NOWHERE, "--deployment", "deep.json", "--json"),
        ("trade", "list", "-p", "deep.toml"),
    ],
)
def test_a_file_that_nests_deeper_than_the_stack_is_usage(
    settle: Settle, arguments: tuple[str, ...]
) -> None:
    profile = init(settle)
    deep = "[" * 99_000
    Path("deep.json").write_text(deep)
    Path("deep.key.json").write_text(deep)
    Path("deep.key.json").chmod(0o600)
    named = profile.read_text().replace("bank.key.json", "deep.key.json")
    Path("deep.toml").write_text(named)
    # In a process of its own, because one that broke would end with it.
    done = subprocess.run(
        [sys.executable, "-c", "from settle.cli.main import app; app()", *arguments],
        capture_output=True,
        check=False,
    )
    assert done.returncode == USAGE, done
    assert b"deep." in done.stderr
    if "--json" in arguments:
        assert "deep.json" in json.loads(done.stdout)["error"]["message"]


# -------------------------------------------------------------------------------- signer


def init(settle: Settle, *more: str) -> Path:
    settle("signer", "init", "-p", "bank.toml", "--lei", LEI, "--api", NOWHERE, *more)
    return Path("bank.toml")


def test_a_new_profile_has_a_key_that_only_its_owner_reads(settle: Settle) -> None:
    path = init(settle)
    told = tomllib.loads(path.read_text())
    assert told["lei"] == LEI
    for name in (path, Path(told["keystore"]), Path(told["password_file"])):
        assert stat.S_IMODE(name.stat().st_mode) == 0o600
    before = path.read_bytes(), Path(told["keystore"]).read_bytes()
    settle("signer", "init", "-p", path, "--lei", LEI, "--api", NOWHERE, code=1)
    assert (path.read_bytes(), Path(told["keystore"]).read_bytes()) == before


def test_a_wrong_lei_makes_no_profile(settle: Settle) -> None:
    settle("signer", "init", "-p", "x.toml", "--lei", LEI[:-1] + "4", "--api", NOWHERE, code=2)
    assert not list(Path().iterdir())


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ('lei = "529900T8BM49AURSDO55"', "lacks api, journal, keystore, password_file"),
        ("lei = 1", "lei is of another type"),
        ('nickname = "bank"', "nickname is no member of a profile"),
        ("lei =", "is not TOML"),
    ],
)
def test_a_profile_that_is_wrong_is_told_by_its_member(
    settle: Settle, change: str, word: str
) -> None:
    Path("bank.toml").write_text(change)
    assert word in settle("trade", "list", "-p", "bank.toml", code=2).err


def test_another_key_than_the_profiles_account_is_refused(settle: Settle) -> None:
    path = init(settle)
    text = path.read_text()
    account = tomllib.loads(text)["account"]
    path.write_text(text.replace(account, "0x" + "11" * 20))
    assert "holds the key of" in settle("trade", "list", "-p", path, code=2).err


def test_a_key_that_others_can_read_is_refused(settle: Settle) -> None:
    path = init(settle)
    Path("bank.key.json").chmod(0o644)
    assert "chmod 600" in settle("trade", "list", "-p", path, code=2).err


def test_a_market_that_is_wrong_is_told_by_its_member(settle: Settle, tmp_path: Path) -> None:
    path = init(settle)
    path.write_text(path.read_text() + "[market]\nrecycling_days = -1\n")
    from settle.cli.profile import load_profile

    with pytest.raises(InvalidInput, match=r"market\.recycling_days"):
        load_profile(path).rules()


def test_to_act_alone_a_deployment_and_a_journal_are_needed(settle: Settle) -> None:
    path = init(settle)
    assert "names no deployment file" in settle("signer", "settle", "R1", "-p", path, code=2).err


# -------------------------------------------------------------------------------- doctor


def test_the_doctor_says_what_is_there_and_how_to_get_the_rest(settle: Settle) -> None:
    found = {one["name"]: one for one in settle("doctor", "--json").json()}
    assert found["python"]["ok"]
    assert found["contracts"]["ok"]
    assert not found["venue"]["ok"]
    assert "settle up" in found["venue"]["detail"]


def test_the_doctor_ends_with_3_where_something_needed_is_missing(
    settle: Settle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("settle.cli.doctor._LEAST_PYTHON", (9, 0))
    told = settle("doctor", code=3)
    assert "MISSING  python" in told.out
    assert "make PYTHON=" in told.out


def test_what_is_written_as_json_keeps_big_numbers(settle: Settle) -> None:
    from settle.cli.output import plain

    assert json.dumps(plain({"quantity": 2**127, "version": 3, "hash": b"\x01"})) == (
        f'{{"quantity": "{2**127}", "version": 3, "hash": "0x01"}}'
    )
