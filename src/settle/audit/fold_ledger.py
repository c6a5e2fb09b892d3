"""What each event of the ledger does to the books, and whether it can be (laws L2 and L8).

A result that does not follow is told, and then taken over: later events are judged by what the
chain states, so that one difference is one finding.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from settle.audit import books as state
from settle.audit.books import Amounts, Asset, Books, Hold
from settle.audit.events import Event
from settle.audit.findings import Code, Findings

_LOW: Final = (1 << 128) - 1
_MOST_DECIMALS: Final = 18
_CLASSES: Final = range(1, 7)


class LedgerFold:
    """Applies the ledger's events to `books`."""

    def __init__(self, books: Books, findings: Findings) -> None:
        """Start from these books."""
        self._books = books
        self._findings = findings
        self.by_name: dict[str, Callable[[Event], None]] = {
            "StandingSet": self._standing_set,
            "AccountFrozen": self._account_frozen,
            "AssetFrozen": self._asset_frozen,
            "AssetCreated": self._asset_created,
            "ModuleSet": self._module_set,
            "Issued": self._issued,
            "Redeemed": self._redeemed,
            "Posted": self._posted,
            "Moved": self._moved,
            "HoldPlaced": self._hold_placed,
            "HoldEnded": self._hold_ended,
        }

    def balance(self, event: Event | None) -> None:
        """Check at the end of a transaction that postings add up to zero for each asset."""
        books = self._books
        if event is not None:
            for (subject, asset), total in books.moved.items():
                if total:
                    fact = "the sum of a posting"
                    self._findings.tell(
                        event.place,
                        Code.IMPOSSIBLE,
                        fact,
                        instruction=subject,
                        asset=asset,
                        stated=total,
                        computed=0,
                    )
        books.moved.clear()

    # ------------------------------------------------------------------------ accounts and assets

    def _standing_set(self, event: Event) -> None:
        values = event.arguments
        word = self._books.account(values["account"])
        word.standing, word.class_ = values["standing"], values["class"]

    def _account_frozen(self, event: Event) -> None:
        self._books.account(event.arguments["account"]).frozen = bool(event.arguments["frozen"])

    def _asset_frozen(self, event: Event) -> None:
        asset = self._asset(event, event.arguments["asset"])
        if asset is not None:
            asset.frozen = bool(event.arguments["frozen"])

    def _asset_created(self, event: Event) -> None:
        values, books = event.arguments, self._books
        number, code = values["asset"], values["code"]
        if number != len(books.assets) + 1:
            self._impossible(event, "the number of the asset", number, len(books.assets) + 1)
        if code in books.codes:
            self._impossible(
                event, f"the code, asset {books.codes[code]} has it", code, "a new one"
            )
        if values["class"] not in _CLASSES or values["decimals"] > _MOST_DECIMALS:
            stated = (values["class"], values["decimals"])
            self._impossible(event, "class and decimals of the asset", stated, "known ones")
        books.codes[code] = number
        books.assets[number] = Asset(values["class"], values["decimals"], code, values["issuer"])

    def _module_set(self, event: Event) -> None:
        self._books.modules[event.arguments["module"]] = bool(event.arguments["active"])

    # ------------------------------------------------------------------------ supply

    def _issued(self, event: Event) -> None:
        values = event.arguments
        account, asset = values["account"], values["asset"]
        if not self._books.is_open(asset):
            self._findings.tell(event.place, Code.ASSET_FROZEN, "an issue", asset=asset)
        if self._books.standing(account) != state.ADMITTED:
            self._findings.tell(event.place, Code.STANDING, "an issue", account=account)
        self.change(event, account, asset, (values["quantity"], 0), values["holding"])
        self._supply(event, asset, values["quantity"], values["totalSupply"])

    def _redeemed(self, event: Event) -> None:
        values, books = event.arguments, self._books
        account, asset, nonce = values["account"], values["asset"], values["nonce"]
        if not books.is_open(asset):
            self._findings.tell(event.place, Code.ASSET_FROZEN, "a redemption", asset=asset)
        if books.account(account).frozen:
            self._findings.tell(event.place, Code.ACCOUNT_FROZEN, "a redemption", account=account)
        before = books.nonce(account, nonce)
        if before != state.OPEN:
            name = state.NONCE_NAMES[before]
            self._findings.tell(
                event.place,
                Code.NONCE,
                f"nonce {nonce} of a redemption",
                account=account,
                stated=name,
                computed="open",
            )
        books.set_nonce(account, nonce, state.SETTLED)
        self.change(event, account, asset, (-values["quantity"], 0), values["holding"])
        self._supply(event, asset, -values["quantity"], values["totalSupply"])

    def _supply(self, event: Event, number: int, delta: int, stated: int) -> None:
        asset = self._asset(event, number)
        if asset is None:
            return
        if stated != asset.supply + delta:
            self._findings.tell(
                event.place,
                Code.RESULT,
                f"total supply after {event.name}",
                asset=number,
                stated=stated,
                computed=asset.supply + delta,
            )
        asset.supply = stated

    # ------------------------------------------------------------------------ movements

    def _posted(self, event: Event) -> None:
        values = event.arguments
        asset, quantity = values["asset"], values["quantity"]
        if not self._books.is_open(asset):
            self._findings.tell(
                event.place, Code.ASSET_FROZEN, "a leg", instruction=event.subject, asset=asset
            )
        for account, delta, word in (
            (values["deliverer"], -quantity, values["delivererHolding"]),
            (values["receiver"], quantity, values["receiverHolding"]),
        ):
            self.change(event, account, asset, (delta, 0), (word & _LOW, word >> 128))
        self._books.posted.add(event.subject)

    def _moved(self, event: Event) -> None:
        values = event.arguments
        account, asset, delta = values["account"], values["asset"], values["delta"]
        if not self._books.modules.get(values["module"]):
            self._impossible(event, "the module of a posting", values["module"], "an active one")
        if delta < 0 and self._books.account(account).frozen:
            self._findings.tell(event.place, Code.ACCOUNT_FROZEN, "a posting", account=account)
        key = (values["id"], asset)
        self._books.moved[key] = self._books.moved.get(key, 0) + delta
        self.change(event, account, asset, (delta, 0), values["holding"])

    def _hold_placed(self, event: Event) -> None:
        hold, quantity = _hold(event), event.arguments["quantity"]
        if hold in self._books.holds:
            self._impossible(event, f"hold {hold.position}", "placed", "live already")
        if hold.deadline <= event.place.time:
            self._impossible(event, "the deadline of a hold", hold.deadline, "in the future")
        self._books.place_hold(hold)
        self.change(
            event, hold.account, hold.asset, (-quantity, quantity), event.arguments["holding"]
        )

    def _hold_ended(self, event: Event) -> None:
        hold, quantity = _hold(event), event.arguments["quantity"]
        if hold not in self._books.holds:
            self._impossible(event, f"hold {hold.position}", "ended", "not live")
        if event.arguments["executed"] and hold.deadline <= event.place.time:
            self._findings.tell(
                event.place,
                Code.WINDOW,
                "execution of a hold",
                instruction=hold.purpose,
                account=hold.account,
                asset=hold.asset,
                stated=event.place.time,
                computed=f"before {hold.deadline}",
            )
        self._books.end_hold(hold)
        self.change(
            event, hold.account, hold.asset, (quantity, -quantity), event.arguments["holding"]
        )

    # ------------------------------------------------------------------------ holdings

    def change(
        self, event: Event, account: bytes, asset: int, delta: Amounts, stated: Amounts
    ) -> None:
        """Add a delta; the sum must be what the event states, which is never negative."""
        if asset not in self._books.assets:
            self._asset(event, asset)
        before = self._books.holding(account, asset)
        after = (before[0] + delta[0], before[1] + delta[1])
        if after != stated:
            self._findings.tell(
                event.place,
                Code.RESULT,
                f"available and held after {event.name}",
                account=account,
                asset=asset,
                stated=stated,
                computed=after,
            )
        self._books.holdings[account, asset] = (stated[0], stated[1])

    def _asset(self, event: Event, number: int) -> Asset | None:
        asset = self._books.assets.get(number)
        if asset is None:
            self._impossible(event, f"asset {number}", "in use", "unknown")
        return asset

    def _impossible(self, event: Event, fact: str, stated: object, computed: object) -> None:
        self._findings.tell(event.place, Code.IMPOSSIBLE, fact, stated=stated, computed=computed)


def _hold(event: Event) -> Hold:
    values = event.arguments
    return Hold(
        values["module"],
        event.subject,
        values["index"],
        values["account"],
        values["asset"],
        values["quantity"],
        values["deadline"],
    )
