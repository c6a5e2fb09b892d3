"""The API's document is complete: examples on every operation, and answers are as it says."""

from __future__ import annotations

from typing import Any

import jsonschema_rs
import pytest

from tests.api.world import World

METHODS = ("get", "post")


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method, path, item[method])
        for path, item in document["paths"].items()
        for method in METHODS
        if method in item
    ]


def schema_at(document: dict[str, Any], schema: dict[str, Any]) -> Any:
    """A validator of one schema of the document, references into the document resolved."""
    whole = {**schema, "components": document["components"]}
    return jsonschema_rs.Draft202012Validator(whole, validate_formats=True)


def validator_of(document: dict[str, Any], path: str, method: str, status: str) -> Any:
    content = document["paths"][path][method]["responses"][status]["content"]
    return schema_at(document, content["application/json"]["schema"])


@pytest.fixture
def document(world: World) -> dict[str, Any]:
    answer = world.http.get("/v1/openapi.json")
    assert answer.status_code == 200
    return dict(answer.json())


def test_the_document_is_of_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")


def test_every_operation_has_examples_that_fit_its_schemas(document: dict[str, Any]) -> None:
    found = operations(document)
    assert len(found) > 25
    for method, path, operation in found:
        bodies = [operation.get("requestBody"), *operation["responses"].values()]
        good = [r for status, r in operation["responses"].items() if status.startswith("2")]
        assert len(good) == 1, (method, path)
        assert good[0]["content"], f"{method} {path} answers nothing"
        for body in (operation.get("requestBody"), good[0]):
            if body is None:
                continue
            for kind, media in body["content"].items():
                assert "example" in media, f"{method} {path}: {kind} has no example"
                if kind == "application/json":
                    schema_at(document, media["schema"]).validate(media["example"])
        assert bodies
        assert "default" in operation["responses"]


def test_every_post_takes_an_idempotency_key(document: dict[str, Any]) -> None:
    for method, path, operation in operations(document):
        names = {one["name"] for one in operation.get("parameters", ())}
        assert ("Idempotency-Key" in names) == (method == "post"), path


def test_every_operation_but_the_public_ones_is_signed(document: dict[str, Any]) -> None:
    public = {path for _, path, operation in operations(document) if "security" not in operation}
    assert public == {"/v1/venue", "/v1/health/live", "/v1/health/ready", "/v1/metrics"}


def test_what_is_answered_is_what_the_document_says(world: World, document: dict[str, Any]) -> None:
    made = world.affirmed()
    trade = f"/v1/trades/{made['trade_id']}"
    one, many = "/v1/trades/{trade_id}", "/v1/trades"
    waiting = world.matched()
    asked = world.cancellation(world.a, waiting["digest"], world.now + 600)
    alleged = world.submit(world.b, world.a, delivers=True, quantity="7")
    account = "0x" + world.a.account.hex()
    reads = [
        ("/v1/venue", "/v1/venue"),
        ("/v1/participants", "/v1/participants"),
        (f"/v1/participants/{world.a.lei}", "/v1/participants/{lei}"),
        ("/v1/accounts", "/v1/accounts"),
        (f"/v1/accounts/{account}", "/v1/accounts/{account}"),
        (f"/v1/accounts/{account}/positions", "/v1/accounts/{account}/positions"),
        ("/v1/positions", "/v1/positions"),
        ("/v1/assets", "/v1/assets"),
        ("/v1/assets/1", "/v1/assets/{asset_id}"),
        (many, many),
        (trade, one),
        (f"{trade}/cancellation", f"{one}/cancellation"),
        (f"{trade}/bundle", f"{one}/bundle"),
        (f"{trade}/why-not", f"{one}/why-not"),
        (f"/v1/trades/{alleged['trade_id']}/proposal", f"{one}/proposal"),
        ("/v1/instructions/to-sign", "/v1/instructions/to-sign"),
        ("/v1/iso20022/messages", "/v1/iso20022/messages"),
        ("/v1/health/live", "/v1/health/live"),
        ("/v1/health/ready", "/v1/health/ready"),
    ]
    for target, path in reads:
        answer = world.get(world.a, target)
        assert answer.status_code == 200, (target, answer.text)
        validator_of(document, path, "get", "200").validate(answer.json())
    cancelled = world.post(
        world.a, f"/v1/trades/{waiting['trade_id']}/cancel", asked, If_Match='"2"'
    )
    assert cancelled.status_code == 200, cancelled.text
    validator_of(document, f"{one}/cancel", "post", "200").validate(cancelled.json())
    submitted = world.post(world.a, many, world.side(world.a, world.b, delivers=True))
    validator_of(document, many, "post", "201").validate(submitted.json())
    batch = world.post(
        world.a, f"{many}/batch", {"trades": [world.side(world.a, world.b, delivers=True)]}
    )
    validator_of(document, f"{many}/batch", "post", "200").validate(batch.json())
    missing = world.get(world.c, trade)
    problem = document["components"]["schemas"]["Problem"]
    schema_at(document, problem).validate(missing.json())
    assert missing.headers["content-type"] == "application/problem+json"
