"""Hash locks and the clock of the other chain: whether whoever is second still has time.

A secret is revealed on one chain first, where it opens the first leg; whoever gave that leg then
uses it on the other chain. So the leg that is opened second must stay open longer, by the time in
which the first chain becomes final and by a margin for the second claim.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from settle.domain.escrow.conditions import AllOf, AnyOf, AtLeast, Condition, Preimage, leaves_of
from settle.domain.escrow.evidence import needed_of
from settle.domain.escrow.findings import REFUSED, WARNING, Finding
from settle.domain.escrow.reading_locks import HashLock
from settle.domain.escrow.terms import MIN_STEP, EscrowTerms, lines_of
from settle.domain.escrow.wording_words import duration, instant


def check_margins(
    terms: EscrowTerms, conditions: Sequence[Condition], locks: Sequence[HashLock]
) -> Iterator[Finding]:
    """Judge every hash lock of the terms by what their writer states of the other chain."""
    known: Mapping[bytes, HashLock] = {lock.digest: lock for lock in locks}
    used: dict[bytes, int] = {}
    for milestone, condition in enumerate(conditions):
        secrets = dict.fromkeys(
            leaf.digest for leaf, _ in leaves_of(condition) if isinstance(leaf, Preimage)
        )
        for digest in secrets:
            if digest in used:
                text = (
                    f"the secret of milestone {used[digest] + 1} again: its first use publishes it"
                )
                yield Finding(WARNING, "secret_twice", milestone, text)
            used.setdefault(digest, milestone)
            if digest not in known:
                text = "a hash lock without an entry under hash_locks: state the other chain"
                yield Finding(REFUSED, "hash_lock_unstated", milestone, text)
                continue
            yield from _check(terms, milestone, known[digest])
        if secrets and not _opens_alone(condition):
            text = (
                "the secret alone does not meet the condition: whoever reveals it elsewhere can be "
                "left without its leg here"
            )
            yield Finding(WARNING, "secret_not_enough", milestone, text)
    for digest in known:
        if digest not in used:
            yield Finding(WARNING, "hash_lock_unused", None, "an entry that no condition uses")


def _check(terms: EscrowTerms, milestone: int, lock: HashLock) -> Iterator[Finding]:
    """Judge one use of one secret."""
    lines = lines_of(terms, milestone)
    if not lock.length_checked:
        text = (
            f"{lock.other_chain} must ask for exactly 32 bytes, too: a longer secret opens the leg "
            "there and none here"
        )
        yield Finding(REFUSED, "secret_length", milestone, text)
    claims_here = lock.secret_of in {line.beneficiary for line in lines if line.if_met}
    if lock.here_first != claims_here:
        where, gets = ("here", "gets nothing") if lock.here_first else ("there", "is paid")
        text = f"the secret is said to be revealed {where} first, but who has it {gets} here"
        yield Finding(REFUSED, "secret_order", milestone, text)
    deadline, there = terms.deadlines[milestone], lock.other_deadline
    margin = max(lock.margin, MIN_STEP)
    if lock.here_first:
        needed, have, last = deadline + lock.finality_here + margin, there, lock.other_chain
    else:
        needed, have, last = there + lock.finality_there + margin, deadline, "here"
    if have < needed:
        text = (
            f"the leg that is opened second ({last}) closes at {instant(have)}, which must not be "
            f"before {instant(needed)}: {duration(needed - have)} are missing"
        )
        yield Finding(REFUSED, "hash_lock_margin", milestone, text)


def _opens_alone(condition: Condition) -> bool:
    """Whether the secret meets the condition if nothing else is shown and no time is reached."""
    if isinstance(condition, AllOf | AnyOf | AtLeast):
        return sum(map(_opens_alone, condition.of)) >= needed_of(condition)
    return isinstance(condition, Preimage)
