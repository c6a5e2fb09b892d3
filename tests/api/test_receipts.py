"""Each accepted request is answered with a signed receipt; each end without settlement is one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data

from settle.api import trade_routes
from settle.chain.eip712 import recover
from settle.domain.errors import Unavailable
from settle.domain.ids import Lei
from settle.services.chain_calls import FinalHead
from settle.services.lapse_trades import lapse_trades
from settle.services.receipts import Receipt
from settle.services.receipts_check import ChainWord, Checked, check_receipts, same_beginning
from tests.api.test_same_request_at_once import THREADS, at_once
from tests.api.world import Party, World

NOTHING: frozenset[bytes] = frozenset()


def receipts(world: World, party: Party, limit: int = 2) -> list[Receipt]:
    """All of a participant's receipts, page by page."""
    found: list[dict[str, Any]] = []
    after: int | None = 0
    while after is not None:
        page = world.get(party, f"/v1/receipts?after={after}&limit={limit}").json()
        found += page["receipts"]
        after = page["next_after"]
    return [read(one) for one in found]


def read(told: dict[str, Any]) -> Receipt:
    octets = {name: bytes.fromhex(told[name][2:]) for name in ("previous", "request", "signature")}
    return Receipt(**{**told, "participant": Lei(told["participant"]), **octets})


def check(
    world: World,
    found: Sequence[Receipt],
    party: Party,
    *,
    at: int | None = None,
    settled: frozenset[bytes] = NOTHING,
) -> Checked:
    assert party.lei is not None
    return check_receipts(
        found,
        lei=party.lei,
        key=world.book.key,
        domain=world.venue.domain,
        recover=recover,
        word=ChainWord(at=world.now if at is None else at, settled=settled, opened=NOTHING),
    )


def codes(checked: Checked) -> list[str]:
    return [one.code for one in checked.findings]


def test_an_accepted_request_is_answered_with_its_receipt(any_world: World) -> None:
    world = any_world
    side = world.side(world.a, world.b, delivers=True)
    answer = world.post(world.a, "/v1/trades", side, key="one")
    told = json.loads(answer.headers["Settle-Receipt"])
    assert (told["number"], told["kind"], told["participant"]) == (1, "accepted", world.a.lei)
    [subject] = json.loads(told["contents"])["subjects"]
    assert subject["trade_id"] == answer.json()["trade_id"]
    assert receipts(world, world.a) == [read(told)]
    again = world.post(world.a, "/v1/trades", side, key="one")
    assert again.headers["Settle-Receipt"] == answer.headers["Settle-Receipt"]
    assert len(receipts(world, world.a)) == 1


def test_any_eip_712_library_recovers_who_signed_a_receipt(world: World) -> None:
    world.matched()
    one = receipts(world, world.a)[-1]
    fields = {
        "participant": "string",
        "number": "uint64",
        "previous": "bytes32",
        "kind": "string",
        "request": "bytes32",
        "contents": "bytes32",
        "issuedAt": "uint64",
    }
    from settle.domain.keccak import keccak256

    message = {
        "participant": one.participant,
        "number": one.number,
        "previous": one.previous,
        "kind": one.kind,
        "request": one.request,
        "contents": keccak256(one.contents.encode()),
        "issuedAt": one.issued_at,
    }
    domain = world.venue.domain
    typed = encode_typed_data(
        {
            "name": domain.name,
            "version": domain.version,
            "chainId": domain.chain_id,
            "verifyingContract": "0x" + domain.verifying_contract.hex(),
        },
        {"Receipt": [{"name": name, "type": kind} for name, kind in fields.items()]},
        message,
    )
    signer = Account.recover_message(typed, signature=one.signature)
    assert bytes.fromhex(signer[2:]) == world.book.key
    assert world.get(world.a, "/v1/venue").json()["receipt_key"] == "0x" + world.book.key.hex()


def test_what_is_refused_or_fails_gets_no_receipt_and_leaves_no_gap(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    side = world.side(world.a, world.b, delivers=True)
    world.post(world.a, "/v1/trades", side)
    refused = world.post(world.a, "/v1/trades", {**side, "quantity": "7"})
    assert refused.status_code == 409
    assert "Settle-Receipt" not in refused.headers

    def fails(*_: Any, **__: Any) -> None:
        raise Unavailable("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(world.store, "answer_key", fails)  # behind the receipt, before the commit
        other = world.side(world.a, world.b, delivers=True)
        assert world.post(world.a, "/v1/trades", other).status_code == 503
    assert len(receipts(world, world.a)) == 1
    assert world.post(world.a, "/v1/trades", other).status_code == 201
    assert [one.number for one in receipts(world, world.a)] == [1, 2]
    assert codes(check(world, receipts(world, world.a), world.a)) == []
    assert trade_routes.submit_sides


def test_fifty_at_once_are_fifty_numbers_without_a_gap(any_world: World) -> None:
    world = any_world
    sides = [world.side(world.a, world.b, delivers=True) for _ in range(THREADS)]

    def send(number: int) -> None:
        assert world.post(world.a, "/v1/trades", sides[number]).status_code == 201

    at_once(send)
    found = receipts(world, world.a, limit=500)
    assert [one.number for one in found] == list(range(1, THREADS + 1))
    assert codes(check(world, found, world.a)) == []


def test_the_receipts_of_a_trade_bind_it_to_its_digest_for_both(any_world: World) -> None:
    world = any_world
    made = world.affirmed()
    for party in (world.a, world.b):
        found = receipts(world, party)
        assert sorted(one.kind for one in found) == ["accepted", "accepted", "matched"]
        digest = bytes.fromhex(made["digest"][2:])
        assert check(world, found, party).open == 1
        assert check(world, found, party, settled=frozenset({digest})).settled == 1
    assert receipts(world, world.c) == []


def test_what_neither_settles_nor_ends_in_time_is_proof_against_the_operator(world: World) -> None:
    made = world.affirmed()
    found = receipts(world, world.a)
    late = check(world, found, world.a, at=2**40)
    assert codes(late) == ["unaccounted"]
    assert made["trade_id"] in late.findings[0].message
    digest = frozenset({bytes.fromhex(made["digest"][2:])})
    assert codes(check(world, found, world.a, at=2**40, settled=digest)) == []


def test_every_end_without_settlement_is_a_receipt_of_both(any_world: World) -> None:
    world = any_world
    world.matched()
    alone = world.submit(world.a, world.b, delivers=True, quantity="3")
    answer = world.post(world.a, f"/v1/trades/{alone['trade_id']}/cancel", {}, If_Match="*")
    assert answer.json()["status"] == "Cancelled"
    head = FinalHead(number=9, timestamp=2**40)
    with world.database.transaction() as conn:
        assert lapse_trades(world.venue, conn, head, world.now) == 1
    for party, ended in ((world.a, 2), (world.b, 1)):
        found = receipts(world, party)
        checked = check(world, found, party, at=2**40)
        assert (codes(checked), checked.ended, checked.open) == ([], ended, 0)
        statuses = [json.loads(one.contents)["status"] for one in found if one.kind == "ended"]
        assert statuses == ["Cancelled", "Lapsed"]
        assert json.loads(found[-1].contents)["reasons"]


def test_what_lapsed_by_the_receipts_and_settled_on_chain_is_found(world: World) -> None:
    made = world.matched()
    with world.database.transaction() as conn:
        lapse_trades(world.venue, conn, FinalHead(number=9, timestamp=2**40), world.now)
    digest = frozenset({bytes.fromhex(made["digest"][2:])})
    checked = check(world, receipts(world, world.a), world.a, at=2**40, settled=digest)
    assert codes(checked) == ["ended_and_settled"]


def test_a_chain_that_was_tampered_with_is_found_where_it_was(world: World) -> None:
    world.affirmed()
    found = receipts(world, world.a)
    first, second, third = found
    signed = replace(second, contents='{"request":"x","subjects":[]}')
    for wrong, expected in (
        ([first, signed, third], {"signature", "previous"}),
        ([first, third], {"gap", "previous"}),
        ([second, third], {"gap", "previous"}),
        ([first, second, replace(third, signature=first.signature)], {"signature"}),
        ([first, replace(second, request=b"\1" * 32), third], {"signature", "previous"}),
        ([replace(first, participant=world.b.lei or Lei("")), second, third], {"participant"}),
    ):
        assert expected <= set(codes(check(world, wrong, world.a))), expected
    assert codes(check(world, found, world.a)) == []


def test_a_venue_that_tells_other_receipts_than_were_kept_is_found(world: World) -> None:
    world.affirmed()
    kept = receipts(world, world.a)
    assert same_beginning(kept[:1], kept) == []
    assert [one.code for one in same_beginning(kept, kept[:2])] == ["denied"]
    other = [kept[0], replace(kept[1], issued_at=1), kept[2]]
    assert [one.code for one in same_beginning(kept, other)] == ["changed"]


def test_receipts_are_for_their_participant_alone(world: World) -> None:
    world.affirmed()
    assert world.get(world.c, "/v1/receipts").json() == {"receipts": [], "next_after": None}
    for party in (world.operator, world.auditor):
        assert world.get(party, "/v1/receipts").status_code == 403


def test_a_batch_is_one_receipt_that_names_every_trade(world: World) -> None:
    sides = [world.side(world.a, world.b, delivers=True) for _ in range(40)]
    answer = world.post(world.a, "/v1/trades/batch", {"trades": sides})
    assert json.loads(answer.headers["Settle-Receipt"])["contents"] is None
    [one] = receipts(world, world.a)
    told = {subject["trade_id"] for subject in json.loads(one.contents)["subjects"]}
    assert told == {result["trade_id"] for result in answer.json()["results"]}
    assert check(world, [one], world.a).open == 40
