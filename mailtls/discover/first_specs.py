"""First specs of names that were found: which of them get one, and what it says. Pure."""

import datetime
import shlex
from collections.abc import Iterable
from dataclasses import dataclass, field

from mailtls.discover.mail_names import MailName, Route
from mailtls.spec.new_spec import UnwritableSpec, new_spec

WHY_NONE = {
    Route.NULL: "its MX record is the null MX: it receives no mail and needs no policy",
    Route.IMPLICIT: "it has no MX record; add one that names the host, then discover again",
    Route.WILDCARD: "a policy is for one name; write a spec for each name below it that receives mail",
    Route.NONE: "it receives no mail: neither MX record nor address",
    Route.UNKNOWN: "the DNS gave no answer",
}


@dataclass(frozen=True, slots=True)
class FirstSpecs:
    """texts: YAML by file name, `<policy domain>.yaml`. left_out: name to the reason why it gets none. faulty: those of
    left_out that receive mail and whose MX no policy can name."""

    texts: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    faulty: list[str] = field(default_factory=list)


def first_specs(
    found: Iterable[MailName], have: frozenset[str], today: datetime.date, schema_line: str | None, folder: str
) -> FirstSpecs:
    """A spec in testing for every name with MX records. have: names that have a spec already, in whatever file.

    schema_line: as new_spec has it. folder: where the specs go, as it was typed, for the commands in the comments.
    """
    specs = FirstSpecs()
    for one in found:
        if one.name in have:
            specs.left_out[one.name] = "there is a spec for it already"
        elif one.route is not Route.MX:
            specs.left_out[one.name] = WHY_NONE[one.route]
        else:
            try:
                specs.texts[f"{one.name}.yaml"] = _text(one, today, schema_line, folder)
            except UnwritableSpec as e:
                specs.faulty.append(one.name)
                specs.left_out[one.name] = f"no spec can hold it: {'; '.join(str(e).splitlines())}"
    return specs


def _text(one: MailName, today: datetime.date, schema_line: str | None, folder: str) -> str:
    seen = [f"Found by mailtls discover on {today}: {one.source}. Provider: {one.provider}."]
    seen += [f"MX {preference} {host}" for preference, host in one.mx]
    seen.append(
        f"MTA-STS record: {_told(one.mta_sts)}, TLS-RPT record: {_told(one.tls_rpt)},"
        f" policy host: {_told(one.policy_host)}."
    )
    steps = []
    if one.mta_sts:
        adopt = f"mailtls init --adopt --overwrite --folder {shlex.quote(folder)} {one.name}"
        steps.append(f"A policy is published already. Take it over as it is: {adopt}")
    steps += [
        f"Does every MX show a certificate for its name? mailtls check --smtp {one.name}",
        "Deploy in testing, read the reports for two weeks, then write mode: enforce.",
    ]
    return new_spec(one.name, one.hosts, seen, steps, schema_line)


def _told(has: bool | None) -> str:
    return "not known" if has is None else "yes" if has else "no"
