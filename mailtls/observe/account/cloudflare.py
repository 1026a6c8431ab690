"""Cloudflare's API, version 4, read only: the token, zones and their records.

Whatever stands at the other end may be broken or not Cloudflare at all: size, time and pages are bounded, redirects are
refused (the token would go along), and the token stands in no message.
"""

import http.client
import ipaddress
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

from mailtls.discover.mail_names import ZoneRecord, joined

BASE_URL = "https://api.cloudflare.com/client/v4"
TIMEOUT = 30.0
"""Seconds for one answer, whole."""
MAX_ANSWER = 32 << 20
"""Octets. A page of RECORDS_A_PAGE records is some three million."""
ZONES_A_PAGE = 50
RECORDS_A_PAGE = 5000
MAX_PAGES = 400
"""20,000 zones; 2,000,000 records in a zone."""
LONGEST_PAUSE = 330.0
"""Seconds to wait when told that there were too many calls: Cloudflare then blocks all calls for five minutes."""
_READ_SIZE = 1 << 16
_LONGEST_WORDS = 200


class CloudflareError(Exception):
    """No usable answer. The text is one line and holds no secret."""


class CloudflareRefused(CloudflareError):
    """Cloudflare does not take the token, or does not let it do this."""


@dataclass(frozen=True, slots=True)
class Zone:
    """status: `active`, `pending`... kind: `full`, `partial`, `secondary`. name_servers: vanity ones included.
    permissions: of the token in this zone, as `#dns_records:edit`; None when the answer has none."""

    zone_id: str
    name: str
    status: str
    kind: str
    name_servers: tuple[str, ...]
    permissions: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Cloudflare:
    """base_url: https, or http on this machine. pausing: told the seconds before a wait.

    Raises CloudflareError when made with another base URL, and by every call.
    """

    token: str = field(repr=False)
    base_url: str = BASE_URL
    timeout: float = TIMEOUT
    max_answer: int = MAX_ANSWER
    longest_pause: float = LONGEST_PAUSE
    pausing: Callable[[float], None] = field(default=lambda _seconds: None, repr=False)

    def __post_init__(self) -> None:
        _check_base_url(self.base_url)
        if not self.token.isascii() or not self.token.isprintable() or " " in self.token:
            raise CloudflareError("the token has a character that no token has; copy it again")

    def token_status(self) -> tuple[str, str]:
        """Status of a user's token, and when it ends ("" never)."""
        result = self._get("/user/tokens/verify", {}).get("result")
        fields = result if isinstance(result, dict) else {}
        return _text(fields, "status"), str(fields.get("expires_on") or "")

    def zone(self, name: str) -> Zone | None:
        """The zone of that name; None when the token sees none."""
        found = [_zone(item) for item in self._items(self._get("/zones", {"name": name}))]
        return next((zone for zone in found if zone.name == name), None)

    def zone_by_id(self, zone_id: str) -> Zone:
        result = self._get(f"/zones/{zone_id}", {}).get("result")
        if not isinstance(result, dict):
            raise CloudflareError("the answer holds no zone")
        return _zone(result)

    def zones(self) -> Iterator[Zone]:
        """All that the token sees."""
        return (_zone(item) for item in self._pages("/zones", ZONES_A_PAGE))

    def records(self, zone_id: str) -> Iterator[ZoneRecord]:
        """All of a zone."""
        return (_record(item) for item in self._pages(f"/zones/{zone_id}/dns_records", RECORDS_A_PAGE))

    def _pages(self, path: str, size: int) -> Iterator[Mapping[str, Any]]:
        seen: set[str] = set()
        for page in range(1, MAX_PAGES + 1):
            answer = self._get(path, {"page": str(page), "per_page": str(size)})
            items = self._items(answer)
            new = [item for item in items if _text(item, "id") not in seen]
            if items and not new:
                raise CloudflareError(f"page {page} of {path} repeats what came before")
            seen.update(_text(item, "id") for item in new)
            yield from new
            info = answer.get("result_info")
            total = info.get("total_pages") if isinstance(info, dict) else None
            if not items or not isinstance(total, int) or page >= total:
                return
        raise CloudflareError(f"{path} has more than {MAX_PAGES} pages")

    def _items(self, answer: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        result = answer.get("result")
        if not isinstance(result, list) or not all(isinstance(item, dict) for item in result):
            raise CloudflareError("the answer holds no list of results")
        return result

    def _get(self, path: str, query: Mapping[str, str]) -> Mapping[str, Any]:
        """The envelope of a success. Too many calls are waited for, once."""
        status, pause, body = self._fetch(path, query)
        if status == 429 and pause <= self.longest_pause:
            self.pausing(pause)
            time.sleep(pause)
            status, pause, body = self._fetch(path, query)
        try:
            envelope = json.loads(body)
        except (ValueError, RecursionError):
            envelope = None
        if not isinstance(envelope, dict):
            raise CloudflareError(f"{path}: the answer, status {status}, is not Cloudflare's JSON")
        if status == 200 and envelope.get("success") is True:
            return envelope
        words = self._words(envelope) or "no reason given"
        if status in (400, 401, 403):
            raise CloudflareRefused(f"{words} (status {status})")
        raise CloudflareError(f"{path}: {words} (status {status})")

    def _fetch(self, path: str, query: Mapping[str, str]) -> tuple[int, float, bytes]:
        """Status, seconds that it asks to wait, and body."""
        url = f"{self.base_url.rstrip('/')}{path}" + (f"?{urlencode(query)}" if query else "")
        headers = {"Authorization": f"Bearer {self.token}", "Accept": "application/json", "User-Agent": "mailtls"}
        deadline = time.monotonic() + self.timeout
        try:
            with _opener().open(urllib.request.Request(url, headers=headers), timeout=self.timeout) as response:  # noqa: S310  # base_url is judged above
                return response.status, 0.0, self._read(response, deadline)
        except urllib.error.HTTPError as e:
            with e:
                if 300 <= e.code < 400:
                    raise CloudflareError(f"{path}: a redirect, which is not followed; correct the base URL") from e
                try:
                    return e.code, _pause(e.headers.get("Retry-After")), self._read(e, deadline)
                except (OSError, http.client.HTTPException) as cut:
                    raise CloudflareError(f"{path}: {self._clean(str(cut))}") from cut
        except (OSError, http.client.HTTPException) as e:  # URLError and time-outs are OSErrors
            reason = getattr(e, "reason", None) or e
            raise CloudflareError(f"{path}: no answer: {self._clean(str(reason)) or type(e).__name__}") from e

    def _read(self, response: Any, deadline: float) -> bytes:
        """The body, within bounds also when it trickles."""
        body = bytearray()
        while chunk := response.read1(_READ_SIZE):
            body += chunk
            if len(body) > self.max_answer:
                raise CloudflareError(f"an answer of more than {self.max_answer} octets")
            if time.monotonic() > deadline:
                raise CloudflareError(f"no whole answer within {self.timeout:g} s")
        return bytes(body)

    def _words(self, envelope: Mapping[str, Any]) -> str:
        """What Cloudflare says is wrong."""
        errors = envelope.get("errors")
        found = [error for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []
        return "; ".join(self._clean(f"{error.get('code', '')} {error.get('message', '')}") for error in found[:3])

    def _clean(self, text: str) -> str:
        """One short line without the token."""
        text = text.replace(self.token, "[token]")[: 2 * _LONGEST_WORDS]
        return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:_LONGEST_WORDS]


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_args: Any, **_named: Any) -> None:
        return None


def _opener() -> urllib.request.OpenerDirector:
    """Speaks HTTP and HTTPS, through the environment's proxy when there is one, and follows nothing."""
    return urllib.request.build_opener(_NoRedirect)


def _check_base_url(url: str) -> None:
    """The token must not cross a network in clear text."""
    try:
        parts = urlsplit(url)
        usable = bool(parts.hostname) and (
            parts.scheme == "https" or (parts.scheme == "http" and _is_here(parts.hostname))
        )
    except ValueError:  # a bracket without its other half
        usable = False
    if not usable:
        raise CloudflareError(f"{url!r} is no base URL: https://host/path, or http on this machine only")


def _is_here(host: str | None) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def _pause(header: str | None) -> float:
    """Seconds of a Retry-After header; without a usable one the five minutes that Cloudflare blocks for."""
    return float(header) if header and header.isascii() and header.isdecimal() and len(header) < 6 else 300.0


def _zone(item: Mapping[str, Any]) -> Zone:
    servers = [*_texts(item, "name_servers"), *_texts(item, "vanity_name_servers")]
    permissions = item.get("permissions")
    return Zone(
        _text(item, "id"),
        _text(item, "name").lower(),
        _text(item, "status"),
        str(item.get("type") or "full"),
        tuple(servers),
        tuple(_texts(item, "permissions")) if isinstance(permissions, list) else None,
    )


def _record(item: Mapping[str, Any]) -> ZoneRecord:
    kind, content = _text(item, "type").upper(), str(item.get("content") or "")
    if kind == "MX":
        content = f"{item.get('priority')} {content.removesuffix('.')}"
    return ZoneRecord(_text(item, "name").lower(), kind, joined(content) if kind == "TXT" else content)


def _text(item: Mapping[str, Any], key: str) -> str:
    value = item.get(key)
    if not isinstance(value, str):
        raise CloudflareError(f"a result without {key}")
    return value


def _texts(item: Mapping[str, Any], key: str) -> list[str]:
    values = item.get(key)
    return [value for value in values if isinstance(value, str)] if isinstance(values, list) else []
