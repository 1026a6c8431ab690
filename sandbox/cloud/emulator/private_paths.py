"""What AWS has no API for, under `/_sandbox/`. JSON in, JSON out; a refusal is `{"error": why}`.

POST /_sandbox/clock {"offset": seconds}    moves the emulator's clock to real time + offset
GET  /_sandbox/leftovers                    every resource that still exists, as a list of texts
POST /_sandbox/reset                        forgets everything
PUT  /_sandbox/as/ses.amazonaws.com/<bucket>/<key>
     stores the body as the SES service does, for the receipt rule whose ARN is in x-sandbox-source-arn
"""

import asyncio
import json
from typing import Any
from urllib.parse import unquote

from sandbox.cloud.emulator import state
from sandbox.cloud.emulator.asgi import (
    VIEWER_PROTOCOL,
    Application,
    Receive,
    Scope,
    Send,
    answer,
    headers_of,
    read_body,
)
from sandbox.cloud.emulator.clock import CLOCK
from sandbox.cloud.emulator.leftovers import leftovers
from sandbox.cloud.emulator.service_objects import NotAllowed, Writer

PREFIX = "/_sandbox/"
SOURCE_ARN = "x-sandbox-source-arn"


class Refused(Exception):
    """status: of the HTTP answer."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


def with_private_paths(application: Application) -> Application:
    """The ASGI application that answers `/_sandbox/` itself and passes the rest on."""

    async def front(scope: Scope, receive: Receive, send: Send) -> None:
        ours = scope["type"] == "http" and scope["path"].startswith(PREFIX)
        if not ours or VIEWER_PROTOCOL in headers_of(scope):
            await application(scope, receive, send)
            return
        try:
            status, value = 200, await _value(scope, await read_body(receive))
        except Refused as e:
            status, value = e.status, {"error": str(e)}
        await answer(send, status, [("content-type", "application/json")], json.dumps(value).encode())

    return front


async def _value(scope: Scope, body: bytes) -> Any:
    method, path = scope["method"], scope["path"].removeprefix(PREFIX)
    match method, path.split("/", 3):
        case "POST", ["clock"]:
            await asyncio.to_thread(CLOCK.move, _offset(body))
            return {"offset": CLOCK.offset}
        case "POST", ["reset"]:
            await asyncio.to_thread(state.reset)
            return {}
        case "GET", ["leftovers"]:
            return leftovers()
        case "PUT", ["as", "ses.amazonaws.com", bucket, key]:
            arn = headers_of(scope).get(SOURCE_ARN, "")
            return {"version": _written(Writer("ses.amazonaws.com", arn), bucket, key, body)}
        case _:
            raise Refused(404, f"there is no {method} {PREFIX}{unquote(path)}")


def _written(writer: Writer, bucket: str, key: str, body: bytes) -> str | None:
    try:
        return writer.put(bucket, key, body)
    except NotAllowed as e:
        raise Refused(403, str(e)) from e


def _offset(body: bytes) -> float:
    try:
        return float(json.loads(body)["offset"])
    except (ValueError, TypeError, LookupError) as e:
        raise Refused(400, 'the clock takes {"offset": seconds}') from e
