"""The document that these escrows are drafted from, and waiting for what becomes of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.cli.test_venue import Venue


def purchase(
    venue: Venue,
    name: str,
    reference: str,
    *,
    amount: str = "250.00",
    arbiters: Sequence[str] = (),
) -> Path:
    """The buyer pays when it accepts the goods; else all returns, or two arbiters say how much."""
    opens = datetime.now(UTC) + timedelta(hours=3)
    accounts = "\n".join(f'{who} = "{venue.account(who)}"' for who in arbiters)
    panel = f'[panel]\narbiters = {list(arbiters)}\nquorum = 2\nanswer_time = "7 days"'
    path = venue.folder / f"{name}.toml"
    path.write_text(f"""
reference = "{reference}"
open_by = {opens.strftime("%Y-%m-%dT%H:00:00Z")}

[accounts]
seller = "{venue.account("a")}"
buyer = "{venue.account("b")}"
{accounts}

[assets]
EUR = {{ number = 2, decimals = 2 }}

{panel if arbiters else ""}

[[milestones]]
name = "goods"
deadline = "2 days"
when = {{ signed = {{ by = "buyer", statement = "goods accepted" }} }}

[[milestones.lines]]
asset = "EUR"
from = "buyer"
to = "seller"
quantity = "{amount}"
if_met = "all"
by_default = "nothing"
if_unruled = "nothing"
""")
    return path


def becomes(venue: Venue, escrow: str, is_so: Callable[[Any], object]) -> Any:
    """The escrow as the seller sees it, once it is so."""
    end = time.monotonic() + 60
    while True:
        found = venue.of("a", "escrow", "show", escrow).json()
        if is_so(found):
            return found
        assert time.monotonic() < end, found
        time.sleep(0.3)


def reaches(venue: Venue, escrow: str, status: str) -> Any:
    """The escrow once it has this status."""
    return becomes(venue, escrow, lambda found: found["status"] == status)


def opened(venue: Venue, path: Path, signers: Sequence[str]) -> str:
    """Its id, once everybody has signed it and its deposits are held."""
    escrow = str(venue.of("a", "escrow", "draft", path).json()["id"])
    for who in signers:
        venue.of(who, "escrow", "sign", escrow, path, "--yes")
    reaches(venue, escrow, "Open")
    return escrow
