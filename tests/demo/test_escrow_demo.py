"""`settle demo escrow --json`: each worked example comes to the end that its file promises."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.demo.test_demo import settle


@pytest.fixture(scope="module")
def played() -> Any:
    done = settle("demo", "escrow", "--json")
    assert done.returncode == 0, done.stderr
    [line] = done.stdout.splitlines()
    return json.loads(line)


def ends(played: Any, example: str) -> tuple[list[str], list[str]]:
    [one] = [one for one in played["escrows"] if one["example"] == example]
    return (
        [f"{m['name']} {m['outcome']} by {m['ended_by']}" for m in one["milestones"]],
        [f"{p['from']} > {p['to']} {p['amount']} {p['asset']}" for p in one["paid"]],
    )


def test_a_purchase_is_paid_in_three_parts(played: Any) -> None:
    assert ends(played, "purchase") == (
        [f"{name} released by condition" for name in ("shipment", "delivery", "inspection")],
        [f"buyer > seller {amount} EUR" for amount in ("30000.00", "50000.00", "20000.00")],
    )


def test_a_receivable_is_financed_and_repaid(played: Any) -> None:
    assert ends(played, "receivable") == (
        ["advance released by condition", "payment released by condition"],
        ["financier > supplier 97000.00 EUR", "buyer > financier 100000.00 EUR"],
    )


def test_a_secret_of_the_other_chain_delivers(played: Any) -> None:
    assert ends(played, "cross-chain") == (
        ["delivery released by condition"],
        ["seller > buyer 500 DE0007164600"],
    )


def test_an_issue_goes_through_whole(played: Any) -> None:
    milestones, paid = ends(played, "subscription")
    assert milestones == ["closing released by condition"]
    assert paid == [
        "first > issuer 500000.00 EUR",
        "second > issuer 300000.00 EUR",
        "third > issuer 200000.00 EUR",
        "issuer > first 500 DE0007164600",
        "issuer > second 300 DE0007164600",
        "issuer > third 200 DE0007164600",
    ]


def test_an_issue_that_is_not_closed_in_time_gives_everything_back(played: Any) -> None:
    milestones, paid = ends(played, "subscription, not closed")
    assert milestones == ["closing refunded by default"]
    assert paid == []
    [one] = [one for one in played["escrows"] if one["example"] == "subscription, not closed"]
    assert [f"{p['amount']} {p['asset']} to {p['to']}" for p in one["returned"]] == [
        "500000.00 EUR to first",
        "300000.00 EUR to second",
        "200000.00 EUR to third",
        "500 DE0007164600 to issuer",
        "300 DE0007164600 to issuer",
        "200 DE0007164600 to issuer",
    ]


def test_where_nobody_rules_the_terms_do(played: Any) -> None:
    assert ends(played, "deposit") == (
        ["deposit split by silence"],
        ["tenant > landlord 1500.00 EUR"],
    )


def test_the_auditor_replayed_all_of_it(played: Any) -> None:
    assert played["audit"] == {"verdict": "clean", "escrows": 6, "milestones": 9}
