"""How long to wait before another try: full jitter, and what the endpoint asks for.

Source: runtimes/CONTRACT.md, "Transport".
"""

import random
import re
import time

from agentloop.extraction import WHITE_SPACE
from agentloop.run_file import TransportRetries

_SECONDS = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_MOST_S = 1e12

_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_DAY, _LONG_DAY = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)", "(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day"
_MONTH, _TIME = (
    f"(?P<month>{'|'.join(_MONTHS)})",
    "(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})",
)
# RFC 9110, section 5.6.7: IMF-fixdate, the form of RFC 850, and that of asctime.
_DATES = (
    rf"{_DAY}, (?P<day>[0-9]{{2}}) {_MONTH} (?P<year>[0-9]{{4}}) {_TIME} GMT",
    rf"{_LONG_DAY}, (?P<day>[0-9]{{2}})-{_MONTH}-(?P<year>[0-9]{{2}}) {_TIME} GMT",
    rf"{_DAY} {_MONTH} (?P<day>[0-9]{{2}}| [0-9]) {_TIME} (?P<year>[0-9]{{4}})",
)
_YEARS_AHEAD = 50


def backoff_s(transport: TransportRetries, failures_before: int) -> float:
    """Draw how many seconds to wait after a failed try, when `failures_before` others failed before it.

    Full jitter: anything up to a bound that doubles with every failure.
    """
    # The exponent is bounded because the float is not.
    bound_s = min(transport.cap_s, transport.base_s * 2.0 ** min(failures_before, 64))
    return random.uniform(0, bound_s)


def retry_after_s(value: str, now: float | None = None) -> float:
    """Return how many seconds a Retry-After header, a number or an HTTP date, asks to wait; 0 without sense.

    `now`, in seconds since 1970, is the time from which a date counts, or None for the clock's.
    Source: RFC 9110, section 10.2.3, and runtimes/contract/vectors/retry_after.json.
    """
    value = value.strip(WHITE_SPACE)
    if _SECONDS.fullmatch(value):
        return min(float(value), _MOST_S)
    date = next((date for form in _DATES if (date := re.fullmatch(form, value))), None)
    return 0.0 if date is None else _seconds_until(date, time.time() if now is None else now)


def _seconds_until(date: re.Match[str], now: float) -> float:
    """Return the seconds from `now` until the date, 0 for one that has passed or does not exist."""
    # Dates are rare, so what they need is loaded when one comes.
    from datetime import UTC, datetime

    year = int(date["year"])
    if len(date["year"]) == 2:
        # The latest year that ends like this and is not too far ahead.
        latest = time.gmtime(now).tm_year + _YEARS_AHEAD
        year = latest - (latest - year) % 100
    try:
        then = datetime(
            year,
            _MONTHS.index(date["month"]) + 1,
            int(date["day"]),
            int(date["hour"]),
            int(date["minute"]),
            int(date["second"]),
            tzinfo=UTC,
        )
    except ValueError:
        return 0.0
    return max(0.0, then.timestamp() - now)
