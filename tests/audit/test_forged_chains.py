"""A node that tells another chain in which every hash and root fits: the content gives it away."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from audited_world import World, found
from chain_market import KEYS
from lying_line import Chain, forged
from market_life import ALPHA, BRAVO, CHARLIE

from settle.audit import published
from settle.audit.findings import Code
from settle.audit.report import AuditReport
from settle.chain.abi import load_abi
from settle.chain.eip712 import sign

EVENTS = {
    event.name: "0x" + topic.hex()
    for contract in published.load().values()
    for topic, event in contract.events.items()
}


@pytest.fixture
def world(anvil: World) -> World:
    """One engine is enough: the checks do not know which it is."""
    return anvil


def place_of(world: World) -> tuple[int, bytes]:
    hash_ = world.life.settled[0].transaction
    receipt = world.life.market.node.receipts([hash_])[0]
    assert receipt is not None
    return receipt.block_number, hash_


def word(value: int | bytes) -> str:
    return (value.to_bytes(32, "big") if isinstance(value, int) else value.rjust(32, b"\0")).hex()


def log_of(world: World, chain: Chain, event: str) -> dict[str, Any]:
    """The first event of a kind in the transaction that settled alone."""
    number, index = chain.find(place_of(world)[1])
    logs = chain.receipts[number][index]["logs"]
    return next(log for log in logs if log["topics"][0] == EVENTS[event])


def audit(world: World, rewrite: Callable[[Chain], object]) -> AuditReport:
    """Audit the rewritten chain; no hash, root or query gives it away."""
    report = world.audit(forged(rewrite))
    by_hash = {Code.BLOCK_HASH, Code.PARENT_HASH, Code.TRANSACTIONS_ROOT, Code.RECEIPTS_ROOT}
    by_hash |= {Code.BLOOM, Code.LOGS, Code.TRANSACTION_HASH, Code.RECEIPT_PLACE}
    assert not by_hash & {finding.code for finding in report.findings}
    return report


def test_a_rewriting_that_changes_nothing_finds_nothing(world: World) -> None:
    assert audit(world, lambda _chain: None).findings == ()


def test_the_signature_of_another_is_found(world: World) -> None:
    settled, (block, _) = world.life.settled[0], place_of(world)
    identity = world.life.identity(settled.terms)
    old = settled.signatures[1]
    other = sign(identity, KEYS["CHARLIE"])[: len(old)]

    def rewrite(chain: Chain) -> None:
        number, index = chain.find(settled.transaction)
        told = chain.blocks[number]["transactions"][index]
        assert old.hex() in told["input"]
        told["input"] = told["input"].replace(old.hex(), other.hex())

    report = audit(world, rewrite)
    finding = found(report, Code.SIGNATURE, block=block, account=BRAVO, instruction=identity)
    assert finding.computed == BRAVO


def test_other_terms_under_the_same_signatures_are_found(world: World) -> None:
    settled, (block, _) = world.life.settled[0], place_of(world)
    quantity = settled.terms.legs[1].quantity

    def rewrite(chain: Chain) -> None:
        number, index = chain.find(settled.transaction)
        told = chain.blocks[number]["transactions"][index]
        told["input"] = told["input"].replace(word(quantity), word(quantity - 1))

    report = audit(world, rewrite)
    # Other terms are another id: no event speaks of it, and what happened has no call.
    found(report, Code.EVENT_MISSING, block=block)
    found(report, Code.UNEXPLAINED, block=block)


def test_an_event_with_another_amount_is_found(world: World) -> None:
    block, _ = place_of(world)
    quantity = world.life.settled[0].terms.legs[0].quantity

    def rewrite(chain: Chain) -> None:
        log = log_of(world, chain, "Posted")
        log["data"] = log["data"].replace(word(quantity), word(quantity + 5))

    report = audit(world, rewrite)
    finding = found(report, Code.EVENT_DIFFERS, block=block)
    assert (finding.stated, finding.computed) == (quantity + 5, quantity)
    found(report, Code.RESULT, block=block, account=ALPHA, asset=1)


def test_a_result_that_does_not_follow_is_found(world: World) -> None:
    block, _ = place_of(world)

    def rewrite(chain: Chain) -> None:
        log = log_of(world, chain, "Posted")
        receiver = int(log["data"][-64:], 16)
        log["data"] = log["data"][:-64] + word(receiver + 1)

    report = audit(world, rewrite)
    finding = found(report, Code.RESULT, block=block, account=BRAVO, asset=1)
    assert finding.stated[0] == finding.computed[0] + 1  # type: ignore[index]


@pytest.mark.parametrize("event", ["Posted", "InstructionSettled"])
def test_a_dropped_event_is_found(world: World, event: str) -> None:
    block, transaction = place_of(world)

    def rewrite(chain: Chain) -> None:
        number, index = chain.find(transaction)
        chain.receipts[number][index]["logs"].remove(log_of(world, chain, event))

    report = audit(world, rewrite)
    identity = world.life.identity(world.life.settled[0].terms)
    code = Code.EVENT_DIFFERS if event == "Posted" else Code.EVENT_MISSING
    found(report, code, block=block, instruction=identity)


def test_an_invented_event_is_found(world: World) -> None:
    """Value comes into being without any call."""
    block, transaction = place_of(world)
    settlement = "0x" + world.deployment.settlement.hex()
    log = {
        "address": settlement,
        "topics": [EVENTS["Issued"], *("0x" + word(x) for x in (1, CHARLIE, 5))],
        "data": "0x" + word(1000) + word(1000) + word(0) + word(10**9),
    }

    def rewrite(chain: Chain) -> None:
        number, index = chain.find(transaction)
        chain.receipts[number][index]["logs"].append(log)

    report = audit(world, rewrite)
    found(report, Code.UNEXPLAINED, block=block)
    found(report, Code.RESULT, block=block, asset=1)
    found(report, Code.SUPPLY, asset=1)


def test_a_hidden_settlement_is_found_in_storage(world: World) -> None:
    settled, (_, transaction) = world.life.settled[0], place_of(world)

    def rewrite(chain: Chain) -> None:
        number, index = chain.find(transaction)
        del chain.blocks[number]["transactions"][index], chain.receipts[number][index]

    report = audit(world, rewrite)
    found(report, Code.NONCE_WORD, account=ALPHA)
    # The next event about the same holding says where it was before.
    found(report, Code.RESULT, account=ALPHA)
    assert report.counts.instructions == world.audit().counts.instructions - 1
    assert settled.terms.initiator == ALPHA


def test_a_settlement_told_twice_is_found(world: World) -> None:
    block, transaction = place_of(world)

    def rewrite(chain: Chain) -> None:
        number, index = chain.find(transaction)
        for told in (chain.blocks[number]["transactions"], chain.receipts[number]):
            told.append({**told[index], "logs": [dict(x) for x in told[index].get("logs", [])]})

    report = audit(world, rewrite)
    identity = world.life.identity(world.life.settled[0].terms)
    finding = found(report, Code.NONCE, block=block, instruction=identity)
    assert (finding.stated, finding.computed) == ("settled", "open")
    found(report, Code.RESULT, block=block)


@pytest.mark.parametrize("by_s", [-200, 86_500])
def test_a_settlement_outside_its_window_is_found(world: World, by_s: int) -> None:
    block, _ = place_of(world)

    def rewrite(chain: Chain) -> None:
        told = chain.blocks[block]
        told["timestamp"] = hex(int(told["timestamp"], 16) + by_s)

    found(audit(world, rewrite), Code.WINDOW, block=block)


def test_the_later_of_two_settlements_in_one_order_is_found(world: World) -> None:
    """A failed call told as a success: what it would have done is not there."""
    failed: list[int] = []

    def rewrite(chain: Chain) -> None:
        for number, receipts in enumerate(chain.receipts):
            for receipt in receipts:
                if receipt["to"] == "0x" + world.deployment.settlement.hex() and not failed:
                    receipt["logs"] = []
                    failed.append(number)

    report = audit(world, rewrite)
    found(report, Code.EVENT_MISSING, block=failed[0])


# ---------------------------------------------------------------------------- authority


def first_approved(world: World, chain: Chain, selector: bytes) -> tuple[int, int, dict[str, Any]]:
    """The first operation of an approver that calls a function."""
    addresses = {"0x" + e.address.hex() for e in world.deployment.approvers.values()}
    for number, block in enumerate(chain.blocks):
        for index, told in enumerate(block["transactions"]):
            if told["to"] in addresses and selector.hex() in told["input"]:
                return number, index, told
    raise AssertionError("no such operation")


def test_an_approval_with_one_signature_twice_is_found(world: World) -> None:
    selector, places = load_abi("Settlement").functions["issue"].selector, []

    def rewrite(chain: Chain) -> None:
        number, _, told = first_approved(world, chain, selector)
        # Two tails of 65 bytes each, the second the last of the call: length, then 96 bytes.
        told["input"] = told["input"][:-256] + told["input"][-512:-256]
        places.append(number)

    report = audit(world, rewrite)
    found(report, Code.APPROVAL, block=places[0])


def test_an_issue_without_its_approval_is_found(world: World) -> None:
    """The issuer's own event is gone, as if somebody else had issued."""
    selector, places = load_abi("Settlement").functions["issue"].selector, []

    def rewrite(chain: Chain) -> None:
        number, index, _ = first_approved(world, chain, selector)
        logs = chain.receipts[number][index]["logs"]
        logs[:] = [log for log in logs if log["topics"][0] != EVENTS["Approved"]]
        places.append(number)

    found(audit(world, rewrite), Code.EVENT_MISSING, block=places[0])


def test_an_issue_by_a_plain_key_is_found(world: World) -> None:
    """A call of the ledger itself, told as if it had succeeded."""
    block, transaction = place_of(world)
    data = load_abi("Settlement").encode("issue", 1, CHARLIE, 7, bytes(32))
    log = {
        "address": "0x" + world.deployment.settlement.hex(),
        "topics": [EVENTS["Issued"], *("0x" + word(x) for x in (1, CHARLIE, 0))],
        "data": "0x" + word(7) + word(7) + word(0) + word(7),
    }

    def rewrite(chain: Chain) -> None:
        number, index = chain.find(transaction)
        chain.blocks[number]["transactions"][index]["input"] = "0x" + data.hex()
        chain.receipts[number][index]["logs"] = [log]

    found(audit(world, rewrite), Code.NOT_AUTHORISED, block=block)


def test_a_role_granted_to_a_plain_key_is_found(world: World) -> None:
    block, transaction = place_of(world)
    manager = "0x" + world.deployment.contracts["AccessManager"].hex()
    log = {
        "address": manager,
        "topics": [EVENTS["RoleGranted"], "0x" + word(2), "0x" + word(CHARLIE)],
        "data": "0x" + word(0) + word(1) + word(1),
    }

    def rewrite(chain: Chain) -> None:
        number, index = chain.find(transaction)
        chain.receipts[number][index]["logs"].append(log)

    report = audit(world, rewrite)
    found(report, Code.ROLE_PLAIN_KEY, block=block, account=CHARLIE)
    found(report, Code.UNEXPLAINED, block=block)
    found(report, Code.ROLE_STATE, account=CHARLIE)


def test_another_creation_code_is_found(world: World) -> None:
    settlement = world.deployment.settlement
    deployed = world.deployment.block

    def rewrite(chain: Chain) -> None:
        for told in chain.blocks[deployed]["transactions"]:
            if told["to"] is None and len(told["input"]) > 30_000:
                told["input"] = told["input"][:-4] + "beef"

    report = audit(world, rewrite)
    # Its sender is another now, and so is the address of what it creates: nothing made ours.
    found(report, Code.CREATION_UNEVIDENCED, account=settlement)


# ---------------------------------------------------------------------------- acts on chain


@pytest.mark.parametrize("function", ["affirm", "reserve", "release", "withdraw", "cancel"])
def test_a_forged_message_is_found(world: World, function: str) -> None:
    selector, places = load_abi("Settlement").functions[function].selector.hex(), []

    def rewrite(chain: Chain) -> None:
        for number, block in enumerate(chain.blocks):
            for told in block["transactions"]:
                if told["input"].startswith("0x" + selector) and not places:
                    text = told["input"]
                    # The call ends with a signature: two words before its end it is not padding.
                    at = len(text) - 2 * 64
                    told["input"] = (
                        text[:at] + f"{int(text[at : at + 2], 16) ^ 1:02x}" + text[at + 2 :]
                    )
                    places.append(number)

    report = audit(world, rewrite)
    assert places
    found(report, Code.SIGNATURE, block=places[0])


def test_a_redemption_that_its_holder_did_not_sign_is_found(world: World) -> None:
    selector, places = load_abi("Settlement").functions["redeem"].selector.hex(), []
    approvers = {"0x" + entry.address.hex() for entry in world.deployment.approvers.values()}

    def rewrite(chain: Chain) -> None:
        for number, block in enumerate(chain.blocks):
            for told in block["transactions"]:
                at = told["input"].find(selector)
                if told["to"] in approvers and at > 0 and not places:
                    quantity = word(25)
                    told["input"] = told["input"].replace(quantity, word(26))
                    places.append(number)

    report = audit(world, rewrite)
    found(report, Code.SIGNATURE, block=places[0], account=BRAVO)
    found(report, Code.APPROVAL, block=places[0])
    found(report, Code.EVENT_DIFFERS, block=places[0])
