"""Instructions that conditions name: nobody is shown an id without what it moves."""

from __future__ import annotations

from dataclasses import replace

import pytest

from settle.domain.errors import InvalidInput
from settle.domain.escrow.check import check
from settle.domain.escrow.named_instructions import print_instructions
from settle.domain.escrow.reading import WrittenTerms, read_terms
from settle.domain.ids import AssetId, to_hex
from settle.domain.instruction import OPTION_RECORD, Instruction, Leg, SigningDomain, instruction_id
from settle.domain.instruction_json import to_json
from tests.support import escrow_world as w

ELSEWHERE = replace(w.DOMAIN, chain_id=1)
TRADE = Instruction(
    initiator=w.SELLER,
    nonce=7,
    settle_from=w.NOW,
    settle_by=w.NOW + w.DAY,
    options=OPTION_RECORD,
    legs=(
        Leg(asset=AssetId(7), deliverer=w.SELLER, receiver=w.BUYER, quantity=500),
        Leg(asset=AssetId(1), deliverer=w.BUYER, receiver=w.SELLER, quantity=250_050),
    ),
)
NAME = to_hex(instruction_id(TRADE, w.DOMAIN))
WHEN = f'{{ settled = "{NAME}" }}'


def toml(value: object) -> str:
    """Write what an instruction consists of as TOML."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {toml(one)}" for key, one in value.items()) + " }"
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    return f'"{value}"'


def beside(instruction: Instruction, name: str = NAME) -> str:
    return f'[[instructions]]\nid = "{name}"\ninstruction = {toml(to_json(instruction))}\n'


def written(*instructions: str, when: str = WHEN) -> WrittenTerms:
    """BUYER pays a fee if a trade has settled."""
    return read_terms(f"""
reference = "Fee of trade 7"
open_by = 2027-01-15T12:00:00Z

[accounts]
buyer = "{to_hex(w.BUYER)}"
seller = "{to_hex(w.SELLER)}"

[assets]
EUR = {{ number = 1, decimals = 2 }}

[[milestones]]
name = "fee"
deadline = "2 days"
when = {when}

[[milestones.lines]]
asset = "EUR"
from = "buyer"
to = "seller"
quantity = "10.00"
if_met = "all"
by_default = "nothing"

{"".join(instructions)}
""")


def found(terms: WrittenTerms, domain: SigningDomain | None = w.DOMAIN) -> set[tuple[str, str]]:
    report = check(terms.terms, terms.locks, terms.instructions, domain)
    return {(one.severity, one.code) for one in report.findings}


def test_an_instruction_is_named_with_its_terms_beside_it() -> None:
    assert found(written(beside(TRADE))) == set()
    assert found(written()) == {("refused", "instruction_unseen")}
    other = replace(TRADE, nonce=8)
    name = to_hex(instruction_id(other, w.DOMAIN))
    assert found(written(beside(other, name))) == {("refused", "instruction_unseen")}


def test_the_terms_beside_an_id_are_those_of_the_id() -> None:
    more = replace(TRADE, legs=(replace(TRADE.legs[0], quantity=1), TRADE.legs[1]))
    assert found(written(beside(more))) == {("refused", "instruction_another")}
    assert found(written(beside(TRADE)), ELSEWHERE) == {("refused", "instruction_another")}
    assert found(written(beside(more)), None) == {("warning", "instruction_id_open")}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"options": 0}, "instruction_unrecorded"),
        ({"cycle": b"\1" * 32}, "instruction_dead"),
        ({"settle_by": w.NOW}, "instruction_dead"),
        ({"legs": ()}, "instruction_dead"),
    ],
)
def test_what_nobody_can_show_to_have_settled_is_no_condition(
    change: dict[str, object], code: str
) -> None:
    changed = replace(TRADE, **change)  # type: ignore[arg-type]
    name = to_hex(instruction_id(changed, w.DOMAIN))
    for when in (f'{{ settled = "{name}" }}', f'{{ not = {{ settled = "{name}" }} }}'):
        assert found(written(beside(changed, name), when=when)) == {("refused", code)}


def test_a_trade_in_which_the_payer_has_no_part_is_worth_a_look() -> None:
    """Of the payee alone it could be brought about, by one unit to and fro."""
    legs = (Leg(asset=AssetId(1), deliverer=w.SELLER, receiver=w.THIRD, quantity=1),)
    own = replace(TRADE, legs=legs)
    name = to_hex(instruction_id(own, w.DOMAIN))
    terms = written(beside(own, name), when=f'{{ settled = "{name}" }}')
    assert found(terms) == {("warning", "instruction_of_others")}


def test_it_is_printed_leg_by_leg() -> None:
    when = f'{{ any = [{{ settled = "{NAME}" }}, {{ not = {{ settled = "{NAME}" }} }}] }}'
    terms = written(beside(TRADE), when=when)
    told = print_instructions(
        terms.terms, terms.instructions, register=terms.register, labels=terms.labels
    )
    buyer, seller = f"account {to_hex(w.BUYER)} (buyer)", f"account {to_hex(w.SELLER)} (seller)"
    moved = [
        f"   {NAME}",
        f"      500 smallest units of asset 7 from {seller} to {buyer}",
        f"      2500.50 EUR from {buyer} to {seller}",
        "      It can settle from 2027-01-15 08:00:00 UTC on and before 2027-01-16 08:00:00 UTC;",
        f"      {seller} initiated it.",
    ]
    negated = "has not settled and can settle no more"
    assert told.splitlines() == [
        "INSTRUCTIONS NAMED IN THE CONDITIONS",
        "",
        "   Milestone 1 asks whether this instruction has settled:",
        *moved,
        "",
        f"   Milestone 1 asks whether this instruction {negated}:",
        *moved,
    ]
    unseen = print_instructions(terms.terms, (), register=terms.register, labels={})
    assert unseen.count("ITS TERMS ARE NOT KNOWN HERE.") == 2
    plain = written(when='"never"')
    assert print_instructions(plain.terms, (), register=plain.register, labels={}) == ""


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        (beside(TRADE) * 2, "instruction_twice", "twice"),
        (beside(TRADE).replace('nonce = "7"', 'nonce = "x"'), "units_form", "/nonce"),
        (beside(TRADE).replace('nonce = "7", ', ""), "missing_key", "nonce"),
        (beside(TRADE).replace('id = "0x', 'id = "'), "word_form", "id"),
        (beside(TRADE) + 'note = "x"\n', "unknown_key", "note"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(text: str, code: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=r"^line \d+, instructions") as fault:
        written(text)
    assert fault.value.code == code
    assert message in fault.value.message
