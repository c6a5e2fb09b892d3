"""The whole demo: from an empty folder to the audited books, and what it shows."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from settle.chain.profile import load_profile
from settle.demo import iso
from settle.demo.audits import audit, place_of, tampered_copy
from settle.demo.plan import make_plan
from settle.demo.stage import Stage, hours
from settle.demo.story import Story
from settle.demo.tape import read_tape
from settle.domain.tolerance import CSDR
from settle.local_chain import open_local_chain

if TYPE_CHECKING:
    from collections.abc import Callable

    from settle.demo.plan import Plan

_CLOSES_IN_S: Final = 20
OUTCOMES: Final = ("settled", "pending", "unmatched", "lapsed", "cancelled", "rejected")


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoRequest:
    """What to play. `root` is the folder with chain.toml and examples/."""

    root: Path
    engine: str
    tape: Path
    participants: int
    seed: int


def run_demo(request: DemoRequest, tell: Callable[[str], None]) -> dict[str, Any]:
    """Play the demo in a folder of its own; `tell` is told how it goes. Gives the figures.

    Raises: InvalidInput for a tape or a number that cannot be played, before anything is started;
    Unavailable and Broken for what fails on the way.
    """
    began = time.monotonic()
    tape = read_tape(request.tape)
    plan = make_plan(tape, request.participants, request.seed, CSDR)
    profile = load_profile(request.root / "chain.toml", request.engine)
    folder = Path(tempfile.mkdtemp(prefix="settle-demo-"))
    chain = open_local_chain(profile, folder, root=request.root)
    open_hours = hours(int(time.time()), _CLOSES_IN_S)
    stage = Stage(chain, profile, request.root, plan.members, open_hours, tell)
    try:
        tell(f"chain {profile.chain_id} ({profile.name}) runs, contracts are deployed; {folder}")
        stage.admit()
        stage.create_assets(tape, more=[iso.ISIN])
        made = stage.issue(_with_iso(plan))
        tell(f"{len(stage.banks)} participants, {len(stage.assets)} assets, {made} holdings")
        _open(stage)
        stage.introduce()
        tell(f"the operator listens on {stage.url}")
        message_trade = iso.IsoTrade(
            request.root / "examples" / "iso20022",
            stage.banks[0],
            stage.banks[1],
            stage.hours.today,
        )
        story = Story(stage, plan, tell, message_trade)
        outcomes = story.play()
        tell("the auditor replays the chain")
        report = audit(stage, folder / "operator.db")
        copy, change = tampered_copy(stage, folder / "tampered.db")
        tell(f"audit: {report['verdict']}; now on a copy with one balance changed: {change}")
        tampered = audit(stage, copy)
        gas = stage.gas_used()
        settled = outcomes["settled"]
        return {
            "engine": profile.name,
            "chain_id": profile.chain_id,
            "blocks": report["blocks"],
            "trades": {
                "submitted": outcomes.total(),
                **{name: outcomes[name] for name in OUTCOMES},
            },
            "reasons": dict(sorted(story.reasons.items())),
            "gas": {"total": gas, "per_settled_trade": gas // max(settled, 1)},
            "operator_kills": story.kills,
            "audit": {
                name: report[name]
                for name in (
                    "verdict",
                    "blocks",
                    "instructions",
                    "signatures",
                    "holdings",
                    "differences",
                )
            },
            "tamper": {
                "found": tampered["verdict"] != "clean",
                "where": [place_of(one) for one in tampered["findings"][:3]],
            },
            "iso20022": {"in": story.messages_in, "out": story.messages_out},
            "elapsed_s": round(time.monotonic() - began, 1),
        }
    finally:
        stage.close()


def _open(stage: Stage) -> None:
    """Start the operator with a close that is still ahead when it listens, however slow it is."""
    closes_in_s = _CLOSES_IN_S
    while True:
        opened_at = int(time.time())
        stage.hours = hours(opened_at, closes_in_s)
        stage.start_operator()
        if time.time() - opened_at < closes_in_s // 2:
            return
        stage.kill_operator()
        closes_in_s *= 2


def _with_iso(plan: Plan) -> dict[int, dict[str, int]]:
    """What each has at first, and what the trade by messages needs."""
    holdings = {place: dict(of) for place, of in plan.at_first.items()}
    for place, code, units in ((0, iso.ISIN, iso.QUANTITY), (1, "EUR", iso.AMOUNT)):
        of = holdings.setdefault(place, {})
        of[code] = of.get(code, 0) + units
    return holdings
