"""Where each page lies, relative to the root of the site. Only safe characters: a name from outside chooses no path."""

import hashlib
import re
from datetime import date

STYLE_SHEET = "style.css"
MARK = "mailtls-dashboard.json"
"""Says that a folder is a dashboard of ours, and when it was built."""

_SAFE = re.compile(r"[a-z0-9_]([a-z0-9_.-]{0,200}[a-z0-9])?")
_OURS = re.compile(
    r"style\.css|mailtls-dashboard\.json|index\.html|reading\.html|"
    r"(names|reporters|by-(attention|name|failures|sessions))(-\d+)?\.html|"
    r"domains/[a-z0-9_.-]+/(index|reports-\d{4}-\d{2}-\d{2})\.html|reporters/[a-z0-9_.-]+\.html"
)


def is_ours(path: str) -> bool:
    """Can the file at this path, relative to the root, be one of a dashboard?"""
    return _OURS.fullmatch(path) is not None and ".." not in path


def domain_folder(policy_domain: str) -> str:
    """policy_domain: A-labels."""
    return f"domains/{_safe(policy_domain)}"


def domain_page(policy_domain: str) -> str:
    return f"{domain_folder(policy_domain)}/index.html"


def reports_page(first: date) -> str:
    """Within the domain's folder: the reports of `first` and of some days after it."""
    return f"reports-{first.isoformat()}.html"


def reporter_page(organisation: str) -> str:
    return f"reporters/{_safe(organisation)}.html"


def numbered(stem: str, number: int) -> str:
    """The pages of one list: `names.html`, `names-2.html`, ... number: from 0."""
    return f"{stem}.html" if number == 0 else f"{stem}-{number + 1}.html"


def _safe(name: str) -> str:
    """The name itself, or for one that is no plain name a digest of it."""
    if _SAFE.fullmatch(name) and ".." not in name:
        return name
    return hashlib.sha256(name.encode("utf-8", "backslashreplace")).hexdigest()[:16]
