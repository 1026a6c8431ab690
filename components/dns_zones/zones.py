"""Which zone a name belongs to: the longest configured suffix wins."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from components.dns_zones.cloudflare import CloudflareZone
from components.dns_zones.route53 import Route53Zone
from components.dns_zones.zone import DnsZone
from components.look_up import LookUpFailed, NotLetIn
from mailtls.names import is_under


class Provider(StrEnum):
    """Who hosts a zone."""

    CLOUDFLARE = "cloudflare"
    ROUTE53 = "route53"


@dataclass(frozen=True, slots=True)
class ZoneSetting:
    """One zone as the settings name it.

    suffix: the zone's name in A-labels.
    zone_id: the provider's id; None: the program looks it up by name, once.
    """

    suffix: str
    provider: Provider
    zone_id: str | None = None


class ZoneNotConfigured(ValueError):
    """No configured zone holds the name: add its zone to the setting `mailtls:zones`."""


@dataclass(frozen=True, slots=True)
class DnsZones:
    """The configured zones. A zone is looked up when it is first used, and then never again."""

    settings: tuple[ZoneSetting, ...]
    _zones: dict[str, DnsZone] = field(default_factory=dict, init=False, repr=False, compare=False)

    def setting_for(self, name: str) -> ZoneSetting:
        """The setting of the zone that holds `name` (A-labels), without any look-up. Raises ZoneNotConfigured."""
        fitting = [setting for setting in self.settings if is_under(name, setting.suffix)]
        if not fitting:
            known = ", ".join(sorted(setting.suffix for setting in self.settings)) or "none"
            raise ZoneNotConfigured(
                f"zone-not-configured: {name} lies in no zone of the setting mailtls:zones (suffixes there: {known})"
            )
        return max(fitting, key=lambda setting: setting.suffix.count("."))

    def find(self, names: Iterable[str]) -> None:
        """Look up the zones of all `names` now. Raises ZoneNotConfigured; LookUpFailed with a line for each fault."""
        faults = {}
        for name in names:
            try:
                self.zone_for(name)
            except NotLetIn:
                raise  # it would be the same for the next zone
            except LookUpFailed as e:
                faults[str(e)] = e
        if faults:
            raise LookUpFailed("\n".join(faults)) from next(iter(faults.values()))

    def zone_for(self, name: str) -> DnsZone:
        """The zone that holds `name`. Raises ZoneNotConfigured, LookUpFailed."""
        setting = self.setting_for(name)
        if setting.suffix not in self._zones:
            self._zones[setting.suffix] = _zone(setting)
        return self._zones[setting.suffix]


def _zone(setting: ZoneSetting) -> DnsZone:
    kind: type[CloudflareZone] | type[Route53Zone] = (
        CloudflareZone if setting.provider is Provider.CLOUDFLARE else Route53Zone
    )
    return kind(setting.suffix, setting.zone_id) if setting.zone_id else kind.find(setting.suffix)
