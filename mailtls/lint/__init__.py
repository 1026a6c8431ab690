"""Named rules over values: what is allowed and still unwise, or known to fail, each with its reason and its remedy.

    from mailtls.lint.specs import spec_findings

    for finding in spec_findings(specs, published=frozenset({"contoso.example"})):
        print(finding)

A rule is an `About`, which says why and what to do, and a function (`spec_rules.RULES`); `catalogue` has the rules of
all groups. Rules do no I/O; whoever calls decides what a finding leads to.
"""

from mailtls.lint.findings import Finding, Severity

__all__ = ["Finding", "Severity"]
