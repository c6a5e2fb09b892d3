"""What an audit answers: a verdict, counts, findings, and what was and was not checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from settle.audit.findings import SENTENCES, Finding, Findings

CLEAN: Final = "clean"
FINDINGS: Final = "findings"
_SHOWN: Final = 50
"""Findings that the text for people lists."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What was looked at. `wallets` of the `signatures` were contracts', `own_calls` needed none.

    `escrows` counts those that were opened, `milestones` those of them that have an outcome.
    `differences` counts all findings, also those that are not kept in detail.
    """

    blocks: int
    events: int
    instructions: int
    signatures: int
    wallets: int
    own_calls: int
    traces: int
    holdings: int
    escrows: int
    milestones: int
    differences: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditReport:
    """The whole answer. `head` is the hash of the last block, to be compared with others'."""

    chain_id: int
    genesis: bytes
    deployer: bytes
    first_block: int
    last_block: int
    head: bytes
    counts: Counts
    findings: tuple[Finding, ...]
    by_code: Mapping[str, int]
    checked: tuple[str, ...]
    not_checked: tuple[str, ...]
    elapsed_ms: int

    @property
    def verdict(self) -> str:
        """`clean` or `findings`."""
        return FINDINGS if self.counts.differences else CLEAN

    @property
    def instructions_per_s(self) -> int:
        """Settled instructions replayed and verified in a second, everything included."""
        return self.counts.instructions * 1000 // max(1, self.elapsed_ms)

    def to_json(self) -> dict[str, object]:
        """Give it as JSON has it."""
        counts = self.counts
        return {
            "verdict": self.verdict,
            "blocks": counts.blocks,
            "events": counts.events,
            "instructions": counts.instructions,
            "signatures": counts.signatures,
            "wallets": counts.wallets,
            "own_calls": counts.own_calls,
            "traces": counts.traces,
            "holdings": counts.holdings,
            "escrows": counts.escrows,
            "milestones": counts.milestones,
            "differences": counts.differences,
            "chain_id": self.chain_id,
            "genesis": "0x" + self.genesis.hex(),
            "deployer": "0x" + self.deployer.hex(),
            "first_block": self.first_block,
            "last_block": self.last_block,
            "head": "0x" + self.head.hex(),
            "classes": dict(self.by_code),
            "findings": [finding.to_json() for finding in self.findings],
            "checked": list(self.checked),
            "not_checked": list(self.not_checked),
            "elapsed_ms": self.elapsed_ms,
            "instructions_per_s": self.instructions_per_s,
        }

    def to_text(self) -> str:
        """Give it as people read it."""
        counts = self.counts
        lines = [
            f"verdict: {self.verdict}",
            f"chain {self.chain_id}, blocks {self.first_block} to {self.last_block}",
            f"head 0x{self.head.hex()}",
            f"deployment signed by 0x{self.deployer.hex()}",
            f"{counts.blocks} blocks, {counts.events} events",
            f"{counts.instructions} settled instructions, {counts.signatures} signatures",
            f"{counts.escrows} escrows, {counts.milestones} of their milestones ended",
            f"{counts.holdings} holdings, {counts.differences} differences",
            *(f"checked: {what}" for what in self.checked),
            *(f"not checked: {what}" for what in self.not_checked),
        ]
        if self.counts.differences:
            lines.append("")
            for code, number in self.by_code.items():
                meaning = next(text for name, text in SENTENCES.items() if name.value == code)
                lines.append(f"{number} x {code}: {meaning}")
            lines.append("")
            lines += [str(finding) for finding in self.findings[:_SHOWN]]
            if counts.differences > _SHOWN:
                lines.append(f"... and {counts.differences - _SHOWN} more")
        return "\n".join(lines)


def classes(findings: Findings) -> dict[str, int]:
    """Count findings by class, most frequent first."""
    return {code.value: number for code, number in findings.by_code.most_common()}
