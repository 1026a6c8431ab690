"""However a run ends, nothing of it is left: no process, and no half-told story."""

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from engine_program import Program, Running, command_line, wait_until_gone

from sandbox.cloud.cloudflare import Cloudflare

WAITING = """
import time
import pulumi

filter = {"name": "contoso.example", "match": "all"}
zone = pulumi.runtime.invoke("cloudflare:index/getZone:getZone", {"filter": filter})
print("found", zone.value["name"])
time.sleep(600)
"""


def start_and_wait(program: Program, start: Callable[..., Running]) -> tuple[Running, set[int]]:
    """A run whose program, language host and plugin are all up: its processes."""
    program.write(WAITING)
    running = start("up", "--yes", "--skip-preview")
    running.wait_for("found contoso.example")
    family = running.family()
    seen = "\n".join(map(command_line, family))
    assert "sandbox.providers.cloudflare" in seen
    assert "program.py" in seen or "pulumi-language-python-exec" in seen
    return running, family


def test_nothing_is_left_of_a_killed_run(
    program: Program, start: Callable[..., Running], cloudflare: Cloudflare
) -> None:
    running, family = start_and_wait(program, start)
    running.send(signal.SIGKILL)
    running.wait()
    assert wait_until_gone(family) == []


def test_a_killed_run_holds_the_stack_until_it_is_told_to_let_go(
    program: Program, start: Callable[..., Running], cloudflare: Cloudflare
) -> None:
    running, family = start_and_wait(program, start)
    running.send(signal.SIGKILL)
    running.wait()
    assert wait_until_gone(family) == []
    program.write("print('again')")
    assert "the stack is currently locked" in program.fails()
    assert program.run("cancel", "--yes").returncode == 0
    assert "again" in program.up()


def test_an_interrupt_ends_a_run_cleanly(
    program: Program, start: Callable[..., Running], cloudflare: Cloudflare
) -> None:
    running, family = start_and_wait(program, start)
    os.killpg(running.process.pid, signal.SIGINT)  # as a terminal does it: everybody in the foreground hears it
    assert running.wait() != 0
    assert "update canceled" in running.said
    assert "Traceback" not in running.said
    assert wait_until_gone(family) == []
    assert "again" in program.write("print('again')").up()


def test_nothing_is_left_of_a_run_that_is_done(program: Program, start: Callable[..., Running]) -> None:
    program.write(
        """
        import time
        from pathlib import Path

        print("here")
        while not Path("go").exists():
            time.sleep(0.05)
        """
    )
    running = start("up", "--yes", "--skip-preview")
    running.wait_for("here")
    family = running.family()
    assert len(family) > 1
    (program.folder / "stacks" / "go").touch()
    assert running.wait() == 0
    assert "Traceback" not in running.said
    assert wait_until_gone(family) == []


@pytest.mark.parametrize("plugin", ["pulumi-resource-aws", "pulumi-resource-cloudflare", "pulumi-language-python"])
def test_a_plugin_whose_engine_ends_while_it_starts_ends_too(engine_env: dict[str, str], plugin: str) -> None:
    """The engine's place is taken by a shell that is gone before any interpreter has started."""
    found = list(Path(engine_env["PULUMI_HOME"], "plugins").glob(f"*/{plugin}"))
    if not found:
        pytest.skip(f"the CLI brings its own {plugin}")
    command = ["sh", "-c", f"{found[0]} 127.0.0.1:1 & echo $!; sleep 0.05"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True) as shell:
        child = int(shell.stdout.readline()) if shell.stdout else 0
        shell.wait()
        left = wait_until_gone({child})
    if left:
        os.kill(child, signal.SIGKILL)
    assert left == []
