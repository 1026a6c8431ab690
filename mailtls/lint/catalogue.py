"""Every rule that mailtls has, of all groups, by its id: `mailtls explain`, docs/rules.md and SARIF read it here."""

import re
from collections.abc import Mapping
from functools import cache

from mailtls.lint import spec_rules
from mailtls.lint.about import About

_RFC = re.compile(r"RFC (\d+)(?: section ([\d.]*\d))?")


@cache
def rules() -> Mapping[str, About]:
    """Id to rule. Each room of rules adds its own tuple here. Raises ValueError where two rules share an id."""
    found: dict[str, About] = {}
    for about in (*spec_rules.ABOUTS,):
        if about.id in found:
            raise ValueError(f"two rules are called {about.id}")
        found[about.id] = about
    return found


def rule_address(about: About) -> str:
    """The page that the rule's reference names first; "" where it names none that has an address."""
    if found := _RFC.search(about.reference):
        number, section = found.groups()
        return f"https://www.rfc-editor.org/rfc/rfc{number}" + (f"#section-{section}" if section else "")
    address = re.search(r"https://\S+", about.reference)
    return address[0].rstrip(".,)") if address else ""
