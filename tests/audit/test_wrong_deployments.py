"""Chains that are told truly and are not as they should be: who holds which power, by what code."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import chain_market
import pytest
from audited_world import World, build_world, found
from chain_engines import FUNDED_KEYS
from chain_market import PLANS, officer_key
from lying_line import lying
from market_life import ALPHA, CHARLIE

from settle.audit.deployment import CONTRACTS
from settle.audit.findings import Code
from settle.audit.published import NAMES
from settle.audit.report import AuditReport
from settle.audit.wire import NodeError
from settle.chain import deploy as deploying
from settle.chain.abi import Abi, load_abi
from settle.chain.authority import ISSUER, ROLES, SETBACK_S
from settle.chain.deployment import Deployment, save_deployment
from settle.chain.direct import Order
from settle.chain.eip712 import address_of
from settle.domain.errors import InvalidInput
from settle.domain.keccak import keccak256

DEPLOYER = FUNDED_KEYS[1]


@pytest.fixture
def wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., World]]:
    """Build a market whose roles are given other than planned, and that says it is in order."""
    worlds: list[Iterator[World]] = []

    def build(change: Callable[[list[Order], dict[str, bytes]], list[Order]]) -> World:
        planned = deploying._role_orders

        def orders(contracts: Any, approvers: Any, deployer: Any) -> list[Order]:
            return change(list(planned(contracts, approvers, deployer)), contracts)

        monkeypatch.setattr(deploying, "_role_orders", orders)
        monkeypatch.setattr(deploying, "authority_faults", lambda *_: [])
        worlds.append(build_world("anvil", tmp_path / "chain"))
        return next(worlds[-1])

    yield build
    for world in worlds:
        next(world, None)


def administered(contracts: dict[str, bytes], function: str, *arguments: object) -> Order:
    data = load_abi("AccessManager").encode(function, *arguments)
    return Order(to=contracts["AccessManager"], data=data, gas=400_000, what=function)


def signed(world: World, **changes: object) -> Path:
    """The deployment file, changed by its deployer."""
    path = world.folder / "changed.json"
    changed: Deployment = dataclasses.replace(world.deployment, **changes)  # type: ignore[arg-type]
    save_deployment(changed.signed(DEPLOYER), path)
    return path


def test_a_deployer_who_stays_administrator_is_found(wrong: Callable[..., World]) -> None:
    report = wrong(lambda orders, _: orders[:-1]).audit()
    deployer = address_of(DEPLOYER)
    in_use = found(report, Code.ROLE_PLAIN_KEY, account=deployer)
    assert in_use.block is not None
    assert in_use.transaction is not None
    found(report, Code.ROLE_PLAIN_KEY, account=deployer, block=report.last_block)


def test_a_role_of_a_plain_key_is_found_even_if_it_ended(wrong: Callable[..., World]) -> None:
    report = wrong(
        lambda orders, contracts: [
            # While the deployer still administers the role itself.
            administered(contracts, "grantRole", ROLES[ISSUER], CHARLIE, 0),
            administered(contracts, "revokeRole", ROLES[ISSUER], CHARLIE),
            *orders,
        ]
    ).audit()
    assert found(report, Code.ROLE_PLAIN_KEY, account=CHARLIE).transaction is not None
    assert report.counts.differences == 1


def test_a_function_that_everybody_may_call_is_found(wrong: Callable[..., World]) -> None:
    selector = load_abi("Settlement").functions["issue"].selector
    report = wrong(
        lambda orders, contracts: [
            *orders[:-1],
            administered(
                *(contracts, "setTargetFunctionRole"),
                *(contracts["Settlement"], [selector], 2**64 - 1),
            ),
            orders[-1],
        ]
    ).audit()
    assert found(report, Code.ROLE_PUBLIC).transaction is not None
    found(report, Code.ROLE_PUBLIC, block=report.last_block)


def test_a_guardian_who_is_not_the_administration_is_found(wrong: Callable[..., World]) -> None:
    report = wrong(
        lambda orders, contracts: [
            *orders[:-1],
            administered(contracts, "setRoleGuardian", ROLES[ISSUER], 3),
            orders[-1],
        ]
    ).audit()
    assert found(report, Code.ROLE_UNEXPECTED).transaction is not None
    found(report, Code.ROLE_UNEXPECTED, block=report.last_block)


def test_a_revoker_who_gives_roles_at_once_is_found(wrong: Callable[..., World]) -> None:
    """It never had to wait until the grant delays count."""
    report = wrong(
        lambda orders, _: [
            order
            for order in orders
            if order.what != "role of revoking" or int.from_bytes(order.data[-32:]) != SETBACK_S
        ]
    ).audit()
    assert {finding.code for finding in report.findings} == {Code.ROLE_DELAY}


def test_roles_that_nobody_takes_away_at_once_are_found(wrong: Callable[..., World]) -> None:
    setting = load_abi("AccessManager").functions["setRoleAdmin"].selector
    report = wrong(
        lambda orders, _: [order for order in orders if order.data[:4] != setting]
    ).audit()
    assert {finding.code for finding in report.findings} == {Code.ROLE_UNEXPECTED}


def test_grants_that_count_too_soon_are_found(wrong: Callable[..., World]) -> None:
    report = wrong(
        lambda orders, contracts: [
            *orders[:-1],
            administered(contracts, "setGrantDelay", ROLES[ISSUER], 3_600),
            orders[-1],
        ]
    ).audit()
    assert found(report, Code.ROLE_DELAY).transaction is not None
    found(report, Code.ROLE_DELAY, block=report.last_block)


def test_an_administration_without_delay_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hasty = {**PLANS, "admin": dataclasses.replace(PLANS["admin"], delay_s=0)}
    monkeypatch.setattr(chain_market, "PLANS", hasty)
    monkeypatch.setattr(deploying, "authority_faults", lambda *_: [])
    for world in build_world("anvil", tmp_path):
        report = world.audit()
        found(report, Code.ROLE_DELAY, account=world.deployment.approvers["admin"].address)


def test_an_approver_that_is_left_with_one_organisation_is_found(fresh: World) -> None:
    approver = fresh.deployment.approvers["compliance"].address
    data = load_abi("Approver").encode("remove", address_of(officer_key(8)))
    fresh.life.own(officer_key(8), data, approver)
    report = fresh.audit()
    assert found(report, Code.APPROVER_ORGANISATIONS, account=approver).stated == 1
    assert report.counts.differences == 1


@pytest.mark.parametrize("contract", CONTRACTS)
def test_changed_code_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, contract: str
) -> None:
    """A contract that works as ours does and is another."""
    abi = load_abi(contract)
    code = bytearray(abi.creation_code)
    # A reason code, five days of setback, or the last byte: nothing here comes upon it.
    known = (b"XCYC", b"XPRE", bytes.fromhex("069780"))
    at = max([code.rfind(word) for word in known if word in code], default=len(code) - 1)
    code[at + 2 if at + 2 < len(code) else at] ^= 1
    changed = Abi({**abi.artifact, "bytecode": "0x" + code.hex()})
    monkeypatch.setattr(
        deploying, "load_abi", lambda name: changed if name == contract else load_abi(name)
    )
    for world in build_world("anvil", tmp_path):
        report = world.audit()
        address = world.deployment.contracts[contract]
        found(report, Code.CODE, account=address)
        assert found(report, Code.CREATION, account=address).transaction is not None


# ---------------------------------------------------------------------------- the file


def test_a_file_that_was_changed_after_it_was_signed_is_found(anvil: World) -> None:
    path = anvil.folder / "altered.json"
    told = json.loads(anvil.file.read_text())
    told["approvers"]["issuer"]["signers"] = {
        "0x" + ALPHA.hex(): "operator",
        "0x" + CHARLIE.hex(): "depository",
    }
    path.write_text(json.dumps(told))
    report = anvil.audit(file=path)
    found(report, Code.DEPLOYMENT_SIGNATURE)
    found(report, Code.APPROVER_SIGNERS, account=anvil.deployment.approvers["issuer"].address)
    found(report, Code.APPROVAL)


def test_a_file_of_another_deployer_is_found(anvil: World) -> None:
    report = anvil.audit(deployer=bytes(20))
    assert found(report, Code.DEPLOYER).stated == address_of(DEPLOYER)
    assert anvil.audit(deployer=address_of(DEPLOYER)).verdict == "clean"


def test_a_file_that_names_another_contract_is_found(anvil: World) -> None:
    other = {**anvil.deployment.contracts, "Affirmation": anvil.life.relay}
    report = anvil.audit(file=signed(anvil, contracts=other))
    found(report, Code.CODE, account=anvil.life.relay)
    found(report, Code.IMMUTABLE, account=anvil.deployment.settlement)


def test_a_file_with_another_code_hash_is_found(anvil: World) -> None:
    hashes = {**anvil.deployment.code_hashes, "Participants": bytes(32)}
    report = anvil.audit(file=signed(anvil, code_hashes=hashes))
    found(report, Code.CODE_HASH, account=anvil.deployment.participants)
    # Once by the code that the node gives, once by the proof of its hash.
    assert report.by_code[Code.CODE_HASH.value] == 2


def test_an_approver_that_the_file_hides_is_found(anvil: World) -> None:
    approvers = dict(anvil.deployment.approvers)
    hidden = approvers.pop("compliance").address
    hashes = {k: v for k, v in anvil.deployment.code_hashes.items() if k != "compliance"}
    report = anvil.audit(file=signed(anvil, approvers=approvers, code_hashes=hashes))
    assert found(report, Code.ROLE_HOLDER, account=hidden).transaction is not None
    found(report, Code.ROLE_HOLDER, account=hidden, block=report.last_block)


def test_a_role_that_the_file_invents_is_found(anvil: World) -> None:
    approvers = dict(anvil.deployment.approvers)
    approvers["issuer"] = dataclasses.replace(approvers["issuer"], delay_s=5)
    report = anvil.audit(file=signed(anvil, approvers=approvers))
    found(report, Code.ROLE_UNEXPECTED, account=approvers["issuer"].address)


def test_a_range_that_cannot_be_is_refused(anvil: World) -> None:
    with pytest.raises(InvalidInput, match="begin with block"):
        anvil.audit(from_block=anvil.deployment.block + 1)
    with pytest.raises(InvalidInput, match="last block is between"):
        anvil.audit(to_block=10**9)


def test_what_is_no_deployment_file_is_refused(anvil: World, tmp_path: Path) -> None:
    told = json.loads(anvil.file.read_text())
    texts = {
        "": "no JSON",
        "{": "no JSON",
        "[]": "no deployment file",
        json.dumps({**told, "format": 2}): "format",
        json.dumps({**told, "chain_id": "1"}): "not a number",
        json.dumps({**told, "genesis_hash": "0x12"}): "32 bytes",
        json.dumps({**told, "contracts": {}}): "no deployment file",
        json.dumps({**told, "code_hashes": {}}): "code hashes",
    }
    for text, said in texts.items():
        path = tmp_path / "deployment.json"
        path.write_text(text)
        with pytest.raises(InvalidInput, match=said):
            anvil.audit(file=path)
    with pytest.raises(InvalidInput, match="No such file"):
        anvil.audit(file=tmp_path / "nothing.json")


# ---------------------------------------------------------------------------- the build


def test_a_fresh_build_is_compared(anvil: World, tmp_path: Path) -> None:
    for name in NAMES:
        (tmp_path / f"{name}.json").write_text(json.dumps(load_abi(name).artifact))
    report = anvil.audit(build=tmp_path)
    assert report.verdict == "clean"
    assert "fresh build" in " ".join(report.checked)
    artifact = json.loads((tmp_path / "Approver.json").read_text())
    artifact["deployedBytecode"] = artifact["deployedBytecode"][:-2] + "00"
    (tmp_path / "Approver.json").write_text(json.dumps(artifact))
    assert "Approver" in found(anvil.audit(build=tmp_path), Code.BUILD).fact


# ---------------------------------------------------------------------------- no evidence


# ---------------------------------------------------------------------------- storage


def storage_of_a_holding(world: World) -> tuple[str, str]:
    """Address and slot of what ALPHA holds of asset 1."""
    key = int.from_bytes(ALPHA, "big") << 32 | 1
    slot = keccak256(key.to_bytes(32, "big") + (3).to_bytes(32, "big"))
    return "0x" + world.deployment.settlement.hex(), "0x" + slot.hex()


def test_storage_that_no_event_explains_is_found(fresh: World) -> None:
    """Somebody with power over the engine writes into the contract's storage."""
    fresh.life.settle()
    address, slot = storage_of_a_holding(fresh)
    rpc = fresh.life.market.node.rpc
    before = rpc.call("eth_getStorageAt", address, slot, "latest")
    rpc.call("anvil_setStorageAt", address, slot, "0x" + f"{int(before, 16) + 1:064x}")
    rpc.call("evm_mine")
    report = fresh.audit()
    holding = found(report, Code.HOLDING, account=ALPHA, asset=1)
    assert holding.stated[0] == holding.computed[0] + 1  # type: ignore[index]
    found(report, Code.STORAGE_ROOT, account=fresh.deployment.settlement)

    # The node may answer as the books want it: the state root still tells.
    right = "0x" + before[2:][32:].rjust(64, "0") + before[2:][:32].rjust(64, "0")
    asked = load_abi("Settlement").encode("holdingOf", ALPHA, 1)

    def smooth(params: Sequence[Any], answer: Any) -> Any:
        return right if params[0]["data"] == "0x" + asked.hex() else answer

    report = fresh.audit(lying("eth_call", smooth))
    found(report, Code.STORAGE_ROOT, account=fresh.deployment.settlement)
    assert report.counts.differences == 1


def test_more_storage_than_the_events_give_is_found(fresh: World) -> None:
    """A slot that no event touched, in a contract whose trie this engine keeps exact."""
    registry = fresh.deployment.participants
    rpc = fresh.life.market.node.rpc
    rpc.call("anvil_setStorageAt", "0x" + registry.hex(), "0x" + "77" * 32, "0x" + "01".zfill(64))
    rpc.call("evm_mine")
    exact = lying("web3_clientVersion", lambda _params, _answer: "another/1")
    found(fresh.audit(exact), Code.STORAGE_ROOT, account=registry)
    # With anvil's own tries nobody can tell it from a slot that was read: it is said, not found.
    report = fresh.audit()
    assert "slots that no event touched" in " ".join(report.not_checked)


# ---------------------------------------------------------------------------- no evidence

NO_TRACES = lying("debug_traceTransaction", lambda _params, _answer: NodeError(-32601, "no traces"))


def test_a_call_that_cannot_be_seen_is_a_finding_of_its_own(fresh: World) -> None:
    """Without traces, what went through a foreign contract has no evidence."""
    terms = fresh.life.settle_through_relay()
    report: AuditReport = fresh.audit(NO_TRACES)
    unseen = found(report, Code.CALL_UNEVIDENCED, instruction=fresh.life.identity(terms))
    assert unseen.transaction is not None
    assert set(report.by_code) == {Code.CALL_UNEVIDENCED.value}
    assert "through foreign contracts" in " ".join(report.not_checked)
    assert fresh.audit().verdict == "clean"


def test_a_wallet_that_cannot_be_asked_at_the_right_state_is_a_finding(fresh: World) -> None:
    fresh.life.change_of_mind()
    report = fresh.audit(NO_TRACES)
    found(report, Code.SIGNATURE_UNEVIDENCED, account=fresh.life.wallet)
    assert report.counts.differences == 1
    assert fresh.audit().verdict == "clean"


def test_a_wallet_that_never_agreed_is_found(fresh: World) -> None:
    """The trace is made up as well: the wallet is told to have said no."""
    fresh.life.change_of_mind()

    def no(_params: Sequence[Any], answer: Any) -> Any:
        for frame in answer.get("calls", []):
            frame["output"] = "0x" + "00" * 32
        return answer

    report = fresh.audit(lying("debug_traceTransaction", no))
    found(report, Code.SIGNATURE_UNEVIDENCED, account=fresh.life.wallet)


def test_a_forged_trace_is_found(fresh: World) -> None:
    """What the trace says must carry the signatures, and fit the events."""
    terms = fresh.life.settle_through_relay()
    identity = fresh.life.identity(terms)

    def forge(_params: Sequence[Any], answer: Any) -> Any:
        for frame in answer["calls"]:
            frame["input"] = frame["input"].replace(terms.trade_ref.hex(), "ab" * 32)
        return answer

    report = fresh.audit(lying("debug_traceTransaction", forge))
    found(report, Code.UNEXPLAINED, instruction=identity)
    found(report, Code.EVENT_MISSING)
