"""What a failure means: RFC 8460 section 4.3, and the words that a person reads at night."""

import re
import shlex
import shutil
import string
import subprocess

import pytest

from mailtls.mta_sts.policy import Mode
from mailtls.tls_rpt.failures import (
    OF_THE_POLICY_HOST,
    Explanation,
    Severity,
    explain,
    says_mx_is_outside,
    severity,
)
from mailtls.tls_rpt.report import ResultType

WORDS = {"policy_domain": "contoso.example", "mx": "mx1.contoso.example", "policy_host": "mta-sts.contoso.example"}
TOOLS = {"openssl", "dig", "delv", "curl"}
SECTIONS = {
    "4.3.1": {"starttls-not-supported", "certificate-host-mismatch", "certificate-expired", "certificate-not-trusted"},
    "4.3.2.1": {"tlsa-invalid", "dnssec-invalid", "dane-required"},
    "4.3.2.2": {"sts-policy-fetch-error", "sts-policy-invalid", "sts-webpki-invalid"},
    "4.3.3": {"validation-failure"},
    "": {"other"},
}
"""The eleven of the registry (section 6.6) by the section that describes them, and ours for what is none of them."""


def test_the_types_are_those_of_the_registry() -> None:
    assert {str(member) for member in ResultType} == set().union(*SECTIONS.values())
    by_section: dict[str, set[str]] = {}
    for result_type in ResultType:
        by_section.setdefault(explain(result_type).section, set()).add(str(result_type))
    assert by_section == SECTIONS


@pytest.mark.parametrize("result_type", ResultType)
def test_every_type_is_explained_in_a_sentence_and_steps(result_type: ResultType) -> None:
    explanation = explain(result_type)
    assert re.fullmatch(r"[A-Z][^.]*(?:3\.2)?\.", explanation.meaning)
    assert explanation.remedy
    for text in steps(explanation):
        assert text[0].isupper()
        assert text.endswith((".", ":", "?"))


@pytest.mark.parametrize("result_type", ResultType)
def test_steps_need_only_the_words_that_every_alert_has(result_type: ResultType) -> None:
    for step in explain(result_type).remedy:
        assert {name for _, name, _, _ in string.Formatter().parse(step) if name} <= WORDS.keys()
        assert "{" not in step.format(**WORDS)


@pytest.mark.parametrize("result_type", ResultType)
def test_commands_can_be_typed(result_type: ResultType) -> None:
    """Each begins with a tool that any administrator has, or with pulumi, and holds no shell syntax but pipes and an
    empty input."""
    for command in commands(explain(result_type)):
        for piece in command.replace("</dev/null", "").split("|"):
            program, *arguments = shlex.split(piece)
            assert program in TOOLS | {"cat", "grep", "pulumi"}
            assert arguments
            assert not set("<>;&$`\\") & set(piece)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl on this machine to ask about its options")
@pytest.mark.parametrize("result_type", ResultType)
def test_openssl_knows_the_options(result_type: ResultType) -> None:
    for command in commands(explain(result_type)):
        for piece in command.replace("</dev/null", "").split("|"):
            program, verb, *arguments = shlex.split(piece)
            if program == "openssl":
                helped = subprocess.run(["openssl", verb, "-help"], capture_output=True, text=True, check=True)
                known = set(re.findall(r"^ *(-[a-z0-9_]+)", helped.stdout + helped.stderr, re.MULTILINE))
                assert {argument for argument in arguments if argument.startswith("-")} <= known


@pytest.mark.parametrize("result_type", ResultType)
def test_commands_end_by_themselves(result_type: ResultType) -> None:
    """s_client waits for input that nobody types, curl for a server that never answers."""
    for command in commands(explain(result_type)):
        assert ("s_client" in command) is ("</dev/null" in command)
        assert ("curl" in command) is ("-m 20" in command)


def test_who_is_told_to_look_at_the_policy_host_is_told_its_name() -> None:
    for result_type in ResultType:
        text = " ".join(explain(result_type).remedy)
        assert ("{mx}" in text) is (result_type not in OF_THE_POLICY_HOST)
        if result_type in OF_THE_POLICY_HOST:
            assert "{policy_host}" in text


@pytest.mark.parametrize(
    ("result_type", "mode", "expected"),
    [
        (ResultType.CERTIFICATE_EXPIRED, Mode.ENFORCE, Severity.CRITICAL),  # mail is held
        (ResultType.CERTIFICATE_EXPIRED, Mode.TESTING, Severity.WARNING),
        (ResultType.CERTIFICATE_EXPIRED, Mode.NONE, Severity.INFO),
        (ResultType.CERTIFICATE_EXPIRED, None, Severity.WARNING),  # nobody knows: it may be held
        (ResultType.OTHER, Mode.ENFORCE, Severity.CRITICAL),
        (ResultType.STS_POLICY_FETCH_ERROR, Mode.ENFORCE, Severity.WARNING),  # mail flows, protected by caches only
        (ResultType.STS_WEBPKI_INVALID, Mode.TESTING, Severity.WARNING),
        (ResultType.STS_POLICY_INVALID, Mode.NONE, Severity.INFO),
        (ResultType.STS_POLICY_INVALID, None, Severity.WARNING),
    ],
)
def test_severity_is_what_happens_to_the_mail(result_type: ResultType, mode: Mode | None, expected: Severity) -> None:
    assert severity(result_type, mode) is expected


@pytest.mark.parametrize("result_type", ResultType)
def test_a_stricter_mode_is_never_less_severe(result_type: ResultType) -> None:
    ranks = [list(Severity).index(severity(result_type, mode)) for mode in (Mode.ENFORCE, Mode.TESTING, Mode.NONE)]
    assert ranks == sorted(ranks)


@pytest.mark.parametrize(
    ("reason", "outside"),
    [
        ("MX_HOSTS_MISMATCH", True),
        ("mtasts-policy-mx-mismatch", True),
        ("mx-mismatch", True),  # a result type of an early draft
        ("MX mx3.contoso.example not authorized by policy.", True),
        ("The MX host is not listed in the MTA-STS policy", True),
        ("host does not match: hosts not in the policy", True),
        ("MX certificate host mismatch", False),
        ("certificate-host-mismatch", False),
        ("unable to get local issuer certificate", False),
        ("X509_V_ERR_HOSTNAME_MISMATCH", False),
        ("4.7.1", False),
        ("connection to the MX timed out", False),
        ("max_age not in policy", False),
        ("", False),
        (None, False),
    ],
)
def test_a_reason_that_says_the_mx_is_outside_is_understood(reason: str | None, outside: bool) -> None:
    assert says_mx_is_outside(reason) is outside


def steps(explanation: Explanation) -> list[str]:
    """The sentences, without commands."""
    return ["\n".join(line for line in step.split("\n") if line[:2] != "  ") for step in explanation.remedy]


def commands(explanation: Explanation) -> list[str]:
    lines = [line for step in explanation.remedy for line in step.format(**WORDS).split("\n")]
    return [line.strip() for line in lines if line.startswith("  ")]
