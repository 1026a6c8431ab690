"""Rules over a set of specs: what can only be seen in several of them together."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from mailtls.lint.about import About
from mailtls.lint.findings import Severity
from mailtls.lint.spec_rule import Key, about_specs
from mailtls.mta_sts.policy import Mode
from mailtls.reports.mx_operator import PROVIDERS
from mailtls.spec.model import PolicySpec

NAMED = 3
"""Other specs that a message names."""

MxSet = frozenset[str]


@dataclass(frozen=True, slots=True)
class SetRule:
    """finds: takes all specs, gives the spec, the message and the fix of each finding. Pure, linear in the specs.
    key: of the spec, the one that a finding is about."""

    about: About
    finds: Callable[[Sequence[PolicySpec]], Iterable[tuple[PolicySpec, str, str]]]
    key: Key


def _same_mx_other_policy(specs: Sequence[PolicySpec]) -> Iterator[tuple[PolicySpec, str, str]]:
    """Specs that share hosts with more specs that agree on another list.

    Without a look at DNS nobody knows the MX records; specs that name one host are taken to share them. Of lists that
    overlap the one that most specs have is taken as meant, the first by domain where two are equally frequent.
    """
    owners: dict[MxSet, list[PolicySpec]] = {}
    for mx, spec in _sharing(specs):
        owners.setdefault(mx, []).append(spec)
    meant = _Meant(owners)
    for mx, odd in owners.items():
        best = meant.beside(mx)
        if best is not None:
            for spec in odd:
                yield (
                    spec,
                    _difference(mx, best, owners[best]),
                    "make the lists equal, or suppress this with the reason",
                )


def _sharing(specs: Iterable[PolicySpec]) -> Iterator[tuple[MxSet, PolicySpec]]:
    """The specs with a policy, each with its list, but for those that surely share no host: most of a large set."""
    live = [
        (spec.mta_sts.mx, spec) for spec in specs if spec.mta_sts is not None and spec.mta_sts.mode is not Mode.NONE
    ]
    frequency = Counter([pattern.text for mx, _ in live for pattern in mx])
    everything = any(spec.mta_sts and spec.mta_sts.wildcards for _, spec in live)
    for mx, spec in live:
        if everything or any([frequency[pattern.text] > 1 for pattern in mx]):
            yield frozenset([pattern.text for pattern in mx]), spec


class _Meant:
    """The most frequent list for each host."""

    def __init__(self, owners: Mapping[MxSet, Sequence[PolicySpec]]) -> None:
        self._rank = {mx: (-len(having), min(spec.policy_domain for spec in having)) for mx, having in owners.items()}
        self._by_pattern: dict[str, MxSet] = {}
        """A host or a wildcard to the best list that names it."""
        self._by_parent: dict[str, MxSet] = {}
        """A name to the best list that names a host directly under it."""
        wildcards = Counter(pattern[2:] for mx in owners for pattern in mx if pattern.startswith("*."))
        for mx in sorted(owners, key=self._rank.__getitem__):
            for pattern in mx:
                self._by_pattern.setdefault(pattern, mx)
                parent = pattern.partition(".")[2]
                if pattern[0] != "*" and parent in wildcards:
                    self._by_parent.setdefault(parent, mx)

    def beside(self, mx: MxSet) -> MxSet | None:
        """The list that `mx` should have been; None where nothing that overlaps is more frequent."""
        near = [found for pattern in mx for found in self._overlapping(pattern) if found is not None]
        best = min(near, key=self._rank.__getitem__, default=mx)
        return best if self._rank[best] < self._rank[mx] else None

    def _overlapping(self, pattern: str) -> tuple[MxSet | None, ...]:
        parent = pattern.partition(".")[2]
        if pattern[0] != "*":
            above = self._by_pattern.get(f"*.{parent}")
            return self._by_pattern.get(pattern), None if above and _is_shared_zone(parent) else above
        if _is_shared_zone(parent):  # each customer of a provider has another host there
            return ()
        return self._by_pattern.get(pattern), self._by_parent.get(parent)


def _is_shared_zone(name: str) -> bool:
    """Whether a provider gives each customer a host of its own under `name`."""
    labels = name.split(".")
    return any(".".join(labels[start:]) in PROVIDERS for start in range(len(labels)))


def _difference(mx: MxSet, best: MxSet, having: Sequence[PolicySpec]) -> str:
    named = sorted(spec.policy_domain for spec in having)
    others = ", ".join(named[:NAMED]) + (f" and {len(named) - NAMED} more" if len(named) > NAMED else "")
    parts = []
    if missing := sorted(best - mx):
        parts.append(f"here {_listed(missing)} {'is' if len(missing) == 1 else 'are'} missing")
    if more := sorted(mx - best):
        parts.append(f"only here stands {_listed(more)}" if len(more) == 1 else f"only here stand {_listed(more)}")
    return f"names MX hosts that {others} names too, with another list: {'; '.join(parts)}"


def _listed(patterns: Sequence[str]) -> str:
    return ", ".join(patterns[:NAMED]) + (f" and {len(patterns) - NAMED} more" if len(patterns) > NAMED else "")


RULES = (
    SetRule(
        about_specs(
            "same-mx-other-policy",
            Severity.WARNING,
            "Domains on the same MX hosts with different lists: most often one spec was forgotten when the hosts "
            "changed. KumoMTA judges mail for domains with equal MX records together, so the odd list decides for the "
            "others too. Offline the MX records are not known: specs that name one host count as sharing it, a "
            "wildcard of a provider's zone does not.",
            "Make the lists equal, or suppress this with the reason why the MX records differ.",
            'RFC 8461 section 4.1; docs/rules.md, "What senders do"',
        ),
        _same_mx_other_policy,
        ("mta_sts", "mx"),
    ),
)
