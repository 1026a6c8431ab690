"""Names in AWS that have to be known before the resource exists. All others are left to Pulumi's autonaming.

Fixed, because a policy or a log group names them first: the function, the receipt rule set and the receipt rule.
"""

import hashlib
import re

import pulumi

LONGEST = 64
"""Characters: Lambda functions, receipt rules and rule sets."""


def physical_name(name: str) -> str:
    """`<project>-<stack>-<name>`, so that two stacks in one account and region do not meet.

    Letters, digits and hyphens only; what is too long is cut and ends in a digest of the whole.
    """
    whole = f"{pulumi.get_project()}-{pulumi.get_stack()}-{name}"
    plain = re.sub(r"[^A-Za-z0-9-]+", "-", whole).strip("-")
    if len(plain) <= LONGEST:
        return plain
    digest = hashlib.sha256(whole.encode()).hexdigest()[:8]
    return f"{plain[: LONGEST - 9].rstrip('-')}-{digest}"
