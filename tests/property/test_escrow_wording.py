"""Terms, encoding, digest and printed text lead to each other, and so does a written document."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from random import Random
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from settle.domain.chain_errors import Reverted
from settle.domain.errors import InvalidInput
from settle.domain.escrow.conditions import (
    AllOf,
    AnyOf,
    AtLeast,
    Condition,
    Feed,
    Leaf,
    Never,
    Not,
    OutcomeOf,
    Preimage,
    Reading,
    Settled,
    Signed,
    TimeReached,
)
from settle.domain.escrow.document import Document
from settle.domain.escrow.encoding import decode_terms, encode_terms
from settle.domain.escrow.program import read_program
from settle.domain.escrow.reading import read_terms
from settle.domain.escrow.register import AssetEntry, Register, register_of
from settle.domain.escrow.terms import EscrowLine, EscrowTerms, escrow_id
from settle.domain.escrow.well_formed import check_terms
from settle.domain.escrow.wording import print_terms, text_hash, with_text
from settle.domain.escrow.wording_words import instant, statement
from settle.domain.ids import ZERO_ADDRESS, Address, AssetId, InstructionId, to_hex
from settle.domain.money import format_quantity
from tests.support import escrow_world as w
from tests.support.escrow_draws import Cast, draw_terms

REGISTER = register_of(w.funded().chain.books)
CAST = Cast(
    parties=(w.BUYER, w.SELLER, w.THIRD),
    neutrals=(w.ORACLE, w.ARBITER, w.OTHER_ARBITER, w.LAST_ARBITER, w.FALLBACK),
    assets=(w.EUR, w.SHARE),
    feeds=(Address(b"\xfe" * 20),),
    instructions=(InstructionId(b"\x77" * 32),),
)
drawn = st.integers(0, 2**32).map(lambda seed: draw_terms(Random(seed), CAST, now=w.NOW))


@given(terms=drawn)
def test_drawn_terms_are_well_formed(terms: EscrowTerms) -> None:
    assert check_terms(terms, now=w.NOW)


@given(terms=drawn)
def test_who_reads_the_encoding_prints_the_same_text_under_the_same_id(terms: EscrowTerms) -> None:
    signed = with_text(terms, REGISTER)
    again = decode_terms(encode_terms(signed))
    assert print_terms(again, REGISTER) == print_terms(signed, REGISTER)
    assert text_hash(again, REGISTER) == again.text
    assert escrow_id(again, w.DOMAIN) == escrow_id(signed, w.DOMAIN)


@given(first=drawn, second=drawn)
def test_different_terms_have_different_texts(first: EscrowTerms, second: EscrowTerms) -> None:
    assume(first != second)
    assert print_terms(first, REGISTER) != print_terms(second, REGISTER)


@given(
    terms=drawn,
    name=st.sampled_from([field.name for field in fields(EscrowLine)]),
    change=st.integers(1, 5),
)
def test_a_change_in_a_line_changes_the_text(terms: EscrowTerms, name: str, change: int) -> None:
    line = terms.lines[0]
    value = getattr(line, name)
    others: dict[str, Any] = {
        "milestone": 0,
        "asset": w.SHARE if value == w.EUR else w.EUR,
        "depositor": w.FALLBACK,
        "beneficiary": w.FALLBACK,
    }
    other = replace(line, **{name: others[name] if name in others else value + change})
    changed = replace(terms, lines=(other, *terms.lines[1:]))
    assume(changed != terms)
    try:
        check_terms(changed, now=w.NOW)
    except Reverted:
        return
    assert print_terms(changed, REGISTER) != print_terms(terms, REGISTER)


@given(
    word=st.binary(min_size=32, max_size=32)
    | st.text(max_size=32).map(lambda text: text.encode("ascii", "replace")[:32].ljust(32, b"\x00"))
)
def test_no_statement_leaves_its_quotation(word: bytes) -> None:
    text = statement(word)
    inside = text[1:-1] if text.startswith('"') else ""
    assert "\n" not in text
    assert '"' not in inside
    assert text.isascii()
    assert text.isprintable()


@given(words=st.lists(st.binary(min_size=32, max_size=32), min_size=2, max_size=2, unique=True))
def test_two_statements_are_never_written_alike(words: list[bytes]) -> None:
    assert statement(words[0]) != statement(words[1])


# ------------------------------------------------------------------------------ documents


def written(terms: EscrowTerms, register: Register) -> dict[str, Any]:
    """Write terms as a person would, all names being addresses."""
    conditions = read_program(terms.program, terms.deadlines, open_by=terms.open_by)
    document: dict[str, Any] = {
        "reference": "2026-117",
        "open_by": f"{_iso(terms.open_by)}",
        "salt": to_hex(terms.salt),
        "accounts": {"buyer": to_hex(terms.lines[0].depositor)},
        "assets": {
            entry.code: {"number": entry.number, "decimals": entry.decimals}
            for entry in register.by_number.values()
        },
        "milestones": [
            {
                "name": f"m{k}",
                "deadline": _iso(deadline),
                "when": _written(condition),
                "lines": [_line(line, register) for line in terms.lines if line.milestone == k],
            }
            for k, (deadline, condition) in enumerate(zip(terms.deadlines, conditions, strict=True))
        ],
    }
    if terms.arbiters:
        document["panel"] = {
            "arbiters": [to_hex(one) for one in terms.arbiters],
            "quorum": terms.quorum,
            "answer_time": f"{terms.answer_time} seconds",
        }
        if terms.fallback_arbiter != ZERO_ADDRESS:
            document["panel"]["fallback"] = to_hex(terms.fallback_arbiter)
            document["panel"]["fallback_time"] = f"{terms.fallback_time} seconds"
    return document


def _iso(second: int) -> str:
    return instant(second).removesuffix(" UTC").replace(" ", "T") + "Z"


def _line(line: EscrowLine, register: Register) -> dict[str, str]:
    entry = register.by_number[line.asset]

    def amount(quantity: int) -> str:
        return format_quantity(quantity, entry.decimals)

    return {
        "asset": entry.code,
        "from": to_hex(line.depositor),
        "to": to_hex(line.beneficiary),
        "quantity": amount(line.quantity),
        "if_met": amount(line.if_met),
        "by_default": amount(line.by_default),
        "if_unruled": amount(line.if_unruled),
    }


def _written(condition: Condition) -> Any:
    match condition:
        case AllOf():
            return {"all": [_written(part) for part in condition.of]}
        case AnyOf():
            return {"any": [_written(part) for part in condition.of]}
        case AtLeast():
            of = [_written(part) for part in condition.of]
            return {"at_least": condition.count, "of": of}
        case Not():
            return {"not": _written(condition.of)}
        case _:
            return _written_leaf(condition)


def _written_leaf(leaf: Leaf) -> Any:
    match leaf:
        case Never():
            return "never"
        case TimeReached():
            return {"time": _iso(leaf.at)}
        case Signed():
            by, text = to_hex(leaf.signer), leaf.statement.rstrip(b"\0").decode()
            return {"signed": {"by": by, "statement": text}}
        case Reading():
            by = {"by": to_hex(leaf.signer), "feed": to_hex(leaf.feed)}
            return {"reading": {**by, **_which(leaf, "at")}}
        case Feed():
            return {"feed": {"contract": to_hex(leaf.contract), **_which(leaf, "first_from")}}
        case Preimage():
            return {"preimage": to_hex(leaf.digest)}
        case Settled():
            return {"settled": to_hex(leaf.instruction)}
        case OutcomeOf():
            names = ("released", "refunded", "split")
            is_ = [name for bit, name in enumerate(names) if leaf.mask >> bit & 1]
            return {"outcome": {"of": f"m{leaf.milestone}", "is": is_}}


def _which(leaf: Reading | Feed, instant: str) -> dict[str, Any]:
    ends = {"low": str(leaf.low), "high": str(leaf.high)}
    return {**ends, **({instant: _iso(leaf.at)} if leaf.kind else {"round": leaf.at})}


@given(terms=drawn)
def test_a_written_document_compiles_to_its_terms(terms: EscrowTerms) -> None:
    found = read_terms(json.dumps(written(terms, REGISTER)), is_json=True)
    assert found.terms == with_text(replace(terms, ref=found.terms.ref), REGISTER)


@given(terms=drawn, data=st.data())
def test_every_fault_names_the_line_on_which_it_stands(
    terms: EscrowTerms, data: st.DataObject
) -> None:
    document = written(terms, REGISTER)
    text = json.dumps(document, indent=1)
    path = data.draw(st.sampled_from(list(_paths(document))))
    marked = json.loads(text)
    _set(marked, path, "@@@")
    where = json.dumps(marked, indent=1).split("\n")
    number = next(k for k, line in enumerate(where, start=1) if "@@@" in line)
    fault = Document(text, is_json=True).fault("x", "wrong", path)
    assert fault.message.startswith(f"line {number}, ")


def _paths(value: Any, path: tuple[str | int, ...] = ()) -> Any:
    if isinstance(value, dict | list):
        entries = value.items() if isinstance(value, dict) else enumerate(value)
        for step, inner in entries:
            yield from _paths(inner, (*path, step))
    else:
        yield path


def _set(value: Any, path: tuple[str | int, ...], to: Any) -> None:
    for step in path[:-1]:
        value = value[step]
    value[path[-1]] = to


@given(text=st.text(max_size=200), is_json=st.booleans())
def test_noise_is_refused_and_nothing_else_happens(text: str, is_json: bool) -> None:
    with pytest.raises(InvalidInput):
        read_terms(text, is_json=is_json)


def test_assets_are_those_of_the_chain() -> None:
    other = Register([AssetEntry(number=AssetId(1), code="EUR", decimals=3)])
    terms = draw_terms(Random(1), CAST, now=w.NOW)
    text = json.dumps(written(terms, REGISTER))
    with pytest.raises(InvalidInput, match="the chain's register"):
        read_terms(text, is_json=True, register=other)
    assert read_terms(text, is_json=True, register=REGISTER)
