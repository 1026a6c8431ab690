"""Signing a webhook as Standard Webhooks does (https://www.standardwebhooks.com), for which receivers find libraries.

HMAC-SHA256 over id, time and body: whoever reads along cannot change the body, and cannot send it again much later.
"""

import base64
import binascii
import hashlib
import hmac

PREFIX = "whsec_"
LEAST_KEY = 24
"""Octets, as the specification has it."""


class NoKey(Exception):
    """The secret is no key to sign with. Whoever keeps it has to write another one."""


def headers(secret: str, message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The three headers. secret: `whsec_` and base64. message_id: the same at each try. timestamp: Unix seconds.
    Raises NoKey, without the secret in its text."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    digest = hmac.new(_key(secret), signed, hashlib.sha256).digest()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError) as e:
        raise NoKey(f"the secret is not {PREFIX} and base64") from e
    if len(key) < LEAST_KEY:
        raise NoKey(f"the key has {len(key)} octets; {LEAST_KEY} are the least")
    return key
