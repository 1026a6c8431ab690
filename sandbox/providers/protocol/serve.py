"""A plugin's process: prints its port as the engine expects, then serves until the engine ends."""

import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from pulumi.runtime._grpc_settings import _GRPC_CHANNEL_OPTIONS
from pulumi.runtime.proto import provider_pb2_grpc

from sandbox.engine.parentage import end_with_engine
from sandbox.providers.protocol.server import Provider

_WORKERS = 256
"""Threads at most. A wait (a certificate, an identity) holds one, and the engine asks as often as `--parallel` says."""


def serve(provider: Provider[Any]) -> None:
    """Serves on a free port of the loopback interface; the call returns when the process is told to end."""
    end_with_engine(sys.argv[1:])
    # The engine gives each plugin a process group of its own, so SIGINT is never the user's Ctrl-C (that comes as
    # `Cancel`): it is the engine, done with us, and it waits five seconds for our end before it kills.
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, lambda _signal, _frame: os._exit(0))
    server, port = start(provider)
    print(port, flush=True)
    server.wait_for_termination()


def start(provider: Provider[Any]) -> tuple[grpc.Server, int]:
    """Serves from threads of this process. Returns the server, which the caller stops, and its port."""
    server = grpc.server(ThreadPoolExecutor(max_workers=_WORKERS), options=_GRPC_CHANNEL_OPTIONS)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(provider, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return server, port
