"""The connection to Cloudflare's API, and the rule that it never leaves this machine."""

import json
import os
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from sandbox.providers.protocol.resource_type import Gone, ProviderError

_LOOPBACK = ("127.0.0.1", "::1")
_SECONDS = 30


class Missing(Gone):
    """The API answers 404."""


class CloudflareApi:
    """One configured provider. Safe to use from many threads: it holds no connection."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        """config: the provider's configuration (`baseUrl`, `apiToken`), else CLOUDFLARE_BASE_URL, CLOUDFLARE_API_TOKEN.

        Raises ProviderError when there is no token, or when the address is not on this machine.
        """
        base = str(config.get("baseUrl") or os.environ.get("CLOUDFLARE_BASE_URL", ""))
        parts = urlsplit(base)
        if parts.scheme != "http" or parts.hostname not in _LOOPBACK:
            raise ProviderError(
                f"this is the sandbox's stand-in for the Cloudflare provider, and it talks to this machine only: "
                f"CLOUDFLARE_BASE_URL must be http://127.0.0.1:PORT/client/v4 or the like, not {base or 'unset'!r}"
            )
        self._base = base.rstrip("/")
        self._token = str(config.get("apiToken") or os.environ.get("CLOUDFLARE_API_TOKEN", ""))
        if not self._token:
            raise ProviderError("no Cloudflare credentials: set CLOUDFLARE_API_TOKEN or cloudflare:apiToken")
        # An inherited proxy would carry the calls off this machine.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """The `result` of an answer. Raises Missing (404) or ProviderError with Cloudflare's own words."""
        result: Any = self._answer(method, path, body)["result"]
        return result

    def pages(self, path: str, **query: str) -> list[dict[str, Any]]:
        """All results of a listing."""
        found: list[dict[str, Any]] = []
        page = 1
        while True:
            answer = self._answer("GET", f"{path}?{urlencode(query | {'page': str(page), 'per_page': '50'})}", None)
            found += answer["result"]
            if page >= answer.get("result_info", {}).get("total_pages", 1):
                return found
            page += 1

    def _answer(self, method: str, path: str, body: Mapping[str, Any] | None) -> dict[str, Any]:
        request = urllib.request.Request(  # noqa: S310 the address was checked to be plain HTTP on this machine
            self._base + path,
            method=method,
            data=None if body is None else json.dumps(body).encode("utf-8"),
            headers={"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"},
        )
        try:
            with self._opener.open(request, timeout=_SECONDS) as response:
                answer: dict[str, Any] = json.load(response)
                return answer
        except urllib.error.HTTPError as e:
            raise _error(method, path, e) from e
        except OSError as e:  # nobody listens, or the connection broke
            raise ProviderError(f"{method} {self._base}{path}: {e}") from e


def _error(method: str, path: str, answer: urllib.error.HTTPError) -> ProviderError:
    try:
        errors = json.load(answer)["errors"]
        said = "; ".join(f"{error['message']} ({error['code']})" for error in errors)
    except (ValueError, KeyError, TypeError):
        said = "no reason given"
    return (Missing if answer.code == 404 else ProviderError)(f"{method} {path}: {answer.code}: {said}")
