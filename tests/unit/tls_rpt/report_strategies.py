"""Hypothesis: any report, any JSON, any domain list that can be built."""

from datetime import UTC, datetime

from hypothesis import strategies as st

from mailtls.tls_rpt.contract import OwnDomain
from mailtls.tls_rpt.json_members import LARGEST_COUNT
from mailtls.tls_rpt.ledger import LedgerEntry
from mailtls.tls_rpt.report import FailureDetail, PolicyResult, PolicyType, Report, ResultType

texts = st.text(max_size=12)
optional_texts = st.none() | texts
labels = st.sampled_from(["a", "mx1", "contoso", "example", "xn--bcher-kva", "b-2", "0", "test"])
names = st.lists(labels, min_size=2, max_size=4).map(".".join)
counts = st.none() | st.integers(0, LARGEST_COUNT)
moments = st.datetimes(datetime(1970, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001
unknown = st.dictionaries(texts, texts, max_size=3).map(lambda members: tuple(sorted(members.items())))

failure_details = st.builds(
    FailureDetail,
    result_type=st.sampled_from(ResultType),
    result_type_text=texts | st.sampled_from([str(member) for member in ResultType]),
    sending_mta_ip=optional_texts,
    receiving_mx_hostname=optional_texts,
    receiving_mx_helo=optional_texts,
    receiving_ip=optional_texts,
    failed_session_count=counts,
    additional_information=optional_texts,
    failure_reason_code=optional_texts,
    unknown=unknown,
)
policy_results = st.builds(
    PolicyResult,
    policy_type=st.sampled_from(PolicyType),
    policy_type_text=texts | st.sampled_from([str(member) for member in PolicyType]),
    policy_string=st.lists(texts, max_size=3).map(tuple),
    policy_domain=st.just("") | names,
    mx_host=st.lists(texts, max_size=3).map(tuple),
    total_successful_session_count=counts,
    total_failure_session_count=counts,
    failure_details=st.lists(failure_details, max_size=3).map(tuple),
    unknown=unknown,
)
reports = st.builds(
    Report,
    organization_name=texts,
    start_datetime=moments,
    end_datetime=moments,
    contact_info=optional_texts,
    report_id=texts,
    policies=st.lists(policy_results, max_size=3).map(tuple),
    notes=st.lists(texts, max_size=3).map(tuple),
    unknown=unknown,
)
ledger_entries = st.builds(
    LedgerEntry, policy_domain=names, mail=texts, stored_at=moments, signer=texts, report=reports
)
own_domains = st.builds(
    OwnDomain,
    policy_domain=names,
    mode=st.sampled_from([None, "none", "testing", "enforce"]),
    mx=st.lists(names, max_size=3).map(tuple),
    owner=optional_texts,
    contact=optional_texts,
    spec=optional_texts,
)
domain_lists = st.lists(own_domains, max_size=5, unique_by=lambda own: own.policy_domain)

json_leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
json_values = st.recursive(
    json_leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
)
"""NaN and lone surrogates among them."""

KEYS = (
    "organization-name", "date-range", "start-datetime", "end-datetime", "contact-info", "report-id", "policies",
    "policy", "policy-type", "policy-string", "policy-domain", "mx-host", "summary", "total-successful-session-count",
    "total-failure-session-count", "failure-details", "result-type", "sending-mta-ip", "receiving-mx-hostname",
    "receiving-mx-helo", "receiving-ip", "failed-session-count", "additional-information", "failure-reason-code",
    "additional-info-uri", "failure-error-code",
)  # fmt: skip
WORDS = ("sts", "tlsa", "certificate-expired", "2026-11-30T00:00:00Z", "mode: enforce", '["3 1 1 ab"]', "mx: a.example")
report_like = st.recursive(
    json_leaves | st.sampled_from(WORDS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=6),
    max_leaves=30,
)
"""JSON values under the keys of RFC 8460, of the wrong types as a rule."""
