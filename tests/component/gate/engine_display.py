"""What gates say in the engine's display, kept for a test."""

from typing import Any

import pytest
from pulumi.runtime import settings
from pulumi.runtime.proto import engine_pb2


class Display:
    """Stands for the engine's log service. lines: (severity, text) of what stays, in order."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []

    def Log(self, request: Any) -> None:
        if not request.ephemeral:
            self.lines.append((engine_pb2.LogSeverity.Name(request.severity), request.message))

    @property
    def warnings(self) -> list[str]:
        return [text for severity, text in self.lines if severity == "WARNING"]

    @property
    def notes(self) -> list[str]:
        return [text for severity, text in self.lines if severity == "INFO"]


def shown_by(monkeypatch: pytest.MonkeyPatch) -> Display:
    display = Display()
    monkeypatch.setattr(settings.SETTINGS, "engine", display)
    return display
