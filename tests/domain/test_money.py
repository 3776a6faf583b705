from decimal import Decimal

import pytest
from babel.core import get_global
from hypothesis import given
from hypothesis import strategies as st

from ordre.domain.money import DIGITS, MAX_AMOUNT, share_out, tax_in


@given(st.integers(-MAX_AMOUNT, MAX_AMOUNT), st.lists(st.integers(0, 10**9), min_size=1, max_size=50).filter(any))
def test_a_share_out_neither_loses_nor_invents_a_unit(amount: int, weights: list[int]) -> None:
    shares = share_out(amount, weights)
    assert sum(shares) == amount
    for share, weight in zip(shares, weights, strict=True):
        exact = Decimal(amount) * weight / sum(weights)
        assert abs(share - exact) <= 1


@pytest.mark.parametrize(
    ("amount", "weights", "shares"),
    [(100, [1, 1, 1], [34, 33, 33]), (-100, [1, 1, 1], [-34, -33, -33]), (1, [0, 1], [0, 1]), (0, [3, 4], [0, 0])],
)
def test_share_out(amount: int, weights: list[int], shares: list[int]) -> None:
    assert share_out(amount, weights) == shares


@pytest.mark.parametrize("weights", [[], [0, 0], [1, -1, 5]])
def test_a_share_out_needs_weights(weights: list[int]) -> None:
    with pytest.raises(ValueError, match=r"weights|empty"):
        share_out(10, weights)


@pytest.mark.parametrize(
    ("gross", "percentage", "tax"),
    [
        (39800, "25", 7960),
        (-39800, "25", -7960),
        (100, "0", 0),
        (105, "110", 55),
        (1, "100", 1),
        (-1, "100", -1),
        (10001, "12.5", 1111),
    ],
)
def test_tax_in_a_gross_amount(gross: int, percentage: str, tax: int) -> None:
    assert tax_in(gross, Decimal(percentage)) == tax


def test_every_currency_in_use_is_known() -> None:
    in_use = {
        currency
        for currencies in get_global("territory_currencies").values()
        for currency, _, end, tender in currencies
        if end is None and tender
    }
    assert in_use <= DIGITS.keys()


@pytest.mark.parametrize(("currency", "digits"), [("NOK", 2), ("JPY", 0), ("ISK", 0), ("KWD", 3), ("CLF", 4), ("IQD", 3)])
def test_digits_are_those_of_iso_4217(currency: str, digits: int) -> None:
    assert DIGITS[currency] == digits
