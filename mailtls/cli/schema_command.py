"""`mailtls schema`: the JSON Schemas of what people write and of what the commands print."""

from importlib import resources
from pathlib import Path

import click

from mailtls.cli.trouble import Trouble

SCHEMAS = {
    "spec": ("mailtls.spec", "policy_spec.v1.schema.json"),
    "defaults": ("mailtls.spec", "policy_defaults.v1.schema.json"),
    "findings": ("mailtls.render", "findings.v1.schema.json"),
    "check": ("mailtls.render", "check.v1.schema.json"),
    "changes": ("mailtls.render", "changes.v1.schema.json"),
    "rendered": ("mailtls.render", "rendered.v1.schema.json"),
    "explanation": ("mailtls.render", "explanation.v1.schema.json"),
    "preflight": ("mailtls.render", "preflight.v1.schema.json"),
    "discover": ("mailtls.render", "discover.v1.schema.json"),
    "reconcile": ("mailtls.render", "reconcile.v1.schema.json"),
    "spec-change": ("mailtls.render", "spec_change.v1.schema.json"),
    "status": ("mailtls.render", "status.v1.schema.json"),
    "evidence": ("mailtls.audit", "evidence.v1.schema.json"),
    "evidence-domain": ("mailtls.audit", "evidence_domain.v1.schema.json"),
    "alert": ("mailtls.reports", "alert.v1.schema.json"),
    "report": ("mailtls.render", "report.v1.schema.json"),
    "stored-report": ("mailtls.render", "stored_report.v1.schema.json"),
    "reports-parse": ("mailtls.render", "reports_parse.v1.schema.json"),
    "reports-summary": ("mailtls.render", "reports_summary.v1.schema.json"),
    "reports-show": ("mailtls.render", "reports_show.v1.schema.json"),
    "reports-digest": ("mailtls.render", "reports_digest.v1.schema.json"),
    "reports-tail": ("mailtls.render", "reports_tail.v1.schema.json"),
    "reports-reprocess": ("mailtls.render", "reports_reprocess.v1.schema.json"),
    "reports-erase": ("mailtls.render", "reports_erase.v1.schema.json"),
}
"""Name to the package and the file. A command whose JSON has a schema of its own adds a row."""


@click.command(epilog="Example:  mailtls schema --write policy_specs/schema")
@click.argument("name", type=click.Choice(list(SCHEMAS)), default="spec")
@click.option(
    "--write",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write all schemas into this folder, which is made, instead of printing one.",
)
def command(name: str, folder: Path | None) -> None:
    """Print a JSON Schema: of a spec, of a defaults.yaml, of a command's JSON, or of an alert for machines.

    Editors complete and check a spec whose first line names the schema, from where the file lies:

    \b
    # yaml-language-server: $schema=schema/policy_spec.v1.schema.json
    """
    if folder is None:
        click.echo(_text(name), nl=False)
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for each, (_, file) in SCHEMAS.items():
            (folder / file).write_text(_text(each), "utf-8")
            click.echo(folder / file)
    except OSError as e:
        raise Trouble(f"{e.filename or folder} cannot be written: {e.strerror}") from e


def _text(name: str) -> str:
    package, file = SCHEMAS[name]
    return resources.files(package).joinpath(file).read_text("utf-8")
