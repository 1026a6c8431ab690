"""What ACM tells of a policy host's certificate, to the message about it: whose it is, and whether it is news."""

from datetime import timedelta

from mailtls import names
from mailtls.mta_sts.policy import policy_host
from mailtls.reports.causes import Cause, CauseKind
from mailtls.reports.certificate_alert import CertificateEvent, compose, is_due, rung
from mailtls.tls_rpt.contract import OwnDomain
from report_lambda.alert_desk import Desk
from report_lambda.domains import OwnDomains
from report_lambda.once import tell_once


def watch(desk: Desk, domains: OwnDomains, event: CertificateEvent) -> bool:
    """Tell about the certificate if it is one of ours and a new rung is reached. Raises StoreError."""
    own = _owner_of(event, domains)
    ends = event.time.date() + timedelta(days=event.days_left)
    on_rung = rung(event, ends)
    if own is None or on_rung is None:
        return False  # another team's certificate in the same account, or time enough
    cause = Cause(CauseKind.CERTIFICATE, own.policy_domain, host=policy_host(own.policy_domain))
    message = compose(event, own, ends, on_rung, cause.id)
    return tell_once(desk, cause, f"{ends.isoformat()}/{on_rung}", lambda told: is_due(told, ends, on_rung), message)


def _owner_of(event: CertificateEvent, domains: OwnDomains) -> OwnDomain | None:
    try:
        common_name = names.a_labels(event.common_name)
    except names.InvalidName:
        return None
    return next((own for own in domains.by_name.values() if policy_host(own.policy_domain) == common_name), None)
