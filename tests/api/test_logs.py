"""One line a request, that says who, what and how it went, and nothing that is secret."""

from __future__ import annotations

import io
import json
from typing import Any

from settle.api.logs import log, set_up_logging
from tests.api.world import World


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_each_request_is_one_line_without_secrets(world: World) -> None:
    stream = io.StringIO()
    set_up_logging(stream=stream)
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    side = world.side(world.a, world.b, delivers=True, delivering_client="CLIENT X")
    made = world.post(
        world.a, "/v1/trades", side, key="key-1", traceparent=f"00-{trace}-00f067aa0ba902b7-01"
    )
    refused = world.get(world.c, f"/v1/trades/{made.json()['trade_id']}")
    unsigned = world.http.get("/v1/trades", headers={"Authorization": "Settle secret"})
    world.http.get("/v1/health/live")
    told = lines(stream)
    assert len(told) == 3
    first, second, third = told
    assert (first["method"], first["route"], first["status"]) == ("POST", "/v1/trades", 201)
    assert (first["caller"], first["role"]) == (world.a.lei, "participant")
    assert first["trace_id"] == made.headers["Trace-Id"] == trace
    assert first["bytes_in"] > 300
    assert first["bytes_out"] == len(made.content)
    assert (second["route"], second["status"]) == ("/v1/trades/{trade_id}", 404)
    assert second["code"] == refused.json()["code"]
    assert (third["status"], third["caller"]) == (401, None)
    assert third["code"] == unsigned.json()["code"]
    everything = stream.getvalue()
    for secret in ("CLIENT X", "key-1", "Settle", "signature", world.a.account.hex()):
        assert secret not in everything.replace("signature_", ""), secret


def test_what_is_named_like_a_secret_is_blanked() -> None:
    stream = io.StringIO()
    set_up_logging(stream=stream)
    log().info("started", password="hunter2", Authorization="Settle key", api_token="t", url="u")
    [line] = lines(stream)
    assert "hunter2" not in stream.getvalue()
    assert {line["password"], line["Authorization"], line["api_token"]} == {"[hidden]"}
    assert line["url"] == "u"
