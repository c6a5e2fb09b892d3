"""`settle escrow`: the offline commands, data and refusals."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from settle.cli.exits import REFUSED, USAGE
from settle.domain.escrow.encoding import decode_terms
from settle.domain.escrow.terms import escrow_id
from settle.domain.escrow.terms_json import terms_from_json
from settle.domain.ids import Address, to_hex
from settle.domain.instruction import OPTION_RECORD, Instruction, SigningDomain, instruction_id
from settle.domain.instruction_json import from_json, to_json
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


def test_an_instruction_is_shown_leg_by_leg_and_never_by_its_id_alone(
    settle: Settle, tmp_path: Path
) -> None:
    accounts = {"issuer": "0x7e5f4552091a69125d5dfcb7b8c2659029395bdf",
                "first": "0x2b5ad5c4795c026514f8317c7a215e218dccd6cf"}  # fmt: skip
    legs = [{"asset": "2", "deliverer": accounts["issuer"], "receiver": accounts["first"],
             "quantity": "12"}]  # fmt: skip
    trade = to_json(
        Instruction(
            initiator=Address(bytes.fromhex(accounts["issuer"][2:])),
            nonce=7,
            settle_from=1_800_000_000,
            settle_by=1_800_100_000,
            options=OPTION_RECORD,
            legs=(),
        )
    ) | {"legs": legs}
    books = SigningDomain(chain_id=31_337, verifying_contract=Address(b"\x11" * 20))
    name = to_hex(instruction_id(from_json(trade), books))
    text = (EXAMPLES / "subscription.toml").read_text()
    text = text.replace(
        '{ signed = { by = "registrar", statement = "entered 2027-1" } }',
        f'{{ settled = "{name}" }}',
    )
    told = tomllib.loads(text)
    told["open_by"] = told["open_by"].isoformat()
    file = tmp_path / "issue.json"
    file.write_text(json.dumps(told))
    assert "instruction_unseen" in settle("escrow", "check", file, code=REFUSED).out
    assert "instruction_unseen" in settle("escrow", "compile", file, *DOMAIN, code=USAGE).err

    file.write_text(json.dumps(told | {"instructions": [{"id": name, "instruction": trade}]}))
    moved = f"12 DE0007164600 from account {accounts['issuer']} (issuer) to account"
    checked = settle("escrow", "check", file).out
    assert moved in checked
    assert "instruction_id_open" in checked
    printed = settle("escrow", "print", file)
    assert moved in printed.err
    compiled = settle("escrow", "compile", file, *DOMAIN).json()
    assert compiled["terms"]["text"] == to_hex(keccak256(printed.out.encode())), "beside the text"
    elsewhere = ("--chain-id", "1", "--contract", BOOKS)
    assert "instruction_another" in settle("escrow", "compile", file, *elsewhere, code=USAGE).err
