"""Progress is told at most once a second and at the end, with a rate and the time that is left."""

from __future__ import annotations

from settle.progress import Progress

SECOND = 10**9


def test_it_tells_once_a_second_and_when_all_is_done() -> None:
    lines: list[str] = []
    now = 0
    progress = Progress("trades", 100, lines.append, lambda: now)
    progress.add(10)
    assert lines == []
    now = SECOND
    progress.add(10)
    progress.reached(20)
    assert lines == ["trades 20/100, 20/s, 4 s left"]
    now = 5 * SECOND
    progress.reached(20)
    assert len(lines) == 1
    progress.reached(100)
    assert lines[1:] == ["trades 100/100, 20/s, 0 s left"]
