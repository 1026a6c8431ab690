"""The JSON of a pack: of one domain, and of all. Pure; nothing in it depends on where or when it is assembled."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from mailtls.audit.controls import CONTROLS, NOT_PROVEN
from mailtls.audit.facts import DomainEvidence
from mailtls.totals.period import Period


def domain_json(evidence: DomainEvidence, period: Period) -> dict[str, Any]:
    """As evidence_domain.v1.schema.json has it: what is known, and what is missing for each control."""
    gaps = [{"control": control.reference, "missing": control.gaps(evidence, period)} for control in CONTROLS]
    return {**evidence.to_json(), "first": period.first.isoformat(), "last": period.last.isoformat(), "gaps": gaps}


@dataclass(slots=True)
class Index:
    """What the page about all says; filled domain by domain. made: UTC. made_with: our version. source: in words."""

    period: Period
    made: datetime
    made_with: str
    source: str
    _lines: list[dict[str, Any]] = field(default_factory=list)
    _with_gaps: dict[str, int] = field(default_factory=dict)

    def add(self, domain: dict[str, Any]) -> None:
        """domain: its JSON."""
        in_force = [version["mode"] for version in domain["policies"]]
        missing = [one["control"] for one in domain["gaps"] if one["missing"]]
        for reference in missing:
            self._with_gaps[reference] = self._with_gaps.get(reference, 0) + 1
        self._lines.append(
            {
                "policy_domain": domain["policy_domain"],
                "owner": domain["owner"],
                "mode": in_force[-1] if in_force else "",
                "policies": len(in_force),
                "reports": domain["reports"]["count"],
                "failures": len(domain["failures"]),
                "gaps": len(missing),
            }
        )

    def to_json(self) -> dict[str, Any]:
        """As evidence.v1.schema.json has it."""
        made = self.made.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        return {
            "version": 1,
            "made": made,
            "made_with": self.made_with,
            "source": self.source,
            "first": self.period.first.isoformat(),
            "last": self.period.last.isoformat(),
            "not_proven": list(NOT_PROVEN),
            "controls": [
                {
                    "reference": control.reference,
                    "about": control.about,
                    "shown": control.shown,
                    "not_shown": control.not_shown,
                    "with_gaps": self._with_gaps.get(control.reference, 0),
                    "without_gaps": len(self._lines) - self._with_gaps.get(control.reference, 0),
                }
                for control in CONTROLS
            ],
            "domains": self._lines,
        }


def to_text(data: dict[str, Any]) -> str:
    """As JSON files of a pack are written."""
    return json.dumps(data, indent=1, ensure_ascii=False) + "\n"


def manifest_text(digests: Iterable[tuple[str, str]]) -> str:
    """As `sha256sum` writes it, by path. digests: path and hexadecimal digest."""
    return "".join(f"{digest}  {path}\n" for path, digest in sorted(digests))
