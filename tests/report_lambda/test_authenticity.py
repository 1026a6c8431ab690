"""Which mails are believed: the table of forgeries."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mailtls.reports.authenticity import judge

GOOD = "dkim=pass header.i=@google.com"


def with_results(mails, results):
    return mails.ses_headers(results=results) + mails.sender_headers()


def forged_below(mails):
    """SES says fail; the sender put a better verdict into his own headers."""
    forged = ("Authentication-Results", "amazonses.com; dkim=pass header.i=@google.com;")
    return [*mails.ses_headers(results="dkim=fail header.i=@google.com"), forged, *mails.sender_headers()]


def forged_where_ses_wrote_none(mails):
    """SES wrote no results; the first ones are among the sender's headers."""
    top = [header for header in mails.ses_headers() if header[0] != "Authentication-Results"]
    forged = ("Authentication-Results", "amazonses.com; dkim=pass header.i=@google.com;")
    return [*top, *mails.sender_headers()[:1], forged, *mails.sender_headers()[1:]]


def forged_below_a_second_received(mails):
    """Only one Received line is SES's own; below the next one everything is the sender's."""
    top = mails.ses_headers()[:2]
    forged = ("Authentication-Results", "amazonses.com; dkim=pass header.i=@google.com;")
    return [*top, ("Received", "from elsewhere.test by mx.elsewhere.test"), forged, *mails.sender_headers()]


def other_authserv_id_first(mails):
    first = ("Authentication-Results", "mx.evil.test; dkim=pass header.i=@google.com;")
    return [first, *mails.ses_headers(), *mails.sender_headers()]


def injected_by_helo(mails):
    return with_results(mails, "helo=x; dkim=pass header.i=@google.com; dkim=fail header.i=@google.com")


def injected_by_helo_without_signature(mails):
    return [*mails.ses_headers(results="dkim=pass header.i=@google.com"), *mails.sender_headers()[1:]]


def two_from_headers(mails):
    return [*mails.ses_headers(), *mails.sender_headers(), ("From", "ceo@contoso.example")]


def two_from_addresses(mails):
    return mails.ses_headers() + mails.sender_headers(sender="noreply@google.com, noreply@evil.test")


def look_alike_suffix(mails):
    """google.com is not the parent of notgoogle.com, nor of google.com.evil.test."""
    return mails.ses_headers("google.com") + mails.sender_headers("google.com", "noreply@google.com.evil.test")


def signed_by_a_child(mails):
    return mails.ses_headers("mail.google.com") + mails.sender_headers("mail.google.com", "noreply@google.com")


def signed_by_a_parent(mails):
    return mails.ses_headers("google.com") + mails.sender_headers("google.com", "noreply@reports.google.com")


def signed_by_a_top_level_domain(mails):
    return mails.ses_headers("com") + mails.sender_headers("com", "noreply@google.com")


def agent_is_a_subdomain(mails):
    """i=@mail.google.com with d=google.com: SES names the i= domain."""
    headers = mails.sender_headers("google.com", tags=" i=@mail.google.com;")
    return mails.ses_headers(results="dkim=pass header.i=@mail.google.com") + headers


def two_signatures_one_passes(mails):
    ed25519 = ("DKIM-Signature", "v=1; a=ed25519-sha256; d=google.com; s=ed; h=from:to; bh=x=; b=y=")
    results = "dkim=permerror header.i=@google.com; dkim=pass header.i=@google.com"
    return [*mails.ses_headers(results=results), ed25519, *mails.sender_headers()]


def foreign_signature_with_length(mails):
    """A list's signature bears l=, the aligned one does not."""
    of_list = ("DKIM-Signature", "v=1; a=rsa-sha256; d=list.test; s=x; l=10; h=from:to; bh=x=; b=y=")
    results = "dkim=pass header.i=@list.test; dkim=pass header.i=@google.com"
    return [*mails.ses_headers(results=results), of_list, *mails.sender_headers()]


def length_in_odd_spelling(mails):
    return mails.ses_headers() + mails.sender_headers(tags=" L = 5;")


def signed_by(domain, tags=""):
    """A signature's header; whether it is a good one is the results' matter."""
    return ("DKIM-Signature", f"v=1; a=rsa-sha256; d={domain}; s=x;{tags} h=from:to; bh=x=; b=y=")


def of_evil(mails, *signatures, agent="evil.test", sender="noreply@google.com"):
    """SES: one signature by `agent` is good. The mail claims to be of `sender`."""
    unsigned = mails.sender_headers(sender=sender)[1:]
    return [*mails.ses_headers(results=f"dkim=pass header.i=@{agent}"), *signatures, *unsigned]


def agent_of_another_domain(mails):
    """A worthless signature of google.com names the agent whose own signature is good."""
    return of_evil(mails, signed_by("evil.test"), signed_by("google.com", " i=@evil.test;"))


def second_domain_in_another_case(mails):
    """Verifiers read d=, we must not read D=."""
    return of_evil(mails, signed_by("evil.test", " i=@evil.test; D=google.com;"))


def first_domain_in_another_case(mails):
    return of_evil(mails, ("DKIM-Signature", "v=1; D=google.com; d=evil.test; i=@evil.test; h=from; bh=x=; b=y="))


def only_domain_in_another_case(mails):
    signature = ("DKIM-Signature", "v=1; D=google.com; h=from; bh=x=; b=y=")
    return [*mails.ses_headers(), signature, *mails.sender_headers()[1:]]


def domain_twice(mails):
    return of_evil(mails, signed_by("evil.test", " d=google.com;"))


def child_poses_as_its_parent(mails):
    """hosted.host.test is signed for by its tenant, who adds a worthless signature of the landlord."""
    signatures = signed_by("hosted.host.test"), signed_by("host.test", " i=@hosted.host.test;")
    return of_evil(mails, *signatures, agent="hosted.host.test", sender="noreply@host.test")


def child_poses_as_its_parent_in_another_case(mails):
    signature = signed_by("hosted.host.test", " D=host.test;")
    return of_evil(mails, signature, agent="hosted.host.test", sender="noreply@host.test")


def result_for_what_is_no_signature(mails):
    """What no verifier takes for a signature gets no result: the one that is there was written by somebody else."""
    none = ("DKIM-Signature", "v=1; d=google.com; d=google.com; h=from; bh=x=; b=y=")
    results = "helo=x; dkim=pass header.i=@google.com; dkim=pass header.i=@google.com"
    return [*mails.ses_headers(results=results), none, *mails.sender_headers()]


def two_good_ones_of_one_domain(mails):
    results = "dkim=pass header.i=@google.com; dkim=pass header.i=@mail.google.com"
    return [
        *mails.ses_headers(results=results),
        signed_by("google.com", " i=@mail.google.com;"),
        *mails.sender_headers(),
    ]


def from_not_signed(mails):
    signature = ("DKIM-Signature", "v=1; a=rsa-sha256; d=google.com; s=x; h=to:subject; bh=x=; b=y=")
    return [*mails.ses_headers(), signature, *mails.sender_headers()[1:]]


def display_name_with_an_address(mails):
    return mails.ses_headers() + mails.sender_headers(sender='"noreply@evil.test" <noreply@google.com>')


def said(mails, *signatures, helo="mx.evil.test", envelope="a@evil.test", results=""):
    """A mail as SES stores it whose client said `helo` and `envelope`. signatures: raw texts behind `v=1;`."""
    value = (
        f"amazonses.com; spf=none (spfCheck: no record) client-ip=192.0.2.66; envelope-from={envelope}; helo={helo}; "
        f"{results} dmarc=fail header.from=google.com;"
    )
    return [
        ("Return-Path", f"<{envelope}>"),
        (
            "Received",
            f"from {helo} (unknown [192.0.2.66]) by inbound-smtp.eu-west-1.amazonaws.com with SMTP id o3vr for "
            "tlsrpt@reports.mailhost.example; Tue, 01 Dec 2026 03:12:43 +0000 (UTC)",
        ),
        ("Received-SPF", f"none (spfCheck: no record) client-ip=192.0.2.66; envelope-from={envelope}; helo={helo};"),
        ("Authentication-Results", value),
        *(("DKIM-Signature", f"v=1; {text}; h=from; bh=x=; b=y=") for text in signatures),
        *mails.sender_headers()[1:],
    ]


def helo_opens_a_comment(mails):
    """The comment that HELO opens ends in the i= of a worthless signature, and hides the true result."""
    results = "dkim=permerror header.i=)@google.com;"
    return said(mails, "d=google.com; i=)@google.com", helo=f"x; {GOOD}; z=(", results=results)


def helo_opens_a_quotation(mails):
    results = 'dkim=permerror header.i="@google.com;'
    return said(mails, 'd=google.com; i="@google.com', helo=f'x; {GOOD}; z="', results=results)


def helo_and_a_result_none(mails):
    return said(mails, "d=google.com", helo=f"x; {GOOD}", results="dkim=none;")


def helo_and_a_signature_without_a_result(mails):
    """SES has said nothing of one of the two signatures: the room that it leaves is filled by HELO."""
    results = "dkim=pass header.i=@evil.test;"
    return said(mails, "d=evil.test", "d=google.com", helo=f"x; {GOOD}", results=results)


def envelope_sender_writes_a_clause(mails):
    return said(mails, "d=google.com", envelope=f'"a; {GOOD}; b"@evil.test', results="")


def envelope_sender_without_quotes_writes_a_clause(mails):
    return said(mails, "d=google.com", envelope=f"a; {GOOD}; b@evil.test", results="")


def agent_in_an_encoded_octet(mails):
    """i= is quoted-printable (RFC 6376 section 3.5): `=3B` is a semicolon to whoever decodes it."""
    results = f"dkim=pass header.i=a; {GOOD}; b@evil.test;"
    return said(
        mails, "d=evil.test; i=a=3B_dkim=3Dpass_header.i=3D@google.com=3B_b@evil.test", "d=google.com", results=results
    )


def agent_without_an_end(mails):
    """Must be refused in linear time: the header block has room for a quarter of a million characters."""
    return said(mails, f"d=google.com; i={'a' * 200_000}<", results=f"{GOOD};")


def from_of(text):
    """Signed by google.com, and the From header is `text`."""

    def build(mails):
        return [*mails.ses_headers(), *mails.sender_headers(sender=text)]

    return build


def two_agents_in_one_result(mails):
    return said(mails, "d=google.com", results="dkim=pass header.i=@google.com header.i=@evil.test;")


TABLE = [
    (lambda m: m.ses_headers() + m.sender_headers(), None),
    (signed_by_a_parent, None),
    (agent_is_a_subdomain, None),
    (two_signatures_one_passes, None),
    (foreign_signature_with_length, None),
    (display_name_with_an_address, None),
    (two_good_ones_of_one_domain, None),
    (lambda m: [], "dkim-missing"),
    (lambda m: m.sender_headers(), "dkim-missing"),
    (forged_where_ses_wrote_none, "dkim-missing"),
    (forged_below_a_second_received, "dkim-missing"),
    (other_authserv_id_first, "dkim-missing"),
    (injected_by_helo_without_signature, "dkim-missing"),
    (forged_below, "dkim-failed"),
    (injected_by_helo, "dkim-failed"),
    (lambda m: with_results(m, "dkim=none"), "dkim-failed"),
    (lambda m: with_results(m, "dkim=temperror header.i=@google.com"), "dkim-failed"),
    (lambda m: with_results(m, "dkim=pass"), "dkim-failed"),
    (lambda m: with_results(m, "dkim=pass header.i=@other.test"), "dkim-failed"),
    (lambda m: with_results(m, "(dkim=pass header.i=@google.com)"), "dkim-failed"),
    (lambda m: with_results(m, "(open; dkim=pass header.i=@google.com"), "dkim-failed"),
    (lambda m: with_results(m, 'envelope-from="a; dkim=pass header.i=@google.com"@evil.test'), "dkim-failed"),
    (lambda m: with_results(m, ") ; dkim=pass header.i=@google.com"), "dkim-failed"),
    (helo_opens_a_comment, "dkim-failed"),
    (helo_opens_a_quotation, "dkim-failed"),
    (helo_and_a_result_none, "dkim-failed"),
    (helo_and_a_signature_without_a_result, "dkim-failed"),
    (envelope_sender_writes_a_clause, "dkim-failed"),
    (envelope_sender_without_quotes_writes_a_clause, "dkim-failed"),
    (agent_in_an_encoded_octet, "dkim-failed"),
    (two_agents_in_one_result, "dkim-failed"),
    (agent_without_an_end, "dkim-failed"),
    (lambda m: said(m, "d=google.com", results=f"{GOOD};"), None),
    (lambda m: said(m, "d=google.com", helo="[192.0.2.66]", envelope="", results=f"{GOOD};"), None),
    (lambda m: said(m, "d=google.com; i=a+b.c@google.com", results="dkim=pass header.i=a+b.c@google.com;"), None),
    (lambda m: said(m, "d=google.com", results="dkim=pass (2048-bit key) header.i=@google.com;"), None),
    (from_not_signed, "dkim-failed"),
    (second_domain_in_another_case, "dkim-failed"),
    (first_domain_in_another_case, "dkim-failed"),
    (only_domain_in_another_case, "dkim-failed"),
    (domain_twice, "dkim-failed"),
    (child_poses_as_its_parent, "dkim-failed"),
    (child_poses_as_its_parent_in_another_case, "dkim-failed"),
    (result_for_what_is_no_signature, "dkim-failed"),
    (agent_of_another_domain, "dkim-unaligned"),
    (two_from_headers, "dkim-unaligned"),
    (two_from_addresses, "dkim-unaligned"),
    (look_alike_suffix, "dkim-unaligned"),
    (signed_by_a_child, "dkim-unaligned"),
    (signed_by_a_top_level_domain, "dkim-unaligned"),
    (lambda m: m.ses_headers() + m.sender_headers(sender="nobody"), "dkim-unaligned"),
    (from_of("(" * 100_000), "dkim-unaligned"),
    (from_of("a:" * 50_000), "dkim-unaligned"),
    (lambda m: m.ses_headers() + m.sender_headers(tags=" l=0;"), "dkim-length-tag"),
    (length_in_odd_spelling, "dkim-length-tag"),
]


@pytest.mark.parametrize(("build", "reason"), TABLE, ids=lambda value: getattr(value, "__name__", str(value)))
def test_verdict(mails, build, reason):
    verdict = judge(build(mails))
    assert verdict.reason == reason, verdict.detail
    assert verdict.signer == ("" if reason else "google.com")
    assert verdict.detail


def test_a_virus_verdict_of_the_sender_is_ignored(mails):
    headers = [*mails.ses_headers(), *mails.sender_headers(), ("X-SES-Virus-Verdict", "FAIL")]
    assert judge(headers).reason is None


@pytest.mark.parametrize("word", ["PASS", "GRAY", "PROCESSING_FAILED", "DISABLED"])
def test_only_fail_is_a_virus(mails, word):
    headers = [(n, word if n == "X-SES-Virus-Verdict" else v) for n, v in mails.ses_headers()]
    assert judge(headers + mails.sender_headers()).reason is None


WORDS = st.sampled_from(
    [
        "dkim=pass",
        "dkim=none",
        "dkim=fail",
        "header.i=@google.com",
        "header.d=google.com",
        "@google.com",
        "google.com",
        "evil.test",
        "amazonses.com",
        "spf=pass",
        "z=",
        "=3B",
        "=22",
        "i=",
        "d=",
        "helo=",
        "=?utf-8?q?=3B?=",
    ]
)
SIGNS = st.text(alphabet=';()"\\ =@<>,:[]\ta\x00\xe9', max_size=3)
HOSTILE = st.lists(st.one_of(WORDS, SIGNS, st.just("; "), st.just(" ")), max_size=9).map("".join)
WORTHLESS = st.builds("d={}; i={}".format, st.sampled_from(["google.com", "evil.test"]), HOSTILE)


@st.composite
def stranger_mails(draw):
    """(HELO, envelope sender, signatures, SES's word on each): evil.test has a good signature; of the others SES says
    what it likes, or nothing, and copies their i= as it is or decoded. None of them is google.com's."""
    signatures = draw(st.lists(WORTHLESS, max_size=3))
    spoken = []
    for text in signatures:
        agent = text.partition("i=")[2]
        decoded = re.sub("=([0-9A-F]{2})", lambda found: chr(int(found[1], 16)), agent)
        result = draw(st.sampled_from(["fail", "permerror", "temperror", "none", ""]))
        if result:
            spoken.append(f"dkim={result} header.i={draw(st.sampled_from([agent, decoded]))};")
    if draw(st.booleans()):
        place = draw(st.integers(0, len(signatures)))
        signatures.insert(place, "d=evil.test")
        spoken.insert(min(place, len(spoken)), "dkim=pass header.i=@evil.test;")
    return draw(HOSTILE), draw(HOSTILE), signatures, spoken


@given(mail=stranger_mails())
@example(
    mail=(f"x; {GOOD}; z=(", "a@evil.test", ["d=google.com; i=)@google.com"], ["dkim=fail header.i=)@google.com;"])
)
@example(mail=(f"x; {GOOD}", "a@evil.test", ["d=google.com; i=@google.com"], []))
def test_no_words_of_a_stranger_make_him_google(mails, mail):
    helo, envelope, signatures, spoken = mail
    verdict = judge(said(mails, *signatures, helo=helo, envelope=envelope, results=" ".join(spoken)))
    assert verdict.signer != "google.com", verdict.detail
