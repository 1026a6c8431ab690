"""The first spec that a command writes: whatever it is made of, it loads back to the same values."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailtls.mta_sts.policy import MAX_AGE, Mode
from mailtls.spec import PolicySpec
from mailtls.spec.load import load
from mailtls.spec.new_spec import UnwritableSpec, new_spec

SCHEMA_LINE = "# yaml-language-server: $schema=../policy_spec.v1.schema.json"

LABELS = st.one_of(
    st.from_regex(r"[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True).filter(lambda label: label[2:4] != "--"),
    st.sampled_from(["null", "true", "no", "on", "e5", "1e5", "0x1f", "0o7", "12", "xn--bcher-kva", "y", "inf", "nan"]),
)
TOP_LABELS = st.one_of(st.sampled_from(["example", "test", "e5", "inf", "true", "e1"]))
HOSTS = st.builds(lambda labels, top: ".".join([*labels, top]), st.lists(LABELS, min_size=1, max_size=4), TOP_LABELS)
PATTERNS = st.one_of(HOSTS, HOSTS.map(lambda host: f"*.{host}"))
COMMENTS = st.lists(st.text(max_size=60), max_size=4)


def loaded(folder: Path, text: str) -> PolicySpec:
    (folder / "one.yaml").write_text(text, "utf-8")
    (spec,) = load(folder)
    return spec


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    domain=HOSTS,
    mx=st.lists(PATTERNS, min_size=1, max_size=5, unique=True),
    seen=COMMENTS,
    steps=COMMENTS,
    mode=st.sampled_from(Mode),
    max_age=st.one_of(st.none(), st.integers(0, MAX_AGE), st.integers(0, 52).map(lambda weeks: weeks * 604800)),
    rua=st.lists(
        st.sampled_from(["mailto:tls@reports.example.org", "https://reports.example.org/v1?a=b"]), unique=True
    ),
    owner=st.sampled_from([None, "mail-team", "null", "123", "no"]),
)
def test_what_is_written_loads_back(
    tmp_path: Path,
    domain: str,
    mx: Sequence[str],
    seen: Sequence[str],
    steps: Sequence[str],
    mode: Mode,
    max_age: int | None,
    rua: Sequence[str],
    owner: str | None,
) -> None:
    text = new_spec(domain, mx, seen, steps, SCHEMA_LINE, mode=mode, max_age=max_age, tls_rpt_rua=rua, owner=owner)
    spec = loaded(tmp_path, text)
    assert spec.policy_domain == domain
    assert spec.mta_sts
    assert [pattern.text for pattern in spec.mta_sts.mx] == list(mx)
    assert spec.mta_sts.mode is mode
    if max_age is not None:
        assert spec.mta_sts.max_age == max_age
    assert spec.tls_rpt
    assert (spec.tls_rpt.rua, spec.owner) == (tuple(rua), owner)


def test_as_a_person_reads_it() -> None:
    text = new_spec(
        "xn--bcher-kva.example",
        ["mx1.mailhost.example", "*.mailhost.example", "1.e5"],
        ["Seen on 2026-11-28:", "  MX 10 mx1.mailhost.example"],
        ["mailtls validate", "open a pull request"],
        SCHEMA_LINE,
        max_age=1209600,
        tls_rpt_rua=["mailto:tls@reports.example.org"],
        contact="hostmaster@fabrikam-it.example",
    )
    assert (
        text
        == """\
# yaml-language-server: $schema=../policy_spec.v1.schema.json
# Seen on 2026-11-28:
#   MX 10 mx1.mailhost.example
policy_domain: xn--bcher-kva.example # bücher.example
mta_sts:
  mode: testing # senders deliver all the same, and report what would have failed
  mx: # every host that may receive the mail; one that is missing here gets none in enforce
    - mx1.mailhost.example
    - "*.mailhost.example"
    - "1.e5"
  max_age: 2w
tls_rpt:
  rua:
    - "mailto:tls@reports.example.org"
contact: "hostmaster@fabrikam-it.example"
# Next:
# 1. mailtls validate
# 2. open a pull request
"""
    )


def test_without_a_mode_only_reports_are_asked_for(tmp_path: Path) -> None:
    spec = loaded(tmp_path, new_spec("contoso.example", (), mode=None))
    assert spec.mta_sts is None
    assert spec.tls_rpt is not None


@pytest.mark.parametrize("end", ["\n", "\r", "\x85", "\u2028", "\u2029", "\x0b", "\x0c", "\x00", "\ud800", "\ufeff"])
def test_a_comment_cannot_become_a_key(tmp_path: Path, end: str) -> None:
    planted = f"seen{end}owner: attacker"
    text = new_spec("contoso.example", ["mx1.contoso.example"], [planted], [planted], f"# schema{end}owner: attacker")
    assert loaded(tmp_path, text).owner is None


@pytest.mark.parametrize(
    ("domain", "mx", "said"),
    [
        ("contoso.example", ["_mx.contoso.example"], "mta_sts.mx[0]"),
        ("contoso.example", ["192.0.2.1"], "mta_sts.mx[0]"),
        ("contoso.example", [], "mta_sts.mx"),
        ("contoso.example", ["mx1.contoso.example", "mx1.contoso.example"], "already"),
        ("contoso", ["mx1.contoso.example"], "policy_domain"),
        ("contoso.example\nowner: attacker", ["mx1.contoso.example"], "policy_domain"),
        ("xn--i-7iq.example", ["mx1.contoso.example"], "IDNA"),
        ("contoso.example", [f"mx{number}.contoso.example" for number in range(201)], "200"),
    ],
)
def test_what_no_spec_may_hold_is_refused(domain: str, mx: Sequence[str], said: str) -> None:
    with pytest.raises(UnwritableSpec, match=said.replace("[", r"\[")):
        new_spec(domain, mx)
