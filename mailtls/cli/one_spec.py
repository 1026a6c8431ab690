"""The spec of the one domain that a command is called with."""

from mailtls import names
from mailtls.cli.trouble import Trouble
from mailtls.spec.load import Survey
from mailtls.spec.model import PolicySpec


def spec_of(domain: str, found: Survey) -> PolicySpec:
    """The spec of `domain`, written as in an address. Raises Trouble."""
    try:
        wanted = names.host_name(domain)
    except names.InvalidName as e:
        raise Trouble(f"{domain[:80]!r} is no mail domain: {e}; write it as in an address, contoso.example") from e
    for spec in found.specs:
        if spec.policy_domain == wanted:
            return spec
    if found.errors:
        told = "\n".join(map(str, found.errors))
        raise Trouble(f"there is no spec of {wanted} without a fault; mend these first:\n{told}")
    import difflib

    near = difflib.get_close_matches(wanted, [spec.policy_domain for spec in found.specs], n=1)
    raise Trouble(f"there is no spec of {wanted}" + (f"; did you mean {near[0]}?" if near else ""))
