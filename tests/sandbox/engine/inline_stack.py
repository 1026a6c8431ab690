"""Programs that are functions of a test, deployed by the real engine over the Automation API."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pulumi import automation
from pulumi.automation.events import EngineEvent

Program = Callable[[int], None]
"""Takes the stage that it shall deploy: 1 as it begins, 2 with updates, 3 with replacements."""

REPLACED = {"create-replacement", "delete-replaced", "replace"}


@dataclass(slots=True)
class Deployed:
    """What a run did. operations: {name of the resource: "create", "update", "replace", "delete", "import"}."""

    operations: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)
    before_replace: set[str] = field(default_factory=set)
    """Names of resources whose old one was deleted before the new one was made."""


class InlineStack:
    """One stack. env: of the engine and its plugins."""

    def __init__(self, project: str, env: Mapping[str, str], config: Mapping[str, str]) -> None:
        self._program: Callable[[], None] = lambda: None
        self._stack = automation.create_stack(
            "dev",
            project_name=project,
            program=lambda: self._program(),
            opts=automation.LocalWorkspaceOptions(env_vars=dict(env)),
        )
        for key, value in config.items():
            self._stack.set_config(key, automation.ConfigValue(value))
        # After each run it would ask three more times for what the events have told already, with a CLI each.
        self._stack.outputs = dict
        self._stack.info = lambda *_: True
        self._is_empty = True

    def up(self, program: Callable[[], None], *, refresh: bool = False) -> Deployed:
        """operations: with `refresh`, also what the cloud changed behind the program's back."""
        self._program = program
        self._is_empty = False
        done = Deployed()
        self._stack.up(on_event=lambda event: _note(event, done), refresh=refresh)
        return done

    def fails(self, program: Callable[[], None]) -> str:
        """What the engine says about a deployment that fails."""
        try:
            self.up(program)
        except automation.CommandError as e:
            return str(e)
        raise AssertionError("it did not fail")

    def preview(self, program: Callable[[], None]) -> Deployed:
        self._program = program
        done = Deployed()
        self._stack.preview(on_event=lambda event: _note(event, done))
        return done

    def refresh(self) -> dict[str, str]:
        """What the cloud changed behind the program's back, as operations of the engine."""
        done = Deployed()
        self._stack.refresh(on_event=lambda event: _note(event, done))
        return done.operations

    def assert_settled(self) -> None:
        """A refresh finds nothing changed, and the program has nothing to do."""
        assert self.up(self._program, refresh=True).operations == {}

    def destroy(self) -> Deployed:
        done = Deployed()
        self._stack.destroy(on_event=lambda event: _note(event, done))
        self._is_empty = True
        return done

    def state(self) -> dict[str, dict[str, Any]]:
        """Resources in the engine's state by name, as exported."""
        resources = self._stack.export_stack().deployment["resources"]
        return {resource["urn"].rsplit("::", 1)[-1]: resource for resource in resources}

    def close(self) -> None:
        """For a fixture: whatever is left goes."""
        if not self._is_empty:
            self._stack.destroy()


def _note(event: EngineEvent, done: Deployed) -> None:
    # What a refresh has found is known only when it is over.
    step = event.resource_pre_event or event.res_outputs_event
    if step is None:
        return
    metadata = step.metadata
    name, kind = metadata.urn.rsplit("::", 1)[-1], str(getattr(metadata.op, "value", metadata.op))
    if metadata.type == "pulumi:pulumi:Stack" or metadata.type.startswith("pulumi:providers:"):
        if metadata.new and metadata.new.outputs:
            done.outputs = dict(metadata.new.outputs)
        return
    if kind == "delete-replaced" and name not in done.operations:
        done.before_replace.add(name)
    if kind in REPLACED:
        done.operations[name] = "replace"
    elif kind not in ("same", "refresh", "read"):
        done.operations[name] = kind


def begin(stack: InlineStack, program: Program) -> dict[str, str]:
    """Stage 1, first in a preview, where hardly anything is known. Returns what was made."""
    foreseen = stack.preview(lambda: program(1)).operations
    made = stack.up(lambda: program(1)).operations
    assert made == foreseen
    assert set(made.values()) == {"create"}
    stack.assert_settled()
    return made


def prove(stack: InlineStack, program: Program, *, updated: set[str], replaced: set[str]) -> None:
    """The life of every resource of `program`: made, settled, updated, settled, replaced, gone.

    updated, replaced: names of the resources of which stages 2 and 3 change something; no other may be touched.
    """
    made = begin(stack, program)
    assert stack.up(lambda: program(2)).operations == dict.fromkeys(updated, "update")
    stack.assert_settled()
    assert stack.up(lambda: program(3)).operations == dict.fromkeys(replaced, "replace")
    assert stack.destroy().operations == dict.fromkeys(made, "delete")
