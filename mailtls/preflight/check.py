"""One check and its outcome."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """OK: as it has to be. PROBLEM: the first `pulumi up` fails, or does harm, or does nothing that anybody sees.
    NOT_ASKED: there was no answer, so nothing is known."""

    OK = "ok"
    PROBLEM = "problem"
    NOT_ASKED = "not asked"


@dataclass(frozen=True, slots=True)
class Check:
    """id: its name, always the same. subject: what it is about (a zone, a host, a region); "" when the id says it.
    told: what was seen. do: what to do; "" when there is nothing to do."""

    id: str
    subject: str
    state: State
    told: str
    do: str = ""
