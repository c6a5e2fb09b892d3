"""ISO 20022 through the API: a pair of sese.023 in, sese.024 and sese.025 out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from settle.api.iso_in import next_nonce
from settle.chain.eip712 import sign
from settle.domain.ids import Bic, Lei
from settle.services.chain_rows import BlockRow
from settle.services.trade_rows import OwnedAccount, ParticipantRow, Role
from settle.store.chain_tables import SqlFollowerStore
from tests.api.world import NOW, Party, World, key_of

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples" / "iso20022"
INVALID = ROOT.parent / "shared" / "data" / "iso20022" / "invalid"
SCHEMAS = ROOT.parent / "shared" / "data" / "iso20022" / "xsd"
PATH = "/v1/iso20022/messages"


@pytest.fixture
def banks(world: World) -> tuple[Party, Party]:
    """The two banks of the examples."""
    found = []
    for name, lei, bic in (
        ("alfa", "999900DEMOBANKALFA73", "ALFADEF0XXX"),
        ("beta", "999900DEMOBANKBETA55", "BETAFRP0"),
    ):
        party = replace(world.stranger, name=name, key=key_of(name), lei=Lei(lei))
        with world.database.transaction() as conn:
            row = ParticipantRow(
                lei=Lei(lei),
                bic=Bic(bic),
                name=name,
                role=Role.PARTICIPANT,
                participant_class=1,
                created_at=NOW,
            )
            world.store.put_participants(conn, [row])
            account = OwnedAccount(address=party.account, lei=Lei(lei), position=0, created_at=NOW)
            world.store.put_accounts(conn, [account])
        found.append(party)
    return found[0], found[1]


def send(world: World, party: Party, xml: bytes, **more: Any) -> Any:
    return world.post(party, PATH, content=xml, media_type="application/xml", **more)


def example(name: str) -> bytes:
    return (EXAMPLES / name).read_bytes()


def local(xml: bytes) -> set[str]:
    return {etree.QName(one).localname for one in etree.fromstring(xml).iter("{*}*")}


def valid(xml: bytes) -> str:
    """The name of a message that the published schema takes."""
    root = etree.fromstring(xml)
    name = str(etree.QName(root).namespace).rpartition(":")[2]
    if SCHEMAS.is_dir():
        etree.XMLSchema(etree.parse(SCHEMAS / f"{name}.xsd")).assertValid(root)
    return name


def test_a_pair_of_messages_becomes_a_settled_trade(
    world: World, banks: tuple[Party, Party]
) -> None:
    alfa, beta = banks
    first = send(world, alfa, example("dvp_delivering.xml"))
    assert first.status_code == 201, first.text
    assert "AckdAccptd" in local(first.content)
    second = send(world, beta, example("dvp_receiving_in_envelope.xml"))
    assert second.status_code == 201, second.text
    assert first.headers["Location"] == second.headers["Location"]
    valid(first.content)
    trade = world.get(alfa, first.headers["Location"]).json()
    assert trade["status"] == "Matched"
    assert int(trade["instruction"]["nonce"]) == 2**63
    for party in banks:
        signature = sign(bytes.fromhex(trade["digest"][2:]), party.key)
        path = f"/v1/instructions/{trade['digest']}/signature"
        assert world.post(party, path, {"signature": "0x" + signature.hex()}).status_code == 200
    with world.database.transaction() as conn:
        block = BlockRow(
            number=7, hash=b"\x07" * 32, parent_hash=bytes(32), timestamp=NOW + 9, final=True
        )
        SqlFollowerStore().add_blocks(conn, [block], [])
    world.settle(trade["trade_id"])
    for party, kinds in (
        (alfa, {"Unmatched", "Matched", "Affirmed", "Settled"}),
        (beta, {"Matched", "Affirmed", "Settled"}),
    ):
        page = world.get(party, PATH).json()
        assert len(page["messages"]) == len(kinds)
        names = []
        for one in page["messages"]:
            got = world.get(party, f"{PATH}/{one['number']}")
            assert got.headers["content-type"].startswith("application/xml")
            names.append(valid(got.content))
            assert one["name"] == names[-1]
            assert one["reference"].encode() in got.content
        assert names[-1] == "sese.025.001.11"
        assert set(names[:-1]) == {"sese.024.001.12"}


def test_the_same_message_again_is_the_same_side(world: World, banks: tuple[Party, Party]) -> None:
    alfa, _ = banks
    first = send(world, alfa, example("dvp_delivering.xml"), key="one")
    replayed = send(world, alfa, example("dvp_delivering.xml"), key="one")
    again = send(world, alfa, example("dvp_delivering.xml"))
    assert first.content == replayed.content == again.content
    assert len(world.get(alfa, "/v1/trades").json()["trades"]) == 1
    changed = example("dvp_delivering.xml").replace(b"<Unit>500<", b"<Unit>501<")
    other = send(world, alfa, changed)
    assert other.status_code == 422
    assert b"REFE" in other.content
    valid(other.content)


def test_messages_without_nonces_get_numbers_that_stand_together(
    world: World, banks: tuple[Party, Party]
) -> None:
    alfa, _ = banks
    for number in range(3):
        xml = example("dvp_delivering.xml").replace(b"ALFA-DVP-0001", b"ALFA-%d" % number)
        assert send(world, alfa, xml).status_code == 201
    trades = world.get(alfa, "/v1/trades").json()["trades"]
    assert [int(one["side"]["nonce"]) for one in reversed(trades)] == [
        2**63,
        2**63 + 1,
        2**63 + 2,
    ]


def test_numbers_count_up_on_either_database(any_world: World) -> None:
    world = any_world
    assert world.a.account != world.b.account
    for nonce, following in ((2**63 - 1, 2**63), (2**63, 2**63 + 1), (2**63 + 9, 2**63 + 10)):
        world.submit(world.a, world.b, delivers=True, nonce=str(nonce))
        with world.database.reading() as conn:
            assert next_nonce(conn, world.a.account) == following
            assert next_nonce(conn, world.b.account) == 2**63


def test_a_message_for_another_is_refused_with_a_sese_024(
    world: World, banks: tuple[Party, Party]
) -> None:
    _, beta = banks
    answer = send(world, beta, example("dvp_delivering.xml"))
    assert answer.status_code == 422
    assert {"Rjctd", "AcctOwnrTxId"} <= local(answer.content)
    valid(answer.content)
    late = example("dvp_delivering.xml").replace(b"2026-11-26", b"2026-11-28")
    closed = send(world, banks[0], late)
    assert b"DDAT" in closed.content
    assert not world.get(beta, "/v1/trades").json()["trades"]


def test_what_has_no_reference_is_refused_with_a_problem(
    world: World, banks: tuple[Party, Party]
) -> None:
    alfa, _ = banks
    for xml, status in (
        (b"<a/>", 422),
        (b"not xml", 422),
        (example("dvp_delivering.xml").replace(b"ALFA-DVP-0001", b""), 422),
    ):
        answer = send(world, alfa, xml)
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
    wrong = world.post(alfa, PATH, content=b"{}")
    assert (wrong.status_code, wrong.json()["code"]) == (415, "media_type")


@pytest.mark.skipif(not INVALID.is_dir(), reason="the shared messages are not here")
def test_every_invalid_message_is_refused_and_nothing_is_stored(
    world: World, banks: tuple[Party, Party]
) -> None:
    files = sorted(INVALID.glob("*.xml"))
    assert len(files) > 10
    for file in files:
        answer = send(world, banks[0], file.read_bytes())
        assert answer.status_code in {413, 422}, (file.name, answer.text)
        if answer.headers["content-type"] == "application/xml":
            assert "Rjctd" in local(answer.content), file.name
            valid(answer.content)
        else:
            assert answer.json()["detail"], file.name
    with world.database.reading() as conn:
        assert world.store.last_event(conn, viewer=None) == 0


def test_messages_are_the_readers_own(world: World, banks: tuple[Party, Party]) -> None:
    alfa, beta = banks
    send(world, alfa, example("dvp_delivering.xml"))
    assert world.get(beta, PATH).json()["messages"] == []
    assert world.get(beta, f"{PATH}/1").status_code == 404
    assert world.get(alfa, f"{PATH}/1").status_code == 200
    assert world.get(alfa, f"{PATH}/2").status_code == 404
