"""`settle escrow`: the offline commands, data and refusals."""

from __future__ import annotations

from pathlib import Path

import pytest

from settle.cli.exits import REFUSED, USAGE
from settle.domain.escrow.encoding import decode_terms
from settle.domain.escrow.terms import escrow_id
from settle.domain.escrow.terms_json import terms_from_json
from settle.domain.ids import Address
from settle.domain.instruction import SigningDomain
from settle.domain.keccak import keccak256
from tests.cli.conftest import Settle

EXAMPLES = Path(__file__).parents[2] / "examples" / "escrow"
BOOKS = "0x" + "11" * 20
DOMAIN = ("--chain-id", "31337", "--contract", BOOKS)


def test_check_tells_every_end_and_draws_them(settle: Settle, tmp_path: Path) -> None:
    picture = tmp_path / "deposit.svg"
    file = str(EXAMPLES / "deposit.toml")
    told = settle("escrow", "check", file, "--json", "--svg", str(picture)).json()
    assert not told["refused"]
    halved = next(e for e in told["ends"] if e["milestones"] == ["disputed, no ruling: split"])
    gains = {one["account"]: one["quantity"] for one in halved["gains"]}
    assert gains == {"tenant": "-1500.00", "landlord": "1500.00"}
    assert picture.read_text().startswith("<svg")


def test_check_refuses_unsafe_margins_with_exit_code_1(settle: Settle, tmp_path: Path) -> None:
    file = tmp_path / "unsafe.toml"
    text = (EXAMPLES / "cross-chain.toml").read_text()
    file.write_text(text.replace('deadline = "4 days"', 'deadline = "2 days"'))
    assert "hash_lock_margin" in settle("escrow", "check", str(file), code=REFUSED).out
    compiled = settle("escrow", "compile", str(file), *DOMAIN, code=USAGE)
    assert "hash_lock_margin" in compiled.err


def test_compile_gives_what_is_signed_and_print_gives_its_text(settle: Settle) -> None:
    file = str(EXAMPLES / "purchase.toml")
    told = settle("escrow", "compile", file, *DOMAIN).json()
    terms = terms_from_json(told["terms"])
    domain = SigningDomain(chain_id=31337, verifying_contract=Address(b"\x11" * 20))
    assert told["id"] == "0x" + escrow_id(terms, domain).hex()
    assert decode_terms(bytes.fromhex(told["encoded"][2:])) == terms
    printed = settle("escrow", "print", file)
    assert keccak256(printed.out.encode()) == terms.text
    other = settle("escrow", "compile", file, *DOMAIN, "--new-salt").json()
    assert other["id"] != told["id"]


@pytest.mark.parametrize("verb", ["check", "print"])
def test_a_fault_names_its_file_line_and_path(settle: Settle, tmp_path: Path, verb: str) -> None:
    file = tmp_path / "wrong.toml"
    text = (EXAMPLES / "purchase.toml").read_text()
    file.write_text(text.replace('by = "carrier"', 'by = "currier"', 1))
    told = settle("escrow", verb, str(file), code=USAGE).err
    assert f"{file}: line 28, milestones[1].when.signed.by" in told
