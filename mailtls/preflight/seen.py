"""What asking an account returned: values only, judged by nobody yet. `NotAsked` stands where no answer came."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class NotAsked:
    """No answer, which is not the same as a bad one. why: what was said instead, one line. do: what would help."""

    why: str
    do: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """There are no credentials, or the service does not take them. why: the whole of it, one line."""

    why: str


@dataclass(frozen=True, slots=True)
class Identity:
    """Who AWS takes us for. arn: as STS says it."""

    account: str
    arn: str

    @property
    def is_root(self) -> bool:
        return self.arn.endswith(":root")


@dataclass(frozen=True, slots=True)
class Permissions:
    """What the policy simulator said. asked: how many pairs of action and resource. denied: those that are not allowed,
    as `action on resource`. documents: the IAM policies whose actions were asked about."""

    asked: int
    denied: tuple[str, ...]
    documents: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Distributions:
    """CloudFront's. total: how many. aliases: the names that they answer for. access_controls: how many there are."""

    total: int
    aliases: frozenset[str]
    access_controls: int | NotAsked


@dataclass(frozen=True, slots=True)
class Certificates:
    """ACM's, in us-east-1. total: how many. last_year: requested in the last 365 days. names: main name of each."""

    total: int
    last_year: int
    names: frozenset[str]


@dataclass(frozen=True, slots=True)
class Limits:
    """The account's own quotas, by Quota.key; those that AWS did not name are missing."""

    values: Mapping[str, int] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class RuleSets:
    """SES's receipt rule sets in the region. active: None: none is. rules: names of the active set's rules, in order.
    recipients: of those rules, each once."""

    total: int
    active: str | None
    rules: tuple[str, ...] = ()
    recipients: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NotReceiving:
    """SES says that it has no receiving in the region. why: its words."""

    why: str


@dataclass(frozen=True, slots=True)
class SubscriptionSeen:
    """One of the alert topic's. confirmed: its receiver has agreed."""

    topic: str
    protocol: str
    endpoint: str
    confirmed: bool


@dataclass(frozen=True, slots=True)
class TokenSeen:
    """Cloudflare's word on the token. status: `active`, `disabled`, `expired`. expires: when, as it came; "" never."""

    status: str
    expires: str = ""


@dataclass(frozen=True, slots=True)
class ZoneSeen:
    """A zone at its provider.

    status: Cloudflare's `active`, `pending`...; "" at Route 53. kind: Cloudflare's `full`, `partial`, `secondary`.
    name_servers: that the provider gave the zone. permissions: what the token may do, Cloudflare's words; None: it
    does not say. private: a Route 53 zone that the internet does not see.
    """

    zone_id: str
    name_servers: tuple[str, ...]
    status: str = ""
    kind: str = "full"
    permissions: tuple[str, ...] | None = None
    private: bool = False


@dataclass(frozen=True, slots=True)
class NoZone:
    """The provider shows no such zone to these credentials."""


@dataclass(frozen=True, slots=True)
class SeveralZones:
    """The provider has more than one public zone of that name. ids: theirs."""

    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Delegation:
    """The name servers that the internet asks; () when the zone is not delegated.

    addresses: theirs. assigned_addresses: those of the servers that the provider gave the zone. Both are looked up only
    when the names differ: white-label name servers have names of their own and the provider's addresses.
    """

    name_servers: tuple[str, ...]
    addresses: frozenset[str] = frozenset()
    assigned_addresses: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Caa:
    """The CAA set that a certificate authority finds for a host (RFC 8659 section 3). owner: the name that has it; ""
    when no name has one. values: in presentation form, as `0 issue "amazon.com"`."""

    owner: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Published:
    """What the zone's own servers have for a policy domain. mta_sts, tls_rpt: whether there is such a TXT record.
    policy_host: whether `mta-sts.<domain>` leads anywhere."""

    mta_sts: bool
    tls_rpt: bool
    policy_host: bool


@dataclass(frozen=True, slots=True)
class StateBucket:
    """The bucket of the S3 state backend. reachable: it exists and may be looked at. why: the refusal's words."""

    name: str
    reachable: bool
    versioned: bool | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """Everything that was asked. None: the stack needs no answer to it.

    zones: by suffix. delegations: by suffix. caa: by policy host. published: by policy domain.
    receiving_host: whether SES's inbound host of the region has an address.
    """

    identity: Identity | Refused | NotAsked
    permissions: Permissions | NotAsked | None = None
    limits: Limits | NotAsked | None = None
    distributions: Distributions | NotAsked | None = None
    certificates: Certificates | NotAsked | None = None
    rule_sets: RuleSets | NotReceiving | NotAsked | None = None
    receiving_host: bool | NotAsked | None = None
    subscriptions: tuple[SubscriptionSeen, ...] | NotAsked | None = None
    token: TokenSeen | Refused | NotAsked | None = None
    zones: Mapping[str, ZoneSeen | NoZone | SeveralZones | NotAsked] = field(default_factory=dict, hash=False)
    delegations: Mapping[str, Delegation | NotAsked] = field(default_factory=dict, hash=False)
    caa: Mapping[str, Caa | NotAsked] = field(default_factory=dict, hash=False)
    published: Mapping[str, Published | NotAsked] = field(default_factory=dict, hash=False)
    state_bucket: StateBucket | NotAsked | None = None
