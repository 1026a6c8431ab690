"""All rules over one spec at a time: no network, no clock. A new rule is a function and a row in one of these rooms.

Which rules a spec may silence stands in the spec's schema (`suppress`); a test holds the two lists together.
"""

from mailtls.lint import hosting_rules, max_age_rules, mx_rules, report_rules
from mailtls.lint.spec_rule import SpecRule

RULES: tuple[SpecRule, ...] = (*mx_rules.RULES, *max_age_rules.RULES, *report_rules.RULES, *hosting_rules.RULES)
