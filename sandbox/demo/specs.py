"""The example specs as somebody reads them who has only the README: plain YAML, defaults merged from root to leaf.

The demo judges what is served against this reading and not against the program's own loader, so the two must agree.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml


@dataclass(frozen=True, slots=True)
class Expected:
    """What the world should see of one domain. `policy_domain` in A-labels; `mode` None: TLS-RPT only."""

    policy_domain: str
    mode: str | None
    mx: tuple[str, ...]


def read(folder: Path) -> dict[str, Expected]:
    """Every domain under `folder`, by its name in A-labels."""
    found = {}
    for path in sorted(folder.rglob("*.yaml")):
        if path.name == "defaults.yaml":
            continue
        document = yaml.safe_load(path.read_text())
        specs = document.get("policy_domains") or {document["policy_domain"]: document}
        for name, spec in specs.items():
            merged = _defaults(folder, path.parent)
            _merge(merged, spec or {})
            policy = merged.get("mta_sts")
            domain = name.encode("idna").decode()
            found[domain] = Expected(domain, policy and policy["mode"], tuple(policy.get("mx", ())) if policy else ())
    return found


def _defaults(root: Path, folder: Path) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for level in reversed([folder, *folder.parents]):
        if level.is_relative_to(root) and (level / "defaults.yaml").exists():
            _merge(merged, yaml.safe_load((level / "defaults.yaml").read_text()) or {})
    return merged


def _merge(into: dict[str, Any], more: dict[str, Any]) -> None:
    for key, value in more.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = value
