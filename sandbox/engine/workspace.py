"""What one run of the engine needs around it: plugins where it looks for them, and its environment variables."""

import importlib.metadata
import shlex
import sys
from pathlib import Path

from sandbox.engine.cache import write_atomically
from sandbox.engine.cli import engine_version, has_language_host, pulumi_command
from sandbox.engine.parentage import PLUGIN_OPTION

_STAND_INS = {
    # plugin name: (distribution whose version the plugin must have, module that is the plugin)
    "aws": ("pulumi_aws", "sandbox.providers.aws"),
    "cloudflare": ("pulumi_cloudflare", "sandbox.providers.cloudflare"),
}
PASSPHRASE = "sandbox"  # noqa: S105 a throw-away stack's, written down so that a second run can read its state

_LANGUAGE_HOST = "sandbox.engine.language_host"


def pulumi_env(
    home: Path, backend: Path, *, passphrase: str = PASSPHRASE, pulumi: Path | None = None
) -> dict[str, str]:
    """Makes `home` a PULUMI_HOME with our stand-in plugins and gives the variables of a run.

    home, backend: folders for the engine's own files and for the state; created when missing.
    pulumi: the CLI that will run; found (or made) when not given. If it brings no Python language host, ours goes in.

    The result holds only PULUMI_* variables: where the clouds are (`AWS_ENDPOINT_URL` and the like) is the caller's.
    Raises sandbox.engine.cli.NoEngine.
    """
    cli = pulumi if pulumi is not None else pulumi_command()
    backend.mkdir(parents=True, exist_ok=True)
    plugins = home / "plugins"
    for name, (distribution, module) in _STAND_INS.items():
        version = importlib.metadata.version(distribution)
        _install(plugins / f"resource-{name}-v{version}" / f"pulumi-resource-{name}", module)
    if not has_language_host(cli):
        _install(plugins / f"language-python-v{engine_version()}" / "pulumi-language-python", _LANGUAGE_HOST)
    return {
        "PULUMI_HOME": str(home.resolve()),
        "PULUMI_BACKEND_URL": f"file://{backend.resolve()}",
        "PULUMI_CONFIG_PASSPHRASE": passphrase,
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        # A plugin that is missing is an error, never a download of the real one.
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        # Nor is one that happens to lie on PATH taken instead of ours.
        "PULUMI_IGNORE_AMBIENT_PLUGINS": "true",
        # The language host that an installed CLI brings looks here for the interpreter; ours is run by it.
        "PULUMI_PYTHON_CMD": sys.executable,
    }


def _install(executable: Path, module: str) -> None:
    """A plugin is an executable: a shell script that becomes our interpreter (a `#!` line may be too short for it).

    -P keeps the engine's working folder, which is the program's, out of the import path.
    """
    command = f"exec {shlex.quote(sys.executable)} -P -m {module} {PLUGIN_OPTION}"
    write_atomically(executable, f'#!/bin/sh\n{command} "$@"\n', executable=True)
