"""What a program gets from the language host, and what of the program gets to its user."""

import importlib.metadata
import json
import sys
from collections.abc import Callable

import pytest
from engine_program import STACK, Program, Running


def outputs(program: Program, *options: str) -> dict[str, object]:
    done = program.run("stack", "output", "--json", *options)
    found: dict[str, object] = json.loads(done.stdout)
    return found


def test_a_program_knows_where_it_runs(program: Program) -> None:
    program.write(
        """
        import os, sys
        import pulumi

        pulumi.export("python", sys.executable)
        pulumi.export("directory", os.getcwd())
        pulumi.export("first on the path", sys.path[0])
        pulumi.export("arguments", sys.argv)
        pulumi.export("root", pulumi.runtime.get_root_directory())
        pulumi.export("stack", pulumi.get_stack())
        pulumi.export("organization", pulumi.get_organization())
        pulumi.export("is dry run", pulumi.runtime.is_dry_run())
        """
    ).up()
    assert outputs(program) == {
        "python": sys.executable,
        "directory": str(program.folder / "stacks"),
        "first on the path": ".",
        "arguments": ["."],
        "root": str(program.folder),
        "stack": STACK,
        "organization": "organization",
        "is dry run": False,
    }


def test_configuration_keeps_its_structure_and_its_secrets(program: Program) -> None:
    program.run("config", "set", "--path", "zones[0].suffix", "contoso.example")
    program.run("config", "set", "--path", "zones[0].ttl", "300")
    program.run("config", "set", "--secret", "token", "s3cret")
    program.write(
        """
        import pulumi
        from pulumi.runtime.config import is_config_secret

        config = pulumi.Config()
        pulumi.export("zones", config.require_object("zones"))
        pulumi.export("token", config.require_secret("token"))
        pulumi.export("secret keys", [key for key in ("zones", "token") if is_config_secret(config.full_key(key))])
        """
    )
    said = program.up()
    assert "s3cret" not in said
    assert outputs(program) == {
        "zones": [{"suffix": "contoso.example", "ttl": 300}],
        "token": "[secret]",
        "secret keys": ["token"],
    }
    assert outputs(program, "--show-secrets")["token"] == "s3cret"


def test_what_a_program_prints_is_seen_while_it_runs(program: Program, start: Callable[..., Running]) -> None:
    program.write(
        """
        import sys, time
        from pathlib import Path

        print("to its output")
        print("to its errors", file=sys.stderr)
        while not Path("go").exists():
            time.sleep(0.05)
        """
    )
    running = start("up", "--yes", "--skip-preview")
    running.wait_for("to its output")
    running.wait_for("to its errors")
    (program.folder / "stacks" / "go").touch()
    assert running.wait() == 0


def test_a_preview_is_a_dry_run(program: Program) -> None:
    program.write("import pulumi; print('dry run:', pulumi.runtime.is_dry_run())")
    assert "dry run: True" in program.run("preview").stdout


@pytest.mark.usefixtures("own_language_host")
def test_the_language_host_tells_about_itself(program: Program) -> None:
    program.write("").up()
    about = json.loads(program.run("about", "--json").stdout)
    assert about["runtime"]["language"] == "python"
    assert about["runtime"]["executable"] == sys.executable
    plugins = {plugin["name"]: plugin["version"] for plugin in about["plugins"]}
    assert plugins["python"] == importlib.metadata.version("pulumi")
