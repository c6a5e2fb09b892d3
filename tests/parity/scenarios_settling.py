"""Every reason for which settling, affirming and ending are refused, step by step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from settle.domain.ids import ZERO_ADDRESS, AssetId
from settle.domain.instruction import MAX_BATCH_LEGS, MAX_LEGS, MAX_WINDOW
from settle.domain.ledger import Standing
from tests.parity.market import set_standing
from tests.parity.scenario import BAD, FAR, GOOD, NOTHING, Scenario, leg


def malformed_terms(s: Scenario) -> None:
    a, b, c, *_ = s.both.world.owners
    plain = s.dvp(a, b)
    for code, odd in (
        ("XLEG", replace(plain, legs=())),
        ("XLEG", replace(plain, legs=plain.legs * 4 + plain.legs[:1])),
        ("XQTY", replace(plain, legs=(leg(1, a, b, 0),))),
        ("XSLF", replace(plain, legs=(leg(1, a, a, 1),))),
        ("XINI", replace(plain, initiator=c)),
        ("XWIN", replace(plain, settle_by=plain.settle_from)),
        ("XOPT", replace(plain, options=4)),
        ("XCYC", replace(plain, cycle=b"\x01".rjust(32))),
        ("XPRE", replace(plain, predecessor=b"\x01".rjust(32))),
        ("XLOT", replace(plain, minimum_lot=1)),
        ("XLOT", replace(plain, options=1, minimum_lot=6)),
        # All at once, so that their order is compared.
        (
            "XQTY",
            replace(
                plain,
                initiator=c,
                settle_by=plain.settle_from,
                options=6,
                cycle=b"\xff" * 32,
                predecessor=b"\xff" * 32,
                minimum_lot=9,
                legs=(leg(1, a, a, 0), leg(9, b, b, 0)),
            ),
        ),
    ):
        assert s.settle(odd) == code
        assert s.affirm(odd) == code
        assert s.release(odd, a) == code
    assert s.settle(replace(plain, options=3, minimum_lot=5)) == ""
    # Terms that can never settle say nothing of their nonce, settled though it is.
    assert s.settle(replace(plain, options=4)) == "XOPT"


def nonce(s: Scenario) -> None:
    a, b, *_ = s.both.world.owners
    first, second, third = s.dvp(a, b), s.dvp(a, b), s.dvp(a, b)
    assert s.settle(first) == ""
    assert s.settle(first) == s.affirm(first) == s.cancel(first, (a,)) == "XDON"
    assert s.cancel(second, (a,)) == ""
    assert s.settle(second) == s.reserve(second, a, committed=True) == "XCAN"
    assert s.affirm(third) == ""
    rival = replace(third, terms=b"other".ljust(32))
    assert s.settle(rival) == s.cancel(rival, (a,)) == s.withdraw(rival, b) == "XOCC"
    assert s.settle(third, ()) == ""
    for number in (126, 127, 128, 2**64 - 1):
        assert s.settle(s.dvp(a, b, nonce=number)) == ""


def time(s: Scenario) -> None:
    a, b, *_ = s.both.world.owners
    start = s.both.now
    early = s.dvp(a, b, settle_from=start + 10, settle_by=start + 20)
    for instant, code in ((start + 9, "FUTU"), (start + 10, ""), (start + 11, "XDON")):
        s.wait_until(instant)
        assert s.settle(early) == code
    late = s.dvp(a, b, settle_by=start + 30)
    s.wait_until(start + 29)
    assert s.affirm(late) == s.reserve(late, a, committed=False) == ""
    s.wait_until(start + 30)
    # Everything at once, so that the order of the gates is compared.
    s.freeze_account(a)
    broke = s.dvp(a, b, settle_from=start + 31, legs=(leg(1, a, b, 999), leg(2, b, a, 999)))
    assert s.settle(broke, (NOTHING, BAD)) == s.settle(broke, (GOOD,)) == "FUTU"
    assert s.settle(late, (NOTHING, BAD)) == s.settle(late, ()) == "ADEA"
    s.freeze_account(a, frozen=False)
    assert s.settle(late) == s.cancel(late, (a,)) == s.withdraw(late, b) == "ADEA"
    assert s.reserve(late, b, committed=False) == s.affirm(late) == "ADEA"
    assert s.release(late, a, BAD) == ""


def consent(s: Scenario) -> None:
    a, b, c, *_ = s.both.world.owners
    trade = s.dvp(a, b)
    assert s.settle(trade, ()) == s.settle(trade, (NOTHING, GOOD)) == "XCON"
    assert s.settle(trade, (GOOD,)) == s.settle(trade, (GOOD, GOOD, GOOD)) == "XSIG"
    assert s.settle(trade, (GOOD, BAD)) == "XBAD"
    assert s.affirm(trade, (NOTHING, GOOD), caller=c) == "XCON"
    assert s.affirm(trade, (NOTHING, NOTHING), caller=c) == "XNIL"
    assert s.affirm(trade, (GOOD,)) == "XSIG"
    assert s.affirm(trade, (GOOD, BAD)) == "XBAD"
    assert s.affirm(trade, (NOTHING, NOTHING), caller=a) == ""
    assert s.affirm(trade, (NOTHING, NOTHING), caller=a) == "XNIL"
    assert s.settle(trade, (BAD, GOOD)) == "XBAD"
    assert s.withdraw(trade, a) == s.withdraw(trade, c) == "XPTY"
    assert s.withdraw(trade, b, BAD) == "XBAD"
    assert s.withdraw(trade, b, NOTHING) == ""
    assert s.withdraw(trade, b) == s.affirm(trade) == s.settle(trade) == "XWDR"
    assert s.reserve(trade, b, committed=True) == "XWDR"
    # A caller whose consent is on chain, and who may no longer enter, still relays that of others.
    other = s.dvp(a, b)
    assert s.affirm(other, (GOOD, NOTHING)) == ""
    set_standing(s.both, a, Standing.SUSPENDED, 1)
    assert s.affirm(other, (NOTHING, GOOD), caller=a) == ""
    assert s.withdraw(other, b) == s.cancel(other, (a,)) == "XIRR"


def standing(s: Scenario) -> None:
    a, b, *_ = s.both.world.owners
    trade, odd = s.dvp(a, b), s.dvp(a, s.both.world.stranger)
    assert s.settle(odd) == s.affirm(odd) == "XADM"
    zero = s.dvp(a, ZERO_ADDRESS, legs=(leg(1, a, ZERO_ADDRESS, 1),))
    assert s.settle(zero) == "XADM"
    assert s.affirm(trade, (GOOD, NOTHING)) == ""
    set_standing(s.both, b, Standing.SUSPENDED, 7)
    assert s.settle(trade) == s.affirm(trade, (NOTHING, GOOD)) == "XSUS"
    assert s.reserve(trade, b, committed=False) == "XSUS"
    assert s.reserve(trade, b, committed=False, given=BAD) == "XSUS"
    assert s.withdraw(trade, b) == ""


def value(s: Scenario) -> None:
    a, b, *_ = s.both.world.owners
    trade = s.dvp(a, b)
    s.freeze_account(b)
    assert s.settle(trade) == "BLOC"
    # A frozen account still receives.
    free = s.dvp(a, b, legs=(leg(1, a, b, 1),))
    assert s.settle(free) == ""
    assert s.affirm(trade) == ""
    assert s.reserve(trade, b, committed=False) == "BLOC"
    s.freeze_account(b, frozen=False)
    s.freeze_asset(2)
    assert s.settle(trade) == s.reserve(trade, b, committed=False) == "SBLO"
    s.freeze_asset(2, frozen=False)
    unknown = s.dvp(a, b, legs=(leg(8, a, b, 1), leg(2, b, a, 1)))
    assert s.settle(unknown) == "XAST"
    assert s.affirm(unknown) == ""
    assert s.reserve(unknown, a, committed=True) == "XAST"
    cash = {2, 3, 4}
    for asset in range(1, 7):
        have = s.both.state.books.holding(a, AssetId(asset)).available
        code = "MONY" if asset in cash else "LACK"
        for quantity, told in ((have + 1, code), (have, "")):
            gift = s.dvp(a, b, legs=(leg(asset, a, b, quantity),))
            assert s.affirm(gift) == ""
            assert s.reserve(gift, a, committed=True) == told
            assert s.settle(gift, ()) == told


def order_of_legs(s: Scenario) -> None:
    a, b, c, *_ = s.both.world.owners
    handed_on = (leg(1, a, b, 200), leg(1, b, c, 400), leg(1, c, a, 600))
    assert s.settle(s.dvp(a, b, legs=handed_on[::-1])) == "LACK"
    # A leg that is not covered leaves the later ones what there was before.
    partly = (leg(1, a, b, 201), leg(1, a, b, 150), leg(1, b, c, 351), leg(1, b, c, 350))
    assert s.settle(s.dvp(a, b, legs=partly)) == "LACK"
    assert s.settle(s.dvp(a, b, legs=handed_on)) == ""
    longest = (leg(2, a, b, 25), leg(2, b, c, 1)) * (MAX_LEGS // 2)
    assert s.settle(s.dvp(a, b, legs=longest)) == ""
    # Both legs of one account and one asset lean on each other when they are reserved.
    twice = s.dvp(a, b, legs=(leg(2, a, b, 50), leg(2, a, c, 51)))
    assert s.affirm(twice) == ""
    assert s.reserve(twice, a, committed=True) == "MONY"


def reservations(s: Scenario) -> None:
    a, b, c, *_ = s.both.world.owners
    start = s.both.now
    trade = s.dvp(a, b)
    assert s.reserve(trade, a, committed=True) == s.reserve(trade, c, committed=True) == "XCON"
    assert s.affirm(trade, (GOOD, NOTHING)) == ""
    assert s.reserve(trade, c, committed=True) == "XPTY"
    assert s.reserve(trade, a, committed=False, given=BAD) == "XBAD"
    assert s.reserve(trade, a, committed=False) == ""
    assert s.reserve(trade, a, committed=False) == s.release(trade, b) == "XRSV"
    assert s.release(trade, a, BAD) == s.release(trade, a, NOTHING, caller=b) == "XBAD"
    assert s.release(trade, a) == ""
    assert s.reserve(trade, a, committed=False) == "XONC"
    assert s.reserve(trade, a, committed=False, given=NOTHING) == ""
    assert s.release(trade, a) == "XONC"
    assert s.reserve(trade, a, committed=True, given=NOTHING) == ""
    assert s.reserve(trade, a, committed=True, given=NOTHING) == "XRSV"
    # Committed binds nobody before all have committed.
    assert s.release(trade, a, NOTHING) == ""
    assert s.reserve(trade, a, committed=True, given=NOTHING) == ""
    assert s.reserve(trade, b, committed=False) == ""
    assert s.release(trade, a, NOTHING) == ""
    assert s.reserve(trade, a, committed=True, given=NOTHING) == ""
    assert s.reserve(trade, b, committed=True) == ""
    assert s.release(trade, a, NOTHING) == s.release(trade, b) == "XBND"
    s.wait_until(start + FAR - 1)
    assert s.release(trade, a, NOTHING) == "XBND"
    s.wait_until(start + FAR)
    assert s.release(trade, a, NOTHING, caller=c) == s.release(trade, b, BAD) == ""
    # Nor before everybody has consented, those included who only receive.
    given = s.dvp(a, b, legs=(leg(1, a, c, 1), leg(2, b, a, 1)))
    assert s.affirm(given, (GOOD, NOTHING, GOOD)) == s.reserve(given, a, committed=True) == ""
    assert s.reserve(given, b, committed=True) == s.release(given, a) == ""
    assert s.reserve(given, a, committed=True, given=NOTHING) == ""
    assert s.affirm(given, (NOTHING, GOOD, NOTHING)) == ""
    assert s.release(given, a, NOTHING) == s.release(given, b) == "XBND"
    for ahead, code in ((1, "XFAR"), (0, "")):
        far = s.dvp(a, b, settle_by=s.both.now + MAX_WINDOW + ahead)
        assert s.affirm(far) == code


def settles_what_is_reserved(s: Scenario) -> None:
    a, b, c, *_ = s.both.world.owners
    legs = (leg(1, a, b, 150), leg(2, b, a, 10), leg(1, a, c, 50))
    trade = s.dvp(a, b, legs=legs)
    assert s.affirm(trade) == ""
    assert s.reserve(trade, a, committed=True) == s.reserve(trade, b, committed=False) == ""
    assert s.settle(s.dvp(a, b)) == "LACK"
    assert s.settle(trade, ()) == ""
    assert s.release(trade, a) == "XRSV"


def cancellation(s: Scenario) -> None:
    a, b, c, *_ = s.both.world.owners
    trade = s.dvp(a, b)
    assert s.cancel(trade, (a,), valid_for=0) == s.cancel(trade, (a, b), valid_for=0) == "XEXP"
    assert s.cancel(trade, ()) == s.cancel(trade, (a, b, a)) == "XSIG"
    assert s.cancel(trade, (a,), given=BAD) == s.cancel(trade, (a, b), given=BAD) == "XBAD"
    assert s.affirm(trade) == s.reserve(trade, a, committed=True) == ""
    assert s.reserve(trade, b, committed=True) == ""
    assert s.cancel(trade, (a,)) == "XIRR"
    assert s.cancel(trade, (a, b)) == ""
    alone = s.dvp(a, b)
    assert s.affirm(alone, (GOOD, NOTHING)) == s.reserve(alone, a, committed=True) == ""
    assert s.cancel(alone, (a,)) == ""
    withdrawn = s.dvp(a, c)
    assert s.affirm(withdrawn, (GOOD, NOTHING)) == ""
    three = s.dvp(a, b, legs=(leg(1, a, b, 1), leg(2, b, a, 1), leg(2, c, a, 1)))
    assert s.affirm(three, (GOOD, NOTHING, NOTHING)) == ""
    assert s.reserve(three, b, committed=False) == s.withdraw(three, b) == ""
    assert s.affirm(three, (NOTHING, NOTHING, GOOD)) == ""


def batches(s: Scenario) -> None:
    a, b, *_ = s.both.world.owners
    assert s.settle_many() == "BatchEmpty"
    one = s.dvp(a, b)
    # What an earlier trade of the batch brings, a later one may deliver.
    onward = s.dvp(b, a, legs=(leg(1, b, a, 205),))
    assert s.settle_many(onward, one, onward, one) == ""
    long = s.dvp(a, b, legs=one.legs * 4)
    empty = replace(one, legs=())
    assert s.settle_many(*[long] * (MAX_BATCH_LEGS // 8), empty) == "BatchTooLarge"
    many = replace(one, legs=one.legs * (MAX_BATCH_LEGS // 2))
    assert s.settle_many(many) == ""
    assert s.settle_many(many, empty) == "BatchTooLarge"


def wallets(s: Scenario) -> None:
    a, wallet = s.both.world.owners[0], s.both.world.wallet
    trade = s.dvp(wallet, a)
    assert s.settle(trade, (BAD, GOOD)) == "XBAD"
    assert s.affirm(trade, (NOTHING, GOOD), caller=wallet) == ""
    assert s.reserve(trade, wallet, committed=True) == ""
    assert s.settle(trade, (GOOD, NOTHING)) == ""


SETTLING: tuple[Callable[[Scenario], None], ...] = (
    *(malformed_terms, nonce, time, consent, standing, value, order_of_legs),
    *(reservations, settles_what_is_reserved, cancellation, batches, wallets),
)
