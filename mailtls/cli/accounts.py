"""The accounts that the environment leads to, for the commands that ask one."""

import os
from typing import TYPE_CHECKING

import click

from mailtls.cli.trouble import Trouble

if TYPE_CHECKING:
    from mailtls.observe.account.aws import Aws
    from mailtls.observe.account.cloudflare import Cloudflare

NO_TOKEN = "CLOUDFLARE_API_TOKEN is not set"  # noqa: S105  # a sentence


def cloudflare_account() -> "Cloudflare | None":
    """By CLOUDFLARE_API_TOKEN and CLOUDFLARE_BASE_URL; None without a token. Raises Trouble."""
    from mailtls.observe.account.cloudflare import BASE_URL, Cloudflare, CloudflareError

    token = os.environ.get("CLOUDFLARE_API_TOKEN", "")
    if not token:
        return None
    try:
        return Cloudflare(token, os.environ.get("CLOUDFLARE_BASE_URL") or BASE_URL, pausing=_pausing)
    except CloudflareError as e:
        raise Trouble(f"CLOUDFLARE_API_TOKEN, CLOUDFLARE_BASE_URL: {e}") from e


def aws_account(region: str) -> "Aws":
    """By the variables and files of every AWS program. Raises Trouble where the extra is missing."""
    from mailtls.observe.account.aws import Aws, NoBoto3

    try:
        return Aws(region)
    except NoBoto3 as e:
        raise Trouble(str(e)) from e


def _pausing(seconds: float) -> None:
    click.echo(f"mailtls: Cloudflare counts too many calls; going on in {seconds:.0f} s", err=True)
