"""Whole minor units: limits, signs, tax out of gross, sharing out without losing a unit, digits per currency."""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal

MAX_AMOUNT = 2**53 - 1
"""The largest amount either side of zero: what every JSON reader can hold exactly."""

_NO_DIGITS = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THREE_DIGITS = "BHD IQD JOD KWD LYD OMR TND"
_FOUR_DIGITS = "CLF UYW"
_TWO_DIGITS = """
AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CNY COP
COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES
KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD
PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD
TWD TZS UAH USD USN UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG
"""

DIGITS: dict[str, int] = {
    currency: digits
    for digits, currencies in ((0, _NO_DIGITS), (2, _TWO_DIGITS), (3, _THREE_DIGITS), (4, _FOUR_DIGITS))
    for currency in currencies.split()
}
"""ISO 4217 currency -> the digits of its minor unit."""


def sign(amount: int) -> int:
    """Return -1, 0 or 1."""
    return (amount > 0) - (amount < 0)


def amount_text(amount: int, currency: str) -> str:
    """Return an amount in minor units as people write it, such as ``NOK 1,398.00``; of an unknown currency with two digits."""
    digits = DIGITS.get(currency, 2)
    whole, rest = divmod(abs(amount), 10**digits)
    return f"{currency} {'-' if amount < 0 else ''}{whole:,}" + (f".{rest:0{digits}d}" if digits else "")


def tax_in(gross: int, percentage: Decimal) -> int:
    """Return the tax that a price of ``gross`` minor units includes at ``percentage``; a half unit goes away from zero."""
    tax = Decimal(gross) * percentage / (100 + percentage)
    return int(tax.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def share_out(amount: int, weights: Sequence[int]) -> list[int]:
    """Split ``amount`` by ``weights`` (none negative, not all zero) so that the shares add up to it exactly.

    The units that rounding down leaves over go to the largest remainders, the first of equals first.
    """
    total = sum(weights)
    if total <= 0 or min(weights) < 0:
        raise ValueError("weights are not negative and not all zero")
    size = abs(amount)
    shares = [size * weight // total for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda index: -(size * weights[index] % total))
    for index in by_remainder[: size - sum(shares)]:
        shares[index] += 1
    return [share * sign(amount) for share in shares]
