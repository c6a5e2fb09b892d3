"""Whatever comes is answered: no body and no parameter makes the API fail."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.world import World

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=30)
    | st.sampled_from(["0", "1", "2026-11-26", "EUR", "0x" + "00" * 20, "0x" + "11" * 65]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)
MEMBERS = (
    "reference movement payment transaction_type isin quantity quantity_decimals quantity_kind "
    "currency amount amount_decimals trade_date settlement_date delivering_party receiving_party "
    "delivering_depository receiving_depository common_reference opt_out ex_cum delivering_client "
    "receiving_client account counterparty_account partial_allowed minimum_lot nonce trade_ref "
    "terms instruction signature other"
).split()
quiet = settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def checked(answer: Any) -> None:
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        assert answer.json()["code"], answer.text


@quiet
@given(changes=st.dictionaries(st.sampled_from(MEMBERS), values, min_size=1, max_size=4))
def test_any_side_is_answered(world: World, changes: dict[str, Any]) -> None:
    side = {**world.side(world.a, world.b, delivers=True), **changes}
    text = json.dumps(side)
    checked(world.post(world.a, "/v1/trades", content=text.encode("utf-8", "replace")))


@quiet
@given(
    path=st.sampled_from(
        [
            "/v1/participants",
            "/v1/trades/batch",
            "/v1/instructions/signatures",
            "/v1/trades/00000000000000000000000000/cancel",
            f"/v1/instructions/0x{'11' * 32}/signature",
            "/v1/iso20022/messages",
        ]
    ),
    document=values,
    media_type=st.sampled_from(["application/json", "application/xml", "text/plain", ""]),
)
def test_any_document_is_answered(world: World, path: str, document: Any, media_type: str) -> None:
    content = json.dumps(document).encode("utf-8", "replace")
    for party in (world.a, world.operator):
        checked(world.post(party, path, content=content, media_type=media_type, If_Match="*"))


@quiet
@given(
    name=st.sampled_from(["status", "role", "asset", "reference", "cursor", "limit", "x"]),
    value=st.text(max_size=70),
)
def test_any_query_is_answered(world: World, name: str, value: str) -> None:
    target = f"/v1/trades?{name}={quote(value.encode('utf-8', 'replace'))}"
    checked(world.get(world.a, target))


@quiet
@given(part=st.text(min_size=1, max_size=30).filter(lambda text: text not in {".", ".."}))
def test_any_path_is_answered(world: World, part: str) -> None:
    piece = quote(part.encode("utf-8", "replace"), safe="")
    for path in ("trades", "accounts", "participants", "assets", "iso20022/messages"):
        checked(world.get(world.a, f"/v1/{path}/{piece}"))


@quiet
@given(octets=st.binary(max_size=80))
def test_any_bytes_are_answered(world: World, octets: bytes) -> None:
    checked(world.post(world.a, "/v1/trades", content=octets))


@quiet
@given(value=st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=300))
def test_any_header_is_answered(world: World, value: str) -> None:
    sent = {"Authorization": value.encode("latin-1")}
    checked(world.http.get("/v1/trades", headers=sent))
    prefer = {
        "Authorization": world.sign(world.a, "GET", "/v1/assets"),
        "Prefer": value.encode("latin-1"),
        "Last-Event-ID": value.encode("latin-1"),
        "traceparent": value.encode("latin-1"),
    }
    checked(world.http.get("/v1/assets", headers=prefer))
