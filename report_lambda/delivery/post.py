"""One POST to an address that may itself be a secret: never shown, never redirected, bounded in time and size."""

import http.client
import ssl
from collections.abc import Mapping
from urllib.parse import urlsplit

TIMEOUT = 10.0
"""Seconds for each step; the function's own time bounds the whole."""
MAX_ANSWER = 1024


class NotDelivered(Exception):
    """No answer, or another than 2xx. The message comes again."""


def post(url: str, body: bytes, headers: Mapping[str, str], context: ssl.SSLContext | None = None) -> int:
    """The status of the answer, 2xx. context: whom to trust; None: the system's authorities.

    Raises NotDelivered, with the host and without the rest of the address.
    """
    host, port, target = _parts(url)
    connection = http.client.HTTPSConnection(host, port, timeout=TIMEOUT, context=context)
    try:
        connection.request("POST", target, body, dict(headers))
        with connection.getresponse() as answer:  # it keeps the socket where the server gives no length
            said = answer.read(MAX_ANSWER)
    except (OSError, http.client.HTTPException) as e:
        raise NotDelivered(f"{host}: {type(e).__name__}: {e}") from e
    finally:
        connection.close()
    if not 200 <= answer.status < 300:
        why = "; redirects are not followed" if 300 <= answer.status < 400 else ""
        raise NotDelivered(f"{host} answered {answer.status}{why}: {said!r}")
    return answer.status


def _parts(url: str) -> tuple[str, int, str]:
    wrong = NotDelivered("the address is not https://host/path in ASCII")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or 443
    except ValueError:
        raise wrong from None  # its text may hold a part of the address
    if parts.scheme != "https" or not host or parts.username is not None or not url.isascii() or not url.isprintable():
        raise wrong
    return host, port, f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
