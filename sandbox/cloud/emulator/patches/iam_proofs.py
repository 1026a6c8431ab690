"""What proofs need of IAM: roles, their documents, and clients that act as them."""

import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox import account
from sandbox.cloud.emulator.probe import Probe

VERSION = "2012-10-17"
_numbers = itertools.count(1)


def document(*statements: Mapping[str, Any]) -> str:
    return json.dumps({"Version": VERSION, "Statement": list(statements)})


def statement(action: str | list[str], resource: str | list[str], **more: Any) -> dict[str, Any]:
    """An Allow. more: `Principal`, `Condition`, `Effect`."""
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def trust(service: str, condition: Mapping[str, Any] | None = None) -> str:
    """The service may take the role on, and so may the administrator, for `session_client`."""
    by_service: dict[str, Any] = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    by_us = {"Effect": "Allow", "Principal": {"AWS": account.ACCOUNT_ID}, "Action": "sts:AssumeRole"}
    return document({**by_service, "Condition": condition} if condition else by_service, by_us)


def role_for_proofs(
    probe: Probe,
    *statements: Mapping[str, Any],
    service: str = "lambda.amazonaws.com",
    condition: Mapping[str, Any] | None = None,
) -> str:
    """The ARN of a new role with these rights."""
    name, iam = f"proof-role-{next(_numbers)}", probe.client("iam")
    arn: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust(service, condition))["Role"]["Arn"]
    if statements:
        iam.put_role_policy(RoleName=name, PolicyName="rights", PolicyDocument=document(*statements))
    return arn


@dataclass(frozen=True, slots=True)
class Session:
    """Credentials of a role that somebody took on."""

    key: str
    secret: str
    token: str


def session_of(probe: Probe, role: str) -> Session:
    given = probe.client("sts").assume_role(RoleArn=role, RoleSessionName="proof")["Credentials"]
    return Session(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])


def session_client(probe: Probe, role: str, service: str, region: str = account.REGION) -> Any:
    """A client that acts as the role."""
    import boto3
    from botocore.config import Config

    session = session_of(probe, role)
    return boto3.client(
        service,
        region_name=region,
        endpoint_url=probe.endpoint,
        aws_access_key_id=session.key,
        aws_secret_access_key=session.secret,
        aws_session_token=session.token,
        config=Config(proxies={}, s3={"addressing_style": "path"}, retries={"max_attempts": 1}),
    )
