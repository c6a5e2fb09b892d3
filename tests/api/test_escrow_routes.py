"""Escrows at the API: who proposes, who sees, whose turn it is, what is refused by which name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from settle.chain.eip712 import address_of
from settle.domain.escrow.conditions import AnyOf, Never, Preimage, Signed
from settle.domain.escrow.events import EndedBy, Outcome
from settle.domain.escrow.program import write_program
from settle.domain.escrow.state import MilestoneRecord
from settle.domain.escrow.terms import EscrowTerms, escrow_id
from settle.domain.escrow.terms_json import terms_to_json
from settle.domain.escrow.wording import print_terms
from settle.domain.ids import to_hex
from tests.api.escrow_talk import (
    DAY_S,
    DELIVERED,
    HOUR_S,
    PANEL_KEYS,
    REGISTER,
    Words,
    opened,
    path_of,
    propose,
    send,
    terms_of,
)
from tests.api.test_events import events
from tests.api.world import Party, World


def waiting(world: World, party: Party) -> list[str]:
    answer = world.get(party, "/v1/escrows?waiting_on_me=true")
    assert answer.status_code == 200, answer.text
    return [one["id"] for one in answer.json()["escrows"]]


def awaited(document: Any) -> set[tuple[str, str]]:
    return {(one["account"], one["what"]) for one in document["waiting_on"]}


def test_the_same_terms_are_one_escrow(any_world: World) -> None:
    world, terms = any_world, terms_of(any_world)
    body = {"terms": terms_to_json(terms)}
    first = world.post(world.a, "/v1/escrows", body, key="once")
    assert first.status_code == 201, first.text
    assert first.headers["Location"] == path_of(world, terms)
    assert first.json()["id"] == to_hex(escrow_id(terms, world.venue.domain))
    assert first.json()["terms"] == terms_to_json(terms)
    again = world.post(world.a, "/v1/escrows", body, key="once")
    assert (again.status_code, again.content) == (201, first.content)
    anew = world.post(world.b, "/v1/escrows", body)
    assert (anew.status_code, anew.json()["id"]) == (200, first.json()["id"])
    other = {"terms": terms_to_json(terms_of(world))}
    assert (
        world.post(world.a, "/v1/escrows", other, key="once").json()["code"]
        == "idempotency_key_reused"
    )
    assert len(world.get(world.a, "/v1/escrows").json()["escrows"]) == 1


def test_it_waits_for_each_signature_until_all_are_there(any_world: World) -> None:
    world, terms = any_world, terms_of(any_world, panel=True)
    words, identity = Words(any_world, terms), propose(any_world, terms)["id"]
    assert waiting(world, world.a) == waiting(world, world.b) == [identity]
    assert waiting(world, world.c) == []
    shown = send(world, world.a, terms, words.consent(world.a.key)).json()
    assert (shown["status"], waiting(world, world.a)) == ("Proposed", [])
    for key in PANEL_KEYS:
        shown = send(world, world.a, terms, words.consent(key)).json()
    assert awaited(shown) == {(to_hex(world.b.account), "consent")}
    shown = send(world, world.c, terms, words.consent(world.b.key)).json()
    assert (shown["status"], shown["waiting_on"]) == ("Signed", [])
    assert all(one["signed"] for one in shown["signers"])
    world.now += HOUR_S
    assert waiting(world, world.b) == []


def test_whoever_has_a_part_reads_the_same_text(world: World) -> None:
    terms = terms_of(world)
    propose(world, terms)
    for party in (world.a, world.b, world.c, world.auditor):
        answer = world.get(party, path_of(world, terms) + "/text")
        assert answer.text == print_terms(terms, REGISTER)
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"


def test_a_stranger_finds_nothing_and_proposes_nothing(world: World) -> None:
    terms = terms_of(
        world, program=write_program([Signed(signer=world.b.account, statement=DELIVERED)])
    )
    refused = world.post(world.c, "/v1/escrows", {"terms": terms_to_json(terms)})
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    propose(world, terms)
    for path in ("", "/text", "/what-now"):
        assert world.get(world.c, path_of(world, terms) + path).status_code == 404
    words = Words(world, terms)
    assert send(world, world.c, terms, words.consent(world.a.key)).status_code == 404
    listed = world.get(world.c, "/v1/escrows").json()
    assert listed == {"escrows": [], "next_cursor": None}
    assert events(world, world.c) == []


def test_all_with_a_part_are_told(world: World) -> None:
    terms = terms_of(world)
    propose(world, terms)
    send(world, world.a, terms, Words(world, terms).consent(world.a.key))
    for party in (world.a, world.b, world.c):
        told = events(world, party)
        assert [one["kind"] for one in told] == ["escrow.proposed", "escrow.consent"]
        identity = to_hex(escrow_id(terms, world.venue.domain))
        assert {one["payload"]["escrow"] for one in told} == {identity}


def test_pages_follow_each_other_and_belong_to_their_filters(any_world: World) -> None:
    world = any_world
    made = [propose(world, terms_of(world))["id"] for _ in range(3)]
    found: list[str] = []
    cursor = ""
    while True:
        page = world.get(world.a, f"/v1/escrows?limit=1{cursor}").json()
        found += [one["id"] for one in page["escrows"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert sorted(found) == sorted(made)
    foreign = world.get(world.a, f"/v1/escrows?status=Open{cursor}")
    assert (foreign.status_code, foreign.json()["code"]) == (422, "cursor")
    trades = world.get(world.a, f"/v1/trades?{cursor[1:]}")
    assert (trades.status_code, trades.json()["code"]) == (422, "cursor")
    assert world.get(world.a, "/v1/escrows?status=Open").json()["escrows"] == []


# ------------------------------------------------------------------------------ bad terms

BAD_TERMS: list[tuple[str, Callable[[World], EscrowTerms], str, str]] = [
    (
        "another text",
        lambda w: replace(terms_of(w), text=b"\1" * 32),
        "escrow_text",
        "/terms/text",
    ),
    (
        "a deadline before the opening",
        lambda w: terms_of(w, deadlines=(w.now + 60,)),
        "deadlines_invalid",
        "/terms",
    ),
    (
        "the time to open is over",
        lambda w: terms_of(w, open_by=w.now - 1),
        "deadline_passed",
        "/terms",
    ),
    (
        "more is paid than held",
        lambda w: terms_of(w, lines=(replace(terms_of(w).lines[0], if_met=1_001),)),
        "pays_more_than_held",
        "/terms",
    ),
    ("no program", lambda w: terms_of_program(w, b""), "condition_malformed", "/terms"),
    (
        "bytes behind the program",
        lambda w: terms_of_program(w, terms_of(w).program + b"\0"),
        "program_not_used_up",
        "/terms",
    ),
    (
        "a quorum without a panel",
        lambda w: terms_of(w, quorum=1),
        "panel_invalid",
        "/terms",
    ),
    (
        "an arbiter who is a party",
        lambda w: terms_of(w, panel=True, arbiters=(w.a.account, *map(address_of, PANEL_KEYS[:2]))),
        "neutral_is_party",
        "/terms",
    ),
]


def terms_of_program(world: World, program: bytes) -> EscrowTerms:
    return replace(terms_of(world), program=program)


@pytest.mark.parametrize(("make", "code", "pointer"), [one[1:] for one in BAD_TERMS])
def test_bad_terms_are_refused_by_the_contracts_name(
    world: World, make: Callable[[World], EscrowTerms], code: str, pointer: str
) -> None:
    answer = world.post(world.a, "/v1/escrows", {"terms": terms_to_json(make(world))})
    assert (answer.status_code, answer.json()["code"]) == (422, code), answer.text
    assert [one["pointer"] for one in answer.json()["errors"]] == [pointer]
    assert world.get(world.a, "/v1/escrows").json()["escrows"] == []


def test_what_is_no_terms_is_refused_at_its_member(world: World) -> None:
    good = terms_to_json(terms_of(world))
    cases: list[tuple[dict[str, Any], str]] = [
        ({"quorum": 0}, "/terms/quorum"),
        ({"salt": "0x12"}, "/terms/salt"),
        ({"program": "0xABCD"}, "/terms/program"),
        ({"program": "0x" + "00" * 2_049}, "/terms/program"),
        ({"deadlines": []}, "/terms/deadlines"),
        ({"more": "1"}, "/terms/more"),
        ({"lines": [{**good["lines"][0], "quantity": "-1"}]}, "/terms/lines/0/quantity"),  # type: ignore[index]
        ({"lines": good["lines"] * 17}, "/terms/lines"),  # type: ignore[operator]
    ]
    for change, pointer in cases:
        answer = world.post(world.a, "/v1/escrows", {"terms": {**good, **change}})
        assert answer.status_code == 422, (change, answer.text)
        assert [one["pointer"] for one in answer.json()["errors"]] == [pointer]


# ------------------------------------------------------------------------------ while it is open


def test_the_attester_is_waited_for_and_its_word_is_taken_once_it_is_good(world: World) -> None:
    terms = opened(world, terms_of(world))
    words = Words(world, terms)
    assert waiting(world, world.c) == [to_hex(words.id)]
    assert waiting(world, world.a) == []
    forged = send(world, world.b, terms, words.evidence(world.b))
    assert (forged.status_code, forged.json()["code"]) == (422, "evidence_invalid"), forged.text
    assert forged.json()["errors"][0]["pointer"] == "/data"
    taken = send(world, world.b, terms, words.evidence(world.c))
    assert taken.status_code == 200, taken.text
    assert waiting(world, world.c) == []
    assert [one["kind"] for one in taken.json()["messages"]] == ["evidence"]


def test_a_proposed_split_waits_for_the_other_party(world: World) -> None:
    terms = opened(world, terms_of(world))
    words = Words(world, terms)
    shown = send(world, world.a, terms, words.agreement(world.a, 400)).json()
    assert (to_hex(world.b.account), "agreement") in awaited(shown)
    shown = send(world, world.b, terms, words.agreement(world.b, 300)).json()
    assert {(to_hex(one.account), "agreement") for one in (world.a, world.b)} <= awaited(shown)
    shown = send(world, world.b, terms, words.agreement(world.b, 400)).json()
    assert "agreement" not in {what for _, what in awaited(shown)}
    assert len(shown["messages"]) == 2


def test_a_disputed_milestone_waits_for_the_arbiters(world: World) -> None:
    disputed = MilestoneRecord(disputed_at=world.now - 10)
    terms = opened(world, terms_of(world, panel=True), disputed)
    words = Words(world, terms)
    shown = send(world, world.a, terms, words.ruling(1, 250)).json()
    rulings = {account for account, what in awaited(shown) if what == "ruling"}
    assert rulings == {to_hex(address_of(PANEL_KEYS[place])) for place in (0, 2)}
    now = world.get(world.a, path_of(world, terms) + "/what-now").json()["milestones"][0]
    ways = {way["name"]: way for way in now["ways"]}
    assert set(ways) == {"agreement", "condition", "panel"}
    assert (ways["panel"]["needed"], len(ways["panel"]["by"])) == (2, 3)
    assert (now["state"], now["deadline"]) == ("before_panel", world.now + DAY_S + HOUR_S)
    again = send(world, world.a, terms, words.dispute(world.a))
    assert (again.status_code, again.json()["code"]) == (409, "disputed_before")


def test_what_now_names_who_can_do_what_until_when(world: World) -> None:
    terms = terms_of(world, panel=True)
    propose(world, terms)
    path = path_of(world, terms) + "/what-now"
    [unopened] = world.get(world.a, path).json()["milestones"]
    assert (unopened["state"], unopened["until"], unopened["ways"]) == (
        *("unopened", terms.open_by),
        [],
    )
    opened(world, terms)
    [running] = world.get(world.b, path).json()["milestones"]
    ways = {way["name"]: way["by"] for way in running["ways"]}
    both = [to_hex(world.a.account), to_hex(world.b.account)]
    assert ways == {"agreement": both, "condition": [], "dispute": both}
    assert (running["state"], running["until"]) == ("open", terms.deadlines[0])
    world.now = terms.deadlines[0]
    [due] = world.get(world.b, path).json()["milestones"]
    assert (due["state"], due["until"]) == ("due", None)
    assert {way["name"] for way in due["ways"]} == {"agreement", "default"}


def test_an_end_is_shown_with_what_it_paid(world: World) -> None:
    ended = MilestoneRecord(
        outcome=Outcome.SPLIT, ended_by=EndedBy.PANEL, paid=(250,), ended_at=world.now
    )
    terms = opened(world, terms_of(world, panel=True), ended)
    shown = world.get(world.c, path_of(world, terms)).json()
    assert shown["milestones"] == [
        {
            "number": 0,
            "state": "ended",
            "outcome": "split",
            "ended_by": "panel",
            "ended_at": world.now,
            "disputed_at": None,
            "paid": ["250"],
            "waits": False,
        }
    ]
    late = send(world, world.a, terms, Words(world, terms).agreement(world.a, 1))
    assert (late.status_code, late.json()["code"]) == (409, "milestone_ended")


Make = Callable[[World, Words], dict[str, Any]]
BAD_MESSAGES: list[tuple[str, Make, int, str]] = [
    ("open already", lambda w, s: s.consent(w.a.key), 409, "escrow_opened"),
    ("nothing to take back", lambda w, s: s.withdrawal(w.a), 409, "escrow_opened"),
    ("no such milestone", lambda w, s: {**s.evidence(w.c), "milestone": 1}, 422, "milestone"),
    ("no such piece", lambda w, s: {**s.evidence(w.c), "place": 1}, 422, "place"),
    ("more than held", lambda w, s: s.agreement(w.a, 1_001), 422, "paid"),
    ("two amounts", lambda w, s: {**s.agreement(w.a, 1), "paid": ["1", "1"]}, 422, "paid"),
    ("over", lambda w, s: {**s.agreement(w.a, 1), "valid_by": "1"}, 422, "valid_by"),
    ("of no party", lambda w, s: s.agreement(w.c, 1), 422, "author"),
    (
        "signed otherwise",
        lambda w, s: {**s.agreement(w.a, 1), "paid": ["2"]},
        403,
        "signature_of_another",
    ),
    ("disputed by no party", lambda w, s: s.dispute(w.c), 422, "author"),
    ("ruled by nobody", lambda _w, s: {**s.ruling(0, 1), "place": 9}, 422, "place"),
    (
        "ruled by another",
        lambda _w, s: {**s.ruling(0, 1), "place": 1},
        403,
        "signature_of_another",
    ),
]


@pytest.mark.parametrize(("make", "status", "code"), [one[1:] for one in BAD_MESSAGES])
def test_bad_messages_have_a_name_each_and_leave_nothing(
    world: World, make: Make, status: int, code: str
) -> None:
    terms = opened(world, terms_of(world, panel=True))
    answer = send(world, world.b, terms, make(world, Words(world, terms)))
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    shown = world.get(world.a, path_of(world, terms)).json()
    assert (shown["messages"], shown["version"]) == ([], 2)


def test_no_dispute_where_a_hash_lock_is(world: World) -> None:
    lock = Preimage(digest=b"\7" * 32)
    proof = Signed(signer=world.c.account, statement=DELIVERED)
    terms = opened(world, terms_of(world, panel=True, condition=AnyOf(of=(proof, lock))))
    answer = send(world, world.a, terms, Words(world, terms).dispute(world.a))
    assert (answer.status_code, answer.json()["code"]) == (422, "dispute")
    secret = {"kind": "evidence", "place": 1, "data": "0x" + "07" * 31}
    short = send(world, world.a, terms, secret)
    assert (short.status_code, short.json()["code"]) == (422, "preimage_length"), short.text


def test_messages_before_the_opening_are_told_so(world: World) -> None:
    terms = terms_of(world, condition=Never())
    propose(world, terms)
    words = Words(world, terms)
    early = send(world, world.a, terms, words.agreement(world.a, 1))
    assert (early.status_code, early.json()["code"]) == (409, "escrow_not_open")
    foreign = send(world, world.a, terms, words.consent(world.c.key))
    assert (foreign.status_code, foreign.json()["code"]) == (403, "signature_of_another")
    taken_back = send(world, world.b, terms, words.withdrawal(world.b))
    assert taken_back.status_code == 200, taken_back.text
    world.now = terms.open_by
    late = send(world, world.a, terms, words.consent(world.a.key))
    assert (late.status_code, late.json()["code"]) == (409, "escrow_lapsed")
