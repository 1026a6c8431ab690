"""The sandbox's one AWS account: who it is, where it is, and how to speak to it."""

import threading
from typing import Any

ACCOUNT_ID = "123456789012"
REGION = "eu-west-1"
"""Of the platform."""
CERTIFICATE_REGION = "us-east-1"
"""Where CloudFront takes certificates from."""
ACCESS_KEY = "test"
SECRET_KEY = "test"  # noqa: S105 the emulator's administrator; it opens nothing outside this machine

_making = threading.Lock()
"""Clients are safe to share between threads, making them is not (boto3's guide, "Multithreading")."""


def environment(endpoint: str) -> dict[str, str]:
    """Variables that bring any AWS program to the emulator at `endpoint` (`http://127.0.0.1:PORT`)."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,  # what the AWS CLI and boto3 read
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "false",  # true would lead to the real AWS
        "AWS_EC2_METADATA_DISABLED": "true",
    }


FOREIGN = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN")
"""Variables of a real account that a shell may hold; beside those above they mislead AWS programs."""


def client(service: str, endpoint: str, region: str = REGION) -> Any:
    """A boto3 client of the administrator. Importing boto3 takes a fifth of a second, so it happens here."""
    import boto3
    from botocore.config import Config

    with _making:
        return boto3.client(
            service,
            region_name=region,
            endpoint_url=endpoint,
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=SECRET_KEY,
            # an inherited proxy would carry the calls off this machine
            config=Config(proxies={}, s3={"addressing_style": "path"}, retries={"mode": "standard", "max_attempts": 2}),
        )
