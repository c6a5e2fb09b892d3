from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from chain_engines import FUNDED_KEYS, RICH, ROOT, mine, profile_by_hand
from chain_market import ACCOUNTS, DESK_KEYS, LEIS, PLANS, SHARES, Market, build_market, officer_key

from settle.chain.abi import load_abi
from settle.chain.approvals import (
    Operation,
    approver_domain,
    execute_call,
    operation_digest,
    sign_operation,
)
from settle.chain.authority import (
    ADMIN,
    ISSUER,
    REGISTRAR,
    REVOKER,
    SETBACK_S,
    authority_faults,
    role_members,
)
from settle.chain.deploy import ApproverPlan, check_plans
from settle.chain.deployment import check_deployment, load_deployment, save_deployment
from settle.chain.desk import Desk
from settle.chain.direct import Order
from settle.chain.eip712 import address_of, recover
from settle.chain.engine import RunningEngine, start_engine
from settle.domain.errors import Broken, InvalidInput, Refused
from settle.domain.ledger import AssetClass, Standing


@pytest.fixture(scope="module")
def market(engine: RunningEngine) -> Market:
    return build_market(engine)


def test_no_plain_key_holds_a_role(market: Market) -> None:
    block = market.node.head().number
    members = role_members(market.deployment, market.node, block)
    assert {m.role for m in members} == {*market.deployment.roles}
    assert all(market.node.code(m.address, block) for m in members)
    assert address_of(FUNDED_KEYS[1]) not in {m.address for m in members}
    assert authority_faults(market.deployment, market.node, block) == []


def test_the_administration_has_two_approvers_under_a_delay(market: Market) -> None:
    block = market.node.head().number
    admins = [m for m in role_members(market.deployment, market.node, block) if m.role == ADMIN]
    assert [m.delay_s for m in admins] == [86_400, 86_400]


def test_who_revokes_waits_until_grants_do(market: Market) -> None:
    block = market.node.head().number
    members = role_members(market.deployment, market.node, block)
    waits = {m.address: (m.delay_s, m.coming_s) for m in members if m.role == REVOKER}
    entries = market.deployment.approvers
    assert waits == {
        bytes(entries["revoker"].address): (SETBACK_S, 0),
        bytes(entries["admin"].address): (86_400, 86_400),
        bytes(entries["admin_reserve"].address): (86_400, 86_400),
    }
    data = load_abi("AccessManager").encode(
        "revokeRole", market.deployment.roles[ISSUER], entries["issuer"].address
    )
    manager = market.deployment.contracts["AccessManager"]
    with pytest.raises(Refused, match="NotScheduled"):
        market.desk.perform([market.desk.order(REVOKER, manager, data, "too early")])


def test_a_role_is_taken_away_at_once(tmp_path: Path) -> None:
    engine = start_engine(
        profile_by_hand("tester"),
        tmp_path,
        root=ROOT,
        fund={address_of(key): RICH for key in FUNDED_KEYS},
    )
    try:
        market = build_market(engine)
        market.node.rpc.call("evm_increaseTime", SETBACK_S)
        mine(market.node)
        assert authority_faults(market.deployment, market.node, market.node.head().number) == []
        manager = load_abi("AccessManager")
        issuer = market.deployment.approvers["issuer"].address
        number, to = market.deployment.roles[ISSUER], market.deployment.contracts["AccessManager"]
        take = manager.encode("revokeRole", number, issuer)
        give = manager.encode("grantRole", number, issuer, 0)
        desk = market.desk
        desk.perform([desk.order(REVOKER, to, data, "its own work") for data in (take, give)])
        block = market.node.head().number
        [fault] = authority_faults(market.deployment, market.node, block)
        assert fault == f"0x{issuer.hex()} does not hold the role ISSUER"
        with pytest.raises(Refused):
            market.issue("ALPHA", SHARES, 1)
    finally:
        engine.stop()


def test_a_fault_in_the_authority_is_found(market: Market) -> None:
    block = market.node.head().number
    approvers = dict(market.deployment.approvers)
    gone = approvers.pop("issuer")
    less = dataclasses.replace(market.deployment, approvers=approvers)
    [fault] = authority_faults(less, market.node, block)
    assert gone.address.hex() in fault
    assert "the file does not say so" in fault
    late = dataclasses.replace(gone, delay_s=5)
    other = dataclasses.replace(market.deployment, approvers={**approvers, "issuer": late})
    assert "delay of 0 s, not 5" in authority_faults(other, market.node, block)[0]


def test_the_deployment_file_comes_back_and_fits_the_chain(market: Market, tmp_path: Path) -> None:
    path = tmp_path / "deployment.json"
    save_deployment(market.deployment, path)
    loaded = load_deployment(path, deployer=address_of(FUNDED_KEYS[1]))
    assert loaded == market.deployment
    check_deployment(loaded, market.node)


def test_a_changed_file_is_refused(market: Market, tmp_path: Path) -> None:
    path = tmp_path / "deployment.json"
    save_deployment(market.deployment, path)
    original = json.loads(path.read_text())
    for member, value in [
        ("chain_id", 5),
        ("block", 0),
        ("contracts", {**original["contracts"], "Settlement": "0x" + "11" * 20}),
    ]:
        path.write_text(json.dumps({**original, member: value}))
        with pytest.raises(InvalidInput, match="changed after it was signed"):
            load_deployment(path)
    path.write_text(json.dumps(original))
    with pytest.raises(InvalidInput, match="not by"):
        load_deployment(path, deployer=address_of(officer_key(1)))


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"format": 2}', '{"format": 1, "chain_id": "x"}']
)
def test_what_is_no_deployment_file_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "deployment.json"
    path.write_text(text)
    with pytest.raises(InvalidInput) as caught:
        load_deployment(path)
    assert caught.value.code == "deployment_format"


def test_another_chain_is_refused_with_what_differs(market: Market) -> None:
    for change, message in [
        ({"chain_id": 5}, "speaks of chain 5"),
        ({"genesis_hash": bytes(32)}, "another chain under the same number"),
        ({"code_hashes": {**market.deployment.code_hashes, "Settlement": bytes(32)}}, "Settlement"),
    ]:
        with pytest.raises(Broken, match=message):
            check_deployment(dataclasses.replace(market.deployment, **change), market.node)


def test_officers_admit_and_issue_under_two_signatures(market: Market) -> None:
    settlement, block = market.settlement, market.node.head().number
    account = ACCOUNTS["BRAVO"]
    [word] = settlement.accounts(market.node, [account], block)
    assert word.standing is Standing.ADMITTED
    assets = settlement.assets(market.node, block)
    assert [bytes(a.code).rstrip(b"\0") for a in assets.values()] == [
        b"DE0007164600",
        b"DE0001102580",
        b"EUR",
    ]
    market.issue("BRAVO", SHARES, 250)
    [holding] = settlement.holdings(market.node, [(account, SHARES)], market.node.head().number)
    assert holding.available == 250


def test_each_office_does_its_own_work(market: Market) -> None:
    desk, account = market.desk, ACCOUNTS["CHARLIE"]
    desk.perform(
        [
            desk.set_standing(LEIS[2], Standing.SUSPENDED, b"SANC"),
            desk.set_standing(LEIS[2], Standing.ADMITTED, b"SANC"),
            desk.freeze_account(account, b"FRAU"),
            desk.freeze_asset(SHARES, b"COAC"),
            desk.freeze_asset(SHARES, b"COAC", frozen=False),
            desk.open_account(LEIS[2], address_of(officer_key(50))),
        ]
    )
    block = market.node.head().number
    [word] = market.settlement.accounts(market.node, [account], block)
    assert (word.standing, word.frozen) == (Standing.ADMITTED, True)
    desk.perform([desk.freeze_account(account, b"FRAU", frozen=False)])


def test_what_the_contract_refuses_is_told_in_its_words(market: Market) -> None:
    desk = market.desk
    with pytest.raises(Refused, match="AssetCodeTaken") as caught:
        desk.perform([desk.create_asset(AssetClass.SECURITY, 0, "DE0007164600", ACCOUNTS["ALPHA"])])
    assert caught.value.code == "asset_code_taken"
    with pytest.raises(Refused, match="ParticipantExists"):
        desk.perform([desk.admit(LEIS[0], "COBADEFF", [])])


def test_one_organisation_alone_is_refused(market: Market) -> None:
    approver = market.deployment.approver_of(ISSUER)
    domain = approver_domain(market.deployment.chain_id, approver.address)
    data = market.settlement.issue(SHARES, ACCOUNTS["ALPHA"], 1, bytes(32))
    operation = Operation(
        target=market.deployment.settlement,
        data=data,
        reason=b"ROUT",
        nonce=1,
        valid_by=market.now() + 100,
    )
    one = sign_operation(operation, domain, DESK_KEYS[ISSUER][0])
    stranger = sign_operation(operation, domain, officer_key(99))
    for second in (one, stranger):
        call = execute_call(operation, one, second)
        order = Order(to=approver.address, data=call, gas=300_000, what="issue")
        with pytest.raises(Refused, match="SignersNotOfTwoOrganisations"):
            market.direct.send(order)
    assert recover(operation_digest(operation, domain), one) in approver.signers


def test_a_plain_key_opens_nothing(market: Market) -> None:
    data = market.settlement.issue(SHARES, ACCOUNTS["ALPHA"], 1, bytes(32))
    order = Order(to=market.deployment.settlement, data=data, gas=300_000, what="issue")
    with pytest.raises(Refused, match="AccessManagedUnauthorized"):
        market.direct.send(order)


def test_a_module_is_set_only_after_the_delay(market: Market) -> None:
    admin = market.deployment.approver_of(ADMIN)
    keys = {ADMIN: (officer_key(0), officer_key(1))}
    desk = Desk(deployment=market.deployment, keys=keys, direct=market.direct, clock=market.now)
    manager = market.deployment.contracts["AccessManager"]
    call = market.settlement.encode("setModule", b"\x42" * 20, True)
    execute = load_abi("AccessManager").encode("execute", market.deployment.settlement, call)
    with pytest.raises(Refused, match="AccessManager"):
        desk.perform([desk.order(ADMIN, market.deployment.settlement, call, "module")])
    with pytest.raises(Refused, match="AccessManager"):
        desk.perform([desk.order(ADMIN, manager, execute, "module")])
    assert admin.delay_s == 86_400


def test_the_desk_refuses_one_person_twice(market: Market) -> None:
    with pytest.raises(InvalidInput, match="two people"):
        Desk(
            deployment=market.deployment,
            keys={REGISTRAR: (officer_key(4), officer_key(4))},
            direct=market.direct,
            clock=market.now,
        )
    with pytest.raises(InvalidInput, match="no keys of ADMIN"):
        market.desk.order(ADMIN, market.deployment.settlement, b"", "nothing")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"issuer": None}, "0 approvers hold ISSUER"),
        ({"admin_reserve": None}, "1 approvers hold ADMIN"),
        ({"admin_reserve": PLANS["admin"]}, "no signer in common"),
        (
            {"issuer": ApproverPlan(role=ISSUER, signers={ACCOUNTS["ALPHA"]: "one"})},
            "two organisations",
        ),
        (
            {
                "issuer": ApproverPlan(
                    role="KING", signers={ACCOUNTS["ALPHA"]: "one", ACCOUNTS["BRAVO"]: "two"}
                )
            },
            "unknown role KING",
        ),
        (
            {
                "issuer": ApproverPlan(
                    role=ISSUER, signers={ACCOUNTS["ALPHA"]: "", ACCOUNTS["BRAVO"]: "two"}
                )
            },
            "1 to 32 bytes",
        ),
    ],
)
def test_plans_that_are_not_four_eyes_are_refused(
    change: dict[str, ApproverPlan | None], message: str
) -> None:
    plans = {name: plan for name, plan in {**PLANS, **change}.items() if plan is not None}
    with pytest.raises(InvalidInput, match=message):
        check_plans(plans)


def test_the_calls_inside_a_transaction_are_told(market: Market) -> None:
    """An officer's call goes through the approver, one to `affirm` through a delegated call."""
    [receipt] = market.desk.perform([market.desk.issue(SHARES, ACCOUNTS["ALPHA"], 7, bytes(32))])
    trace = market.node.rpc.call(
        "debug_traceTransaction", "0x" + receipt.transaction_hash.hex(), {"tracer": "callTracer"}
    )
    approver = market.deployment.approver_of(ISSUER).address
    assert (trace["type"], trace["to"]) == ("CALL", "0x" + approver.hex())
    inner = [f for f in trace["calls"] if f["type"] == "CALL"]
    assert [f["to"] for f in inner] == ["0x" + market.deployment.settlement.hex()]
    assert (
        inner[0]["input"]
        == "0x" + market.settlement.issue(SHARES, ACCOUNTS["ALPHA"], 7, bytes(32)).hex()
    )
    assert {f["to"] for f in trace["calls"] if f["type"] == "STATICCALL"} == {
        "0x" + "01".rjust(40, "0")
    }
    instruction = market.trade("ALPHA", "BRAVO", 1, 1)
    data = market.settlement.affirm(instruction, market.signatures(instruction))
    order = Order(to=market.deployment.settlement, data=data, gas=500_000, what="affirm")
    receipt = market.direct.send(order)
    trace = market.node.rpc.call(
        "debug_traceTransaction", "0x" + receipt.transaction_hash.hex(), {"tracer": "callTracer"}
    )
    [delegated] = trace["calls"]
    assert delegated["type"] == "DELEGATECALL"
    assert delegated["from"] == "0x" + market.deployment.settlement.hex()
    assert delegated["to"] == "0x" + market.deployment.contracts["Affirmation"].hex()
    assert delegated["input"] == "0x" + data.hex()
    assert delegated["calls"], "the signatures are recovered inside"
