"""Gas is exact: what is committed is what a fresh chain gives."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.gas import RESULT, measure

TARGETS = {
    "dvp_signed": 90_000,
    "settle_many_100_per_trade": 36_000,
    "escrow_open_fund_release": 160_000,
}


def test_every_figure_comes_out_as_it_was_published(tmp_path: Path) -> None:
    published = json.loads(RESULT.read_text())
    figures = measure(tmp_path)
    assert figures == {name: published[name] for name in figures}
    for name, most in TARGETS.items():
        assert figures[name] <= most
