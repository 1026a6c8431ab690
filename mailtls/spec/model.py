"""The values that specs become. Everything else in the system takes these and knows no YAML."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from mailtls.mta_sts.policy import Mode, MxPattern, Policy
from mailtls.spec.alerts import Mute
from mailtls.spec.controller import BY_DEFAULT, Controller


@dataclass(frozen=True, slots=True)
class Source:
    """Where something is written: the file as the user would type it, and the line (from 1); of a spec, the line that
    names the domain. column: from 1, where it is known."""

    file: str
    line: int
    column: int | None = None


@dataclass(frozen=True, slots=True)
class MtaSts:
    """What is served to senders. Only what makes a valid policy can be built (raises mta_sts.policy.InvalidPolicy).

    mx: in the order written. max_age: seconds.
    """

    mode: Mode
    mx: tuple[MxPattern, ...]
    max_age: int
    policy: Policy = field(init=False, repr=False, compare=False)
    """The same as RFC 8461 has it, ready to render."""
    wildcards: tuple[str, ...] = field(init=False, repr=False, compare=False)
    """The names below which a pattern of `mx` lets every host in."""

    def __post_init__(self) -> None:
        wildcards = tuple([pattern.text[2:] for pattern in self.mx if pattern.text[0] == "*"])
        object.__setattr__(self, "wildcards", wildcards)
        object.__setattr__(self, "policy", Policy(self.mode, self.max_age, self.mx))


@dataclass(frozen=True, slots=True)
class TlsRpt:
    """Where reports go. rua: `mailto:` and `https:` URIs in order; empty means the platform's own pipeline."""

    rua: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PolicySpec:
    """Everything asked for one policy domain.

    policy_domain: A-labels, lower case, no trailing dot.
    mta_sts: None where only TLS-RPT is asked for. tls_rpt: None where it is switched off.
    owner: team whose subscriptions get the alerts. contact: address of a person. Either None when left out.
    source: does not count when two specs are compared.
    suppress: rule id to the reason why the rule does not apply here, one line of text each; read-only.
    controller: what the controller may propose, and when. mute: alerts are held back until its end.
    """

    policy_domain: str
    mta_sts: MtaSts | None
    tls_rpt: TlsRpt | None
    owner: str | None
    contact: str | None
    source: Source = field(compare=False)
    suppress: Mapping[str, str] = field(default_factory=dict, hash=False)
    controller: Controller = BY_DEFAULT
    mute: Mute | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "suppress", MappingProxyType(dict(self.suppress)))
