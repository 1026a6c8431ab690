"""The pack for people: one page about all, one for each domain. No script, nothing from elsewhere, made for paper.

A page follows from the JSON beside it and from nothing else, so whoever checks a pack can make it again.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from mailtls.html_markup import Markup, foreign, link, tag

STYLE = """
:root { color-scheme: light dark; }
body { font: 11pt/1.45 Georgia, "Times New Roman", serif; max-width: 52rem; margin: 2rem auto; padding: 0 1rem;
  overflow-wrap: anywhere; }
h1, h2, h3, th, dt { font-family: system-ui, sans-serif; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; } h3 { font-size: 1rem; }
table { border-collapse: collapse; width: 100%; margin: .75rem 0; font-variant-numeric: tabular-nums; }
caption { text-align: left; font-style: italic; padding: .25rem 0; }
th, td { border: 1px solid #767676; padding: .3rem .45rem; text-align: left; vertical-align: top; font-size: .9rem; }
thead th, .day { overflow-wrap: normal; } .day { white-space: nowrap; }
code { font-size: .85em; }
dt { font-weight: 600; margin-top: .5rem; } dd { margin: 0 0 0 1rem; }
.missing { font-weight: 600; }
@media print { body { margin: 0; max-width: none; } a { color: inherit; } tr, dd { break-inside: avoid; }
  h2, h3 { break-after: avoid; } }
"""
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def index_page(data: dict[str, Any]) -> str:
    """data: evidence.json."""
    controls = [
        (
            control["reference"],
            tag("span", control["about"], " ", tag("b", "Shown: "), control["shown"], " ",
                tag("b", "Not shown: "), control["not_shown"]),
            str(control["without_gaps"]),
            str(control["with_gaps"]),
        )
        for control in data["controls"]
    ]  # fmt: skip
    domains = [
        (
            link(f"domains/{one['policy_domain']}/evidence.html", one["policy_domain"]),
            foreign(one["owner"]) or "nobody",
            one["mode"] or "no policy",
            str(one["policies"]),
            f"{one['reports']:,}",
            str(one["failures"]),
            str(one["gaps"]),
        )
        for one in data["domains"]
    ]
    return _page(
        f"Evidence about mail transport security, {data['first']} to {data['last']}",
        tag("p", f"Made {_moment(data['made'])} by mailtls {data['made_with']}, of {len(data['domains'])} policy "
                 f"domains, from {data['source']}. Days and times are UTC."),
        tag("h2", "What this pack does not prove"),
        tag("ul", *(tag("li", sentence) for sentence in data["not_proven"])),
        tag("h2", "Domains"),
        _table("Each has a page of its own, its JSON, the bytes of its policies and its reports",
               ("Domain", "Owner", "Mode at the end", "Versions", "Reports", "Kinds of failure", "Gaps"), domains),
        tag("h2", "Controls"),
        _table("Domains without a gap, and with some, which their pages name",
               ("Control", "What this pack has to say", "Without", "With gaps"), controls),
        tag("h2", "How to check it"),
        tag("p", tag("code", "sha256sum --check MANIFEST.sha256"), " checks every file, ",
            tag("code", "mailtls evidence verify FOLDER"), " also that numbers and pages follow from them. The "
            "digest of the manifest was printed when the pack was made."),
    )  # fmt: skip


def domain_page(data: dict[str, Any]) -> str:
    """data: the domain's evidence.json."""
    gaps = [(one["control"], _lines(one["missing"]) if one["missing"] else "nothing") for one in data["gaps"]]
    return _page(
        data["policy_domain"],
        tag("p", link("../../evidence.html", "All domains")),
        _list(
            ("Owner", foreign(data["owner"]) or "nobody is named"), ("Contact", foreign(data["contact"]) or "nobody")
        ),
        tag("h2", "Policies in force"),
        *_policies(data["policies"]),
        tag("h2", "As seen when this pack was made"),
        _look(data["look"]),
        tag("h2", "Reports of senders"),
        *_reports(data["reports"]),
        tag("h2", "Failures, and what came of them"),
        _failures(data["failures"]),
        tag("h2", "Exceptions"),
        _exceptions(data["exceptions"]),
        tag("h2", "Gaps, by control"),
        _table("What is missing for this domain", ("Control", "Missing"), gaps),
        *([tag("h2", "Could not be read"), _lines(data["told"])] if data["told"] else []),
    )


def _policies(versions: Sequence[dict[str, Any]]) -> Iterable[Markup]:
    if not versions:
        yield tag("p", "None was in force in this period.", class_="missing")
    for version in versions:
        until = _moment(version["until"]) if version["until"] else "now"
        yield tag("h3", f"{_moment(version['since'])} to {until}: {version['mode'] or 'no policy'}")
        change, review = version["change"], version["review"]
        rows: list[tuple[str, str]] = [("Object version", tag("code", version["version_id"]))]
        if version["policy_id"]:
            rows.append(("Policy id", tag("code", version["policy_id"])))
        if version["file"]:
            rows.append(("Bytes", link(version["file"], version["file"])))
        if version["mode"]:
            rows += [("mx", ", ".join(version["mx"])), ("max_age", f"{version['max_age']:,} s")]
        rows.append(("Asked for by", _change(change)))
        if review:
            approved = ", ".join(review["approved_by"]) or "nobody"
            words = (link(review["url"], review["url"]), f": by {review['author']}, approved by {approved}, merged by "
                                                         f"{review['merged_by'] or 'nobody named'}")  # fmt: skip
            rows.append(("Pull request", tag("span", *words)))
        applied = version["applied_by"]
        told = "; ".join(
            f"{a['organisation']} ({a['first']} to {a['last']}, {a['sessions']:,} sessions)" for a in applied
        )
        rows.append(("Senders that report it", told or "none"))
        yield _list(*rows)


def _change(change: dict[str, Any] | None) -> Markup:
    if change is None:
        return tag("span", "no commit that is known", class_="missing")
    code = tag("code", change["commit"][:12])
    said = foreign(change["subject"], 120)
    return tag("span", code, f" of {_moment(change['at'])} by ", foreign(change["author"]), ", ", tag("q", said),
               ", ", tag("code", foreign(change["spec"], 200)))  # fmt: skip


def _look(look: dict[str, Any] | None) -> Markup:
    if look is None:
        return tag("p", "Not looked at.", class_="missing")
    shown = look["certificate"]
    certificate = "none was seen"
    if shown:
        names = ", ".join(shown["names"][:5])
        certificate = f"{shown['issuer']}, {_moment(shown['not_before'])} to {_moment(shown['not_after'])}, for {names}"
        certificate += f": {shown['fault']}" if shown["fault"] else ": valid"
    rows: list[tuple[str, str]] = [
        ("When", f"{_moment(look['at'])}, by this program"),
        ("_mta-sts", _lines(look["txt"]) if look["txt"] else "no record"),
        ("SHA-256 of the policy", tag("code", look["policy_sha256"]) if look["policy_sha256"] else "none came"),
        ("Its version", tag("code", foreign(look["version"], 100)) if look["version"] else "not told"),
        ("Certificate", certificate),
        ("Mail hosts", ", ".join(look["mx"]) or "none"),
    ]
    if look["told"]:
        rows.append(("Not seen", _lines(look["told"])))
    return _list(*rows)


def _reports(reports: dict[str, Any]) -> Iterable[Markup]:
    yield tag(
        "p", f"{reports['count']:,} reports about {reports['days']} days, ", link(reports["file"], "as stored"), "."
    )
    if reports["unread"]:
        yield tag("p", "Not read whole: ", ", ".join(reports["unread"]), class_="missing")
    types = [(name, f"{good:,}", f"{bad:,}") for name, (good, bad) in reports["by_type"].items()]
    if types:
        yield _table("Sessions by policy type; the types may count one session twice and add up to nothing",
                     ("Policy type", "Successful", "Failed"), types)  # fmt: skip
    named = [
        (foreign(one["organisation"]), f"{one['reports']:,}", f"{one['successful']:,}", f"{one['failed']:,}")
        for one in reports["reporters"]
    ]
    if named:
        yield _table("Who reported, by the domain that signed; sessions of senders that applied an MTA-STS policy",
                     ("Organisation", "Reports", "Successful", "Failed"), named)  # fmt: skip


def _failures(failures: Sequence[dict[str, Any]]) -> Markup:
    if not failures:
        return tag("p", "No report names one.")
    rows = [
        (
            one["what"],
            foreign(one["host"]) or "none named",
            _day(one["first"]),
            _day(one["last"]),
            f"{one['sessions']:,}",
            ", ".join(one["seen_by"]),
            _day(one["clean_since"]) if one["clean_since"] else tag("span", "not by all that saw it", class_="missing"),
        )
        for one in failures
    ]
    heads = ("Failure", "Host", "First day", "Last day", "Sessions", "Seen by", "Clean again")
    return _table("Each kind at each host", heads, rows)


def _exceptions(found: Sequence[dict[str, Any]]) -> Markup:
    if not found:
        return tag("p", "The spec had none in this period.")
    rows = [
        (
            foreign(one["what"], 120),
            foreign(one["reason"], 300) or "no reason given",
            _moment(one["since"]) if one["since"] else "not known",
            _moment(one["until"]) if one["until"] else "still there",
            _moment(one["ends"]) if one["ends"] else "never",
        )
        for one in found
    ]
    return _table(
        "As the commits of the spec have them", ("Exception", "Reason", "Since", "Removed", "Ends by itself"), rows
    )


def _moment(text: str) -> str:
    """`2026-10-01T09:00:00Z` as people write it."""
    return text.replace("T", " ", 1).removesuffix("Z")


def _day(text: str) -> Markup:
    return tag("span", text, class_="day")


def _page(title: str, *body: str) -> str:
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=POLICY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("title", title),
        tag("style", Markup(STYLE)),
    )
    whole = tag("html", head, tag("body", tag("main", tag("h1", title), *body)), lang="en")
    return f"<!doctype html>\n{whole}\n"


def _list(*rows: tuple[str, str]) -> Markup:
    return tag("dl", *(part for term, value in rows for part in (tag("dt", term), tag("dd", value))))


def _lines(lines: Sequence[str]) -> Markup:
    return tag("ul", *(tag("li", foreign(line, 300)) for line in lines))


def _table(caption: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Markup:
    body = [
        tag(
            "tr",
            *(tag("td" if number else "th", cell, scope=None if number else "row") for number, cell in enumerate(row)),
        )
        for row in rows
    ]
    top = tag("tr", *(tag("th", head, scope="col") for head in heads))
    return tag("table", tag("caption", caption), tag("thead", top), tag("tbody", *body))
