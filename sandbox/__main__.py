"""`python -m sandbox`: the local cloud by hand."""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from sandbox.account import FOREIGN
from sandbox.control import ControlError, ask
from sandbox.deployment import STACK, Deployment, PulumiFailed, path_with_interpreter
from sandbox.edges.faults import FaultName
from sandbox.endpoints import Endpoints, NoSandbox, exports
from sandbox.engine.cli import NoEngine
from sandbox.engine.environments import EnvironmentFailed
from sandbox.lifecycle import NotStarted, OutOfReach, living, start, stop
from sandbox.place import REPOSITORY, SANDBOX, AlreadyRunning

EDGE_FAULTS = {
    FaultName.HOLD_EDGE: "HOST goes on giving out what it gives out now.",
    FaultName.SLOW_EDGE: "HOST gives out a change SECONDS late.",
    FaultName.NO_CERTIFICATE: "HOST has no certificate for its name.",
}
TROUBLES: tuple[type[Exception], ...] = (
    *(AlreadyRunning, NotStarted, OutOfReach, NoSandbox, ControlError),
    *(NoEngine, EnvironmentFailed, PulumiFailed),
)
_SPAN = re.compile(r"\+?(\d{1,9})(s|m|h|d)?")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, None: 1}


@contextmanager
def told(*more: type[Exception]) -> Iterator[None]:
    """Expected troubles, and `more`, become one message and exit code 2."""
    try:
        yield
    except (*TROUBLES, *more) as e:
        click.echo(str(e), err=True)
        sys.exit(2)


@click.group()
def cli() -> None:
    """A local cloud: AWS and Cloudflare stand-ins, DNS, HTTPS and SMTP edges, with the example domains deployed."""


@cli.command()
@click.option("--empty", is_flag=True, help="Start the cloud and deploy nothing.")
def up(empty: bool) -> None:
    """Start the local cloud, deploy policy_specs/sandbox into it, and leave it running."""
    with told():
        endpoints = start(SANDBOX)
        click.echo("the local cloud is up")
        if not empty:
            try:
                _deploy(endpoints)
            except BaseException:
                stop(SANDBOX)
                raise
        click.echo(_help(endpoints))


def _deploy(endpoints: Endpoints) -> None:
    deployment = Deployment(endpoints.pulumi_env, SANDBOX.logs / "pulumi.log")
    deployment.select()
    click.echo("pulumi up of policy_specs/sandbox (some 20 seconds)")
    done = deployment.up()
    click.echo(f"  {done.changes} in {done.seconds:.0f} s")


def _help(endpoints: Endpoints) -> str:
    python = _shown_interpreter()
    where = endpoints.dns.replace(":", " -p ")
    return f"""
endpoints  {SANDBOX.endpoints.relative_to(REPOSITORY)}
dns        {endpoints.dns}
           dig @{where} TXT _mta-sts.contoso.example
https      {endpoints.https}   (proxy {endpoints.proxy})
smtp       {endpoints.smtp}   (mail for the reports domain)
aws        {endpoints.aws}   cloudflare {endpoints.cloudflare}
alerts     {endpoints.webhook}/messages
report     {python} -m sandbox report --result-type certificate-expired
           sends a report by mail and tells what became of it
pulumi     eval "$({python} -m sandbox env)"
           pulumi up   (aws and boto3 work in that shell too)
mailtls    in that shell:
           mailtls preflight --stack-file stacks/Pulumi.sandbox.yaml
           mailtls discover --cloudflare --route53
faults     {python} -m sandbox fault hold-edge mta-sts.contoso.example
stop       make sandbox-down"""


def _shown_interpreter() -> str:
    """As short as it can be typed."""
    here = Path(sys.executable)
    return str(here.relative_to(REPOSITORY)) if here.is_relative_to(REPOSITORY) else str(here)


@cli.command()
def down() -> None:
    """Stop the local cloud and everything in it."""
    with told():
        left = SANDBOX.endpoints.exists()
        if stop(SANDBOX):
            click.echo("the local cloud is gone")
        else:
            click.echo("the local cloud was gone already (killed)" if left else "there was none running")


@cli.command()
def env() -> None:
    """Print the environment for `pulumi`, the AWS CLI and boto3 by hand, for `eval` in a shell."""
    with told():
        endpoints = living(SANDBOX)
        variables = endpoints.pulumi_env | path_with_interpreter() | {"PULUMI_STACK": STACK}
        click.echo(exports(variables, FOREIGN), nl=False)


@cli.command()
@click.argument("domain", default="contoso.example")
@click.option(
    "--result-type", metavar="TYPE", help="Sessions failed like this, such as certificate-expired. Else none."
)
@click.option("--file", type=click.Path(path_type=Path, dir_okay=False), help="Send this mail in place of a made one.")
def report(domain: str, result_type: str | None, file: Path | None) -> None:
    """Send a TLS report about DOMAIN by mail, and tell what became of it."""
    # here, since it brings DKIM, HTTP and boto3, which no other command needs
    from sandbox.demo.story import DemoError
    from sandbox.outsiders.submission import SubmissionError
    from sandbox.report import Report, send

    with told(DemoError, SubmissionError):
        for line in send(SANDBOX, living(SANDBOX), Report(domain, result_type, file)):
            click.echo(line)


@cli.group()
def fault() -> None:
    """Make things go wrong. HOST is the edge's, such as mta-sts.contoso.example."""


def _edge_fault(name: FaultName) -> None:
    @fault.command(name.value, help=EDGE_FAULTS[name])
    @click.argument("host")
    @click.argument("seconds", type=float, required=name is FaultName.SLOW_EDGE, default=None)
    def command(host: str, seconds: float | None) -> None:
        with told():
            control = living(SANDBOX).control
            ask(control, "POST", "/faults", fault=name, host=host, seconds=seconds)
            click.echo(f"{name} {host}" + (f" {seconds:g} s" if seconds is not None else ""))


for _name in FaultName:
    _edge_fault(_name)


@fault.command()
@click.argument("span")
def clock(span: str) -> None:
    """Set the cloud's clock ahead, such as +72h; 0 is right.

    Certificates time out, alarms and schedules come due, objects are dated by it.
    """
    found = _SPAN.fullmatch(span)
    if found is None:
        raise click.BadParameter(f"{span!r} is no span of time ahead; write +72h, +30m, +3600 or 0")
    seconds = int(found[1]) * _SECONDS[found[2]]
    with told():
        ask(living(SANDBOX).control, "POST", "/clock", offset=seconds)
        click.echo(f"the clock is {span.lstrip('+')} ahead of the real time" if seconds else "the clock is right")


@fault.command()
@click.argument("host", required=False)
def clear(host: str | None) -> None:
    """Mend the faults of HOST, or all, the clock too."""
    with told():
        control = living(SANDBOX).control
        ask(control, "DELETE", "/faults", **({"host": host} if host else {}))
        if host is None:
            ask(control, "POST", "/clock", offset=0)
        click.echo("mended")


if __name__ == "__main__":
    cli(prog_name="python -m sandbox")
