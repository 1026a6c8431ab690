"""JSON that a resource takes as text, written in one form: no blanks, keys in order.

SQS answers `redrive_policy` in that form, and the provider compares it as text: written with blanks it would be a
difference in every preview. All the other documents are written the same way, so that none has to be thought about.
"""

import json
from collections.abc import Mapping

import pulumi

SEPARATORS = (",", ":")


def json_text(value: Mapping[str, object]) -> str:
    """`value` holds plain values only."""
    return json.dumps(value, separators=SEPARATORS, sort_keys=True)


def json_output(value: Mapping[str, object]) -> pulumi.Output[str]:
    """The same for a `value` with Outputs at any depth."""
    return pulumi.Output.json_dumps(value, separators=SEPARATORS, sort_keys=True)
