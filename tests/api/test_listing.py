"""Trades are found page by page, by what they are; a cursor goes on where the page ended."""

from __future__ import annotations

from typing import Any

import pytest

from settle.api import trade_listing
from tests.api.world import World


@pytest.fixture
def listed(world: World) -> list[str]:
    """Seven trades of A: four with B, two of them matched, three received from C."""
    ids = [world.matched(settlement_date="2026-11-27")["trade_id"] for _ in range(2)]
    ids += [world.submit(world.a, world.b, delivers=True)["trade_id"] for _ in range(2)]
    ids += [
        world.submit(world.a, world.c, delivers=False, isin="US0378331005")["trade_id"]
        for _ in range(3)
    ]
    return ids[::-1]


def pages(world: World, query: str = "", limit: int = 2) -> list[str]:
    found: list[str] = []
    cursor = None
    while True:
        more = f"&cursor={cursor}" if cursor else ""
        page: Any = world.get(world.a, f"/v1/trades?limit={limit}{query}{more}").json()
        found += [one["trade_id"] for one in page["trades"]]
        cursor = page["next_cursor"]
        if cursor is None:
            return found


def test_pages_follow_each_other_without_a_gap_or_a_double(world: World, listed: list[str]) -> None:
    for limit in (1, 2, 3, 6, 7, 8):
        assert pages(world, limit=limit) == listed


@pytest.mark.parametrize("chunk", [1, 2, 500])
def test_filters_find_what_they_say(
    world: World, listed: list[str], chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trade_listing, "_CHUNK", chunk)
    monkeypatch.setattr(trade_listing, "_LOOKED_AT_MOST", 2 * chunk)
    assert pages(world, "&status=Matched") == listed[5:]
    assert pages(world, "&status=Matched&status=Unmatched") == listed
    assert pages(world, "&status=Settled") == []
    assert pages(world, "&role=receiver") == listed[:3]
    assert pages(world, "&role=deliverer") == listed[3:]
    assert pages(world, "&asset=US0378331005") == listed[:3]
    assert pages(world, "&asset=EUR") == listed
    assert pages(world, "&asset=USD") == []
    assert pages(world, "&settlement_date=2026-11-27") == listed[5:]
    assert pages(world, "&reference=alpha-1") == listed[6:]
    assert pages(world, "&reference=alpha-1&status=Unmatched") == []
    assert pages(world, "&role=deliverer&settlement_date=2026-11-26") == listed[3:5]


def test_a_reference_of_another_finds_nothing(world: World, listed: list[str]) -> None:
    assert pages(world, "&reference=bravo-1") == []
    operator = world.get(world.operator, "/v1/trades?reference=bravo-1").json()["trades"]
    assert [one["trade_id"] for one in operator] == listed[6:]


def test_a_cursor_is_of_one_list(world: World, listed: list[str]) -> None:
    page = world.get(world.a, "/v1/trades?limit=2").json()
    answer = world.get(world.a, f"/v1/trades?limit=2&role=receiver&cursor={page['next_cursor']}")
    assert (answer.status_code, answer.json()["code"]) == (422, "cursor")


def test_what_waits_for_a_signature_comes_in_pages_too(world: World) -> None:
    made = [world.matched()["digest"] for _ in range(5)]
    page = world.get(world.a, "/v1/instructions/to-sign?limit=3").json()
    assert [one["digest"] for one in page["instructions"]] == made[:3]
    rest = world.get(
        world.a, f"/v1/instructions/to-sign?limit=3&cursor={page['next_cursor']}"
    ).json()
    assert [one["digest"] for one in rest["instructions"]] == made[3:]
    assert rest["next_cursor"] is None
