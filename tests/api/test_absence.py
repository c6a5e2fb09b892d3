"""What belongs to others looks as if it were not there: the same answer as for a name of nothing.

Generated from the OpenAPI document: a route that is added is asked, or says here why it is not.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.api.test_isolation import OPERATORS, STREAM, Belongings, operations
from tests.api.world import World, lei

NOBODY = str(lei("Z"))
UNKNOWN = {
    "{trade_id}": "00000000000000000000000000",
    "{digest}": "0x" + "77" * 32,
    "{escrow}": "0x" + "77" * 32,
    "{account}": "0x" + "77" * 20,
    "{key}": "0x" + "77" * 20,
    "{lei}": NOBODY,
}


def unknown(path: str) -> str:
    for name, value in UNKNOWN.items():
        path = path.replace(name, value)
    return path


def told(answer: Any, *names: str) -> tuple[int, str]:
    """Status and body, without the names that were asked for and without the trace."""
    text = answer.text
    if answer.headers["content-type"] == "application/problem+json":
        document = answer.json()
        document.pop("trace_id")
        text = json.dumps(document, sort_keys=True)
    for name in names:
        text = text.replace(name, "NAME")
    return answer.status_code, text


def objects(world: World) -> list[tuple[str, str]]:
    return [(m, p) for m, p in operations(world) if any(name in p for name in UNKNOWN)]


def test_an_object_of_others_is_answered_as_one_that_is_not_there(world: World) -> None:
    others = Belongings(world)
    asked = 0
    for method, path in objects(world):
        if (method, path) in OPERATORS:
            continue
        nothing = unknown(path)
        for target in others.targets(path):
            body = others.body(path, world.c)
            if method == "get":
                real, made_up = world.get(world.c, target), world.get(world.c, nothing)
            else:
                real = world.post(world.c, target, body, If_Match="*")
                made_up = world.post(world.c, nothing, body, If_Match="*")
            names = {*target.split("/"), *nothing.split("/")} - {"", "v1"} - set(path.split("/"))
            assert told(real, *names) == told(made_up, *names), (method, path)
            assert real.status_code in {403, 404}, (method, path, real.text)
            asked += 1
    assert asked > 20


def values_of_others(
    world: World, others: Belongings, path: str, name: str
) -> tuple[str, str] | None:
    """A value that finds something of others, and one of the same form that finds nothing."""
    page = world.get(world.a, f"{path}?limit=1").json()
    return {
        "reference": ("alpha-1", "nobody-1"),
        "lei": (others.lei, NOBODY),
        "asset": ("DE0007164600", "US0378331005"),
        "status": ("Proposed", "Ended") if "escrows" in path else ("Matched", "Rejected"),
        "role": ("deliverer", "receiver"),
        "settlement_date": ("2026-11-26", "2031-01-02"),
        "limit": ("1", "20"),
        "after": ("0", "0"),
        "cursor": (page.get("next_cursor") or "", ""),
        "version": ("sese.023.001.11", "sese.023.001.10"),
        "waiting_on_me": ("true", "false"),
    }.get(name)


def test_no_filter_and_no_cursor_finds_or_counts_what_is_others(world: World) -> None:
    others = Belongings(world)
    document = world.http.get("/v1/openapi.json").json()
    cursors: set[str] = set()
    asked = 0
    for method, path in operations(world):
        if method != "get" or "{" in path or path == STREAM:
            continue
        for parameter in document["paths"][path]["get"].get("parameters", ()):
            if parameter["in"] != "query":
                continue
            found = values_of_others(world, others, path, parameter["name"])
            assert found is not None, f"say what of others belongs into ?{parameter['name']}"
            if parameter["name"] == "cursor" and found[0]:
                cursors.add(path)
            pair = [world.get(world.c, f"{path}?{parameter['name']}={v}") for v in found if v]
            if parameter["name"] == "cursor":
                pair.append(world.get(world.c, path))
            assert len({told(one) for one in pair}) == 1, (path, parameter["name"])
            assert pair[0].status_code == 200, pair[0].text
            asked += 1
    assert asked > 10
    assert "/v1/trades" in cursors, "a cursor of another participant was tried"


@pytest.mark.parametrize("path", ["/v1/trades", "/v1/escrows", "/v1/receipts", "/v1/positions"])
def test_a_list_is_the_same_whether_others_trade_or_not(world: World, path: str) -> None:
    before = world.get(world.c, path)
    Belongings(world)
    assert told(world.get(world.c, path)) == told(before)
    with world.database.reading() as conn:
        assert world.store.last_event(conn, viewer=world.c.lei) == 0
