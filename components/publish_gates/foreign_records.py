"""Records that announce something beside ours: two are as bad as none (RFC 8461 section 3.1, RFC 8460 section 3).

Which values count is for the senders to say. The RFC discards what does not begin with `v=STSv1;`, but some senders
count all that begins with `v=STSv1`, with white space or anything else behind it; so that is what counts here. One
sender joins all TXT values at the name into one record: any other value there is a warning.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

import pulumi
import pulumi.runtime

from components.dns_zones.zone import DnsZone
from components.failed_create import LEFT_OVER, take_over
from components.publish_gates.settings import GateSettings
from components.publish_gates.waiting import GateError, once, poll, warn
from mailtls.mta_sts import shown
from mailtls.mta_sts.record import Record, RecordError
from mailtls.observe.dns import DnsError

_OWN_ID = re.compile(r"[a-z2-7]{24}")
"""The form of `policy_id_of`."""


@dataclass(frozen=True, slots=True)
class Beside:
    """What stands at a record's name that is not ours.

    candidates: values that senders count as a record. others: the rest. alone: none of ours stands there.
    """

    candidates: tuple[str, ...]
    others: tuple[str, ...]
    alone: bool

    @classmethod
    def of(cls, values: Iterable[str], ours: Iterable[str], version: str) -> "Beside":
        """`version`: how a candidate begins, `v=STSv1` or `v=TLSRPTv1`."""
        there, known = tuple(values), frozenset(ours)
        rest = [value for value in there if value not in known]
        return cls(
            tuple(value for value in rest if value.startswith(version)),
            tuple(value for value in rest if not value.startswith(version)),
            alone=len(rest) == len(there),
        )

    @property
    def instead(self) -> bool:
        """One candidate in the place of ours, which somebody changed by hand or a run that was cut off changed: an
        update of ours overwrites it, and senders never find two."""
        return self.alone and len(self.candidates) == 1


class ForeignRecordGate:
    """The gate of one TXT record at `name`.

    It refuses to write beside a candidate that is neither the record's old nor its new value. A candidate with exactly
    the new value was written by an earlier run that was cut off.
    looked: it has looked before a change of the record in this run. new: the record is not in the state yet.
    old: the values before the change. In a preview it only keeps the last two, for the standing look.
    """

    def __init__(self, name: str, version: str, zone: DnsZone, settings: GateSettings) -> None:
        self.name = name
        self.version = version
        self.zone = zone
        self.settings = settings
        self.looked = False
        self.new = False
        self.old: tuple[str, ...] = ()

    async def before_create(self, args: pulumi.ResourceHookArgs) -> None:
        """Raises GateError at once for such a candidate, and at the limit when the zone's servers do not answer."""
        self.new = True
        if pulumi.runtime.is_dry_run():
            return
        self.looked = True
        found: list[tuple[str, ...]] = []
        cause = await poll(partial(self._look, found), self.settings.timeout, args.urn, self.name)
        if cause is not None:
            raise GateError(
                f"{self.name}: after {self.settings.timeout:g} s it is still not known whether a record exists there: "
                f'{cause}; nothing was published; the next "pulumi up" tries again'
            )
        beside = self._beside(found[-1], args)
        if beside.candidates:
            yours = ""
            if len(beside.candidates) == 1 and args.type in LEFT_OVER:
                command = take_over(args.type, args.name, args.new_inputs or {})
                yours = f"Is it yours? Take it over, and it is changed in the same run: {command} . Else: "
            raise self._refusal(beside, args, "nothing was published", yours)
        await self._warn_of_others(beside, args.urn)

    async def before_update(self, args: pulumi.ResourceHookArgs) -> None:
        """Raises GateError for such a candidate. A record of ours stands already, so a DNS that does not answer is a
        warning: it must not hold up a way back."""
        self.old = self.zone.txt_values(args.old_inputs or {})
        if pulumi.runtime.is_dry_run():
            return
        self.looked = True
        found: list[tuple[str, ...]] = []
        try:
            cause = await once(partial(self._look, found))
        except TimeoutError:
            cause = "the name servers take too long"
        if cause is not None:
            await warn(args.urn, f"{self.name}: it is not known whether a second record stands beside ours: {cause}")
            return
        beside = self._beside(found[-1], args)
        if self.zone.one_set_per_name:
            # this update writes all values of the name anew: ours stands alone after it
            if gone := (*beside.candidates, *beside.others):
                await warn(args.urn, f"{self.name}: this update removes what our state does not know: {_listed(gone)}")
        elif beside.candidates and not beside.instead:
            raise self._refusal(beside, args, "the old record stays as it is")
        else:
            await self._warn_of_others(beside, args.urn)

    def _refusal(self, beside: Beside, args: pulumi.ResourceHookArgs, kept: str, yours: str = "") -> GateError:
        clear = self.zone.removal_of_txt(self.name, args.new_inputs or {})
        return GateError(
            f"{unknown_record(self.name, beside.candidates)}; {kept}. {yours}"
            f'Remove it, then run "pulumi up" again: {clear}'
        )

    async def _warn_of_others(self, beside: Beside, urn: str) -> None:
        if beside.others and self.version == "v=STSv1":
            await warn(urn, other_values(self.name, beside.others))

    def _beside(self, values: tuple[str, ...], args: pulumi.ResourceHookArgs) -> Beside:
        return Beside.of(values, (*self.old, *self.zone.txt_values(args.new_inputs or {})), self.version)

    def _look(self, found: list[tuple[str, ...]]) -> str | None:
        """Adds what it finds to `found`, or returns the cause. Blocks: runs in POOL."""
        try:
            found.append(self.settings.resolver.authoritative_txt(self.name, self.zone.apex))
        except DnsError as e:
            return str(e)
        return None


def unknown_record(name: str, candidates: tuple[str, ...]) -> str:
    """DNS does not tell who wrote a record, so the text claims no more than that our state does not know it."""
    text = (
        f"{name}: {_listed(candidates)} stands there, and this stack's state does not know it; senders "
        "that find two records count none"
    )
    if any(map(_has_the_form_of_ours, candidates)):
        text += " (its id has the form of ours: a run that was cut off left it, or another stack has this domain too)"
    return text


def other_values(name: str, others: tuple[str, ...]) -> str:
    """The warning for values that are no record at all."""
    return (
        f"{name}: {_listed(others)} stands there too; some senders join all TXT values of this name into "
        "one record and then find none. Move it to another name or remove it"
    )


def _listed(values: tuple[str, ...]) -> str:
    return ", ".join(map(shown, values))


def _has_the_form_of_ours(candidate: str) -> bool:
    try:
        return _OWN_ID.fullmatch(Record.parse(candidate).policy_id) is not None
    except RecordError:
        return False
