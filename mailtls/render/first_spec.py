"""The first spec of a domain that was looked at: what is live, as YAML with comments. Pure."""

from collections.abc import Iterator

from mailtls.mta_sts.policy import Mode, Policy
from mailtls.mta_sts.record import Record
from mailtls.observed import Observed
from mailtls.reports.mx_operator import provider_of
from mailtls.spec.new_spec import new_spec
from mailtls.verdict import Verdict, reports_go_to


def first_spec(
    observed: Observed,
    verdict: Verdict,
    schema_line: str | None,
    *,
    adopt: bool = False,
    owner: str | None = None,
    path: str = "policy_specs",
) -> str:
    """In mode testing with the MX hosts as they are; no pattern, since the live hosts need none.

    adopt: the live policy instead, as faithfully as a spec can say it: mode, mx and max_age, and where reports go.
    owner: team that gets the alerts. path: the file's, for the commands in the comments.
    Raises new_spec.UnwritableSpec where no valid spec says what is live.
    """
    live = verdict.policy if adopt else None
    return new_spec(
        observed.policy_domain,
        [str(pattern) for pattern in live.mx] if live else [host.host for host in observed.mail_hosts],
        tuple(_seen(observed, verdict, live)),
        tuple(_next_steps(observed, live, path)),
        schema_line,
        mode=live.mode if live else Mode.TESTING,
        max_age=live.max_age if live else None,
        tls_rpt_rua=reports_go_to(observed) if adopt else (),
        owner=owner,
    )


def _seen(observed: Observed, verdict: Verdict, live: Policy | None) -> Iterator[str]:
    """What was found, for the reviewer who was not there."""
    yield f"Written on {observed.at:%Y-%m-%d} from what was live."
    for host in observed.mail_hosts:
        provider = provider_of(host.host, observed.policy_domain)
        told = host.host if host.preference is None else f"{host.preference} {host.host}"
        yield f"MX: {told}" + (f" ({provider})" if provider else "")
    record = observed.read_record()
    yield "MTA-STS record: " + (f"id {record.policy_id}" if isinstance(record, Record) else "none that senders use")
    if verdict.policy is not None:
        mx = ", ".join(map(str, verdict.policy.mx))
        yield f"policy served: {verdict.policy.mode}, max_age {verdict.policy.max_age}, mx {mx or 'none'}"
    yield f"TLS-RPT: {', '.join(reports_go_to(observed)) or 'nobody is asked for reports'}"
    if live is not None and live.extensions:
        names = ", ".join(name for name, _ in live.extensions)
        yield f"left out, because a spec has no words for them: the policy's fields {names}"


def _next_steps(observed: Observed, live: Policy | None, path: str) -> Iterator[str]:
    yield f"mailtls validate {path}"
    yield "commit it and open a pull request; pulumi up publishes it when it is merged"
    if live is not None:
        yield "remove the old mta-sts, _mta-sts and _smtp._tls records just before the first pulumi up"
        yield "senders go on with the policy that they hold; keep this mode until the new host has served it a while"
        return
    if observed.host_a is not None and observed.host_a.values:
        yield f"{observed.policy_host} exists already: remove that record just before the first pulumi up"
    yield "after two weeks of clean reports: mode: enforce"
