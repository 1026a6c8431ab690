"""What the answers of AWS mean."""

from collections.abc import Iterator, Sized

from mailtls.preflight.check import Check, State
from mailtls.preflight.quotas import (
    ACCESS_CONTROLS,
    CERTIFICATES,
    CERTIFICATES_A_YEAR,
    DISTRIBUTIONS,
    LARGEST_STACK,
    RULE_SETS,
    RULES,
    Quota,
)
from mailtls.preflight.receiving import RECEIVING_REGIONS, inbound_host
from mailtls.preflight.seen import (
    Certificates,
    Distributions,
    Identity,
    Limits,
    NotAsked,
    NotReceiving,
    Refused,
    RuleSets,
    Seen,
)
from mailtls.preflight.wanted import ReportsWanted, Wanted

OUR_RULE_SETS = "mailtls-"
"""How the names of our own receipt rule sets begin (components/physical_names.py)."""
_MOST_SHOWN = 8


def identity_checks(seen: Seen) -> Iterator[Check]:
    match seen.identity:
        case Identity(account, arn):
            advice = (
                "give the deployment a role of its own; nothing narrows the root user" if seen.identity.is_root else ""
            )
            yield Check("aws-identity", f"account {account}", State.OK, arn, advice)
        case Refused(why):
            do = "log in (`aws sso login`, or set AWS_PROFILE), then try again"
            yield Check("aws-identity", "", State.PROBLEM, why, do)
        case NotAsked() as missing:
            yield _not_asked("aws-identity", "", missing)


def specs_checks(wanted: Wanted) -> Iterator[Check]:
    if wanted.specs_fault:
        do = "write the first with mailtls init, or see mailtls validate"
        yield Check("specs", wanted.specs or "", State.PROBLEM, wanted.specs_fault, do)


def permission_checks(seen: Seen) -> Iterator[Check]:
    found = seen.permissions
    if isinstance(found, NotAsked):
        yield _not_asked("aws-permissions", "", found)
    elif found is not None:
        documents = ", ".join(found.documents)
        if found.denied:
            told = f"{len(found.denied)} of {found.asked} are denied: {_some(found.denied)}"
            do = f"attach the policies {documents} (docs/first-real-deployment.md); or look for a deny or a boundary"
            yield Check("aws-permissions", "", State.PROBLEM, told, do)
        else:
            told = f"all {found.asked} actions of {documents} are allowed, as far as the policy simulator sees"
            yield Check("aws-permissions", "", State.OK, told)


def quota_checks(wanted: Wanted, seen: Seen) -> Iterator[Check]:
    """Quotas of what a stack with domains makes: a distribution and a certificate for each."""
    if not wanted.has_domains:
        return
    hosts = None if wanted.policy_domains is None else [f"mta-sts.{domain}" for domain in wanted.policy_domains]
    if hosts is not None and len(hosts) > LARGEST_STACK:
        told = f"{len(hosts)} domains; {LARGEST_STACK} is the most that one stack holds"
        yield Check("stack-size", "", State.PROBLEM, told, "split the specs into folders, with a stack for each")
    limits = seen.limits if isinstance(seen.limits, Limits) else Limits()
    match seen.distributions:
        case Distributions(total, aliases, access_controls):
            new = None if hosts is None else sum(host not in aliases for host in hosts)
            yield _room(DISTRIBUTIONS, "cloudfront-distributions", "CloudFront distributions", total, new, limits)
            if isinstance(access_controls, NotAsked):
                yield _not_asked("cloudfront-access-controls", "", access_controls)
            else:
                what = "CloudFront origin access controls"
                ours = hosts is not None and any(host in aliases for host in hosts)
                yield _room(
                    ACCESS_CONTROLS, "cloudfront-access-controls", what, access_controls, 0 if ours else 1, limits
                )
        case NotAsked() as missing:
            yield _not_asked("cloudfront-distributions", "", missing)
    match seen.certificates:
        case Certificates(total, last_year, names):
            new = None if hosts is None else sum(host not in names for host in hosts)
            yield _room(CERTIFICATES, "acm-certificates", "ACM certificates in us-east-1", total, new, limits)
            what = "ACM certificates of the last 365 days"
            yield _room(CERTIFICATES_A_YEAR, "acm-certificates-a-year", what, last_year, new, limits)
        case NotAsked() as missing:
            yield _not_asked("acm-certificates", "", missing)


def _room(quota: Quota, check: str, what: str, used: int, new: int | None, limits: Limits) -> Check:
    """Is there room for `new` more? None: it is not known how many more there will be."""
    limit = limits.values.get(quota.key, quota.default)
    whose = "the account's quota" if quota.key in limits.values else "AWS's default"
    needed = "" if new is None else f", {new} more for this stack"
    told = f"{what}: {used} there{needed}, {limit} allowed ({whose})"
    if used + (1 if new is None else new) > limit:
        do = f"ask for more at Service Quotas, service {quota.service}, region us-east-1; it takes days"
        return Check(check, "", State.PROBLEM, told, do)
    return Check(check, "", State.OK, told)


def report_checks(wanted: Wanted, seen: Seen) -> Iterator[Check]:
    """The way in for reports: does SES receive there, and does the rule set that will be live take them?"""
    if wanted.reports is None or not wanted.has_platform:
        return
    if wanted.reports.rule_set == "external":
        told = "external: reports reach the bucket in a way of your own, so SES is not looked at"
        yield Check("ses-rule-set", wanted.region, State.OK, told)
        return
    yield _receiving(wanted.region, seen)
    match seen.rule_sets:
        case RuleSets() as found:
            yield _rule_set(wanted.reports, wanted.region, found)
        case NotAsked() as missing:
            yield _not_asked("ses-rule-set", wanted.region, missing)


def _receiving(region: str, seen: Seen) -> Check:
    host, check = inbound_host(region), "ses-receiving-region"
    do = f"choose a region where SES receives ({', '.join(sorted(RECEIVING_REGIONS))}), or rule_set: external"
    if isinstance(seen.rule_sets, NotReceiving):
        told = f"SES has no receiving there: {seen.rule_sets.why}"
        return Check(check, region, State.PROBLEM, told, do)
    if seen.receiving_host is True:
        return Check(check, region, State.OK, f"{host} has an address")
    if seen.receiving_host is False:
        told = f"{host} has no address, so no mail can come in through it"
        return Check(check, region, State.PROBLEM, told, do)
    if region in RECEIVING_REGIONS:
        return Check(check, region, State.OK, "one of the regions where SES is known to receive")
    missing = seen.receiving_host if isinstance(seen.receiving_host, NotAsked) else NotAsked("no resolver was asked")
    return _not_asked(check, region, missing)


def _rule_set(reports: ReportsWanted, region: str, found: RuleSets) -> Check:
    if reports.rule_set == "own":
        return _own_rule_set(reports, region, found)
    check, joined = "ses-rule-set", reports.rule_set.removeprefix("join:")
    if found.active is None:
        told = f"no rule set is active, so a rule in {joined} takes no mail and every report bounces"
        do = f"activate {joined}, or write rule_set: own and activate: true"
        return Check(check, region, State.PROBLEM, told, do)
    if found.active != joined:
        told = f"the active rule set is {found.active}, not {joined}: a rule in a set that is not active takes no mail"
        return Check(check, region, State.PROBLEM, told, f"write rule_set: join:{found.active}, or activate {joined}")
    if len(found.rules) >= RULES:
        told = f"{joined} has {len(found.rules)} rules, and SES takes no more than {RULES} in a set"
        return Check(check, region, State.PROBLEM, told, "take a rule out, or use another region")
    return Check(
        check, region, State.OK, f"{joined} is active, with {_counted(found.rules, 'rule')}; ours is added to it"
    )


def _own_rule_set(reports: ReportsWanted, region: str, found: RuleSets) -> Check:
    check, rules = "ses-rule-set", _counted(found.rules, "rule")
    if found.active is not None and found.active.startswith(OUR_RULE_SETS):
        return Check(check, region, State.OK, f"{found.active} is active, with {rules}: made by mailtls")
    if not reports.activate:
        told = "rule_set: own without activate: true; SES reads the active set only, so every report would bounce"
        do = f"write rule_set: join:{found.active}" if found.active else "add activate: true; no rule set is active now"
        return Check(check, region, State.PROBLEM, told, do)
    if found.active is not None:
        for_whom = f" for {_some(found.recipients)}" if found.recipients else ""
        told = f"{found.active} is active, with {rules}{for_whom}; ours would silence it, and that mail would bounce"
        return Check(check, region, State.PROBLEM, told, f"write rule_set: join:{found.active} and no activate")
    if found.total >= RULE_SETS:
        told = f"{found.total} rule sets, and SES takes no more than {RULE_SETS}"
        return Check(check, region, State.PROBLEM, told, "delete one that is not used, or write rule_set: join:<name>")
    return Check(check, region, State.OK, "no rule set is active, so ours silences none")


def subscription_checks(wanted: Wanted, seen: Seen) -> Iterator[Check]:
    if not wanted.has_platform or seen.subscriptions is None:
        return
    if isinstance(seen.subscriptions, NotAsked):
        yield _not_asked("alert-subscriptions", wanted.region, seen.subscriptions)
        return
    pending = [one for one in seen.subscriptions if not one.confirmed]
    for one in pending:
        told = f"{one.protocol} {one.endpoint} has not confirmed, so it gets no alert"
        do = (
            "click the link in the mail from AWS Notifications"
            if one.protocol.startswith("email")
            else "confirm it there"
        )
        do += "; a link older than two days is dead: take the subscription out, `pulumi up`, and put it back"
        yield Check("alert-subscriptions", one.topic, State.PROBLEM, told, do)
    if not pending:
        told = "none yet; each has to confirm after the first pulumi up"
        if seen.subscriptions:
            told = f"{_counted(seen.subscriptions, 'subscription')}, none unconfirmed"
        yield Check("alert-subscriptions", wanted.region, State.OK, told)


def state_checks(seen: Seen) -> Iterator[Check]:
    found = seen.state_bucket
    if found is None:
        return
    if isinstance(found, NotAsked):
        yield _not_asked("state-bucket", "", found)
    elif not found.reachable:
        do = (
            "make it (docs/first-real-deployment.md), or correct PULUMI_BACKEND_URL; docs/iam/state.json has the rights"
        )
        yield Check("state-bucket", found.name, State.PROBLEM, f"it cannot be reached: {found.why}", do)
    elif found.versioned is False:
        told = "it is reachable and not versioned: a damaged state could not be taken back"
        do = f"aws s3api put-bucket-versioning --bucket {found.name} --versioning-configuration Status=Enabled"
        yield Check("state-bucket", found.name, State.PROBLEM, told, do)
    else:
        versioned = "versioned" if found.versioned else "whether it is versioned was not told"
        yield Check("state-bucket", found.name, State.OK, f"reachable; {versioned}")


def _not_asked(check: str, subject: str, missing: NotAsked) -> Check:
    return Check(check, subject, State.NOT_ASKED, missing.why, missing.do)


def _counted(items: Sized, noun: str) -> str:
    return f"{len(items)} {noun}" if len(items) == 1 else f"{len(items)} {noun}s"


def _some(items: tuple[str, ...]) -> str:
    more = f" and {len(items) - _MOST_SHOWN} more" if len(items) > _MOST_SHOWN else ""
    return ", ".join(items[:_MOST_SHOWN]) + more
