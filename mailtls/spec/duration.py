"""How long senders may keep a policy, as people write it: seconds, or 30m, 12h, 7d, 2w."""

from mailtls.mta_sts.policy import MAX_AGE
from mailtls.spec.errors import Fault, quoted

_UNITS = {"m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}


def written(length: int) -> str:
    """So many seconds in the largest unit that says them exactly; zero and odd numbers as plain seconds."""
    for unit, size in reversed(_UNITS.items()):
        if length and length % size == 0:
            return f"{length // size}{unit}"
    return str(length)


def seconds(value: int | str, path: tuple[str, ...], faults: list[Fault]) -> int:
    """A max_age in seconds: `value` is in range already when it is a number, and has a unit when it is text."""
    length = int(value[:-1]) * _UNITS[value[-1]] if isinstance(value, str) else int(value)
    if length > MAX_AGE:
        message = f"{quoted(value)} is {length} seconds; {MAX_AGE} is the most, so 365d or 52w (RFC 8461 section 3.2)"
        faults.append(Fault(path, message, rule="max-age-out-of-range"))
    return length
