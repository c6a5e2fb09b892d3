"""Whoever signs a request is known by it, once, for this API, and for what was signed."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from settle.api.context import Check
from settle.domain.errors import InvalidInput
from settle.services.trade_rows import Role
from settle.signed_request import origin, read_authorization
from tests.api.world import BASE, World, key_of
from tests.api.world import lei as lei_of

PATH = "/v1/assets"


def get(world: World, authorization: str | None, target: str = PATH) -> Any:
    headers = {} if authorization is None else {"Authorization": authorization}
    return world.http.get(target, headers=headers)


def told(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_an_account_of_a_participant_signs_for_it(world: World) -> None:
    assert world.get(world.a, PATH).status_code == 200


def test_a_request_without_a_signature_is_refused(world: World) -> None:
    answer = get(world, None)
    assert told(answer) == (401, "unauthenticated")
    assert answer.headers["WWW-Authenticate"] == "Settle"
    assert told(get(world, "Basic YTpi")) == (401, "authorization_form")


def test_a_nonce_serves_once_even_across_a_restart(any_world: World) -> None:
    world = any_world
    authorization = world.sign(world.a, "GET", PATH)
    assert get(world, authorization).status_code == 200
    assert told(get(world, authorization)) == (401, "nonce_used")
    again = World(world.database)
    with again.http:
        assert told(get(again, authorization)) == (401, "nonce_used")


def test_a_nonce_is_used_up_by_a_request_that_is_refused(world: World) -> None:
    target = "/v1/trades/00000000000000000000000000"
    authorization = world.sign(world.a, "GET", target)
    assert get(world, authorization, target).status_code == 404
    assert told(get(world, authorization, target)) == (401, "nonce_used")


def test_two_participants_may_draw_the_same_nonce(world: World) -> None:
    nonce = "ab" * 16
    for party in (world.a, world.b):
        assert get(world, world.sign(party, "GET", PATH, nonce=nonce)).status_code == 200


def test_an_expired_request_is_refused(world: World) -> None:
    assert told(get(world, world.sign(world.a, "GET", PATH, expires=world.now))) == (
        401,
        "signature_expired",
    )
    far = world.sign(world.a, "GET", PATH, expires=world.now + 301)
    assert told(get(world, far)) == (401, "signature_too_long")
    last = world.sign(world.a, "GET", PATH, expires=world.now + 300)
    assert get(world, last).status_code == 200


def test_a_request_for_another_audience_is_refused(world: World) -> None:
    authorization = world.sign(world.a, "GET", PATH, audience="https://other.example")
    assert told(get(world, authorization)) == (401, "signature_invalid")


@pytest.mark.parametrize(
    ("method", "target", "body", "key", "if_match"),
    [
        ("GET", "/v1/trades/x/cancel", b"{}", "k1", '"1"'),
        ("POST", "/v1/trades/y/cancel", b"{}", "k1", '"1"'),
        ("POST", "/v1/trades/x/cancel?a=1", b"{}", "k1", '"1"'),
        ("POST", "/v1/trades/x/cancel", b"{} ", "k1", '"1"'),
        ("POST", "/v1/trades/x/cancel", b"{}", "k2", '"1"'),
        ("POST", "/v1/trades/x/cancel", b"{}", "k1", '"2"'),
    ],
)
def test_everything_that_is_sent_is_signed(
    world: World, method: str, target: str, body: bytes, key: str, if_match: str
) -> None:
    authorization = world.sign(world.a, method, target, body, key=key, if_match=if_match)
    headers = {
        "Authorization": authorization,
        "Idempotency-Key": "k1",
        "If-Match": '"1"',
        "Content-Type": "application/json",
    }
    answer = world.http.post("/v1/trades/x/cancel", content=b"{}", headers=headers)
    assert told(answer) == (401, "signature_invalid")


def test_the_key_that_is_named_must_have_signed(world: World) -> None:
    forged = world.sign(replace(world.c, key=key_of("charlie")), "GET", PATH)
    named = forged.replace(world.c.account.hex(), world.a.account.hex())
    assert told(get(world, named)) == (401, "signature_invalid")
    flipped = forged[:-4] + ("0" if forged[-4] != "0" else "1") + forged[-3:]
    assert told(get(world, flipped)) == (401, "signature_invalid")


def test_a_good_signature_of_nobody_known_is_forbidden(world: World) -> None:
    assert told(get(world, world.sign(world.stranger, "GET", PATH))) == (403, "key_unknown")


def test_nothing_is_parsed_before_the_signature_is_good(world: World) -> None:
    answer = world.http.post("/v1/trades", content=b"{not json", headers={"Idempotency-Key": "a"})
    assert told(answer) == (401, "unauthenticated")
    assert told(world.http.get("/v1/no/such/path")) == (401, "unauthenticated")
    assert told(world.get(world.a, "/v1/no/such/path")) == (404, "not_found")


def test_a_registered_key_signs_requests_until_it_is_revoked(world: World) -> None:
    helper = replace(world.stranger, name="robot", key=key_of("robot"))
    address = "0x" + helper.account.hex()
    path = f"/v1/participants/{world.a.lei}/keys"
    assert world.get(helper, PATH).status_code == 403
    assert world.post(world.operator, path, {"key": address}).status_code == 201
    mine = world.get(helper, "/v1/participants").json()["participants"]
    assert [one["lei"] for one in mine] == [world.a.lei]
    taken = world.post(world.operator, f"/v1/participants/{world.b.lei}/keys", {"key": address})
    assert told(taken) == (409, "key_taken")
    account = "0x" + world.b.account.hex()
    assert told(world.post(world.operator, path, {"key": account})) == (409, "key_taken")
    assert world.post(world.operator, f"{path}/{address}/revoke", {}).status_code == 200
    assert told(world.get(helper, PATH)) == (403, "key_unknown")
    assert told(world.post(world.operator, path, {"key": address})) == (409, "key_revoked")


def test_roles_are_separate(world: World) -> None:
    side = world.side(world.a, world.b, delivers=True)
    for party in (world.operator, world.auditor):
        assert told(world.post(party, "/v1/trades", side)) == (403, "forbidden")
        assert told(world.get(party, "/v1/instructions/to-sign")) == (403, "forbidden")
    told_to_enter = {"lei": world.a.lei, "name": "x"}
    for party in (world.auditor, world.a):
        assert told(world.post(party, "/v1/participants", told_to_enter)) == (403, "forbidden")


def test_a_participant_that_the_operator_enters_can_sign(world: World) -> None:
    fresh = replace(world.stranger, name="delta", key=key_of("delta"))
    lei = lei_of("D")
    document = {
        "lei": lei,
        "bic": "DELTDEFFXXX",
        "name": "Delta",
        "accounts": ["0x" + fresh.account.hex()],
    }
    made = world.post(world.operator, "/v1/participants", document)
    assert made.status_code == 201, made.text
    assert made.json()["accounts"] == document["accounts"]
    found = world.get(fresh, f"/v1/participants/{lei}")
    assert found.json()["name"] == "Delta"
    taken = {**document, "lei": world.c.lei, "bic": None}
    assert told(world.post(world.operator, "/v1/participants", taken)) == (409, "account_taken")
    bic = {"lei": world.c.lei, "bic": "DELTDEFFXXX", "name": "c"}
    assert told(world.post(world.operator, "/v1/participants", bic)) == (409, "bic_taken")


def test_a_key_cannot_be_the_operators_and_the_auditors(world: World) -> None:
    with pytest.raises(InvalidInput):
        World(world.database, auditor_keys=frozenset({"0x" + world.operator.account.hex()}))


def test_the_header_is_read_as_it_is_written(world: World) -> None:
    authorization = world.sign(world.a, "GET", PATH, nonce="0" * 32)
    read = read_authorization(authorization)
    assert (read.key, read.nonce, len(read.signature)) == (world.a.account, "0" * 32, 65)
    assert read_authorization(authorization.replace(", ", ",")) == read
    for wrong in ("", "Settle", authorization + ",", authorization.replace("Settle", "settle")):
        with pytest.raises(Exception, match="Authorization"):
            read_authorization(wrong)


def test_an_audience_is_an_origin() -> None:
    assert origin("HTTPS://Settle.Example:443/v1/") == "https://settle.example"
    assert origin("http://127.0.0.1:8080") == "http://127.0.0.1:8080"
    assert origin("http://[::1]:9/x") == "http://[::1]:9"
    for wrong in ("settle.example", "ftp://x", "http://", "http://x:y"):
        with pytest.raises(Exception, match="address"):
            origin(wrong)


def test_health_and_the_venue_are_public_and_metrics_are_not(world: World) -> None:
    assert world.http.get("/v1/health/live").json()["status"] == "ok"
    assert world.http.get("/v1/venue").json()["audiences"] == [BASE]
    ready = world.http.get("/v1/health/ready")
    assert (ready.status_code, ready.json()["status"]) == (200, "ok")
    world.checks.append(Check(name="follower", ok=False, detail="chain_went_back: ..."))
    failing = world.http.get("/v1/health/ready")
    assert failing.status_code == 503
    assert json.loads(failing.text)["checks"][-1]["detail"].startswith("chain_went_back")
    assert world.http.get("/v1/metrics").status_code == 404


def test_metrics_are_read_with_the_token(world: World) -> None:
    other = World(world.database, metrics_token="let-me-in")
    with other.http:
        assert other.http.get("/v1/metrics").status_code == 404
        other.get(other.a, PATH)
        answer = other.http.get("/v1/metrics", headers={"Authorization": "Bearer let-me-in"})
        assert answer.status_code == 200
        assert 'settle_http_requests_total{method="GET",route="/v1/assets"' in answer.text
        for name in ("alpha", other.a.account.hex(), str(other.a.lei)):
            assert name not in answer.text


def test_roles_of_the_caller_are_those_of_the_settings(world: World) -> None:
    for party, role in ((world.operator, Role.OPERATOR), (world.auditor, Role.AUDITOR)):
        assert party.role is role
        assert len(world.get(party, "/v1/participants").json()["participants"]) == 3
    assert len(world.get(world.a, "/v1/participants").json()["participants"]) == 1
