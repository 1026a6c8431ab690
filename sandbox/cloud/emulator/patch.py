"""What a patch of the emulator is: a change of a private name, and the proof that it changed what the emulator does."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.cloud.emulator.probe import Probe, ProofFailed

__all__ = ["Patch", "PatchDoesNotFit", "Probe", "ProofFailed", "replace"]


class PatchDoesNotFit(RuntimeError):
    """The private name that a patch replaces is gone or takes other arguments: the pinned version has changed."""


@dataclass(frozen=True, slots=True)
class Patch:
    """One place where the stock emulator lets pass what AWS refuses, mended.

    name: `acm-waits-for-dns`. wrong_green: what the stock emulator lets pass, one sentence (docs/sandbox-fidelity.md).
    apply: replaces private names, before the server starts; raises PatchDoesNotFit.
    proof: against the running server; raises ProofFailed when the behaviour is the stock one.
    """

    name: str
    wrong_green: str
    apply: Callable[[], None]
    proof: Callable[[Probe], None]


def replace(owner: Any, name: str, made_from: Callable[[Any], Any], *, takes: tuple[str, ...] | None = None) -> None:
    """`owner.name` becomes `made_from(owner.name)`.

    takes: names of the parameters that the old function must have, in order, for `made_from` to be right about it.
    Raises PatchDoesNotFit.
    """
    where = f"{getattr(owner, '__name__', owner)}.{name}"
    if not hasattr(owner, name):
        raise PatchDoesNotFit(f"there is no {where}")
    old = getattr(owner, name)
    if takes is not None and (found := tuple(inspect.signature(old).parameters)) != takes:
        raise PatchDoesNotFit(f"{where} takes ({', '.join(found)}), not ({', '.join(takes)})")
    setattr(owner, name, made_from(old))
