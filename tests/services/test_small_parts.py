"""Ids that sort, rules of the market, facts, and what narrows the search for a match."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from settle.domain.ids import AssetId
from settle.domain.instruction import Leg
from settle.domain.reasons import Reason
from settle.domain.tolerance import CSDR
from settle.services import match_keys
from settle.services.facts import required, sleep_until
from settle.services.find_matches import find_matches
from settle.services.market_rules import MarketRules
from settle.services.trade_numbers import TradeNumbers
from tests.support.trade_rows import INSTRUCTION, number
from tests.support.trade_sides import (
    ACCOUNT_A,
    ACCOUNT_B,
    DELIVERY,
    LEI_A,
    LEI_C,
    RECEIPT,
    delivery,
)

SHARE, EURO = AssetId(1), AssetId(2)


class TestTradeNumbers:
    def test_ids_grow_within_a_second_and_with_a_clock_that_goes_back(self) -> None:
        numbers = TradeNumbers(lambda size: b"\xff" * size)
        made = [numbers(at) for at in (5, 5, 5, 6, 4, 6, 7)]
        assert made == sorted(made)
        assert len(set(made)) == len(made)

    def test_one_second_has_room_for_many(self) -> None:
        numbers = TradeNumbers(lambda size: b"\xff" * size)
        made = [numbers(1) for _ in range(10_000)]
        assert made == sorted(set(made))


class TestMarketRules:
    def test_an_unmatched_side_waits_twenty_business_days(self) -> None:
        received = int(datetime(2026, 11, 26, 23, 30, tzinfo=UTC).timestamp())
        until = MarketRules().unmatched_until(received)
        assert datetime.fromtimestamp(until, UTC) == datetime(2026, 12, 24, 17, 0, tzinfo=UTC)

    def test_the_window_is_that_of_the_domain(self) -> None:
        window = MarketRules(recycling_days=0).window(date(2026, 11, 26))
        assert window.settle_by - window.settle_from == 18 * 3_600


class TestFacts:
    def test_what_is_required_counts_what_comes_in_before(self) -> None:
        legs = (
            Leg(asset=EURO, deliverer=ACCOUNT_A, receiver=ACCOUNT_B, quantity=100),
            Leg(asset=EURO, deliverer=ACCOUNT_B, receiver=ACCOUNT_A, quantity=70),
            Leg(asset=EURO, deliverer=ACCOUNT_B, receiver=ACCOUNT_A, quantity=50),
            Leg(asset=EURO, deliverer=ACCOUNT_A, receiver=ACCOUNT_B, quantity=40),
        )
        needed = required(replace(INSTRUCTION, legs=legs))
        assert needed == {(ACCOUNT_A, EURO): 100, (ACCOUNT_B, EURO): 20}

    @pytest.mark.parametrize(
        ("reason", "facts", "wake_at"),
        [
            (
                Reason(code="LACK", leg=0, who=ACCOUNT_A, needed=500, have=1),
                {f"holding:{ACCOUNT_A.hex()}:1"},
                None,
            ),
            (Reason(code="FUTU", needed=900), set(), 900),
            (Reason(code="FUTU", needed=10), set(), 51),
            (Reason(code="BLOC", who=ACCOUNT_B), {f"account:{ACCOUNT_B.hex()}"}, None),
            (Reason(code="SBLO", leg=1, who=ACCOUNT_B), {"asset:2"}, None),
            (Reason(code="XOCC", who=ACCOUNT_A), {f"nonce:{ACCOUNT_A.hex()}:7"}, None),
            (Reason(code="XBAD", who=ACCOUNT_A), {f"nonce:{ACCOUNT_A.hex()}:7"}, 350),
            (Reason(code="XDON", who=ACCOUNT_A), {f"nonce:{ACCOUNT_A.hex()}:7"}, None),
        ],
    )
    def test_each_reason_names_what_has_to_change(
        self, reason: Reason, facts: set[str], wake_at: int | None
    ) -> None:
        sleep = sleep_until(number(1), INSTRUCTION, [reason], 50)
        assert {wait.fact for wait in sleep.waits} == facts
        assert sleep.wake_at == wake_at

    def test_a_trade_without_reasons_is_looked_at_soon(self) -> None:
        assert sleep_until(number(1), INSTRUCTION, [], 50).wake_at == 51


class TestMatchKeys:
    def test_two_sides_that_match_have_equal_keys(self) -> None:
        assert match_keys.equal_key(DELIVERY) == match_keys.equal_key(RECEIPT)
        assert match_keys.security_key(DELIVERY) == match_keys.security_key(RECEIPT)

    @pytest.mark.parametrize(
        "changes",
        [
            {"quantity": 1},
            {"isin": "DE0007100000"},
            {"currency": "USD"},
            {"payment": "FREE"},
            {"trade_date": date(2026, 1, 1)},
            {"settlement_date": date(2027, 1, 1)},
            {"transaction_type": "REPU"},
            {"quantity_kind": "FaceAmt"},
            {"receiving_party": LEI_C},
            {"delivering_depository": "BANKDEFF"},
            {"opt_out": True},
            {"ex_cum": "EXXX"},
        ],
    )
    def test_what_must_be_equal_is_in_the_key(self, changes: dict[str, object]) -> None:
        assert match_keys.equal_key(delivery(**changes)) != match_keys.equal_key(DELIVERY)

    @pytest.mark.parametrize("changes", [{"amount": 1}, {"common_reference": "X"}, {"nonce": 1}])
    def test_what_may_differ_is_not(self, changes: dict[str, object]) -> None:
        assert match_keys.equal_key(delivery(**changes)) == match_keys.equal_key(DELIVERY)

    def test_a_reference_is_of_its_two_parties(self) -> None:
        assert match_keys.reference_key(DELIVERY) is None
        with_one = delivery(common_reference="X")
        assert match_keys.reference_key(with_one) != match_keys.reference_key(
            delivery(common_reference="X", receiving_party=LEI_C)
        )


def test_without_sides_nothing_is_asked() -> None:
    assert find_matches(None, None, LEI_A, [], CSDR) == {}  # type: ignore[arg-type]
