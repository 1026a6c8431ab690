"""`mailtls preflight`."""

import datetime
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

from mailtls.cli.accounts import NO_TOKEN, aws_account, cloudflare_account
from mailtls.cli.options import format_option
from mailtls.cli.terminal import takes_colour, width
from mailtls.cli.trouble import Trouble

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mailtls.preflight.seen import NotAsked
    from mailtls.preflight.wanted import Wanted, ZoneWanted

MAX_STACK_FILE = 1 << 20
"""Octets that are read of it, at most."""


@click.command(epilog="Example:  mailtls preflight --stack-file stacks/Pulumi.production.yaml")
@click.option(
    "--stack-file", type=click.Path(path_type=Path), help="Settings of the stack: stacks/Pulumi.<stack>.yaml."
)
@click.option("--region", help="Without a stack file: the platform's region, such as eu-west-1.")
@click.option("--zone", "zones", multiple=True, metavar="NAME=PROVIDER", help="Without one: a zone, and who hosts it.")
@click.option("--reports", metavar="DOMAIN", help="Without one: the domain that will receive the reports.")
@click.option("--rule-set", default="own", show_default=True, help="With --reports: own, join:NAME or external.")
@click.option("--specs", type=click.Path(path_type=Path), help="Folder or file of specs, in place of the stack's.")
@click.option(
    "--iam", type=click.Path(path_type=Path), help="Folder of IAM policies.  [default: the repository's docs/iam]"
)
@click.option("--resolver", envvar="MAILTLS_RESOLVER", metavar="ADDRESS:PORT", help="DNS to ask, not the system's.")
@format_option("text", "json", "markdown")
@click.pass_context
def command(
    ctx: click.Context,
    stack_file: Path | None,
    region: str | None,
    zones: tuple[str, ...],
    reports: str | None,
    rule_set: str,
    specs: Path | None,
    iam: Path | None,
    resolver: str | None,
    output: str,
) -> None:
    """Whether an AWS and Cloudflare account is ready for the first `pulumi up`.

    It only reads. Who is asked follows the environment: AWS_PROFILE and the like, CLOUDFLARE_API_TOKEN. The rights that
    it needs are in docs/iam/preflight.json; what it may not ask, it says. Without a stack file:

    \b
      mailtls preflight --region eu-west-1 --zone contoso.com=cloudflare --specs policy_specs/production
    """
    from mailtls.observe.account.look import Look
    from mailtls.observe.account.resolver import AccountResolver
    from mailtls.observe.dns import Resolver
    from mailtls.preflight.judge import exit_code, judge
    from mailtls.preflight.seen import Refused
    from mailtls.render.preflight import render_preflight

    repository = _repository(stack_file) if stack_file else Path()
    wanted = _from_file(stack_file) if stack_file else _from_flags(region, zones, reports, rule_set)
    if stack_file and (region or zones or reports):
        raise click.UsageError("--region, --zone and --reports stand in the stack file already; leave them out")
    wanted = _with_domains(wanted, specs, repository)
    endpoint = resolver or wanted.resolver
    try:
        look = Look(
            wanted=wanted,
            aws=aws_account(wanted.region),
            cloudflare=cloudflare_account() or Refused(NO_TOKEN),
            resolver=AccountResolver(Resolver.at(endpoint) if endpoint else Resolver()),
            documents=_documents(iam or repository / "docs" / "iam"),
            state_bucket=_state_bucket(os.environ.get("PULUMI_BACKEND_URL", "")),
        )
        seen = look.seen(datetime.datetime.now(datetime.UTC))
    except ValueError as e:  # BadPolicyDocument, and the resolver's address
        raise Trouble(str(e)) from e
    checks = judge(wanted, seen)
    click.echo(render_preflight(checks, output, width=width(), colour=takes_colour()), nl=False)
    ctx.exit(exit_code(checks))


def _from_file(path: Path) -> "Wanted":
    from mailtls.preflight.stack_file import StackFileError, read_stack_file

    try:
        with path.open("rb") as file:
            return read_stack_file(file.read(MAX_STACK_FILE + 1), path.as_posix())
    except OSError as e:
        raise Trouble(f"{path}: cannot be read: {e.strerror}; name a file such as stacks/Pulumi.production.yaml") from e
    except StackFileError as e:
        raise Trouble(str(e)) from e


def _from_flags(region: str | None, zones: "Sequence[str]", reports: str | None, rule_set: str) -> "Wanted":
    from mailtls import names
    from mailtls.preflight.stack_file import check_region, check_rule_set
    from mailtls.preflight.wanted import Kind, ReportsWanted, Wanted

    if not region:
        raise click.UsageError("name the stack's settings with --stack-file, or at least --region and --zone")
    try:
        wanted_reports = None
        if reports:
            wanted_reports = ReportsWanted(names.host_name(reports), check_rule_set(rule_set), rule_set == "own")
        kind = Kind.ALL if reports else Kind.DOMAINS
        wanted_zones = tuple(_zone(text) for text in zones)
        if len({zone.suffix for zone in wanted_zones}) < len(wanted_zones):
            raise ValueError("--zone: a name is there twice; leave one")
        return Wanted(kind, check_region(region), wanted_zones, wanted_reports)
    except ValueError as e:  # InvalidName too
        raise click.UsageError(str(e)) from e


def _zone(text: str) -> "ZoneWanted":
    """`contoso.com=cloudflare`. Raises ValueError."""
    from mailtls import names
    from mailtls.preflight.wanted import Provider, ZoneWanted

    name, _, provider = text.partition("=")
    if provider not in set(Provider):
        raise ValueError(f"--zone {text!r}: write NAME=cloudflare or NAME=route53")
    return ZoneWanted(names.host_name(name), Provider(provider))


def _with_domains(wanted: "Wanted", specs: Path | None, repository: Path) -> "Wanted":
    """`wanted` with the domains that get a policy host: those of the specs that have a policy."""
    from mailtls.spec import SpecErrors
    from mailtls.spec.load import load

    root = specs or (repository / wanted.specs if wanted.specs else None)
    if root is None or not wanted.has_domains:
        return wanted
    try:
        loaded = load(root)
    except SpecErrors as e:
        first, *others = str(e).splitlines()
        more = f" (and {len(others)} more faults)" if others else ""
        return replace(wanted, specs=root.as_posix(), specs_fault=f"the specs cannot be used: {first}{more}")
    return replace(wanted, policy_domains=tuple(spec.policy_domain for spec in loaded if spec.mta_sts))


def _repository(stack_file: Path) -> Path:
    """The folder above the stack's file that holds Pulumi.yaml; paths in the settings begin there."""
    folder = stack_file.parent
    found = next((f for f in (folder, folder / "..") if (f / "Pulumi.yaml").is_file()), folder)
    return Path(os.path.normpath(found))


def _documents(folder: Path) -> "Mapping[str, bytes] | NotAsked":
    """The JSON files of the folder."""
    from mailtls.preflight.permissions import MAX_DOCUMENT_BYTES
    from mailtls.preflight.seen import NotAsked

    found: dict[str, bytes] = {}
    try:
        for path in sorted(folder.glob("*.json")):
            with path.open("rb") as file:
                found[path.name] = file.read(MAX_DOCUMENT_BYTES + 1)
    except OSError as e:
        raise Trouble(f"{folder}: cannot be read: {e.strerror}") from e
    if found:
        return found
    shown = folder.as_posix()
    return NotAsked(f"there are no IAM policies in {shown}", "name docs/iam of the repository: --iam")


def _state_bucket(backend: str) -> str | None:
    """The bucket of `s3://bucket?region=...`; None for another backend."""
    try:
        parts = urlsplit(backend)
    except ValueError:
        return None
    return parts.hostname if parts.scheme == "s3" else None
