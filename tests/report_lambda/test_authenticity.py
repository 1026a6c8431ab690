"""Which mails are believed: the table of forgeries."""

import pytest

from mailtls.reports.authenticity import judge


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
