"""The contract with the pinned version: each patch fits, and each changes what the running emulator does."""

import time
from collections.abc import Iterable

from sandbox.cloud.emulator.name_server import NameServer
from sandbox.cloud.emulator.outside import OUTSIDE
from sandbox.cloud.emulator.patch import Patch, PatchDoesNotFit
from sandbox.cloud.emulator.probe import Probe


class ContractBroken(RuntimeError):
    """The emulator must not be used: a line per patch that does not fit or does not prove itself."""


def apply_all(patches: Iterable[Patch]) -> None:
    """Raises ContractBroken."""
    faults = []
    for patch in patches:
        try:
            patch.apply()
        except (PatchDoesNotFit, ImportError, AttributeError) as e:
            faults.append(f"patch {patch.name} does not fit: {e}")
    if faults:
        raise ContractBroken("\n".join(faults))


def prove_all(patches: Iterable[Patch], endpoint: str) -> dict[str, float]:
    """Runs every proof against the server at `endpoint`; seconds taken by each. Raises ContractBroken.

    While they run the emulator asks a name server of theirs. What they leave behind is the caller's to reset.
    """
    names = NameServer()
    real, OUTSIDE.name_server = OUTSIDE.name_server, names.start()
    probe = Probe(endpoint, names)
    faults, seconds = [], {}
    try:
        for patch in patches:
            began = time.monotonic()
            try:
                patch.proof(probe)
            except Exception as e:  # noqa: BLE001 however a proof ends, but by returning, the patch is not proven
                faults.append(f"patch {patch.name} does not change the emulator: {type(e).__name__}: {e}")
            seconds[patch.name] = time.monotonic() - began
            probe.move_clock(0)
    finally:
        OUTSIDE.name_server = real
        names.stop()
    if faults:
        raise ContractBroken("\n".join(faults))
    return seconds
