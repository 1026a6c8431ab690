"""Everything that preflight asks, asked: AWS, Cloudflare and the DNS side by side, each within bounds."""

import datetime
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from mailtls.observe.account.aws import Aws
from mailtls.observe.account.cloudflare import Cloudflare, CloudflareError, CloudflareRefused
from mailtls.observe.account.resolver import AccountResolver
from mailtls.preflight.permissions import Question, documents_for, questions
from mailtls.preflight.receiving import inbound_host
from mailtls.preflight.seen import (
    Caa,
    Delegation,
    Identity,
    NotAsked,
    NoZone,
    Permissions,
    Published,
    Refused,
    Seen,
    SeveralZones,
    TokenSeen,
    ZoneSeen,
)
from mailtls.preflight.wanted import Provider, Wanted, ZoneWanted

PARALLEL = 8
"""Questions at a time."""
NO_LOGIN = NotAsked("AWS was not asked: it does not know who asks")

_T = TypeVar("_T")
_Zone = ZoneSeen | NoZone | SeveralZones | NotAsked


@dataclass(frozen=True, slots=True)
class Look:
    """Whom to ask, about what.

    documents: the IAM policies of docs/iam by file name, or why they are not there. state_bucket: of an S3 backend.
    """

    wanted: Wanted
    aws: Aws
    cloudflare: Cloudflare | Refused
    resolver: AccountResolver
    documents: Mapping[str, bytes] | NotAsked
    state_bucket: str | None = None

    def seen(self, now: datetime.datetime) -> Seen:
        """Every answer. now: in UTC. Raises mailtls.preflight.permissions.BadPolicyDocument."""
        wanted, aws, identity = self.wanted, self.aws, self.aws.identity()
        known = isinstance(identity, Identity)
        intake = wanted.reports is not None and wanted.reports.rule_set != "external"
        with ThreadPoolExecutor(PARALLEL) as pool:
            # nothing of an account is asked as somebody that AWS does not know
            permissions = _later(pool, isinstance(identity, Identity), lambda: self._permissions(identity))
            limits = _later(pool, known and wanted.has_domains, aws.limits)
            distributions = _later(pool, known and wanted.has_domains, aws.distributions)
            certificates = _later(pool, known and wanted.has_domains, lambda: aws.certificates(now))
            rule_sets = _later(pool, known and intake, aws.rule_sets)
            subscriptions = _later(pool, known and wanted.has_platform, aws.subscriptions)
            bucket = self.state_bucket
            state = _later(pool, known and bucket is not None, lambda: aws.state_bucket(bucket or ""))
            receiving = _later(pool, intake, lambda: self.resolver.has_address(inbound_host(wanted.region)))
            token = _later(pool, wanted.writes_to(Provider.CLOUDFLARE), self._token)
            zones = _each(pool, wanted.zones, lambda zone: zone.suffix, lambda zone: self._zone(zone, known))
            delegations = _each(pool, zones.items(), lambda item: item[0], self._delegation)
            hosts = [f"mta-sts.{domain}" for domain in wanted.policy_domains or ()]
            caa: dict[str, Caa | NotAsked] = _each(pool, hosts, lambda host: host, self.resolver.caa)
            published: dict[str, Published | NotAsked] = _each(
                pool, wanted.policy_domains or (), lambda domain: domain, self.resolver.published
            )
            return Seen(
                identity=identity,
                permissions=_now(permissions),
                limits=_now(limits),
                distributions=_now(distributions),
                certificates=_now(certificates),
                rule_sets=_now(rule_sets),
                receiving_host=_now(receiving),
                subscriptions=_now(subscriptions),
                token=_now(token),
                zones=zones,
                delegations={suffix: found for suffix, found in delegations.items() if found is not None},
                caa=caa,
                published=published,
                state_bucket=_now(state),
            )

    def _permissions(self, identity: object) -> Permissions | NotAsked:
        if not isinstance(identity, Identity):
            return NO_LOGIN
        if isinstance(self.documents, NotAsked):
            return self.documents
        asked: list[Question] = []
        route53 = self.wanted.writes_to(Provider.ROUTE53)
        needed = documents_for(self.wanted, self.state_bucket)
        for name in needed:
            if name not in self.documents:
                return NotAsked(f"the folder of IAM policies has no {name}", "name docs/iam of the repository: --iam")
            asked += questions(name, self.documents[name], self.wanted, identity.account, self.state_bucket, route53)
        return self.aws.permissions(identity, needed, asked)

    def _token(self) -> TokenSeen | Refused | NotAsked:
        if isinstance(self.cloudflare, Refused):
            return self.cloudflare
        try:
            return TokenSeen(*self.cloudflare.token_status())
        except CloudflareRefused as e:
            return Refused(f"Cloudflare does not take the token: {e}")
        except CloudflareError as e:
            return NotAsked(str(e))

    def _zone(self, zone: ZoneWanted, known: bool) -> _Zone:
        if zone.provider is Provider.ROUTE53:
            return self.aws.zone(zone.suffix, zone.zone_id) if known else NO_LOGIN
        if isinstance(self.cloudflare, Refused):
            return NotAsked("Cloudflare was not asked: there is no token")
        try:
            found = self.cloudflare.zone_by_id(zone.zone_id) if zone.zone_id else self.cloudflare.zone(zone.suffix)
        except CloudflareRefused as e:
            return NotAsked(f"Cloudflare refuses to show the zone: {e}", "give the token Zone > Zone > Read on it")
        except CloudflareError as e:
            return NotAsked(str(e))
        if found is None:
            return NoZone()
        return ZoneSeen(found.zone_id, found.name_servers, found.status, found.kind, found.permissions)

    def _delegation(self, item: tuple[str, _Zone]) -> Delegation | NotAsked | None:
        """None where there is no zone whose delegation could be right."""
        suffix, zone = item
        if not isinstance(zone, ZoneSeen) or zone.private:
            return None
        return self.resolver.delegation(suffix, zone.name_servers)


def _later(pool: ThreadPoolExecutor, wanted: bool, ask: Callable[[], _T]) -> "Future[_T] | None":
    return pool.submit(ask) if wanted else None


def _now(later: "Future[_T] | None") -> _T | None:
    return None if later is None else later.result()


_Item = TypeVar("_Item")


def _each(
    pool: ThreadPoolExecutor, items: Iterable[_Item], key: Callable[[_Item], str], ask: Callable[[_Item], _T]
) -> dict[str, _T]:
    """The answer to each item, by its key, in order."""
    listed = list(items)
    return dict(zip(map(key, listed), pool.map(ask, listed), strict=True))
