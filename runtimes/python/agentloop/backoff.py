"""How long to wait before another try: full jitter, and what the endpoint asks for.

Source: runtimes/CONTRACT.md, "Transport".
"""

import random
import re
import time

from agentloop.run_file import TransportRetries

_SECONDS = re.compile(r"[0-9]+(\.[0-9]+)?")


def backoff_s(transport: TransportRetries, failures_before: int) -> float:
    """Draw how many seconds to wait after a failed try, when `failures_before` others failed before it.

    Full jitter: anything up to a bound that doubles with every failure.
    """
    # The exponent is bounded because the float is not.
    bound_s = min(transport.cap_s, transport.base_s * 2.0 ** min(failures_before, 64))
    return random.uniform(0, bound_s)


def retry_after_s(value: str) -> float:
    """Return how many seconds a Retry-After header, a number or an HTTP date, asks to wait; 0 without sense.

    Source: RFC 9110, section 10.2.3.
    """
    if _SECONDS.fullmatch(value):
        return min(float(value), 1e9)
    # Rare, and it takes 1 MiB, so it is loaded when needed.
    from email.utils import mktime_tz, parsedate_tz

    date = parsedate_tz(value)
    try:
        return max(0.0, mktime_tz(date) - time.time()) if date else 0.0
    except (ValueError, OverflowError):
        return 0.0
