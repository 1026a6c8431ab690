"""The plugin's process: `pulumi-language-python [flags] ENGINE_ADDRESS` prints its port, then serves until its end."""

import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from types import FrameType

import grpc
from pulumi.runtime._grpc_settings import _GRPC_CHANNEL_OPTIONS
from pulumi.runtime.proto import language_pb2_grpc

from sandbox.engine.language_host.host import LanguageHost
from sandbox.engine.parentage import end_with_engine


def main(arguments: list[str]) -> None:
    """Serves on a free port of the loopback interface."""
    end_with_engine(arguments)
    addresses = [argument for argument in arguments if not argument.startswith("-")]
    host = LanguageHost(addresses[0] if addresses else "")

    def stop(_signal: int, _frame: FrameType | None) -> None:
        # The engine gives each plugin a process group of its own, so this is never the user's Ctrl-C: it is the
        # engine, done with us, and it waits five seconds for our end before it kills.
        host.stop_program()
        os._exit(0)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    server = grpc.server(ThreadPoolExecutor(max_workers=8), options=_GRPC_CHANNEL_OPTIONS)
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(host, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    server.wait_for_termination()


if __name__ == "__main__":
    main(sys.argv[1:])
