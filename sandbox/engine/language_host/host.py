"""The engine's language runtime protocol (pulumi/proto/language.proto), as much of it as running programs takes."""

import importlib.metadata
import json
import os
import platform
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2

_BAIL = 32
"""Exit code of a program that has reported its error to the engine itself; the protocol's `bail`."""


class LanguageHost(language_pb2_grpc.LanguageRuntimeServicer):
    """One per run of the CLI."""

    def __init__(self, engine_address: str) -> None:
        self._engine_address = engine_address
        self._program: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._stopped = False

    def Handshake(
        self, request: language_pb2.LanguageHandshakeRequest, context: grpc.ServicerContext
    ) -> language_pb2.LanguageHandshakeResponse:
        """Learns the engine's address, when it was not on the command line."""
        self._engine_address = request.engine_address or self._engine_address
        return language_pb2.LanguageHandshakeResponse()

    def GetPluginInfo(self, request: empty_pb2.Empty, context: grpc.ServicerContext) -> plugin_pb2.PluginInfo:
        """Our version is the SDK's."""
        return plugin_pb2.PluginInfo(version=importlib.metadata.version("pulumi"))

    def About(self, request: language_pb2.AboutRequest, context: grpc.ServicerContext) -> language_pb2.AboutResponse:
        """For `pulumi about`."""
        return language_pb2.AboutResponse(executable=sys.executable, version=platform.python_version())

    def GetRequiredPackages(
        self, request: language_pb2.GetRequiredPackagesRequest, context: grpc.ServicerContext
    ) -> language_pb2.GetRequiredPackagesResponse:
        """The provider plugins of the SDKs that are installed; each SDK says so in its `pulumi-plugin.json`."""
        packages = [
            plugin_pb2.PackageDependency(
                name=plugin["name"],
                kind="resource",
                version=f"v{plugin['version'].removeprefix('v')}",
                server=plugin.get("server", ""),
            )
            for plugin in _plugin_descriptions()
        ]
        return language_pb2.GetRequiredPackagesResponse(packages=packages)

    def GetRequiredPlugins(
        self, request: language_pb2.GetRequiredPluginsRequest, context: grpc.ServicerContext
    ) -> language_pb2.GetRequiredPluginsResponse:
        """The older question with the same answer."""
        plugins = [
            plugin_pb2.PluginDependency(
                name=plugin["name"], kind="resource", version=f"v{plugin['version'].removeprefix('v')}"
            )
            for plugin in _plugin_descriptions()
        ]
        return language_pb2.GetRequiredPluginsResponse(plugins=plugins)

    def GetProgramDependencies(
        self, request: language_pb2.GetProgramDependenciesRequest, context: grpc.ServicerContext
    ) -> language_pb2.GetProgramDependenciesResponse:
        """For `pulumi about`: everything that is installed."""
        found = [
            language_pb2.DependencyInfo(name=d.name, version=d.version) for d in importlib.metadata.distributions()
        ]
        return language_pb2.GetProgramDependenciesResponse(dependencies=found)

    def InstallDependencies(
        self, request: language_pb2.InstallDependenciesRequest, context: grpc.ServicerContext
    ) -> Iterator[language_pb2.InstallDependenciesResponse]:
        """Nothing to do: the interpreter that runs us has them."""
        yield from ()

    def RuntimeOptionsPrompts(
        self, request: language_pb2.RuntimeOptionsRequest, context: grpc.ServicerContext
    ) -> language_pb2.RuntimeOptionsResponse:
        """No questions at `pulumi new`."""
        return language_pb2.RuntimeOptionsResponse()

    def Run(self, request: language_pb2.RunRequest, context: grpc.ServicerContext) -> language_pb2.RunResponse:
        """Runs the program once, to its end, in a process of its own."""
        with self._lock:
            if self._stopped:
                return language_pb2.RunResponse(error="the run was cancelled")
            self._program = subprocess.Popen(
                self._command(request),
                env=_environment(request),
                # The engine reads both as plain lines: one pipe keeps their order.
                stdout=sys.stderr,
            )
        code = self._program.wait()
        if code == _BAIL:
            return language_pb2.RunResponse(bail=True)
        if code:
            how = f"was ended by signal {-code}" if code < 0 else f"exited with non-zero exit code: {code}"
            return language_pb2.RunResponse(error=f"program {how}")
        return language_pb2.RunResponse()

    def Cancel(self, request: empty_pb2.Empty, context: grpc.ServicerContext) -> empty_pb2.Empty:
        """The engine gives up on this run."""
        self.stop_program()
        return empty_pb2.Empty()

    def stop_program(self) -> None:
        """Asks a running program to end, and lets none start any more."""
        with self._lock:
            self._stopped = True
            if self._program is not None and self._program.poll() is None:
                self._program.terminate()

    def _command(self, request: language_pb2.RunRequest) -> list[str]:
        interpreter = sys.executable
        if virtualenv := dict(request.info.options).get("virtualenv"):  # Pulumi.yaml: runtime.options.virtualenv
            interpreter = str(Path(request.info.root_directory, virtualenv, "bin", "python"))
        arguments = {
            "parent": str(os.getpid()),
            "monitor": request.monitor_address,
            "engine": self._engine_address,
            "project": request.project,
            "stack": request.stack,
            "organization": request.organization or "organization",
            "root-directory": request.info.root_directory,
            "directory": request.info.program_directory or request.pwd,
            "parallel": str(request.parallel),
            "dry-run": str(request.dryRun).lower(),
        }
        program = str(Path(__file__).with_name("program.py"))
        return [
            interpreter,
            "-u",
            program,
            *(f"--{name}={value}" for name, value in arguments.items()),
            request.info.entry_point or ".",
        ]


def _environment(request: language_pb2.RunRequest) -> dict[str, str]:
    return {
        **os.environ,
        "PULUMI_CONFIG": json.dumps(dict(request.config)),
        "PULUMI_CONFIG_SECRET_KEYS": json.dumps(list(request.configSecretKeys)),
    }


def _plugin_descriptions() -> Iterator[dict[str, str]]:
    for distribution in importlib.metadata.distributions():
        if not distribution.name.startswith("pulumi"):
            continue
        for file in distribution.files or ():
            if file.name == "pulumi-plugin.json":
                plugin = json.loads(Path(str(distribution.locate_file(file))).read_text(encoding="utf-8"))
                if plugin.get("resource"):
                    yield plugin
