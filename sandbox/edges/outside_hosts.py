"""HTTPS hosts of the outside world, which other people run: one well, the others badly, each in its own way.

Their DNS is in the world's zone files (outside.example.zone).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sandbox.edges.certificates import Kind
from sandbox.edges.http_message import Answer, Request

POLICY_PATH = "/.well-known/mta-sts.txt"
POLICY = "version: STSv1\r\nmode: testing\r\nmx: mx.outside.example\r\nmax_age: 86400\r\n"
GOOD = "mta-sts.good.outside.example"

_FINE = Answer(200, (("Content-Type", "text/plain"),), POLICY.encode())


@dataclass(frozen=True, slots=True)
class OutsideHost:
    """certificate: what is wrong with it, if anything. policy: the answer to GET of the policy."""

    policy: Answer = _FINE
    certificate: Kind = Kind.GOOD

    def answer(self, request: Request) -> Answer:
        if request.path != POLICY_PATH:
            return Answer.text(404, "not found\n")
        if request.method not in ("GET", "HEAD"):
            return Answer.text(405, "GET or HEAD\n", ("Allow", "GET, HEAD"))
        return self.policy


OUTSIDE_HOSTS: Mapping[str, OutsideHost] = {
    GOOD: OutsideHost(),
    "mta-sts.badcert.outside.example": OutsideHost(certificate=Kind.WRONG_NAME),
    "mta-sts.redirect.outside.example": OutsideHost(
        Answer.text(301, "moved\n", ("Location", f"https://{GOOD}{POLICY_PATH}"))
    ),
    "mta-sts.html.outside.example": OutsideHost(
        Answer(
            200,
            (("Content-Type", "text/html; charset=utf-8"),),
            b"<!DOCTYPE html><title>Welcome</title><p>The site is under construction.</p>\n",
        )
    ),
    "mta-sts.twotxt.outside.example": OutsideHost(),  # its records are at fault, not its host
    "mta-sts.notxt.outside.example": OutsideHost(),
}
