"""IAM policy documents: exact actions on exact resources, written the same way in every component."""

from collections.abc import Mapping, Sequence

import pulumi

from components.json_text import json_output

Statement = Mapping[str, object]
"""One statement; values may be Outputs at any depth."""


def document(*statements: Statement) -> pulumi.Output[str]:
    """The document's text. Each statement has a `Sid`, so that an access error can be looked up."""
    return json_output({"Version": "2012-10-17", "Statement": list(statements)})


def allow(sid: str, actions: str | Sequence[str], resources: object, **more: object) -> Statement:
    """For a role's own policy: `more` is a `Condition` at most. In a resource's policy a `Principal` comes with it."""
    return {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources, **more}


def deny_without_tls(service: str, resources: object) -> Statement:
    """Nobody, not even the account's administrators, talks to the resource in clear text.

    The only place where an action may be `<service>:*`: it takes away and gives nothing.
    """
    return {
        "Sid": "NothingWithoutTls",
        "Effect": "Deny",
        "Principal": "*",
        "Action": f"{service}:*",
        "Resource": resources,
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def trust(service: str, condition: Mapping[str, object] | None = None) -> pulumi.Output[str]:
    """The document that says who may take on a role: one service, on the condition given."""
    statement: dict[str, object] = {
        "Sid": "TakenOnByTheService",
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": "sts:AssumeRole",
    }
    return document({**statement, "Condition": condition} if condition else statement)
