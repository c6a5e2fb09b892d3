"""Each rule of privileged acts, broken by hand: roles, approvals, delays."""

from __future__ import annotations

from typing import Any

import pytest
from rule_bench import (
    ADMIN,
    ALPHA,
    ANYBODY,
    BRAVO,
    FIRST,
    ISSUER,
    MANAGER,
    NOW,
    PARTICIPANTS,
    RELAY,
    SECOND,
    SETTLEMENT,
    SHARES,
    Bench,
    sign,
)

from settle.audit import books as state
from settle.audit import typed_data
from settle.audit.authority_state import Delay, Member
from settle.audit.books import Hold
from settle.audit.findings import Code
from settle.audit.stage import operation_id


@pytest.fixture
def bench() -> Bench:
    return Bench()


# ---------------------------------------------------------------------------- privileged acts


def issue(bench: Bench, caller: bytes) -> set[Code]:
    settlement = bench.contracts["Settlement"]
    bench.event(
        *("Issued", bytes(32)),
        asset=SHARES,
        account=ALPHA,
        ref=bytes(32),
        quantity=5,
        holding=(1_005, 0),
        totalSupply=2_005,
    )
    arguments = {"asset": SHARES, "account": ALPHA, "quantity": 5, "ref": bytes(32)}
    call = bench.call(caller, settlement.selector("issue"))
    bench.privileged.ledger["issue"](call, arguments)
    return bench.codes()


def test_only_who_holds_the_role_issues(bench: Bench) -> None:
    assert issue(bench, ISSUER) == set()
    assert issue(Bench(), ANYBODY) == {Code.NOT_AUTHORISED}
    assert issue(Bench(), ADMIN) == {Code.NOT_AUTHORISED}


def test_a_wrong_total_supply_is_found(bench: Bench) -> None:
    bench.books.assets[SHARES].supply = 1_999
    assert issue(bench, ISSUER) == {Code.RESULT}


def test_an_issue_to_a_suspended_account_or_of_a_frozen_asset_is_found(bench: Bench) -> None:
    bench.books.accounts[ALPHA].standing = state.SUSPENDED
    bench.books.assets[SHARES].frozen = True
    assert issue(bench, ISSUER) == {Code.STANDING, Code.ASSET_FROZEN}


def set_module(bench: Bench, *, scheduled_for: int | None) -> set[Code]:
    settlement = bench.contracts["Settlement"]
    call = bench.call(ADMIN, settlement.selector("setModule") + b"arguments")
    operation = operation_id(ADMIN, SETTLEMENT, call.data)
    if scheduled_for is not None:
        bench.authority.schedules[operation] = scheduled_for
        bench.event("OperationExecuted", operation, MANAGER, operationId=operation, nonce=1)
    bench.event("ModuleSet", module=RELAY, active=1)
    bench.privileged.ledger["setModule"](call, {"module": RELAY, "active": 1})
    return bench.codes()


def test_the_administrator_waits_for_its_delay(bench: Bench) -> None:
    assert set_module(bench, scheduled_for=NOW) == set()
    assert set_module(Bench(), scheduled_for=NOW + 1) == {Code.NOT_AUTHORISED}
    assert set_module(Bench(), scheduled_for=None) == {Code.NOT_AUTHORISED}


def test_value_moved_by_no_module_is_found(bench: Bench) -> None:
    bench.event(
        *("Moved", RELAY.rjust(32, b"\0")),
        module=RELAY,
        id=bytes(32),
        asset=SHARES,
        account=ALPHA,
        delta=5,
        holding=(1_005, 0),
    )
    arguments = {"id": bytes(32), "executed": (), "moves": ((SHARES, ALPHA, 5),)}
    bench.privileged.ledger["post"](bench.call(RELAY), arguments)
    # No active module, and lines that do not add up to zero.
    assert bench.codes() == {Code.NOT_AUTHORISED, Code.IMPOSSIBLE}


def test_a_hold_released_early_by_somebody_else_is_found(bench: Bench) -> None:
    hold = Hold(RELAY, bytes(32), 0, ALPHA, SHARES, 10, NOW + 5)
    bench.books.place_hold(hold)
    bench.books.holdings[ALPHA, SHARES] = (990, 10)
    bench.hold_ended(hold, executed=False)
    bench.privileged.ledger["releaseHold"](bench.call(), {"hold": tuple(hold)})
    assert bench.codes() == {Code.NOT_AUTHORISED}


def test_a_standing_that_the_registry_did_not_write_is_found(bench: Bench) -> None:
    selector = bench.contracts["Settlement"].selector("setStanding")
    arguments = {"account": ALPHA, "standing": 2, "class": 0}
    for caller, codes in ((PARTICIPANTS, set()), (ANYBODY, {Code.NOT_AUTHORISED})):
        bench.event("StandingSet", **arguments)
        bench.privileged.ledger["setStanding"](bench.call(caller, selector), dict(arguments))
        assert bench.codes() == codes


# ---------------------------------------------------------------------------- approvals


def approve(
    bench: Bench, *signers: bytes, valid_by: int = NOW + 50, shown: bytes | None = None
) -> set[Code]:
    data = b"\1\2\3\4 the call"
    digest = typed_data.operation_digest(
        chain_id=7,
        approver=ISSUER,
        target=RELAY,
        data=data,
        reason=b"ROUT",
        evidence=bytes(32),
        nonce=3,
        valid_by=valid_by,
    )
    first, second = signers
    bench.event(
        *("Approved", shown or digest, ISSUER),
        operation=shown or digest,
        target=RELAY,
        selector=data[:4],
        reason=b"ROUT",
        evidence=bytes(32),
        first=first,
        second=second,
    )
    arguments = {
        "operation": (RELAY, data, b"ROUT", bytes(32), 3, valid_by),
        "first": sign(digest, first),
        "second": sign(digest, second),
    }
    bench.administering.approver["execute"](bench.call(target=ISSUER), arguments)
    return bench.codes()


def test_an_approval_of_two_organisations_has_no_finding(bench: Bench) -> None:
    assert approve(bench, FIRST, SECOND) == set()
    # The same again: it was over.
    assert approve(bench, FIRST, SECOND) == {Code.APPROVAL}


@pytest.mark.parametrize("signers", [(FIRST, FIRST), (FIRST, ALPHA), (ALPHA, BRAVO)])
def test_an_approval_of_fewer_is_found(bench: Bench, signers: tuple[bytes, bytes]) -> None:
    assert approve(bench, *signers) == {Code.APPROVAL}


def test_two_signers_of_one_organisation_are_found(bench: Bench) -> None:
    organisations = bench.authority.approvers[ISSUER].organisations
    organisations[SECOND] = organisations[FIRST]
    assert approve(bench, FIRST, SECOND) == {Code.APPROVAL}


def test_an_approval_that_is_over_or_too_long_is_found(bench: Bench) -> None:
    assert approve(bench, FIRST, SECOND, valid_by=NOW) == {Code.APPROVAL}
    assert approve(Bench(), FIRST, SECOND, valid_by=NOW + 30 * 86_400) == set()
    assert approve(Bench(), FIRST, SECOND, valid_by=NOW + 30 * 86_400 + 1) == {Code.APPROVAL}


def test_an_approval_told_of_another_operation_is_found(bench: Bench) -> None:
    assert approve(bench, FIRST, SECOND, shown=bytes([3]) * 32) == {Code.EVENT_DIFFERS}


def test_a_signer_removed_by_another_organisation_is_found(bench: Bench) -> None:
    organisation = bench.authority.approvers[ISSUER].organisations[SECOND]
    values = {"signer": SECOND, "organisation": organisation, "by": FIRST}
    bench.event("SignerRemoved", SECOND, ISSUER, **values)
    bench.administering.approver["remove"](bench.call(FIRST, target=ISSUER), {"signer": SECOND})
    assert bench.codes() == {Code.NOT_AUTHORISED}


def test_an_operation_revoked_by_nobody_is_found(bench: Bench) -> None:
    bench.event("Revoked", bytes(32), ISSUER, operation=bytes(32), by=ANYBODY)
    bench.administering.approver["revoke"](
        bench.call(ANYBODY, target=ISSUER), {"operation": bytes(32)}
    )
    assert bench.codes() == {Code.NOT_AUTHORISED}


def test_a_role_granted_by_nobody_is_found(bench: Bench) -> None:
    values = {"roleId": 2, "account": ISSUER, "delay": 0, "since": NOW, "newMember": 0}
    bench.event("RoleGranted", (2).to_bytes(32, "big"), MANAGER, **values)
    selector = bench.contracts["AccessManager"].selector("grantRole")
    arguments = {"roleId": 2, "account": ISSUER, "executionDelay": 0}
    bench.administering.manager["grantRole"](bench.call(ANYBODY, selector, MANAGER), arguments)
    assert bench.codes() == {Code.NOT_AUTHORISED}


# ---------------------------------------------------------------------------- the manager

ACT = b"\xaa\xbb\xcc\xdd the act"


def managed(bench: Bench, function: str, sender: bytes, /, **arguments: Any) -> set[Code]:
    selector = bench.contracts["AccessManager"].selector(function)
    bench.administering.manager[function](bench.call(sender, selector, MANAGER), arguments)
    return bench.codes()


def scheduled(bench: Bench, caller: bytes, due: int) -> None:
    operation = operation_id(caller, SETTLEMENT, ACT)
    values = {"operationId": operation, "nonce": 1, "schedule": due, "caller": caller}
    bench.event("OperationScheduled", operation, MANAGER, **values, target=SETTLEMENT, data=ACT)


def test_only_a_holder_schedules_and_not_before_its_delay(bench: Bench) -> None:
    asked = {"target": SETTLEMENT, "data": ACT, "when": 0}
    scheduled(bench, ADMIN, NOW + 100)
    assert managed(bench, "schedule", ADMIN, **asked) == set()
    early = Bench()
    scheduled(early, ADMIN, NOW + 99)
    assert managed(early, "schedule", ADMIN, **asked) == {Code.NOT_AUTHORISED}
    nobody = Bench()
    scheduled(nobody, ANYBODY, NOW + 100)
    assert managed(nobody, "schedule", ANYBODY, **asked) == {Code.NOT_AUTHORISED}


def executed(bench: Bench, caller: bytes) -> None:
    operation = operation_id(caller, SETTLEMENT, ACT)
    bench.event("OperationExecuted", operation, MANAGER, operationId=operation, nonce=1)


def test_an_execution_was_scheduled_and_is_passed_on(bench: Bench) -> None:
    asked = {"target": SETTLEMENT, "data": ACT}
    bench.authority.schedules[operation_id(ADMIN, SETTLEMENT, ACT)] = NOW
    executed(bench, ADMIN)
    assert managed(bench, "execute", ADMIN, **asked) == set()
    [passed] = bench.passed_on
    assert (passed.caller, passed.target, passed.data) == (MANAGER, SETTLEMENT, ACT)
    assert passed.granted
    unscheduled = Bench()
    assert managed(unscheduled, "execute", ADMIN, **asked) == {Code.NOT_AUTHORISED}
    other = Bench()
    executed(other, ANYBODY)
    assert managed(other, "execute", ANYBODY, **asked) == {Code.NOT_AUTHORISED}


def test_an_execution_of_the_managers_own_functions_needs_their_role(bench: Bench) -> None:
    own = bench.contracts["AccessManager"].selector("setTargetClosed")
    data = own + SETTLEMENT.rjust(32, b"\0") + bytes(32)
    operation = operation_id(ADMIN, MANAGER, data)
    bench.authority.schedules[operation] = NOW
    bench.event("OperationExecuted", operation, MANAGER, operationId=operation, nonce=1)
    assert managed(bench, "execute", ADMIN, target=MANAGER, data=data) == set()
    other = Bench()
    assert managed(other, "execute", ISSUER, target=MANAGER, data=data) == {Code.NOT_AUTHORISED}
    nonsense = Bench()
    asked = {"target": MANAGER, "data": b"\0\0\0\0"}
    assert Code.CALL_UNREADABLE in managed(nonsense, "execute", ADMIN, **asked)


def test_an_operation_is_cancelled_by_its_own_or_the_administration(bench: Bench) -> None:
    operation = operation_id(ADMIN, SETTLEMENT, ACT)
    asked = {"caller": ADMIN, "target": SETTLEMENT, "data": ACT}
    for who, codes in ((ADMIN, set()), (ISSUER, {Code.NOT_AUTHORISED})):
        fresh = Bench()
        fresh.event("OperationCanceled", operation, MANAGER, operationId=operation, nonce=1)
        assert managed(fresh, "cancel", who, **asked) == codes
    bench.authority.members[0, FIRST] = bench.authority.members[0, ADMIN]
    bench.event("OperationCanceled", operation, MANAGER, operationId=operation, nonce=1)
    assert managed(bench, "cancel", FIRST, **asked) == set()


def test_many_calls_of_the_manager_are_each_passed_on(bench: Bench) -> None:
    assert managed(bench, "multicall", ADMIN, data=(b"one", b"two")) == set()
    assert [call.data for call in bench.passed_on] == [b"one", b"two"]
    assert {call.caller for call in bench.passed_on} == {ADMIN}


def test_what_renounces_or_revokes_nothing_says_nothing(bench: Bench) -> None:
    asked = {"roleId": 3, "callerConfirmation": FIRST}
    assert managed(bench, "renounceRole", FIRST, **asked) == set()
    assert managed(bench, "renounceRole", SECOND, **asked) == {Code.NOT_AUTHORISED}


def test_a_call_that_left_no_event_is_found(bench: Bench) -> None:
    asked = {"target": SETTLEMENT, "closed": 1}
    bench.authority.members[0, FIRST] = Member(1, Delay())
    assert managed(bench, "setTargetClosed", FIRST, **asked) == {Code.EVENT_MISSING}


def test_functions_are_opened_one_by_one(bench: Bench) -> None:
    bench.authority.members[0, FIRST] = Member(1, Delay())
    selector = bench.contracts["Settlement"].selector("issue")
    for one in (selector, b"\1\2\3\4"):
        values = {"target": SETTLEMENT, "selector": one, "roleId": 2 if one == selector else 0}
        bench.event("TargetFunctionRoleUpdated", bytes(32), MANAGER, **values)
    asked = {"target": SETTLEMENT, "selectors": (selector, b"\1\2\3\4"), "roleId": 2}
    assert managed(bench, "setTargetFunctionRole", FIRST, **asked) == {Code.EVENT_DIFFERS}


def test_another_authority_for_a_contract_is_found(bench: Bench) -> None:
    bench.authority.members[0, FIRST] = Member(1, Delay())
    bench.event("AuthorityUpdated", address=SETTLEMENT, authority=ANYBODY)
    asked = {"target": SETTLEMENT, "newAuthority": ANYBODY}
    assert managed(bench, "updateAuthority", FIRST, **asked) == {Code.AUTHORITY}
