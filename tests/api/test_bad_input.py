"""Bad input is refused whole, names what is wrong, and leaves nothing behind."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest

from settle.chain.eip712 import sign
from tests.api.world import World, key_of

TOO_MUCH = str(2**128)
STRANGE_LEI = "529900CCCCCCCCCCCC00"


def post_text(world: World, text: str | bytes, target: str = "/v1/trades") -> Any:
    content = text.encode("utf-8") if isinstance(text, str) else text
    return world.post(world.a, target, content=content)


def nothing_is_stored(world: World) -> bool:
    with world.database.reading() as conn:
        stored = world.store.list_trades(conn, viewer=None, statuses=(), below=None, limit=9)
        return not stored and world.store.last_event(conn, viewer=None) == 0


@pytest.mark.parametrize(
    ("changes", "pointer", "code"),
    [
        ({"prize": 1}, "/prize", "unknown_field"),
        ({"quantity": 500}, "/quantity", "string_expected"),
        ({"quantity": 500.5}, "/quantity", "string_expected"),
        ({"quantity": "500.5"}, "/quantity", "units_form"),
        ({"quantity": "-500"}, "/quantity", "units_form"),
        ({"quantity": "+500"}, "/quantity", "units_form"),
        ({"quantity": "0500"}, "/quantity", "units_form"),
        ({"quantity": "\u0665"}, "/quantity", "units_form"),
        ({"quantity": "1e3"}, "/quantity", "units_form"),
        ({"quantity": ""}, "/quantity", "units_form"),
        ({"quantity": None}, "/quantity", "string_expected"),
        ({"quantity": TOO_MUCH}, "/quantity", "units_range"),
        ({"quantity": "9" * 5_000}, "/quantity", "units_range"),
        ({"quantity": "0"}, "/quantity", "quantity_range"),
        ({"amount": "0"}, "/amount", "amount_range"),
        ({"amount": 1.0}, "/amount", "string_expected"),
        ({"nonce": str(2**64)}, "/nonce", "units_range"),
        ({"isin": "DE0007164601"}, "/isin", "isin_check_digit"),
        ({"isin": "GB0002634946"}, "/isin", "asset_unknown"),
        ({"currency": "EUX"}, "/currency", "currency_unknown"),
        ({"currency": "USD"}, "/currency", "asset_unknown"),
        ({"delivering_party": STRANGE_LEI}, "/delivering_party", "lei_check_digits"),
        ({"movement": "GIVE"}, "/movement", "literal_error"),
        ({"trade_date": "2026-11-31"}, "/trade_date", "date_form"),
        ({"trade_date": 1_795_500_000}, "/trade_date", "string_expected"),
        ({"settlement_date": "20261126"}, "/settlement_date", "date_form"),
        ({"settlement_date": "2026-11-28"}, "/settlement_date", "settlement_date_closed"),
        ({"settlement_date": "2026-11-23"}, "/settlement_date", "dates_order"),
        ({"reference": ""}, "/reference", "string_too_short"),
        ({"reference": "x" * 65}, "/reference", "string_too_long"),
        ({"reference": "a\x00b"}, "/reference", "string_pattern_mismatch"),
        ({"delivering_client": "a\nb"}, "/delivering_client", "string_pattern_mismatch"),
        ({"partial_allowed": "yes"}, "/partial_allowed", "bool_type"),
        ({"account": "0x12"}, "/account", "address_form"),
        ({"trade_ref": "0x12"}, "/trade_ref", "word_form"),
        ({"signature": "0x12"}, "/signature", "signature_form"),
        ({"quantity_decimals": 2}, "/quantity_decimals", "decimals_differ"),
        ({"amount_decimals": 0}, "/amount_decimals", "decimals_differ"),
        ({"payment": "FREE"}, "/amount", "payment_of_free"),
    ],
)
def test_a_side_that_is_wrong_names_the_member(
    world: World, changes: dict[str, Any], pointer: str, code: str
) -> None:
    side = {**world.side(world.a, world.b, delivers=True), **changes}
    single = world.post(world.a, "/v1/trades", side)
    assert single.status_code == 422, single.text
    [fault] = single.json()["errors"]
    assert (fault["pointer"], fault["code"]) == (pointer, code)
    assert fault["detail"]
    good = world.side(world.a, world.b, delivers=True)
    batch = world.post(world.a, "/v1/trades/batch", {"trades": [good, side]})
    assert batch.status_code == 422, batch.text
    assert batch.json()["errors"][0]["pointer"] == f"/trades/1{pointer}"
    assert nothing_is_stored(world)


def test_every_wrong_member_is_named_at_once(world: World) -> None:
    side = world.side(world.a, world.b, delivers=True, quantity=1, isin="x", why="not")
    del side["nonce"]
    answer = world.post(world.a, "/v1/trades", side)
    told = {fault["pointer"]: fault["code"] for fault in answer.json()["errors"]}
    assert told == {
        "/isin": "isin_form",
        "/quantity": "string_expected",
        "/nonce": "missing_field",
        "/why": "unknown_field",
    }
    assert answer.json()["code"] == "invalid_request"


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("", 422),
        ("[" * 2_000_000, 400),
        ("{", 400),
        ("null", 422),
        ("[]", 422),
        ('"a"', 422),
        ('{"quantity": NaN}', 400),
        ('{"quantity": 1e999}', 422),
        ('{"reference": "\\ud800"}', 400),
        ('{"trades": ' * 201, 400),
        ('{"a":' * 300_000, 400),
        ("[" * 100_000, 400),
        ('{"quantity": ' + "9" * 6_000 + "}", 400),
        (b"\xff\xfe{}", 400),
        (b'{"reference": "\xc3\x28"}', 400),
    ],
)
def test_what_is_no_document_is_refused(world: World, text: str | bytes, status: int) -> None:
    answer = post_text(world, text)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert nothing_is_stored(world)


def test_deep_nesting_ends_no_process_however_high_the_recursion_limit_is(world: World) -> None:
    """Libraries of the chain raise the limit to 100,000: a plain reader overflows its stack."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, 100_000))
    try:
        assert post_text(world, "[" * 1_900_000).status_code == 400
        side = world.side(world.a, world.b, delivers=True)
        text = json.dumps(side)[:-1] + ', "deep": ' + "[" * 150 + "]" * 150 + "}"
        assert post_text(world, text).status_code == 422
    finally:
        sys.setrecursionlimit(before)


def test_a_body_that_is_too_large_is_refused_before_it_is_read(world: World) -> None:
    answer = post_text(world, b" " * (2 * 1024 * 1024 + 1))
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")

    def parts() -> Any:
        for _ in range(3):
            yield b" " * 1024 * 1024

    chunked = world.http.post("/v1/trades", content=parts())
    assert (chunked.status_code, chunked.json()["code"]) == (413, "body_too_large")


def test_too_many_items_are_refused(world: World) -> None:
    small = World(world.database, max_items=2)
    with small.http:
        sides = [small.side(small.a, small.b, delivers=True) for _ in range(3)]
        answer = small.post(small.a, "/v1/trades/batch", {"trades": sides})
        assert (answer.status_code, answer.json()["code"]) == (422, "too_many_items")
        empty = small.post(small.a, "/v1/trades/batch", {"trades": []})
        assert empty.status_code == 422
    assert nothing_is_stored(world)


def test_a_batch_is_taken_whole_or_not_at_all(world: World) -> None:
    first = world.side(world.a, world.b, delivers=True)
    world.post(world.a, "/v1/trades", first)
    other = {**first, "quantity": "7"}
    fresh = world.side(world.a, world.b, delivers=True)
    answer = world.post(world.a, "/v1/trades/batch", {"trades": [fresh, other]})
    assert (answer.status_code, answer.json()["code"]) == (409, "duplicate_reference")
    assert "/trades/1" in answer.json()["detail"]
    twice = world.post(world.a, "/v1/trades/batch", {"trades": [fresh, fresh]})
    assert twice.json()["errors"][0]["pointer"] == "/trades/1/reference"
    assert len(world.get(world.a, "/v1/trades").json()["trades"]) == 1


def test_a_forged_or_foreign_signature_is_forbidden(world: World) -> None:
    made = world.matched()
    path = f"/v1/instructions/{made['digest']}/signature"
    digest = bytes.fromhex(made["digest"][2:])
    altered = bytes([digest[0] ^ 1]) + digest[1:]
    for signature in (
        sign(digest, key_of("charlie")),
        sign(digest, world.b.key),
        sign(altered, world.a.key),
        bytes(65),
        b"\xff" * 65,
    ):
        answer = world.post(world.a, path, {"signature": "0x" + signature.hex()})
        assert (answer.status_code, answer.json()["code"]) == (403, "signature_of_another")
    trade = world.get(world.a, f"/v1/trades/{made['trade_id']}").json()
    assert (trade["status"], trade["consented"]) == ("Matched", [])
    unknown = world.post(
        world.a,
        "/v1/instructions/0x" + altered.hex() + "/signature",
        {"signature": "0x" + sign(altered, world.a.key).hex()},
    )
    assert unknown.status_code == 404


def test_many_signatures_are_taken_whole_or_not_at_all(world: World) -> None:
    good, other = world.matched(), world.matched()
    mine = {one: "0x" + sign(bytes.fromhex(one[2:]), world.a.key).hex()
            for one in (good["digest"], other["digest"])}  # fmt: skip
    listed = [{"digest": digest, "signature": signature} for digest, signature in mine.items()]
    listed[1] = {**listed[1], "signature": listed[0]["signature"]}
    answer = world.post(world.a, "/v1/instructions/signatures", {"signatures": listed})
    assert answer.status_code == 403
    assert "/signatures/1" in answer.json()["detail"]
    for made in (good, other):
        shown = world.get(world.a, f"/v1/trades/{made['trade_id']}").json()
        assert shown["consented"] == []


def test_cancelling_needs_the_version_that_is_meant(world: World) -> None:
    made = world.submit(world.a, world.b, delivers=True)
    path = f"/v1/trades/{made['trade_id']}/cancel"
    missing = world.post(world.a, path, {})
    assert (missing.status_code, missing.json()["code"]) == (428, "if_match_missing")
    stale = world.post(world.a, path, {}, If_Match='"7"')
    assert (stale.status_code, stale.json()["code"]) == (412, "stale_version")
    done = world.post(world.a, path, {}, If_Match=f'"{made["version"]}"')
    assert (done.status_code, done.json()["status"]) == (200, "Cancelled")


def test_a_matched_trade_is_cancelled_by_both(world: World) -> None:
    made = world.matched()
    path = f"/v1/trades/{made['trade_id']}/cancel"
    unsigned = world.post(world.a, path, {}, If_Match="*")
    assert (unsigned.status_code, unsigned.json()["code"]) == (422, "signature_missing")
    until = world.now + 600
    one = world.post(
        world.a, path, world.cancellation(world.a, made["digest"], until), If_Match="*"
    )
    assert one.json()["missing"] == ["0x" + world.b.account.hex()]
    other = world.cancellation(world.b, made["digest"], until + 1)
    differs = world.post(world.b, path, other, If_Match="*")
    assert (differs.status_code, differs.json()["code"]) == (409, "valid_by_differs")
    both = world.post(
        world.b, path, world.cancellation(world.b, made["digest"], until), If_Match="*"
    )
    assert (both.status_code, both.json()["missing"]) == (200, [])
    assert len(world.chain.cancelled) == 1


def test_a_strange_cursor_and_strange_filters_are_refused(world: World) -> None:
    for query in ("cursor=abc", "cursor=a%00", "limit=0", "limit=501", "status=Open", "role=x"):
        answer = world.get(world.a, f"/v1/trades?{query}")
        assert answer.status_code == 422, query
        assert answer.json()["errors"] or answer.json()["code"] == "cursor"
    assert world.get(world.a, "/v1/trades/nonsense").status_code == 422
    assert world.get(world.a, "/v1/accounts/nonsense").status_code == 422


def test_what_is_broken_here_is_told_without_particulars(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from settle.api import logs, venue_routes

    logs.set_up_logging()
    secret = "the password is hunter2"

    def breaks(*_: Any, **__: Any) -> None:
        raise RuntimeError(secret)

    monkeypatch.setattr(venue_routes, "_asset", breaks)
    answer = world.get(world.a, "/v1/assets")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert secret not in answer.text
    [line] = [json.loads(one) for one in capsys.readouterr().err.splitlines() if "request" in one]
    assert line["trace_id"] == answer.json()["trace_id"] == answer.headers["Trace-Id"]
    assert (line["level"], line["status"]) == ("error", 500)
    assert "breaks" in line["exception"]
