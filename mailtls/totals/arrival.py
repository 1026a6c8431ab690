"""A mail that came in, and what became of it, as its disposition says. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mailtls.reports.bucket_layout import from_bytes
from mailtls.tls_rpt.contract import Disposition


@dataclass(frozen=True, slots=True)
class Arrival:
    """One raw mail. at: when it was stored. size: bytes.

    became: None while it is in flight or among the dead letters. told: why it was kept apart, or what is wrong with its
    disposition. signer: who signed, where that was proven. reports: keys of its reports in the ledger.
    """

    mail: str
    at: datetime
    size: int
    became: Disposition | None
    told: str = ""
    signer: str = ""
    reports: tuple[str, ...] = ()

    @property
    def policy_domains(self) -> tuple[str, ...]:
        """Those that its reports are about, each once."""
        return tuple(dict.fromkeys(key.split("/")[1] for key in self.reports if key.count("/") > 1))


def dealt_with(raw: Arrival, body: bytes) -> Arrival:
    """`raw` with what its disposition says. body: of the disposition's object. Raises nothing: see `told`."""
    try:
        data = from_bytes(body)
        became = Disposition(data["disposition"])
        told = ": ".join(filter(None, (_text(data, "reason"), _text(data, "detail"))))
        keys = tuple(key for name in ("stored", "duplicates") for key in data[name] if isinstance(key, str))
        return Arrival(raw.mail, raw.at, raw.size, became, told, _text(data, "signer"), keys)
    except (ValueError, KeyError, TypeError, RecursionError) as e:
        return Arrival(raw.mail, raw.at, raw.size, None, f"its disposition cannot be read: {e!r}")


def _text(data: dict[str, Any], key: str) -> str:
    value = data.get(key)
    return value if isinstance(value, str) else ""
