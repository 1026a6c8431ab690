"""Property names of the provider and parameter names of the API: `noncurrentDays` is `NoncurrentDays` there.

What the API does not know is refused by boto3, so a property that is spelled on by rule is never dropped in silence.
"""

from collections.abc import Mapping
from typing import Any


def to_api(value: Any, names: Mapping[str, str] | None = None) -> Any:
    """Keys with a capital first letter, all the way down, or as `names` says. None is left out."""
    names = names or {}
    if isinstance(value, dict):
        return {names.get(k, k[:1].upper() + k[1:]): to_api(v, names) for k, v in value.items() if v is not None}
    if isinstance(value, list):
        return [to_api(item, names) for item in value]
    return value


def from_api(value: Any, names: Mapping[str, str] | None = None) -> Any:
    """The inverse. names: the same mapping as for `to_api`."""
    back = {api: own for own, api in (names or {}).items()}
    return _from_api(value, back)


def _from_api(value: Any, back: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {back.get(k, k[:1].lower() + k[1:]): _from_api(v, back) for k, v in value.items()}
    if isinstance(value, list):
        return [_from_api(item, back) for item in value]
    return value
