"""The auditor replays escrows: every end anew, from what its call brought."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from audited_world import World, build_world
from escrow_life import EscrowLife


@pytest.fixture(scope="module", params=["anvil", "tester"])
def escrows(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """A market in which every end of an escrow came about once."""
    for built in build_world(request.param, tmp_path_factory.mktemp(f"escrows-{request.param}")):
        EscrowLife(built.life).live_once_each()
        yield built


def test_escrows_to_which_everything_happened_are_clean(escrows: World) -> None:
    report = escrows.audit()
    assert [str(finding) for finding in report.findings] == []
    assert report.verdict == "clean"


def test_an_escrow_may_be_open_still(escrows: World) -> None:
    report = escrows.audit()
    assert report.counts.holdings > 0
    half = report.last_block // 2
    for last in (half, half + 7, report.last_block - 2):
        part = escrows.audit(from_block=escrows.deployment.block, to_block=last)
        assert part.findings == ()


def test_what_the_contract_holds_is_read_beside_the_events(tmp_path: Path) -> None:
    for built in build_world("anvil", tmp_path):
        life = EscrowLife(built.life)
        life.prove_and_follow()
        assert built.audit().findings == ()
