"""`settle demo escrow`: the worked examples lived through, from files to the audited books."""

from __future__ import annotations

import hashlib
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from settle.chain.eip712 import address_of
from settle.chain.profile import load_profile
from settle.demo.audits import audit
from settle.demo.escrow_play import ASSETS, DAY_S, SECRET, Play
from settle.demo.plan import Member
from settle.demo.stage import Stage, hours
from settle.domain.ids import AssetId, Bic, Lei, lei_check_digits
from settle.local_chain import open_local_chain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

UNCLOSED: Final = "subscription, not closed"
EXAMPLES: Final[Mapping[str, str]] = {
    **{name: name for name in ("purchase", "receivable", "cross-chain", "subscription", "deposit")},
    UNCLOSED: "subscription",
}
"""What is lived through, and the file it is written in."""
_PEOPLE: Final = 8
_KEYS: Final = tuple(number.to_bytes(32, "big") for number in range(1, _PEOPLE + 1))
"""The accounts of the examples are of keys that everybody knows."""
_GRANT: Final = 200_000_000


def run_escrow_demo(root: Path, engine: str, tell: Callable[[str], None]) -> dict[str, Any]:
    """Live through the examples in a folder of its own; `tell` is told how it goes.

    Raises: Unavailable and Broken for what fails on the way.
    """
    began = time.monotonic()
    profile = load_profile(root / "chain.toml", engine)
    folder = Path(tempfile.mkdtemp(prefix="settle-demo-"))
    chain = open_local_chain(profile, folder, root=root)
    stage = Stage(
        chain, profile, root, _members(), hours(int(time.time()), DAY_S // 24), tell, _KEYS
    )
    try:
        tell(f"chain {profile.chain_id} ({profile.name}) runs, contracts are deployed; {folder}")
        _set(stage)
        results = _live(Play(stage, tell), root / "examples" / "escrow")
        tell("the auditor replays the chain")
        report = audit(stage, folder / "operator.db")
    finally:
        stage.close()
    return {
        "engine": profile.name,
        "escrows": results,
        "audit": {
            "verdict": report["verdict"],
            "escrows": report["escrows"],
            "milestones": report["milestones"],
        },
        "elapsed_s": round(time.monotonic() - began, 1),
    }


def _members() -> list[Member]:
    found = []
    for number in range(_PEOPLE):
        letter = "ABCDEFGH"[number]
        base = "999900" + "DEMO" + letter * 8
        found.append(
            Member(
                lei=Lei(base + lei_check_digits(base)),
                bic=Bic(f"DEM{letter}DEFFXXX"),
                name=f"Account {number + 1} of the examples",
            )
        )
    return found


def _set(stage: Stage) -> None:
    desk, people = stage.chain.desk, [address_of(key) for key in _KEYS]
    stage.admit()
    orders = [desk.create_asset(kind, decimals, code, people[0]) for code, kind, decimals in ASSETS]
    stage.perform("assets", orders)
    stage.assets = {code: AssetId(n) for n, (code, _, _) in enumerate(ASSETS, start=1)}
    stage.issue({place: dict.fromkeys(stage.assets, _GRANT) for place in range(_PEOPLE)})
    stage.start_operator()
    stage.introduce()


def _live(play: Play, folder: Path) -> list[dict[str, Any]]:
    """Live through all of them side by side: what takes days is waited for once."""
    before = play.holdings()
    found = {name: play.open(name, folder / f"{file}.toml") for name, file in EXAMPLES.items()}
    for example in found.values():
        play.opened(example)
    purchase, receivable, deposit = (found[one] for one in ("purchase", "receivable", "deposit"))

    secret = play.words(found["cross-chain"], found["cross-chain"].account("buyer"))
    play.send(
        found["cross-chain"],
        "buyer",
        secret.preimage(0, SECRET),
        "the seller took its payment on the other chain; buyer shows the secret that it used there",
    )
    play.state_fact(found["subscription"], "registrar", 0)
    play.state_fact(receivable, "warehouse", 0)
    play.state_fact(receivable, "buyer", 0)
    play.state_fact(purchase, "carrier", 0)
    play.ends(purchase, 0)
    play.state_fact(purchase, "carrier", 1)
    play.ends(purchase, 1)
    play.state_fact(purchase, "buyer", 2)
    play.ends(purchase, 2)
    play.ends(found["cross-chain"], 0)
    play.ends(found["subscription"], 0)
    play.ends(receivable, 0)

    landlord = play.words(deposit, deposit.account("landlord"))
    file = hashlib.sha256(b"photographs of the floor").digest()
    play.send(
        deposit,
        "landlord",
        landlord.dispute(0, file, valid_by=play.now() + DAY_S),
        "landlord disputes; the photographs stay with it, their hash goes on chain",
    )
    play.until(deposit, lambda one: one.milestones[0].disputed_at is not None)
    play.travel(91)
    play.ends(receivable, 1)
    play.say(found[UNCLOSED], "the registrar entered nothing before the deadline")
    play.ends(found[UNCLOSED], 0)
    play.say(deposit, "no arbiter of three answers, and the fallback is silent as well")
    play.travel(360)
    play.ends(deposit, 0)
    results = [play.result(one) for one in found.values()]
    play.compare(before, list(found.values()))
    return results
