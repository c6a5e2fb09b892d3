"""Many runs by seed and their figures. Slices keep one test short and name the seeds that fail."""

from __future__ import annotations

import os
import traceback
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from tests.crash.laws import violations
from tests.crash.story import Bench, Story

RUNS = int(os.environ.get("SETTLE_CRASH_RUNS", "200"))
SEED = int(os.environ.get("SETTLE_CRASH_SEED", "1"))


@dataclass
class Figures:
    """What runs came to: how many broke which promise, the seeds, and the faults they met."""

    runs: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    failed: dict[int, list[str]] = field(default_factory=dict)
    faults: Counter[str] = field(default_factory=Counter)

    def document(self) -> dict[str, Any]:
        """As benchmarks/results/reliability.json has them."""
        return {
            "runs": self.runs,
            "lost": self.kinds["lost"],
            "doubled": self.kinds["doubled"],
            "gaps": self.kinds["gaps"],
            "seeds_failed": sorted(self.failed),
        }


def run_seeds(bench: Bench, seeds: Iterable[int], figures: Figures) -> Figures:
    """Run; a run that ends by an exception has failed as well and counts as lost."""
    for seed in seeds:
        story = Story(bench, seed)
        try:
            story.run()
            found = violations(story)
        except Exception:  # noqa: BLE001  whatever it is, it is told with its seed
            found = [f"lost: {traceback.format_exc()}"]
        figures.runs += 1
        figures.faults.update(story.faults.count)
        figures.kinds.update({one.partition(":")[0] for one in found})
        if found:
            figures.failed[seed] = found
    return figures
