"""Each rule of settlement, broken by hand: the auditor judges by its own books alone."""

from __future__ import annotations

from typing import Any

import pytest
from rule_bench import (
    ADMIN,
    ALPHA,
    ANYBODY,
    BRAVO,
    EURO,
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
from settle.audit.books import Account, Hold
from settle.audit.findings import Code
from settle.audit.stage import operation_id
from settle.audit.terms import Instruction, Leg


@pytest.fixture
def bench() -> Bench:
    return Bench()


def signatures(bench: Bench, terms: Instruction, *accounts: bytes) -> tuple[bytes, ...]:
    identity = bench.digests.instruction(terms)
    return tuple(sign(identity, a) if a in accounts else b"" for a in (ALPHA, BRAVO))


# ---------------------------------------------------------------------------- settling


def test_a_settlement_in_order_has_no_finding(bench: Bench) -> None:
    assert bench.settle(bench.terms()) == set()
    assert bench.books.holding(BRAVO, SHARES) == (1_030, 0)
    assert bench.books.nonce(ALPHA, 5) == state.SETTLED
    assert bench.settling.instructions == 1


@pytest.mark.parametrize(("at", "in_window"), [(-11, False), (-10, True), (9, True), (10, False)])
def test_a_window_is_open_at_its_beginning_and_over_at_its_end(
    bench: Bench, at: int, in_window: bool
) -> None:
    bench.time = NOW + at
    assert bench.settle(bench.terms()) == (set() if in_window else {Code.WINDOW})


@pytest.mark.parametrize(
    "changes",
    [
        {"options": 4},
        {"cycle": b"\1" * 32},
        {"predecessor": b"\1" * 32},
        {"initiator": ANYBODY},
        {"minimum_lot": 3},
    ],
)
def test_malformed_terms_that_settled_are_found(bench: Bench, changes: dict[str, Any]) -> None:
    assert bench.settle(bench.terms(**changes)) == {Code.TERMS}


@pytest.mark.parametrize("before", [state.SETTLED, state.CANCELLED, state.LIVE])
def test_a_nonce_that_is_not_free_is_found(bench: Bench, before: int) -> None:
    bench.books.set_nonce(ALPHA, 5, before)
    assert bench.settle(bench.terms()) == {Code.NONCE}


@pytest.mark.parametrize("standing", [state.UNKNOWN, state.SUSPENDED])
def test_a_party_that_is_not_admitted_is_found(bench: Bench, standing: int) -> None:
    bench.books.accounts[BRAVO].standing = standing
    assert bench.settle(bench.terms()) == {Code.STANDING}


def test_a_frozen_deliverer_is_found_and_a_frozen_receiver_is_none(bench: Bench) -> None:
    bench.books.accounts[BRAVO].frozen = True
    one_way = bench.terms(legs=(Leg(SHARES, ALPHA, BRAVO, 30),))
    assert bench.settle(one_way) == set()
    assert bench.settle(bench.terms(nonce=6)) == {Code.ACCOUNT_FROZEN}


def test_a_frozen_or_unknown_asset_is_found(bench: Bench) -> None:
    bench.books.assets[EURO].frozen = True
    assert bench.settle(bench.terms()) == {Code.ASSET_FROZEN}
    other = Bench()
    del other.books.assets[EURO]
    assert other.settle(other.terms()) == {Code.ASSET_FROZEN, Code.IMPOSSIBLE}


def test_a_deliverer_without_the_quantity_is_found(bench: Bench) -> None:
    legs = (Leg(SHARES, ALPHA, BRAVO, 1_001), Leg(EURO, BRAVO, ALPHA, 40))
    assert Code.NOT_COVERED in bench.settle(bench.terms(legs=legs))


def test_an_earlier_leg_may_cover_a_later_one(bench: Bench) -> None:
    legs = (Leg(SHARES, ALPHA, BRAVO, 500), Leg(SHARES, BRAVO, ALPHA, 1_500))
    assert bench.settle(bench.terms(legs=legs)) == set()
    other = Bench()
    legs = (Leg(SHARES, BRAVO, ALPHA, 1_500), Leg(SHARES, ALPHA, BRAVO, 500))
    assert Code.NOT_COVERED in other.settle(other.terms(legs=legs))


def test_a_consent_that_was_not_given_is_found(bench: Bench) -> None:
    terms = bench.terms()
    assert bench.settle(terms, signatures(bench, terms, ALPHA)) == {Code.CONSENT_MISSING}
    assert Bench().settle(terms, ()) == {Code.CONSENT_MISSING}
    assert Bench().settle(terms, (b"", b"", b"")) == {Code.CONSENT_MISSING}


def test_a_consent_on_chain_counts_for_whose_it_is(bench: Bench) -> None:
    terms = bench.terms()
    bench.live(terms, consents=0b10)
    assert bench.settle(terms, signatures(bench, terms, ALPHA)) == set()
    other = Bench()
    other.live(terms, consents=0b10)
    assert other.settle(terms, signatures(other, terms, BRAVO)) == {Code.CONSENT_MISSING}


def test_a_withdrawn_consent_is_found(bench: Bench) -> None:
    terms = bench.terms()
    bench.books.withdrawn.add((BRAVO, bench.digests.instruction(terms)))
    bench.books.accounts[BRAVO].withdrawals = 1
    assert bench.settle(terms) == {Code.CONSENT_WITHDRAWN}


def test_a_reservation_is_executed_with_its_instruction(bench: Bench) -> None:
    terms = bench.terms(legs=(Leg(SHARES, ALPHA, BRAVO, 900), Leg(EURO, BRAVO, ALPHA, 40)))
    bench.live(terms)
    hold = bench.reserve(terms, 0)
    bench.settled(terms, executed=[hold])
    assert bench.settle(terms, ()) == set()
    assert bench.books.holding(ALPHA, SHARES) == (100, 0)


def test_a_reservation_that_outlives_its_instruction_is_found(bench: Bench) -> None:
    terms = bench.terms()
    bench.live(terms)
    bench.reserve(terms, 0)
    assert bench.settle(terms, ()) == {Code.EVENT_DIFFERS, Code.IMPOSSIBLE}


def test_legs_in_another_order_are_found(bench: Bench) -> None:
    terms = bench.terms()
    bench.settled(terms)
    stream = bench.stage.stream
    stream[0], stream[1] = stream[1], stream[0]
    assert Code.EVENT_DIFFERS in bench.settle(terms)


def test_legs_without_an_end_are_found(bench: Bench) -> None:
    terms = bench.terms()
    bench.settled(terms)
    bench.stage.stream.pop()
    assert {Code.EVENT_MISSING, Code.IMPOSSIBLE} <= bench.settle(terms)


# ---------------------------------------------------------------------------- affirming


def affirmed(bench: Bench, terms: Instruction, consents: int) -> None:
    bench.event(
        *("InstructionAffirmed", bench.digests.instruction(terms)),
        initiator=terms.initiator,
        nonce=terms.nonce,
        consents=consents,
        accounts=2,
    )


def test_an_affirmation_in_order_has_no_finding(bench: Bench) -> None:
    terms = bench.terms()
    affirmed(bench, terms, 0b01)
    assert bench.act("affirm", terms, signatures=signatures(bench, terms, ALPHA)) == set()
    affirmed(bench, terms, 0b11)
    assert bench.act("affirm", terms, BRAVO, signatures=(b"", b"")) == set()
    assert bench.stage.consents.own_calls == 1


def test_more_consents_than_were_brought_are_found(bench: Bench) -> None:
    terms = bench.terms()
    affirmed(bench, terms, 0b11)
    assert bench.act("affirm", terms, signatures=signatures(bench, terms, ALPHA)) == {
        Code.EVENT_DIFFERS
    }


def test_an_affirmation_before_the_initiator_is_found(bench: Bench) -> None:
    terms = bench.terms()
    affirmed(bench, terms, 0b10)
    assert bench.act("affirm", terms, signatures=signatures(bench, terms, BRAVO)) == {
        Code.CONSENT_MISSING
    }


def test_an_affirmation_by_one_that_withdrew_or_is_unknown_is_found(bench: Bench) -> None:
    terms = bench.terms()
    bench.books.withdrawn.add((ALPHA, bench.digests.instruction(terms)))
    bench.books.accounts[ALPHA].standing = state.UNKNOWN
    affirmed(bench, terms, 0b01)
    assert bench.act("affirm", terms, signatures=signatures(bench, terms, ALPHA)) == {
        Code.CONSENT_WITHDRAWN,
        Code.STANDING,
    }


def test_an_affirmation_with_too_few_places_is_found(bench: Bench) -> None:
    terms = bench.terms()
    affirmed(bench, terms, 0b01)
    one = signatures(bench, terms, ALPHA)[:1]
    assert bench.act("affirm", terms, signatures=one) == {Code.CONSENT_MISSING}


def test_an_act_on_malformed_terms_is_found(bench: Bench) -> None:
    terms = bench.terms(options=4)
    affirmed(bench, terms, 0b01)
    codes = bench.act("affirm", terms, signatures=signatures(bench, terms, ALPHA))
    assert codes == {Code.TERMS, Code.UNEXPLAINED}


def test_an_act_after_the_window_is_found(bench: Bench) -> None:
    terms = bench.terms()
    bench.time = NOW + 10
    affirmed(bench, terms, 0b01)
    assert bench.act("affirm", terms, signatures=signatures(bench, terms, ALPHA)) == {Code.WINDOW}


def reserved(bench: Bench, terms: Instruction, *, committed: bool = False) -> None:
    """Write the events of a reservation of leg 0 by its deliverer."""
    identity, leg = bench.digests.instruction(terms), terms.legs[0]
    hold = Hold(*(SETTLEMENT, identity, 0, leg.deliverer, leg.asset, leg.quantity), terms.settle_by)
    available, held = bench.books.holding(leg.deliverer, leg.asset)
    after = (available - leg.quantity, held + leg.quantity)
    bench.event("HoldPlaced", identity, **hold.arguments(), holding=after)
    bench.event("Reserved", identity, account=leg.deliverer, committed=int(committed))


def reservation(bench: Bench, terms: Instruction, account: bytes = ALPHA) -> dict[str, Any]:
    digest = bench.digests.reservation(account, bench.digests.instruction(terms), 0)
    return {"account": account, "committed": 0, "signature": sign(digest, account)}


def test_a_reservation_in_order_has_no_finding(bench: Bench) -> None:
    terms = bench.terms()
    live = bench.live(terms)
    reserved(bench, terms)
    assert bench.act("reserve", terms, **reservation(bench, terms)) == set()
    assert (live.reserved, live.committed) == (1, 0)


def test_a_reservation_of_what_is_not_live_is_found(bench: Bench) -> None:
    terms = bench.terms()
    reserved(bench, terms)
    assert bench.act("reserve", terms, **reservation(bench, terms)) == {Code.IMPOSSIBLE}


def test_a_reservation_consents_for_its_account_alone(bench: Bench) -> None:
    legs = (Leg(SHARES, BRAVO, ALPHA, 3), Leg(EURO, ALPHA, BRAVO, 4), Leg(EURO, FIRST, BRAVO, 1))
    terms = bench.terms(legs=legs)
    bench.live(terms, consents=0b010)
    bench.books.accounts[FIRST] = Account(standing=state.ADMITTED)
    reserved(bench, terms)
    last = bench.stage.stream.pop()
    bench.event(
        *("InstructionAffirmed", bench.digests.instruction(terms)),
        initiator=ALPHA,
        nonce=5,
        consents=0b111,
        accounts=3,
    )
    bench.stage.stream.append(last)
    codes = bench.act("reserve", terms, **reservation(bench, terms, BRAVO))
    assert codes == {Code.EVENT_DIFFERS}


def test_a_reservation_of_another_quantity_is_found(bench: Bench) -> None:
    terms = bench.terms()
    bench.live(terms)
    reserved(bench, terms)
    bench.stage.stream[0].arguments["quantity"] = 29
    assert Code.EVENT_DIFFERS in bench.act("reserve", terms, **reservation(bench, terms))


def test_a_reservation_with_the_message_of_another_is_found(bench: Bench) -> None:
    terms = bench.terms()
    bench.live(terms)
    reserved(bench, terms)
    asked = {
        **reservation(bench, terms),
        "signature": reservation(bench, terms, BRAVO)["signature"],
    }
    assert bench.act("reserve", terms, **asked) == {Code.SIGNATURE}


def test_a_message_that_serves_a_second_time_is_found(bench: Bench) -> None:
    terms = bench.terms()
    bench.live(terms, released={ALPHA})
    reserved(bench, terms)
    assert bench.act("reserve", terms, **reservation(bench, terms)) == {Code.MESSAGE_REUSED}


def test_a_reservation_by_a_frozen_account_or_for_too_long_is_found(bench: Bench) -> None:
    terms = bench.terms(settle_by=NOW + 121 * 86_400)
    bench.live(terms)
    bench.books.accounts[ALPHA].frozen = True
    reserved(bench, terms)
    assert bench.act("reserve", terms, **reservation(bench, terms)) == {
        Code.WINDOW,
        Code.ACCOUNT_FROZEN,
    }


# ---------------------------------------------------------------------------- failing


def release(bench: Bench, terms: Instruction, hold: Hold) -> dict[str, Any]:
    identity = bench.digests.instruction(terms)
    bench.hold_ended(hold, executed=False)
    bench.event("ReservationEnded", identity, account=ALPHA)
    return {"account": ALPHA, "signature": sign(bench.digests.release(ALPHA, identity), ALPHA)}


def test_a_release_in_order_has_no_finding(bench: Bench) -> None:
    terms = bench.terms()
    live = bench.live(terms, consents=0b01)
    hold = bench.reserve(terms, 0, committed=True)
    assert bench.act("release", terms, **release(bench, terms, hold)) == set()
    assert (live.reserved, live.committed, live.released) == (0, 0, {ALPHA})
    assert live.word() == (0b01, 0, 0, 0b01)


def test_a_release_of_what_binds_is_found(bench: Bench) -> None:
    terms = bench.terms(legs=(Leg(SHARES, ALPHA, BRAVO, 30),))
    bench.live(terms)
    hold = bench.reserve(terms, 0, committed=True)
    assert bench.act("release", terms, **release(bench, terms, hold)) == {Code.COMMITTED}


def test_from_the_deadline_on_anybody_releases(bench: Bench) -> None:
    terms = bench.terms(legs=(Leg(SHARES, ALPHA, BRAVO, 30),))
    bench.live(terms)
    hold = bench.reserve(terms, 0, committed=True)
    bench.time = terms.settle_by
    asked = {**release(bench, terms, hold), "signature": b""}
    assert bench.act("release", terms, **asked) == set()


def test_a_release_by_somebody_else_is_found(bench: Bench) -> None:
    terms = bench.terms()
    bench.live(terms)
    hold = bench.reserve(terms, 0)
    asked = {**release(bench, terms, hold), "signature": b""}
    assert bench.act("release", terms, **asked) == {Code.CONSENT_MISSING}


def withdrawal(bench: Bench, terms: Instruction, account: bytes, left: int) -> dict[str, Any]:
    identity = bench.digests.instruction(terms)
    bench.event("ConsentWithdrawn", identity, account=account, consents=left)
    digest = bench.digests.withdrawal(account, identity)
    return {"account": account, "signature": sign(digest, account)}


def test_a_withdrawal_in_order_has_no_finding(bench: Bench) -> None:
    terms = bench.terms(legs=(Leg(SHARES, ALPHA, BRAVO, 3), Leg(EURO, BRAVO, FIRST, 4)))
    live = bench.live(terms, consents=0b011)
    assert bench.act("withdraw", terms, **withdrawal(bench, terms, BRAVO, 0b001)) == set()
    assert live.consents == 1
    assert bench.books.accounts[BRAVO].withdrawals == 1


def test_a_withdrawal_after_all_consented_is_found(bench: Bench) -> None:
    terms = bench.terms()
    bench.live(terms)
    assert bench.act("withdraw", terms, **withdrawal(bench, terms, BRAVO, 1)) == {Code.COMMITTED}


def test_a_withdrawal_from_what_is_over_is_found(bench: Bench) -> None:
    terms = bench.terms()
    bench.books.set_nonce(ALPHA, 5, state.SETTLED)
    assert bench.act("withdraw", terms, **withdrawal(bench, terms, BRAVO, 0)) == {Code.NONCE}


def test_a_withdrawal_by_the_initiator_is_found(bench: Bench) -> None:
    terms = bench.terms()
    assert bench.act("withdraw", terms, **withdrawal(bench, terms, ALPHA, 0)) == {Code.TERMS}


def cancellation(
    bench: Bench, terms: Instruction, *accounts: bytes, valid_by: int = NOW + 5
) -> dict[str, Any]:
    identity = bench.digests.instruction(terms)
    bench.event(
        *("InstructionCancelled", identity),
        initiator=ALPHA,
        nonce=5,
        byAll=int(len(accounts) == 2),
    )
    return {
        "validBy": valid_by,
        "signatures": tuple(
            sign(bench.digests.cancellation(a, identity, valid_by), a) for a in accounts
        ),
    }


def test_cancellations_in_order_have_no_finding(bench: Bench) -> None:
    terms = bench.terms()
    assert bench.act("cancel", terms, **cancellation(bench, terms, ALPHA)) == set()
    assert bench.books.nonce(ALPHA, 5) == state.CANCELLED
    other = Bench()
    other.live(terms)
    assert other.act("cancel", terms, **cancellation(other, terms, ALPHA, BRAVO)) == set()


def test_a_cancellation_by_one_after_all_consented_is_found(bench: Bench) -> None:
    terms = bench.terms()
    bench.live(terms)
    assert bench.act("cancel", terms, **cancellation(bench, terms, ALPHA)) == {Code.COMMITTED}


def test_a_cancellation_without_signatures_is_found(bench: Bench) -> None:
    terms = bench.terms()
    asked = {**cancellation(bench, terms, ALPHA), "signatures": ()}
    assert bench.act("cancel", terms, **asked) == {Code.CONSENT_MISSING}


def test_a_cancellation_by_another_is_found(bench: Bench) -> None:
    terms = bench.terms()
    assert bench.act("cancel", terms, **cancellation(bench, terms, BRAVO)) == {Code.SIGNATURE}


def test_a_cancellation_that_serves_no_more_is_found(bench: Bench) -> None:
    terms = bench.terms()
    asked = cancellation(bench, terms, ALPHA, valid_by=NOW)
    assert bench.act("cancel", terms, **asked) == {Code.WINDOW}


def test_a_cancellation_of_what_settled_is_found(bench: Bench) -> None:
    terms = bench.terms()
    bench.settle(terms)
    assert bench.act("cancel", terms, **cancellation(bench, terms, ALPHA)) == {Code.NONCE}


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
