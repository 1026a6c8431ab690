"""docs/break-glass.md on a run that was killed: every resource of the program is in its table, and its list works."""

import json
import os
import re
import subprocess
from pathlib import Path

from components.failed_create import LEFT_OVER, UP

REPOSITORY = Path(__file__).parents[2]
SECTION = (REPOSITORY / "docs" / "break-glass.md").read_text().split("## A run that was killed\n")[1].split("\n## ")[0]
GOLDEN = (REPOSITORY / "tests" / "component" / "golden" / "sandbox_resources.txt").read_text()
ROWS = [line.strip().strip("|").split(" | ") for line in SECTION.splitlines() if line.strip().startswith("| ")][1:]


def row_of(name: str) -> list[str]:
    """The row with the longest ending of `name`, or with what all of its kind begin with."""
    fitting = [
        (len(word), row)
        for row in ROWS
        for word in re.findall(r"`([^`]+)`", row[0])
        if (word.startswith("…") and name.endswith(word[1:]))
        or (word.endswith("…") and name.startswith(word[:-1]))
        or word == name
    ]
    return max(fitting, key=lambda found: found[0])[1] if fitting else []


def test_the_table_has_every_resource_of_the_program() -> None:
    refused = set()
    for line in GOLDEN.splitlines():
        types, _, name = line.split(" ")[0].rpartition("::")
        kind = types.rpartition("$")[2]
        if kind.startswith("mailtls:"):
            continue
        if kind == "aws:sns/topicSubscription:TopicSubscription":
            assert "a subscription" in SECTION
            continue
        row = row_of(name)
        assert row, f"{name} ({kind}) is in no row"
        tells_a_command = "tells the command" in row[1]
        assert tells_a_command == (kind in LEFT_OVER), f"{name} ({kind}): {row}"
        refused |= {kind} if tells_a_command else set()
    assert refused == set(LEFT_OVER)


def test_the_documented_up_is_the_one_that_messages_name() -> None:
    assert f"`{UP}`" in SECTION


def test_the_list_shows_what_was_about_to_be_made(tmp_path: Path) -> None:
    creating = {"urn": "urn:pulumi:production::mailtls::aws:s3/bucket:Bucket::policy-store-bucket", "inputs": {"a": 1}}
    pending = [
        {"type": "creating", "resource": creating},
        {"type": "updating", "resource": {"urn": "x::y", "inputs": {}}},
    ]
    (tmp_path / "export").write_text(json.dumps({"deployment": {"pending_operations": pending}}))
    pulumi = tmp_path / "pulumi"
    pulumi.write_text("#!/bin/sh\ncat export\n")
    pulumi.chmod(0o755)
    (block,) = re.findall(r"```sh\n(.*?)```", SECTION, re.DOTALL)
    lines = "\n".join(line.removeprefix("   ") for line in block.splitlines())
    path = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run(["sh", "-euc", lines], cwd=tmp_path, env=path, capture_output=True, text=True, check=True)
    assert done.stdout == 'policy-store-bucket {"a": 1}\n'
