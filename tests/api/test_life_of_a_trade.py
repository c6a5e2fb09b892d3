"""From two sides to a settled trade, through the API alone."""

from __future__ import annotations

from tests.api.world import ISIN, World


def test_a_trade_goes_from_two_sides_to_affirmed(any_world: World) -> None:
    world = any_world
    first = world.submit(world.a, world.b, delivers=True)
    assert first["status"] == "Unmatched"
    second = world.submit(world.b, world.a, delivers=False)
    assert (second["trade_id"], second["status"]) == (first["trade_id"], "Matched")
    listed = world.get(world.a, "/v1/instructions/to-sign").json()["instructions"]
    assert [one["digest"] for one in listed] == [second["digest"]]
    assert listed[0]["reference"] == first["reference"]
    legs = listed[0]["instruction"]["legs"]
    assert [(leg["code"], leg["decimals"], leg["quantity"]) for leg in legs] == [
        (ISIN, 0, "500"),
        ("EUR", 2, "2810000"),
    ]
    assert world.consent(world.a, second["digest"]).json()["status"] == "Matched"
    done = world.consent(world.b, second["digest"])
    assert done.json()["status"] == "Affirmed"
    shown = world.get(world.b, f"/v1/trades/{second['trade_id']}")
    assert shown.headers["ETag"] == done.headers["ETag"] == f'"{shown.json()["version"]}"'
    assert len(shown.json()["consented"]) == 2
    bundle = world.get(world.a, f"/v1/trades/{second['trade_id']}/bundle").json()
    assert [one["account"] for one in bundle["signatures"]] == [
        "0x" + party.account.hex() for party in (world.a, world.b)
    ]
    assert not world.get(world.a, "/v1/instructions/to-sign").json()["instructions"]
