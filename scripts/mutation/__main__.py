"""The program: choose mutants, try those whose outcome is not known, tell what came of it."""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.reliability import PAGE, merge

from .mutants import Mutant, mutants_of
from .reliability import explained, explanations, summary
from .trial import SURVIVED, Outcomes, missing, try_all
from .workshop import ROOT, Broken, Workshop

SURVIVORS = ROOT / "scripts/mutation-survivors.yaml"


def main(arguments: Sequence[str]) -> int:
    """Run the program; 1: the tests fail unchanged, or a survivor has no sentence."""
    options = parsed(arguments)
    workshop = Workshop(options.place, options.revision)
    workshop.without(options.without)
    trees = workshop.trees()
    mutants = [
        mutant
        for source, tree in sorted(trees.items())
        if "/interfaces/" not in source
        for mutant in mutants_of(source, tree, workshop.sources[source])
    ]
    if options.contract:
        mutants = [mutant for mutant in mutants if mutant.contract in options.contract]
    chosen = sample(mutants, options.sample, options.seed)
    outcomes = Outcomes(options.outcomes)
    if options.list:
        for mutant in chosen:
            print(shown(mutant))
        return 0
    sources = {source: workshop.digest([source]) for source in trees}
    tests = workshop.digest(name for name in workshop.sources if "/test/" in name)
    waiting = missing(chosen, outcomes.read(), sources, tests)
    print(f"{len(chosen)} of {len(mutants)} mutants chosen, {len(waiting)} to be tried", flush=True)
    try:
        waiting = waiting if options.minutes > 0 else []
        if waiting:
            workshop.prepare()
    except Broken as broken:
        print(broken, file=sys.stderr)
        return 1
    until = time.monotonic() + 60 * options.minutes
    trials = try_all(workshop, waiting, outcomes, size=options.bundle, until=until)
    for mutant, outcome, by in trials:
        print(f"{outcome:8} {by:12} {shown(mutant)}", flush=True)
    return told(options, mutants, chosen, outcomes)


def parsed(arguments: Sequence[str]) -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(prog="scripts/mutate", description=__doc__)
    parser.add_argument("contract", nargs="*", help="only these; default: all")
    parser.add_argument("--sample", type=int, default=0, help="so many a contract; 0: all")
    parser.add_argument("--seed", type=int, default=1, help="of the sample")
    parser.add_argument("--bundle", type=int, default=24, help="mutants in one compilation")
    parser.add_argument(
        "--minutes",
        type=float,
        default=1e6,
        help="begin no bundle after these; 0: tell what is known",
    )
    parser.add_argument("--without", nargs="*", default=[], help="rooms of tests to leave out")
    parser.add_argument("--revision", default="", help="of git; default: the tree as it is")
    parser.add_argument("--place", type=Path, default=ROOT / "build/mutation/tree")
    parser.add_argument("--outcomes", type=Path, default=ROOT / "build/mutation/outcomes.jsonl")
    parser.add_argument("--results", type=Path, default=PAGE)
    parser.add_argument("--list", action="store_true", help="name the chosen mutants, try none")
    return parser.parse_args(arguments)


def sample(mutants: Sequence[Mutant], size: int, seed: int) -> list[Mutant]:
    """Choose so many mutants of each contract, the same ones for the same seed."""
    if size == 0:
        return list(mutants)
    chosen = []
    for contract in dict.fromkeys(mutant.contract for mutant in mutants):
        mine = [mutant for mutant in mutants if mutant.contract == contract]
        mixed = random.Random(f"{seed} {contract}")  # noqa: S311 - a sample, no secret
        kept = set(mixed.sample([mutant.key for mutant in mine], min(size, len(mine))))
        chosen += [mutant for mutant in mine if mutant.key in kept]
    return chosen


def told(
    options: argparse.Namespace,
    mutants: Sequence[Mutant],
    chosen: Sequence[Mutant],
    outcomes: Outcomes,
) -> int:
    """Write the page and name the survivors that nobody has explained."""
    entries, known = explanations(SURVIVORS), outcomes.read()
    keys = {mutant.key for mutant in chosen}
    tried = {key: line for key, line in known.items() if key in keys}
    page = summary(mutants, tried, entries)
    for contract, row in page.items():
        print(f"{contract:18} {row}")
    if not options.contract:
        command = f"make mutate SAMPLE={options.sample}" if options.sample else "make mutate"
        figures = {**page, "seed": options.seed}
        merge("mutation", figures, command=command, page=options.results)
    open_ones = [
        mutant
        for mutant in chosen
        if (line := known.get(mutant.key))
        and line["outcome"] == SURVIVED
        and not explained(line, entries)
    ]
    for mutant in open_ones:
        print(f"survived, not explained: {shown(mutant)}")
    return 1 if open_ones else 0


def shown(mutant: Mutant) -> str:
    """Return a mutant on one line."""
    place = f"{mutant.contract}.sol:{mutant.line} {mutant.function}"
    detail = f"`{mutant.was[:80]}` -> `{mutant.becomes[:60]}`"
    if mutant.was != mutant.within:
        detail += f" in `{mutant.within[:100]}`"
    return f"{place} {mutant.operator} {detail}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
