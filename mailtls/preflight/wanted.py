"""What a stack is going to need, as far as an account can be asked about it."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a stack holds. `platform`: the policy bucket, reports, alerts; `domains`: domains; `all`: both."""

    ALL = "all"
    PLATFORM = "platform"
    DOMAINS = "domains"


class Provider(StrEnum):
    """Who hosts a zone."""

    CLOUDFLARE = "cloudflare"
    ROUTE53 = "route53"


@dataclass(frozen=True, slots=True)
class ZoneWanted:
    """suffix: the zone's name, A-labels. zone_id: the provider's; None: it is looked up by name."""

    suffix: str
    provider: Provider
    zone_id: str | None = None


@dataclass(frozen=True, slots=True)
class ReportsWanted:
    """domain: that receives the reports. rule_set: `own`, `join:<name>` or `external`. activate: make `own` active."""

    domain: str
    rule_set: str
    activate: bool = False


@dataclass(frozen=True, slots=True)
class Wanted:
    """One stack.

    region: of the platform. zones: in the order of the settings. reports: None for kind domains.
    specs: folder or file of specs, as the settings name it; None where the stack has none.
    policy_domains: those that get a policy host; filled in by whoever has loaded the specs. None: they are not known.
    specs_fault: why the specs could not be loaded, one line; "" when they were, or were not asked for.
    resolver: `ADDRESS:PORT` of the setting `gate.resolver`; None: it is not set.
    """

    kind: Kind
    region: str
    zones: tuple[ZoneWanted, ...] = ()
    reports: ReportsWanted | None = None
    specs: str | None = None
    policy_domains: tuple[str, ...] | None = None
    specs_fault: str = ""
    resolver: str | None = None

    @property
    def has_platform(self) -> bool:
        return self.kind is not Kind.DOMAINS

    @property
    def has_domains(self) -> bool:
        return self.kind is not Kind.PLATFORM

    def writes_to(self, provider: Provider) -> bool:
        return any(zone.provider is provider for zone in self.zones)
