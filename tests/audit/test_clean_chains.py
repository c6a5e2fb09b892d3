from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from audited_world import World, build_world, found
from lying_line import lying

from settle.audit.findings import Code


def test_a_market_on_which_everything_happened_is_clean(world: World) -> None:
    report = world.audit()
    assert [str(finding) for finding in report.findings] == []
    assert report.verdict == "clean"
    counts = report.counts
    assert counts.instructions >= 6
    assert counts.signatures > 2 * counts.instructions
    assert counts.own_calls >= 3
    assert counts.wallets >= 1
    assert counts.holdings >= 8
    assert counts.blocks == report.last_block + 1


def test_what_was_not_checked_is_said(world: World) -> None:
    report = world.audit()
    said = " ".join(report.not_checked)
    assert "who sealed the blocks" in said
    assert report.counts.traces >= 2
    if world.name == "anvil":
        assert "one by one" in " ".join(report.checked)
    else:
        assert "eth_getProof" in said


@pytest.mark.parametrize("seed", [2, 3, 4])
def test_random_lives_are_clean(tmp_path: Path, seed: int) -> None:
    for built in build_world("anvil", tmp_path, seed=seed):
        built.life.live(12)
        assert [str(finding) for finding in built.audit().findings] == []


def test_a_part_of_the_chain_is_audited_up_to_a_block(world: World) -> None:
    whole = world.audit()
    for last in (world.deployment.block + 3, whole.last_block // 2, whole.last_block - 1):
        report = world.audit(from_block=world.deployment.block, to_block=last)
        assert report.findings == ()
        assert report.last_block == last
        assert "the blocks before" in " ".join(report.not_checked)


def test_a_lie_is_found_on_each_engine(world: World) -> None:
    hash_ = world.life.settled[0].transaction

    def forge(_params: Sequence[Any], answer: Any) -> Any:
        for told in answer["transactions"]:
            if told["hash"] == "0x" + hash_.hex():
                told["nonce"] = "0x7fff"
        return answer

    report = world.audit(lying("eth_getBlockByNumber", forge))
    found(report, Code.TRANSACTION_HASH, transaction=hash_)
    found(report, Code.TRANSACTIONS_ROOT)
