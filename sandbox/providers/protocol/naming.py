"""Names for resources whose program gives none."""

import hashlib
import os

from pulumi.runtime.proto import provider_pb2

from sandbox.providers.protocol.resource_type import AutoName
from sandbox.providers.protocol.schema import Problem

_RANDOM_DIGITS = 7


def automatic_name(request: provider_pb2.CheckRequest, rule: AutoName) -> str | Problem:
    """A name in the engine's usual form, `<resource name>-<7 hex digits>`, or as the stack's autonaming setting says.

    The random part comes from the engine's seed, so that a preview and the update after it agree. A Problem when
    autonaming is switched off or the name is too long: like the real provider, it is not cut.
    """
    options = request.autonaming
    proposed = ""
    if request.HasField("autonaming"):
        if options.mode == provider_pb2.CheckRequest.AutonamingOptions.Mode.DISABLE:
            return Problem(rule.property, "is required: automatic naming is switched off for this stack")
        proposed = options.proposed_name
    stem = proposed or request.name or request.urn.rsplit("::", 1)[-1]
    name = rule.prefix + stem + ("" if proposed else f"-{_random_digits(request)}")
    if len(name) > rule.longest:
        return Problem(rule.property, f"would be {name!r}, which is longer than {rule.longest} characters")
    return name.lower() if rule.lower_case else name


def _random_digits(request: provider_pb2.CheckRequest) -> str:
    seed = bytes(request.randomSeed) or os.urandom(16)
    return hashlib.sha256(seed).hexdigest()[:_RANDOM_DIGITS]
