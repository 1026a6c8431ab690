"""The way from the HTTPS edge to the emulator's CloudFront, which looks at behaviours, policies and the bucket."""

import http.client
from urllib.parse import urlsplit

from sandbox.edges.http_message import HOP_BY_HOP, Answer, Request

ORIGIN_SECONDS = 30
LARGEST_ANSWER = 16 << 20
VIEWER_PROTOCOL = "x-sandbox-viewer-protocol"
"""Tells the emulator, which speaks plain HTTP, what the viewer spoke."""
PER_ANSWER = frozenset({"date", "age", "x-cache", "x-amz-cf-id", "x-amz-cf-pop", "x-amz-request-id", "x-amz-id-2"})
"""Fields that differ between two answers with the same content."""


def fetch(endpoint: str, host: str, request: Request, *, cloudfront: bool = True) -> Answer:
    """The answer of the distribution that serves `host`, as it came; of Lambda's front door where it is no name of
    CloudFront. Raises OSError when there is none."""
    where = urlsplit(endpoint)
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=ORIGIN_SECONDS)
    try:
        connection.putrequest(request.method, request.target, skip_host=True, skip_accept_encoding=True)
        connection.putheader("Host", host)
        if cloudfront:
            connection.putheader(VIEWER_PROTOCOL, "https")
        for name, value in request.headers:
            if name.lower() not in HOP_BY_HOP | {"host", VIEWER_PROTOCOL}:
                connection.putheader(name, value.encode("latin-1"))
        if request.body:
            connection.putheader("Content-Length", str(len(request.body)))
        connection.endheaders(request.body or None)
        response = connection.getresponse()
        body = response.read(LARGEST_ANSWER + 1)
    except http.client.HTTPException as e:
        raise OSError(f"the origin does not speak HTTP: {e}") from e
    finally:
        connection.close()
    if len(body) > LARGEST_ANSWER:
        raise OSError(f"the origin's answer is larger than {LARGEST_ANSWER} octets")
    return Answer(response.status, tuple(response.getheaders()), body)


def content(answer: Answer) -> tuple[object, ...]:
    """What is the same in two answers exactly when a client would say that nothing has changed."""
    fields = sorted((name.lower(), value) for name, value in answer.headers if name.lower() not in PER_ANSWER)
    return answer.status, fields, answer.body
