"""What belongs to others does not exist: every route of the document, with others' names in it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from settle.chain.eip712 import sign
from settle.domain.escrow.conditions import Never
from settle.domain.escrow.terms_json import terms_to_json
from tests.api.escrow_talk import propose, terms_of
from tests.api.world import Party, World

SHARED = {
    # Routes that are the same for everybody: they name no object that belongs to somebody.
    "/v1/venue",
    "/v1/assets",
    "/v1/assets/{asset_id}",
    "/v1/health/live",
    "/v1/health/ready",
    "/v1/metrics",
}
OPERATORS = {
    ("post", "/v1/participants"),
    ("post", "/v1/participants/{lei}/keys"),
    ("post", "/v1/participants/{lei}/keys/{key}/revoke"),
}
PARTIES = {
    # Only who is named in the terms proposes them; what is refused names nothing that was not sent.
    ("post", "/v1/escrows"),
}
STREAM = "/v1/events"


class Belongings:
    """A trade of A and B in each state that a route asks for, and their names."""

    def __init__(self, world: World) -> None:
        self.matched = world.matched()
        self.affirmed = world.affirmed()
        self.alleged = world.submit(world.a, world.b, delivers=True, quantity="77")
        self.terms = terms_of(world, condition=Never())
        self.escrow = propose(world, self.terms)["id"]
        self.lei = str(world.a.lei)
        self.account = "0x" + world.a.account.hex()
        self.secrets = {
            self.lei,
            str(world.b.lei),
            self.account[2:],
            world.b.account.hex(),
            self.matched["trade_id"],
            self.affirmed["trade_id"],
            self.alleged["trade_id"],
            self.matched["digest"][2:],
            self.escrow[2:],
            "alpha-1",
            "bravo-1",
        }

    def targets(self, path: str) -> list[str]:
        """The path with names of A's and B's things in it."""
        if "{trade_id}" in path:
            found = (self.matched, self.affirmed, self.alleged)
            return [path.replace("{trade_id}", one["trade_id"]) for one in found]
        filled = path.replace("{digest}", self.matched["digest"])
        filled = filled.replace("{escrow}", self.escrow)
        filled = filled.replace("{account}", self.account).replace("{key}", self.account)
        filled = filled.replace("{lei}", self.lei).replace("{number}", "1")
        assert "{" not in filled, f"say what of others belongs into {path}"
        return [filled]

    def body(self, path: str, party: Party) -> Any:
        """A body that would be taken of the owner."""
        digest = bytes.fromhex(self.matched["digest"][2:])
        signature = "0x" + sign(digest, party.key).hex()
        if path.endswith("/signature"):
            return {"signature": signature}
        if path.endswith("/signatures"):
            return {"signatures": [{"digest": self.matched["digest"], "signature": signature}]}
        if path == "/v1/escrows":
            return {"terms": terms_to_json(self.terms)}
        if path.startswith("/v1/escrows/"):
            consent = sign(bytes.fromhex(self.escrow[2:]), party.key)
            return {"kind": "consent", "signature": "0x" + consent.hex()}
        return {}


def operations(world: World) -> list[tuple[str, str]]:
    document = world.http.get("/v1/openapi.json").json()
    return [
        (method, path)
        for path, item in document["paths"].items()
        for method in item
        if path not in SHARED
    ]


@pytest.fixture
def others(world: World) -> Belongings:
    return Belongings(world)


def test_a_stranger_to_a_trade_learns_nothing_of_it(world: World, others: Belongings) -> None:
    asked = 0
    for method, path in operations(world):
        if path == STREAM:
            continue
        for target in others.targets(path):
            if method == "get":
                answer = world.get(world.c, target)
            elif path in {"/v1/trades", "/v1/trades/batch", "/v1/iso20022/messages"}:
                continue  # what is submitted names its submitter; see the tests below
            else:
                answer = world.post(world.c, target, others.body(path, world.c), If_Match="*")
            asked += 1
            if "{" in path or method == "post":
                expected = {403} if (method, path) in OPERATORS | PARTIES else {404}
                assert answer.status_code in expected, (method, target, answer.text)
            else:
                assert answer.status_code == 200, (method, target, answer.text)
            names = answer.text.replace(target, "").replace(others.matched["digest"], "")
            for part in re.findall(r"0x[0-9a-f]{40,}|[0-9A-Z]{20,26}", target):
                names = names.replace(part, "")
            told = {secret for secret in others.secrets if secret in names}
            assert not told, f"{method} {target} tells {told}"
    assert asked > 25


@pytest.mark.parametrize("who", ["operator", "auditor"])
def test_operator_and_auditor_read_everything_and_act_for_nobody(
    world: World, others: Belongings, who: str
) -> None:
    party: Party = getattr(world, who)
    for method, path in operations(world):
        if path == STREAM:
            continue
        for target in others.targets(path):
            if method == "get":
                answer = world.get(party, target)
                mine_alone = (
                    path.endswith(("/proposal", "/to-sign", "/receipts")) or "iso20022" in path
                )
                if mine_alone:
                    assert answer.status_code == 403, (target, answer.text)
                elif path.endswith("/bundle"):
                    assert answer.status_code in {200, 409}, (target, answer.text)
                else:
                    assert answer.status_code == 200, (target, answer.text)
            elif (method, path) not in OPERATORS:
                body = others.body(path, party)
                if path in {"/v1/trades", "/v1/trades/batch"}:
                    side = world.side(world.a, world.b, delivers=True)
                    body = side if path == "/v1/trades" else {"trades": [side]}
                answer = world.post(party, target, body, If_Match="*")
                assert answer.status_code == 403, (target, answer.text)
            elif party is world.auditor:
                answer = world.post(party, target, {"lei": str(world.a.lei), "name": "x"})
                assert answer.status_code in {403, 422}, (target, answer.text)


def test_nobody_submits_for_another(world: World, others: Belongings) -> None:
    side = world.side(world.a, world.b, delivers=True)
    answer = world.post(world.c, "/v1/trades", side)
    assert (answer.status_code, answer.json()["code"]) == (422, "submitter_is_no_party")
    mine = world.side(world.c, world.b, delivers=True, account=others.account)
    assert world.post(world.c, "/v1/trades", mine).status_code == 403


def test_the_other_party_sees_the_allegement_without_what_is_private(
    world: World, others: Belongings
) -> None:
    private = {"delivering_client": "A CLIENT", "reference": "A-PRIVATE"}
    made = world.submit(world.a, world.b, delivers=True, quantity="5", **private)
    shown = world.get(world.b, f"/v1/trades/{made['trade_id']}")
    trade = shown.json()
    assert trade["alleged"] is True
    assert trade["side"] is None
    assert trade["other_side"]["quantity"] == "5"
    assert "PRIVATE" not in shown.text
    assert "A CLIENT" not in shown.text
    own = world.get(world.a, f"/v1/trades/{made['trade_id']}").json()
    assert own["side"]["reference"] == "A-PRIVATE"
    assert own["side"]["delivering_client"] == "A CLIENT"


def test_what_another_has_is_not_told_in_a_reason(world: World, others: Belongings) -> None:
    from settle.domain.reasons import Reason

    short = Reason(code="MONY", leg=1, who=world.b.account, needed=2_810_000, have=123_456_789)
    world.chain.reasons = (short,)
    path = f"/v1/trades/{others.affirmed['trade_id']}/why-not"
    [told_a] = world.get(world.a, path).json()["now"]
    [told_b] = world.get(world.b, path).json()["now"]
    [told_operator] = world.get(world.operator, path).json()["now"]
    assert (told_a["have"], told_a["iso"]) == (None, "CMON")
    assert (told_b["have"], told_b["iso"]) == ("123456789", "MONY")
    assert (told_operator["have"], told_operator["needed"]) == ("123456789", "2810000")
