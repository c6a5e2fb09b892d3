"""What an event says must follow from the events before it, whoever made it."""

from __future__ import annotations

from typing import Any

import pytest
from rule_bench import (
    ADMIN,
    AFFIRMATION,
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
)

from settle.audit import books as state
from settle.audit.authority_state import Delay, Member
from settle.audit.books import Hold
from settle.audit.findings import Code

LEI, OTHER_LEI = b"L" * 20, b"M" * 20


@pytest.fixture
def bench() -> Bench:
    return Bench()


# ---------------------------------------------------------------------------- assets, accounts


def created(bench: Bench, number: int, code: bytes = b"DE0001102580", **more: Any) -> None:
    values = {"class": 1, "decimals": 2, "issuer": ANYBODY, **more}
    bench.event("AssetCreated", asset=number, code=code.ljust(12, b"\0"), **values)


def test_assets_are_numbered_and_coded_once(bench: Bench) -> None:
    created(bench, 3)
    assert bench.fold() == set()
    assert bench.books.assets[3].decimals == 2
    for number, code, more in (
        (3, b"X", {}),
        (5, b"X", {}),
        (4, b"DE0001102580", {}),
        (4, b"X", {"class": 0}),
        (4, b"X", {"class": 7}),
        (4, b"X", {"decimals": 19}),
    ):
        other = Bench()
        created(other, 3)
        created(other, number, code, **more)
        assert other.fold() == {Code.IMPOSSIBLE}, (number, code, more)


def test_a_freeze_of_what_is_not_there_is_found(bench: Bench) -> None:
    bench.event("AssetFrozen", asset=9, frozen=1, reason=b"AUTH")
    assert bench.fold() == {Code.IMPOSSIBLE}


def test_freezes_and_standings_are_kept_apart(bench: Bench) -> None:
    bench.event("AssetFrozen", asset=SHARES, frozen=1, reason=b"AUTH")
    bench.event("AccountFrozen", account=ALPHA, frozen=1, reason=b"AUTH")
    bench.event("StandingSet", account=ALPHA, standing=2, **{"class": 3})
    assert bench.fold() == set()
    assert not bench.books.is_open(SHARES)
    assert bench.books.account(ALPHA).word() == (2, 1, 3, 0)


def test_another_authority_is_found(bench: Bench) -> None:
    for address in (SETTLEMENT, AFFIRMATION, PARTICIPANTS):
        bench.event("AuthorityUpdated", address=address, authority=MANAGER)
    assert bench.fold() == set()
    bench.event("AuthorityUpdated", address=SETTLEMENT, authority=ANYBODY)
    assert bench.fold() == {Code.AUTHORITY}


def test_an_event_of_affirmation_itself_is_found(bench: Bench) -> None:
    bench.event("Reserved", bytes(32), AFFIRMATION, id=bytes(32), account=ALPHA, committed=1)
    assert bench.fold() == {Code.IMPOSSIBLE}


# ---------------------------------------------------------------------------- supply, redemption


def redeemed(bench: Bench, **changes: Any) -> None:
    values = {
        "asset": SHARES,
        "account": ALPHA,
        "ref": bytes(32),
        "nonce": 7,
        "quantity": 100,
        "holding": (900, 0),
        "totalSupply": 1_900,
        **changes,
    }
    bench.event("Redeemed", bytes(32), **values)


def test_a_redemption_in_order_has_no_finding(bench: Bench) -> None:
    redeemed(bench)
    assert bench.fold() == set()
    assert bench.books.nonce(ALPHA, 7) == state.SETTLED
    redeemed(bench, holding=(800, 0), totalSupply=1_800)
    assert bench.fold() == {Code.NONCE}


def test_a_redemption_against_the_rules_is_found(bench: Bench) -> None:
    bench.books.accounts[ALPHA].frozen = True
    bench.books.assets[SHARES].frozen = True
    redeemed(bench, holding=(901, 0), totalSupply=1_901)
    assert bench.fold() == {Code.ACCOUNT_FROZEN, Code.ASSET_FROZEN, Code.RESULT}


# ---------------------------------------------------------------------------- modules, holds


def moved(bench: Bench, account: bytes, delta: int, after: int, asset: int = SHARES) -> None:
    bench.event(
        *("Moved", RELAY.rjust(32, b"\0")),
        module=RELAY,
        id=bytes(32),
        asset=asset,
        account=account,
        delta=delta,
        holding=(after, 0),
    )


def test_a_posting_adds_up_to_zero_for_each_asset(bench: Bench) -> None:
    bench.books.modules[RELAY] = True
    moved(bench, ALPHA, -5, 995)
    moved(bench, BRAVO, 5, 1_005)
    assert bench.fold() == set()
    moved(bench, ALPHA, -5, 990)
    moved(bench, BRAVO, 5, 1_005, EURO)
    assert bench.fold() == {Code.IMPOSSIBLE}
    # Each transaction adds up by itself.
    moved(bench, ALPHA, 5, 995)
    assert bench.fold() == {Code.IMPOSSIBLE}
    assert bench.findings.total == 3


def test_a_module_that_is_none_or_debits_a_frozen_account_is_found(bench: Bench) -> None:
    bench.event("ModuleSet", module=RELAY, active=1)
    bench.event("AccountFrozen", account=ALPHA, frozen=1, reason=b"AUTH")
    moved(bench, ALPHA, -5, 995)
    moved(bench, BRAVO, 5, 1_005)
    assert bench.fold() == {Code.ACCOUNT_FROZEN}
    other = Bench()
    moved(other, ALPHA, -5, 995)
    moved(other, BRAVO, 5, 1_005)
    assert other.fold() == {Code.IMPOSSIBLE}


def placed(bench: Bench, hold: Hold, after: tuple[int, int]) -> None:
    bench.event("HoldPlaced", hold.purpose, **hold.arguments(), holding=after)


HOLD = Hold(RELAY, bytes(32), 0, ALPHA, SHARES, 10, NOW + 5)


def test_holds_are_placed_and_ended_once(bench: Bench) -> None:
    placed(bench, HOLD, (990, 10))
    assert bench.fold() == set()
    placed(bench, HOLD, (980, 20))
    assert bench.fold() == {Code.IMPOSSIBLE}
    other = Bench()
    placed(other, HOLD, (990, 10))
    other.fold()
    other.hold_ended(HOLD, executed=False)
    assert other.fold() == set()
    assert other.books.holds == set()
    other.event("HoldEnded", HOLD.purpose, **HOLD.arguments(), executed=0, holding=(1_010, -10))
    assert Code.IMPOSSIBLE in other.fold()


def test_two_holds_that_differ_in_the_deadline_alone_are_two(bench: Bench) -> None:
    later = HOLD._replace(deadline=NOW + 6)
    placed(bench, HOLD, (990, 10))
    placed(bench, later, (980, 20))
    bench.fold()
    bench.hold_ended(HOLD, executed=False)
    assert bench.fold() == set()
    assert bench.books.holds == {later}


def test_a_hold_without_a_future_is_found(bench: Bench) -> None:
    placed(bench, HOLD._replace(deadline=NOW), (990, 10))
    assert bench.fold() == {Code.IMPOSSIBLE}


def test_a_hold_executed_at_its_deadline_is_found(bench: Bench) -> None:
    placed(bench, HOLD, (990, 10))
    bench.fold()
    bench.time = HOLD.deadline
    bench.hold_ended(HOLD, executed=True)
    assert bench.fold() == {Code.WINDOW}


# ---------------------------------------------------------------------------- instructions


def affirmed(bench: Bench, consents: int, accounts: int = 2, identity: bytes = b"I" * 32) -> None:
    values = {"initiator": ALPHA, "nonce": 5, "consents": consents, "accounts": accounts}
    bench.event("InstructionAffirmed", identity, **values)


def test_consents_only_grow_by_affirming(bench: Bench) -> None:
    affirmed(bench, 0b01)
    affirmed(bench, 0b11)
    assert bench.fold() == set()
    affirmed(bench, 0b10)
    assert bench.fold() == {Code.IMPOSSIBLE}
    other = Bench()
    affirmed(other, 0b01)
    affirmed(other, 0b11, accounts=3)
    assert other.fold() == {Code.IMPOSSIBLE}


def test_one_nonce_is_live_for_one_instruction(bench: Bench) -> None:
    affirmed(bench, 0b01)
    affirmed(bench, 0b01, identity=b"J" * 32)
    assert bench.fold() == {Code.NONCE}


def test_a_reservation_needs_its_instruction_and_its_holds(bench: Bench) -> None:
    bench.event("Reserved", b"I" * 32, account=ALPHA, committed=1)
    assert bench.fold() == {Code.IMPOSSIBLE}
    other = Bench()
    affirmed(other, 0b01)
    other.event("Reserved", b"I" * 32, account=ALPHA, committed=1)
    assert other.fold() == {Code.IMPOSSIBLE}


def test_a_reservation_ends_with_its_holds(bench: Bench) -> None:
    terms = bench.terms()
    bench.live(terms)
    bench.reserve(terms, 0)
    bench.event("ReservationEnded", bench.digests.instruction(terms), account=ALPHA)
    assert bench.fold() == {Code.IMPOSSIBLE}
    other = Bench()
    other.event("ReservationEnded", b"I" * 32, account=ALPHA)
    assert other.fold() == {Code.IMPOSSIBLE}


def withdrawn(bench: Bench, account: bytes, left: int, identity: bytes = b"I" * 32) -> None:
    bench.event("ConsentWithdrawn", identity, account=account, consents=left)


def test_a_consent_is_withdrawn_once_and_takes_one_bit(bench: Bench) -> None:
    affirmed(bench, 0b11, accounts=3)
    withdrawn(bench, BRAVO, 0b01)
    assert bench.fold() == set()
    withdrawn(bench, BRAVO, 0b01)
    assert bench.fold() == {Code.IMPOSSIBLE}
    for left in (0b00, 0b111):
        other = Bench()
        affirmed(other, 0b11, accounts=3)
        withdrawn(other, BRAVO, left)
        assert other.fold() == {Code.IMPOSSIBLE}, left
    nothing = Bench()
    withdrawn(nothing, BRAVO, 0b01)
    assert nothing.fold() == {Code.IMPOSSIBLE}


def ended(bench: Bench, name: str, **more: Any) -> None:
    bench.event(name, b"I" * 32, initiator=ALPHA, nonce=5, **more)


def test_a_settlement_without_legs_is_found(bench: Bench) -> None:
    ended(bench, "InstructionSettled")
    assert bench.fold() == {Code.IMPOSSIBLE}


def test_what_was_cancelled_settles_no_more(bench: Bench) -> None:
    ended(bench, "InstructionCancelled", byAll=0)
    assert bench.fold() == set()
    ended(bench, "InstructionCancelled", byAll=0)
    assert bench.fold() == {Code.NONCE}


def test_the_outcomes_of_a_transaction_are_collected(bench: Bench) -> None:
    ended(bench, "InstructionCancelled", byAll=0)
    affirmed(bench, 0b01, identity=b"J" * 32)
    bench.fold()
    assert [event.name for event in bench.stage.fold.ended] == ["InstructionCancelled"]


# ---------------------------------------------------------------------------- registry


def registry(bench: Bench, name: str, **values: Any) -> None:
    bench.event(name, values["lei"].ljust(32, b"\0"), PARTICIPANTS, **values)


def test_participants_are_admitted_once_and_accounts_opened_once(bench: Bench) -> None:
    registry(bench, "ParticipantAdmitted", lei=LEI, bic=b"B" * 11, **{"class": 2})
    registry(bench, "AccountOpened", lei=LEI, account=ALPHA)
    registry(bench, "ParticipantStandingSet", lei=LEI, standing=2, reason=b"RISK")
    assert bench.fold() == set()
    one = bench.books.participants[LEI]
    assert (one.standing, one.class_, one.accounts) == (2, 2, [ALPHA])
    registry(bench, "ParticipantAdmitted", lei=LEI, bic=b"B" * 11, **{"class": 2})
    assert bench.fold() == {Code.IMPOSSIBLE}
    other = Bench()
    for lei in (LEI, OTHER_LEI):
        registry(other, "ParticipantAdmitted", lei=lei, bic=b"B" * 11, **{"class": 2})
        registry(other, "AccountOpened", lei=lei, account=ALPHA)
    assert other.fold() == {Code.IMPOSSIBLE}


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("AccountOpened", {"account": ALPHA}),
        ("ParticipantStandingSet", {"standing": 2, "reason": b"RISK"}),
    ],
)
def test_what_is_said_of_no_participant_is_found(
    bench: Bench, name: str, values: dict[str, Any]
) -> None:
    registry(bench, name, lei=LEI, **values)
    assert bench.fold() == {Code.IMPOSSIBLE}


# ---------------------------------------------------------------------------- authority


def granted(
    bench: Bench, role: int, account: bytes, delay: int = 0, *, new: bool = True, since: int = NOW
) -> None:
    bench.event(
        *("RoleGranted", role.to_bytes(32, "big"), MANAGER),
        roleId=role,
        account=account,
        delay=delay,
        since=since,
        newMember=int(new),
    )


def test_the_deployer_sets_up_and_then_is_nobody(bench: Bench) -> None:
    granted(bench, 0, ANYBODY)
    assert bench.fold() == set()
    bench.event("RoleRevoked", bytes(32), MANAGER, roleId=0, account=ANYBODY)
    bench.event("StandingSet", account=ALPHA, standing=1, **{"class": 0})
    assert bench.fold() == set()
    granted(bench, 0, ANYBODY)
    assert bench.fold() == {Code.ROLE_PLAIN_KEY}


def test_a_market_in_use_under_its_deployer_is_found_once(bench: Bench) -> None:
    granted(bench, 0, ANYBODY)
    for _ in range(3):
        bench.event("StandingSet", account=ALPHA, standing=1, **{"class": 0})
    assert bench.fold() == {Code.ROLE_PLAIN_KEY}
    assert bench.findings.total == 1


def test_a_grant_with_another_delay_is_found(bench: Bench) -> None:
    bench.authority.members.clear()
    granted(bench, 2, ISSUER)
    granted(bench, 0, ADMIN, 100)
    assert bench.fold() == set()
    granted(bench, 0, ADMIN, 5, new=False, since=NOW + 95)
    assert bench.fold() == {Code.ROLE_UNEXPECTED}


def test_a_grant_that_counts_too_soon_is_found(bench: Bench) -> None:
    delay = {"roleId": 2, "delay": 259_200, "since": NOW + 432_000}
    bench.event("RoleGrantDelayChanged", bytes(32), MANAGER, **delay)
    assert bench.fold() == set()
    bench.authority.grant_delays[2].set(259_200, NOW, NOW)
    bench.authority.members.clear()
    granted(bench, 2, ISSUER)
    assert bench.fold() == {Code.IMPOSSIBLE}
    bench.event("RoleGrantDelayChanged", bytes(32), MANAGER, **{**delay, "since": NOW})
    assert bench.fold() == {Code.IMPOSSIBLE}
    bench.event("RoleGrantDelayChanged", bytes(32), MANAGER, **{**delay, "delay": 5})
    assert Code.ROLE_DELAY in bench.fold()


def test_a_grant_that_calls_a_member_new_is_found(bench: Bench) -> None:
    granted(bench, 2, ISSUER)
    assert bench.fold() == {Code.IMPOSSIBLE}


def test_the_end_of_a_role_that_was_none_is_found(bench: Bench) -> None:
    bench.event("RoleRevoked", bytes(32), MANAGER, roleId=1, account=ISSUER)
    assert bench.fold() == {Code.IMPOSSIBLE}


@pytest.mark.parametrize(
    ("name", "values", "code"),
    [
        ("RoleAdminChanged", {"roleId": 2, "admin": 3}, Code.ROLE_UNEXPECTED),
        ("RoleAdminChanged", {"roleId": 2, "admin": 2**64 - 1}, Code.ROLE_PUBLIC),
        ("RoleGuardianChanged", {"roleId": 2, "guardian": 3}, Code.ROLE_UNEXPECTED),
        (
            "TargetFunctionRoleUpdated",
            {"target": SETTLEMENT, "selector": b"\1\2\3\4", "roleId": 2},
            Code.ROLE_UNEXPECTED,
        ),
    ],
)
def test_power_in_other_hands_is_found(
    bench: Bench, name: str, values: dict[str, Any], code: Code
) -> None:
    bench.event(name, bytes(32), MANAGER, **values)
    assert bench.fold() == {code}


def test_operations_are_numbered(bench: Bench) -> None:
    values = {"operationId": b"O" * 32, "schedule": NOW + 100, "caller": ADMIN}
    bench.event("OperationScheduled", b"O" * 32, MANAGER, **values, nonce=1)
    bench.event("OperationExecuted", b"O" * 32, MANAGER, operationId=b"O" * 32, nonce=1)
    bench.event("OperationScheduled", b"O" * 32, MANAGER, **values, nonce=2)
    assert bench.fold() == set()
    bench.event("OperationScheduled", b"O" * 32, MANAGER, **values, nonce=4)
    assert bench.fold() == {Code.IMPOSSIBLE}


def test_a_delay_that_changes_later_counts_from_then_on() -> None:
    delay = Delay(after=100)
    delay.set(5, NOW + 50, NOW)
    assert [delay.at(NOW + 49), delay.at(NOW + 50)] == [100, 5]
    bench = Bench()
    bench.authority.members[3, FIRST] = Member(NOW + 10, delay)
    assert bench.authority.holds(3, FIRST, NOW + 9) is None
    assert bench.authority.holds(3, FIRST, NOW + 10) == 100


def test_a_closed_target_is_open_to_nobody(bench: Bench) -> None:
    selector = bench.contracts["Settlement"].selector("issue")
    assert bench.authority.may_call(ISSUER, SETTLEMENT, selector, NOW) == 0
    bench.event("TargetClosed", bytes(32), MANAGER, target=SETTLEMENT, closed=1)
    assert bench.fold() == set()
    assert bench.authority.may_call(ISSUER, SETTLEMENT, selector, NOW) is None


def test_a_signer_removed_with_another_organisation_is_found(bench: Bench) -> None:
    values = {"signer": SECOND, "organisation": b"other".ljust(32, b"\0"), "by": SECOND}
    bench.event("SignerRemoved", SECOND, ISSUER, **values)
    assert bench.fold() == {Code.IMPOSSIBLE}
