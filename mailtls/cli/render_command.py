"""`mailtls render`: what one spec publishes."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mailtls.cli import terminal
from mailtls.cli.options import format_option
from mailtls.cli.trouble import Trouble

if TYPE_CHECKING:
    from mailtls.spec.model import PolicySpec


@click.command(epilog="Example:  mailtls render contoso.example --records --format zone")
@click.argument("domain")
@click.option(
    "--specs",
    type=click.Path(path_type=Path),
    default="policy_specs",
    show_default=True,
    help="The folder of specs, or one spec.",
)
@click.option("--records", "view", flag_value="records", help="The DNS records; also --format zone.")
@click.option("--for-owner", "view", flag_value="owner", help="Steps for the team that holds the domain's DNS.")
@click.option("--origin", "view", flag_value="origin", help="Where each value was written, or why it is a default.")
@format_option("text", "json", "markdown", "zone")
def command(domain: str, specs: Path, view: str | None, output: str) -> None:
    """Print the policy of DOMAIN, octet for octet as senders will fetch it; or its records.

    Nothing is asked and nothing is changed. What only a deployment can know stands in <angle brackets>. JSON holds the
    policy, the records and the origins together.
    """
    from mailtls.cli.one_spec import spec_of
    from mailtls.render import owner_steps, records
    from mailtls.spec.load import survey
    from mailtls.spec.origin import origins

    if output == "zone" and view != "records":
        raise Trouble("--format zone is for records: add --records")
    found = survey(specs)
    spec = spec_of(domain, found)
    if found.errors:
        click.echo(f"mailtls: other specs have faults; see them with: mailtls validate {specs}", err=True)
    width = terminal.width()
    match view, output:
        case _, "json":
            values = origins(spec, found.layers[spec.policy_domain])
            text = json.dumps(records.rendered_data(spec, values), indent=2, ensure_ascii=False) + "\n"
        case "records", "zone":
            text = records.zone_file(spec)
        case "records", "markdown":
            text = records.records_markdown(spec)
        case "records", _:
            text = records.records_table(spec, width)
        case "origin", _:
            values = origins(spec, found.layers[spec.policy_domain])
            text = records.origins_markdown(values) if output == "markdown" else records.origins_text(values, width)
        case "owner", _:
            text = owner_steps.owner_steps(spec, width if output == "text" else None)
        case _:
            text = _policy(spec, output)
    click.echo(text.encode(), nl=False)


def _policy(spec: "PolicySpec", output: str) -> str:
    """The policy as it is served; in a code block for Markdown. Raises Trouble where there is none."""
    if spec.mta_sts is None:
        raise Trouble(
            f"{spec.policy_domain} has no policy: its spec asks for TLS-RPT alone ({spec.source.file}:"
            f"{spec.source.line}); --records shows what is published"
        )
    text = spec.mta_sts.policy.render().decode()
    return "```\n" + text.replace("\r\n", "\n") + "```\n" if output == "markdown" else text
