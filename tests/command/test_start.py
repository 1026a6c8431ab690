"""The command starts fast: what is heavy is imported by the command that needs it."""

import json
import subprocess
import sys

import pytest

HEAVY = {"dns", "cryptography", "jsonschema", "ruamel", "yaml", "h11", "idna", "boto3", "pulumi", "asyncio"}
WITH_MODULES = """
import json, sys
sys.argv = ["mailtls", *sys.argv[1:]]
from mailtls.cli.main import main
try:
    main()
finally:
    print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""


@pytest.mark.parametrize("option", ["--help", "--version", "-h"])
def test_what_needs_no_domain_loads_nothing_heavy(option: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITH_MODULES, option], capture_output=True, text=True, timeout=60, check=True
    )
    loaded = {name.split(".")[0] for name in json.loads(done.stderr)}
    assert "click" in loaded
    assert loaded & HEAVY == set()


def test_help_imports_no_command_and_reads_no_metadata() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITH_MODULES, "--help"], capture_output=True, text=True, timeout=60, check=True
    )
    loaded = json.loads(done.stderr)
    assert [name for name in loaded if name.endswith("_command") or name == "importlib.metadata"] == []
