"""Every rule that mailtls has, of all groups, by its id: `mailtls explain`, docs/rules.md and SARIF read it here."""

import re
from collections.abc import Mapping
from functools import cache

from mailtls.lint import fault_rules, live, mute_rules, set_rules, spec_rules, transition_rules
from mailtls.lint.about import About
from mailtls.spec.schema import spec_schema

_RFC = re.compile(r"RFC (\d+)(?: section ([\d.]*\d))?")
_PAGE = re.compile(r"https://\S+")


@cache
def rules() -> Mapping[str, About]:
    """Id to rule, in the order in which people should read them. Raises ValueError where two rules share an id."""
    every = (
        *fault_rules.ABOUTS,
        *(rule.about for rule in spec_rules.RULES),
        *(rule.about for rule in set_rules.RULES),
        *mute_rules.ABOUTS,
        *transition_rules.ABOUTS,
        *live.ABOUTS,
    )
    found = {about.id: about for about in every}
    if len(found) < len(every):
        raise ValueError("two rules share an id")
    return found


def may_be_silenced(about: About) -> bool:
    """Whether a spec's `suppress` takes the rule."""
    return about.id in spec_schema()["properties"]["suppress"]["properties"]


def rule_address(about: About) -> str:
    """The page that the rule's reference names first; "" where it names none that has an address."""
    if found := _RFC.search(about.reference):
        number, section = found.groups()
        return f"https://www.rfc-editor.org/rfc/rfc{number}" + (f"#section-{section}" if section else "")
    page = _PAGE.search(about.reference)
    return page[0].rstrip(".,)") if page else ""
