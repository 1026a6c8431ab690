"""What senders could fetch, and when: the memory from which every "safe from" is computed.

It comes from the versions of the policy object, which the bucket keeps for 400 days, and from what a former host is
said to have served (`adopted` in the spec). Git does not count here: what is written is deployed some time later, or
never.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from mailtls.mta_sts.policy import InvalidPolicy, MxPattern, Policy
from mailtls.mta_sts.record import InvalidRecord, policy_id_of
from mailtls.spec.controller import Adopted


@dataclass(frozen=True, slots=True)
class Version:
    """One version of the policy object. modified: UTC, when it took the place of the one before. body: None where
    nothing was served from then on (a delete marker), or a file too large for any sender."""

    version_id: str
    modified: datetime
    body: bytes | None


@dataclass(frozen=True, slots=True)
class ServedPolicy:
    """A policy that senders could fetch from `since` to `until` (UTC; None: they still can).

    policy_id: what the TXT record says for it; "" where the version has none.
    """

    policy: Policy
    since: datetime
    until: datetime | None
    policy_id: str = ""


@dataclass(frozen=True, slots=True)
class History:
    """served: newest first, whatever was a policy; a body that was none was served and applied by nobody.

    adopted: None where there was no former host. whole: whether all versions were read; where not, no date can be
    promised.
    """

    served: tuple[ServedPolicy, ...] = ()
    adopted: Adopted | None = None
    whole: bool = True

    @property
    def current(self) -> ServedPolicy | None:
        """The policy that is served now."""
        return self.served[0] if self.served and self.served[0].until is None else None

    def unchanged_since(self) -> datetime | None:
        """Since when the current policy says what it says, over versions that say the same."""
        return self._since(lambda served, now: says_the_same(served.policy, now))

    def mode_since(self) -> datetime | None:
        """Since when the current mode is served without a gap, whatever else changed."""
        return self._since(lambda served, now: served.policy.mode is now.mode)

    def named_since(self, pattern: MxPattern) -> datetime | None:
        """Since when every policy that was served names `pattern`; None where the current one does not."""
        return self._since(lambda served, _: pattern in served.policy.mx)

    def _since(self, is_same: Callable[[ServedPolicy, Policy], bool]) -> datetime | None:
        current = self.current
        since = None
        for served in self.served:
            if current is None or not is_same(served, current.policy):
                break
            if since is not None and served.until != since:
                break  # for a time something was served that is no policy
            since = served.since
        return since


def of_versions(versions: Iterable[Version], adopted: Adopted | None = None, whole: bool = True) -> History:
    """The history that the versions of one policy object tell. In any order, but where two have one `modified` (S3
    counts in seconds) the newer one comes first, as S3 lists them."""
    return History(tuple(_served(versions)), adopted, whole)


def _served(versions: Iterable[Version]) -> Iterator[ServedPolicy]:
    until: datetime | None = None
    for version in sorted(versions, key=lambda one: one.modified, reverse=True):
        policy = _policy(version.body)
        if policy is not None:
            yield ServedPolicy(policy, version.modified, until, _policy_id(version.version_id))
        until = version.modified


def says_the_same(one: Policy, other: Policy) -> bool:
    """Do senders act alike on both? The order of mx and extension fields do not count."""
    if one is other:
        return True
    if one.mode is not other.mode or one.max_age != other.max_age:
        return False
    return one.mx == other.mx or set(one.mx) == set(other.mx)


def _policy(body: bytes | None) -> Policy | None:
    try:
        return Policy.parse(body) if body is not None else None
    except InvalidPolicy:
        return None


def _policy_id(version_id: str) -> str:
    try:
        return policy_id_of(version_id)
    except InvalidRecord:
        return ""
