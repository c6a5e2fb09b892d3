"""docs/escrow.md shows what the program writes, letter by letter."""

from __future__ import annotations

from pathlib import Path

from settle.domain.escrow.explore import explore
from settle.domain.escrow.graph import draw
from settle.domain.escrow.reading import read_terms
from settle.domain.escrow.wording import print_terms

ROOT = Path(__file__).parents[3]


def test_the_example_is_shown_as_it_is_written_printed_and_drawn() -> None:
    source = (ROOT / "examples" / "escrow" / "deposit.toml").read_text()
    shown = (ROOT / "docs" / "escrow.md").read_text()
    written = read_terms(source)
    assert f"```toml\n{source}```" in shown
    assert f"```text\n{print_terms(written.terms, written.register)}```" in shown
    drawing = draw(
        written.terms,
        explore(written.terms),
        register=written.register,
        labels=written.labels,
        names=written.milestones,
    )
    assert (ROOT / "docs" / "escrow-deposit.svg").read_text() == drawing


def test_every_kind_of_condition_is_on_the_page() -> None:
    shown = (ROOT / "docs" / "escrow.md").read_text()
    kinds = "time signed reading feed preimage settled outcome all any at_least not".split()
    assert [kind for kind in kinds if f"{{ {kind} = " not in shown] == []
