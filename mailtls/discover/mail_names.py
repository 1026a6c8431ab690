"""Which names receive mail, and what each one has: from a zone's records, or from what the DNS answered. Pure.

A name in a zone receives mail when it has an MX record. Without one senders take the name's own address (RFC 5321
section 5.1), which nearly every name has, so that counts only for a name that somebody listed.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from mailtls.reports.mx_operator import is_own, provider_of

NULL_MX = "."
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')
_ESCAPE = re.compile(r"\\(.)")


class Route(StrEnum):
    """How mail gets to a name; the values stand in tables.

    WILDCARD: the name is `*.<zone>`: every name below receives mail, and none of them gets a policy by it.
    UNKNOWN: the DNS gave no answer.
    """

    MX = "mx"
    IMPLICIT = "address, no mx"
    NULL = "null mx"
    WILDCARD = "wildcard mx"
    NONE = "none"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class ZoneRecord:
    """name: lower case, no final dot. type: upper case. value: presentation form; names without final dot; of TXT the
    strings joined."""

    name: str
    type: str
    value: str


@dataclass(frozen=True, slots=True)
class MailName:
    """One name.

    source: where it was found, in words. mx: preference and host, the preferred one first; hosts are lower case.
    mta_sts, tls_rpt, policy_host: whether it has an MTA-STS record, a TLS-RPT record, and a host `mta-sts.<name>`;
    None: not known. fault: why there was no answer.
    """

    name: str
    source: str
    route: Route
    mx: tuple[tuple[int, str], ...] = ()
    mta_sts: bool | None = None
    tls_rpt: bool | None = None
    policy_host: bool | None = None
    fault: str = ""

    @property
    def receives(self) -> bool:
        return self.route in (Route.MX, Route.IMPLICIT, Route.WILDCARD)

    @property
    def hosts(self) -> tuple[str, ...]:
        """The hosts that take its mail, the preferred one first, each once."""
        if self.route is Route.IMPLICIT:
            return (self.name,)
        return tuple(dict.fromkeys(host for _, host in self.mx if host != NULL_MX))

    @property
    def provider(self) -> str:
        """Who runs its MX, several joined by `+`: a provider's name, `own`, or the domain of the MX where nobody knows
        whose it is; "" when nothing receives."""
        domain = self.name.removeprefix("*.")
        found = [
            provider_of(host, domain) or ("own" if is_own(host, domain) else _domain_of(host)) for host in self.hosts
        ]
        return " + ".join(dict.fromkeys(found))


def _domain_of(host: str) -> str:
    """The host's name without its first label, where two labels or more are left."""
    parent = host.partition(".")[2]
    return parent if "." in parent else host


def mail_names(records: Iterable[ZoneRecord], source: str) -> tuple[MailName, ...]:
    """Every name that has an MX record, sorted by name from the right, so that a zone's names stand together."""
    at: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for record in records:
        at[record.name, record.type].append(record.value)
    owners = sorted({name for name, kind in at if kind == "MX"}, key=by_zone)
    return tuple(_mail_name(owner, at, source) for owner in owners)


def _mail_name(owner: str, at: Mapping[tuple[str, str], Sequence[str]], source: str) -> MailName:
    mx = mx_of(at[owner, "MX"])
    host = f"mta-sts.{owner}"
    return MailName(
        name=owner,
        source=source,
        route=route_of(mx, owner),
        mx=mx,
        mta_sts=_has(at, f"_mta-sts.{owner}", "v=STSv1"),
        tls_rpt=_has(at, f"_smtp._tls.{owner}", "v=TLSRPTv1"),
        policy_host=any((host, kind) in at for kind in ("A", "AAAA", "CNAME", "ALIAS")),
    )


def _has(at: Mapping[tuple[str, str], Sequence[str]], name: str, begins: str) -> bool | None:
    """Whether the zone holds such a TXT record; an alias leads out of it, so then it is not known."""
    if any(value.startswith(begins) for value in at.get((name, "TXT"), ())):
        return True
    return None if (name, "CNAME") in at else False


def mx_of(values: Iterable[str]) -> tuple[tuple[int, str], ...]:
    """MX values in presentation form, `10 mx1.contoso.example`, as pairs, the preferred one first."""
    found = []
    for value in values:
        preference, _, host = value.strip().partition(" ")
        if preference.isascii() and preference.isdecimal() and len(preference) <= 5:
            found.append((int(preference), host.strip().lower().removesuffix(".") or NULL_MX))
    return tuple(sorted(found))


def joined(content: str) -> str:
    """TXT content as providers hold it, `"one" "two"` or without quotes, as its one text."""
    strings = _STRING.findall(content)
    return "".join(_ESCAPE.sub(r"\1", string) for string in strings) if strings else content


def route_of(mx: Sequence[tuple[int, str]], owner: str) -> Route:
    """The route of a name that has these MX records, at least one."""
    if all(host == NULL_MX for _, host in mx):
        return Route.NULL  # RFC 7505
    return Route.WILDCARD if owner.startswith("*.") else Route.MX


def by_zone(name: str) -> tuple[str, ...]:
    """Sorts names by their labels from the right."""
    return tuple(reversed(name.split(".")))
