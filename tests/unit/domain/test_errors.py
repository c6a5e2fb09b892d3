from __future__ import annotations

import pytest

from settle.domain.errors import (
    Broken,
    Conflict,
    Forbidden,
    InvalidInput,
    NotFound,
    Refused,
    SettleError,
    Unavailable,
)
from settle.domain.reasons import Reason


def test_the_tree_is_cut_by_who_can_act() -> None:
    assert issubclass(NotFound, Refused)
    assert issubclass(Forbidden, Refused)
    assert issubclass(Conflict, Refused)
    branches = (InvalidInput, Refused, Unavailable, Broken)
    for branch in branches:
        assert issubclass(branch, SettleError)
        assert not any(issubclass(branch, other) for other in branches if other is not branch)


def test_an_error_carries_values_and_a_sentence() -> None:
    refused = Refused((Reason(code="LACK", needed=5, have=3),), "not enough")
    assert str(refused) == refused.message == "not enough"
    assert refused.reasons[0].needed == 5
    assert refused.code == "refused"
    assert Unavailable("busy", 3).retry_after_s == 3
    assert Conflict("stale_version", "read it again").code == "stale_version"
    assert NotFound("no such trade").reasons == ()
    assert Broken("another genesis", code="genesis").code == "genesis"


def test_a_fault_inside_a_document_is_pointed_at_from_its_root() -> None:
    inner = InvalidInput("units_form", "not digits", "/quantity")
    with pytest.raises(InvalidInput) as raised:
        raise inner.under("/legs/0")
    assert raised.value.pointer == "/legs/0/quantity"
    assert raised.value.code == "units_form"
