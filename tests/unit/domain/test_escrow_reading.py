from __future__ import annotations

import pytest

from settle.domain.errors import InvalidInput
from settle.domain.escrow.conditions import AllOf, Not, OutcomeOf, Signed, TimeReached
from settle.domain.escrow.program import read_program
from settle.domain.escrow.reading import read_terms
from settle.domain.escrow.wording_words import duration, instant, listed

TERMS = """\
reference = "Purchase 117"
open_by = 2027-01-15T12:00:00Z

[accounts]
buyer = "0x7e5f4552091a69125d5dfcb7b8c2659029395bdf"
seller = "0x2b5ad5c4795c026514f8317c7a215e218dccd6cf"
carrier = "0x6813eb9362372eef6200f3b1dbc3f819671cba69"

[assets]
EUR = { number = 1, decimals = 2 }

[[milestones]]  # the first
name = "delivery"
deadline = "30 days"
when = { signed = { by = "carrier", statement = "delivered" } }

[[milestones.lines]]
asset = "EUR"
from = "buyer"
to = "seller"
quantity = "100.00"
if_met = "all"
by_default = "nothing"

[[milestones]]
name = "inspection"
deadline = "2027-03-01T13:00:00+01:00"
when = { all = [
    { time = "40 days" },
    { not = { outcome = { of = "delivery", is = ["refunded", "split"] } } },
] }

[[milestones.lines]]
asset = "EUR"
from = "buyer"
to = "seller"
quantity = "10"
if_met = "7.50"
by_default = "nothing"
"""


def test_people_write_names_and_the_terms_hold_numbers() -> None:
    found = read_terms(TERMS)
    terms = found.terms
    assert terms.open_by == 1_800_014_400
    assert terms.deadlines == (terms.open_by + 30 * 86_400, terms.open_by + 45 * 86_400)
    delivery, inspection = read_program(terms.program, terms.deadlines, open_by=terms.open_by)
    assert isinstance(delivery, Signed)
    assert inspection == AllOf(
        of=(
            TimeReached(at=terms.open_by + 40 * 86_400),
            Not(of=OutcomeOf(milestone=0, mask=6)),
        )
    )
    assert (terms.lines[1].quantity, terms.lines[1].if_met) == (1000, 750)
    assert [found.labels[line.depositor] for line in terms.lines] == ["buyer", "buyer"]
    assert found.milestones == ("delivery", "inspection")


def test_another_opening_moves_what_is_counted_from_it() -> None:
    later = read_terms(TERMS, open_by=1_800_014_401).terms
    assert later.deadlines[0] == 1_800_014_401 + 30 * 86_400
    salted = read_terms(TERMS, salt=b"\x01" * 32).terms
    assert salted.salt == b"\x01" * 32
    assert salted.ref != later.ref


@pytest.mark.parametrize(
    ("written", "instead", "place", "what"),
    [
        ('"buyer"\nto', '"bayer"\nto', "line 19, milestones[1].lines[1].from", "'bayer'"),
        ('"100.00"', '"100.001"', "line 21, milestones[1].lines[1].quantity", "3 decimals"),
        ('"100.00"', "100.0", "line 21, milestones[1].lines[1].quantity", "quotation marks"),
        ('"7.50"', '"11"', "line 38, milestones[2].lines[1].if_met", "more than the line holds"),
        ('"30 days"', '"soon"', "line 14, milestones[1].deadline", "a duration after open_by"),
        ('"40 days"', '"40 moons"', "line 29, milestones[2].when.all[1].time", "expected an inst"),
        ('of = "delivery"', 'of = "inspection"', "line 30, ", "no milestone above"),
        ('["refunded", "split"]', '"lost"', "line 30, ", "released, refunded or split"),
        ('"delivered"', '"a \\"quote\\""', "line 15, milestones[1].when.signed.stat", "statement"),
        ("{ not =", "{ nor =", "line 30, milestones[2].when.all[2]", "a condition is one of"),
        ('asset = "EUR"\nfrom', 'asset = "USD"\nfrom', "line 18, ", "'USD'"),
        ("decimals = 2", "decimals = 2, colour = 3", "line 10, assets.EUR.colour", "no member"),
        ('name = "inspection"', 'name = "delivery"', "line 26, milestones[2].name", "of its own"),
        ('if_met = "all"\n', "", "line 17, milestones[1].lines[1]", "if_met is missing"),
        ("2027-01-15T12:00:00Z", "2027-01-15T12:00:00", "line 2, open_by", "offset"),
        ("0x7e5f", "0x7E5f", "line 5, accounts.buyer", "checksum"),
        ('"seller"\nquantity = "10"', '"buyer"\nquantity = "10"', "line 36, ", "to another"),
        ("[[milestones]]  #", "[[milestones]  #", "line 12: this is no TOML", ""),
    ],
)
def test_a_fault_is_told_with_its_line_and_its_path(
    written: str, instead: str, place: str, what: str
) -> None:
    assert written in TERMS
    with pytest.raises(InvalidInput) as caught:
        read_terms(TERMS.replace(written, instead, 1))
    assert caught.value.message.startswith(place)
    assert what in caught.value.message


def test_instants_durations_and_lists_are_written_in_words() -> None:
    assert instant(1_800_014_400) == "2027-01-15 12:00:00 UTC"
    assert instant(2**64 - 1) == "unix second 18446744073709551615"
    assert duration(90_061) == "1 day 1 hour 1 minute 1 second"
    assert listed(["a", "b", "c"]) == "a, b and c"
