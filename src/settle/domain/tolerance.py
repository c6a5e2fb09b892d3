"""By how much two settlement amounts may differ and still match: versioned data, never a constant.

Source: RTS (EU) 2018/1229 Art. 6: EUR 2 up to EUR 100,000, EUR 25 above; other currencies by rate.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from settle.domain.ids import CURRENCY_DECIMALS, CurrencyCode
from settle.domain.money import floor_amount


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """Up to and including `up_to` an amount may differ by `allowed`. In the smallest unit."""

    up_to: int
    allowed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerance:
    """The bands of each currency, in ascending order, and what is allowed above the last one.

    A currency that is not in the table has no tolerance: amounts must be equal.
    """

    version: str
    bands: Mapping[CurrencyCode, tuple[Band, ...]]
    above: Mapping[CurrencyCode, int]

    def allowed(self, currency: CurrencyCode, amount: int) -> int:
        """Give the tolerance of one side that states this amount, in the smallest unit."""
        for band in self.bands.get(currency, ()):
            if amount <= band.up_to:
                return band.allowed
        return self.above.get(currency, 0)


EURO_BANDS: Final = (("100000", "2"),)
EURO_ABOVE: Final = "25"


def tolerance_by_rate(version: str, rates: Mapping[CurrencyCode, str]) -> Tolerance:
    """Build the table from the euro's bands and rates, each the price of one euro.

    A bound or a tolerance that is no whole number of smallest units is rounded down: the stricter.
    Raises: InvalidInput for a rate that is not plain decimal text.
    """
    all_rates = {CurrencyCode("EUR"): "1", **rates}

    def at(euros: str, currency: CurrencyCode) -> int:
        return floor_amount(int(euros), all_rates[currency], CURRENCY_DECIMALS[currency])

    return Tolerance(
        version=version,
        bands={
            currency: tuple(
                Band(up_to=at(up_to, currency), allowed=at(allowed, currency))
                for up_to, allowed in EURO_BANDS
            )
            for currency in all_rates
        },
        above={currency: at(EURO_ABOVE, currency) for currency in all_rates},
    )


CSDR: Final = tolerance_by_rate("RTS 2018/1229", {})
"""The euro alone: rates are the operator's data, with a version of its own."""
