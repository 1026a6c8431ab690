"""What a person reads when a spec is wrong: file, line, column, key, what to write. All of it at once."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from mailtls.spec import SpecErrors
from mailtls.spec.load import load
from mailtls.spec.schema import spec_schema
from mailtls.tls_rpt.record import Record

Errors = Callable[[dict[str, str]], list[str]]


@pytest.fixture
def errors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Errors:
    """Writes files under `policy_specs`, loads them, gives the lines of the error without `policy_specs/`."""
    monkeypatch.chdir(tmp_path)

    def errors(files: dict[str, str]) -> list[str]:
        for name, text in files.items():
            path = tmp_path / "policy_specs" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        with pytest.raises(SpecErrors) as raised:
            load(Path("policy_specs"))
        lines = str(raised.value).split("\n")
        assert len(lines) == len(raised.value.errors)
        return [line.removeprefix("policy_specs/") for line in lines]

    return errors


def test_the_voice(errors: Errors) -> None:
    """The very words of the example that the design gives."""
    text = (
        "policy_domain: contoso.example\n# testing is over\nmta_sts:\n  mode: enforced\n  mx: [mx1.contoso.example]\n"
    )
    assert errors({"contoso.example.yaml": text}) == [
        'contoso.example.yaml:4:9: mta_sts.mode: "enforced" is not a mode; did you mean "enforce"? '
        "(none, testing, enforce; RFC 8461 section 3.2)"
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        # keys
        ("policy_domain: a.example\nmta-sts: {}", "2:1: mta-sts: is not a key here; did you mean mta_sts?"),
        ("policy_domain: a.example\ntlsrpt: false", "2:1: tlsrpt: is not a key here; did you mean tls_rpt?"),
        ("policy_domain: a.example\nmode: none", "2:1: mode: is not a key here; did you mean mta_sts.mode?"),
        ("policy_domain: a.example\nmta_sts: {mode: none, nmx: []}",
         "2:23: mta_sts.nmx: is not a key here; did you mean mx?"),
        ("policy_domain: a.example\nmta_sts: {mode: none, owner: x}",
         "2:23: mta_sts.owner: is not a key here; it belongs beside mta_sts"),
        ("policy_domain: a.example\nqqq: 1",
         "2:1: qqq: is not a key here (policy_domain, mta_sts, tls_rpt, owner, contact, suppress, alerts, rollout, "
         "hold, retire, adopted)"),
        ("policy_domain: a.example\n\"a\\nb\": 1", "2:1: [a\\u000ab]: is not a key here"),
        ("mta_sts: {mode: none}", "1:1: policy_domain: missing; write policy_domain: contoso.example"),
        ("- a", '1:1: ["a"] is not a spec'),
        ("", "1:1: the file is empty"),
        # names
        ("policy_domain: a_b.example",
         '1:16: policy_domain: "a_b.example" is not a mail domain: label \'a_b\' has an underscore'),
        ("policy_domain: example", "1:16: policy_domain: "),
        ("policy_domain: 192.0.2.1", "1:16: policy_domain: "),
        ("policy_domain: \"*.a.example\"", "1:16: policy_domain: "),
        ("policy_domain: xn--zzzz.example", "not a name by IDNA 2008"),
        ("policy_domain: ☕.example", "not a name by IDNA 2008"),
        ("policy_domain: 1\u05d0.example", "not a name by IDNA 2008"),  # bidirectional rule: only idna knows it
        (f"policy_domain: {'a' * 63}.{'b' * 63}.{'c' * 63}.{'d' * 51}", "243 octets; 242 is the most"),
        ("policy_domain: {a.example: {}}", "several go under policy_domains"),
        ("policy_domain: 12:30", '"12:30" is not a mail domain'),
        # modes; YAML 1.1 would have read `no` as false
        ("policy_domain: a.example\nmta_sts: {mode: no}",
         '2:17: mta_sts.mode: "no" is not a mode; did you mean "none"?'),
        ("policy_domain: a.example\nmta_sts: {mode: }", '2:17: mta_sts.mode: null is not a mode; did you mean "none"?'),
        ("policy_domain: a.example\nmta_sts: {mode: Testing, mx: [b.example.com]}", 'did you mean "testing"?'),
        ("policy_domain: a.example\nmta_sts: {mx: [b.example.com]}",
         "2:1: mta_sts.mode: missing, here and in every defaults.yaml"),
        ("policy_domain: a.example\nmta_sts:", "2:9: mta_sts: null is not an MTA-STS policy"),
        # mx
        ("policy_domain: a.example\nmta_sts: {mode: enforce}", "2:1: mta_sts.mx: mode enforce needs the hosts"),
        ("policy_domain: a.example\nmta_sts: {mode: testing, mx: []}",
         "2:30: mta_sts.mx: mode testing needs the hosts"),
        ("policy_domain: a.example\nmta_sts: {mode: testing, mx: mx.a.example}",
         'write it in brackets: ["mx.a.example"]'),
        # max_age
        *(
            (f"policy_domain: a.example\nmta_sts: {{mode: none, max_age: {value}}}", f"2:32: mta_sts.max_age: {said}")
            for value, said in {
                "1d12h": '"1d12h" is not a time', "1 d": '"1 d" is not', "1y": '"1y" is not', "-1": "-1 is not",
                "1.5": "1.5 is not", "31557601": "31557601 is not", "true": "true is not", "'86400'": '"86400" is not',
                "1_000": '"1_000" is not', ".inf": "Infinity is not",
         "53w": '"53w" is 32054400 seconds', "366d": '"366d" is',
                "'7d\n\n'": '"7d\\n" is not',
            }.items()
        ),
        # reports
        ("policy_domain: a.example\ntls_rpt: true", "2:10: tls_rpt: true is neither a map nor false"),
        ("policy_domain: a.example\ntls_rpt: {rua: []}",
         "2:16: tls_rpt.rua: an empty list is not a list of report URIs"),
        ("policy_domain: a.example\ntls_rpt: {rua: \"mailto:a@b.example\"}", "write it in brackets"),
        ("policy_domain: a.example\ntls_rpt: false",
         "2:10: tls_rpt: neither mta_sts nor tls_rpt: nothing would be published"),
        # people
        ("policy_domain: a.example\nowner: mail team", '2:8: owner: "mail team" is not an owner'),
        ("policy_domain: a.example\nowner: \"x\\n\"", '2:8: owner: "x\\n" is not an owner'),
        ("policy_domain: a.example\nowner: 5", "2:8: owner: 5 is not an owner"),
        ("policy_domain: a.example\ncontact: postmaster", "2:10: contact: "),
        ("policy_domain: a.example\ncontact: \"a@b.example\\n\"", "2:10: contact: "),
        ("policy_domain: a.example\ncontact: a@b.example, c@d.example", "2:10: contact: "),
        # rules that are silenced
        ("policy_domain: a.example\nsuppress: [mx-not-in-policy]",
         '2:11: suppress: ["mx-not-in-policy"] is not a map of rule to reason (suppress: {mx-not-in-policy: '),
        *(
            (f"policy_domain: a.example\nsuppress: {{mx-not-in-policy: {value}}}",
             f"2:30: suppress.mx-not-in-policy: {shown} is not a reason (suppression-without-reason)")
            for value, shown in {"": "null", "''": '""', "' '": '" "', "true": "true", '"\\u200b"': '"\\u200b"'}.items()
        ),
        ("policy_domain: a.example\nsuppress: {mx-not-in-polcy: x}",
         "2:12: suppress.mx-not-in-polcy: is not a rule that can be silenced; did you mean mx-not-in-policy?"),
        ("policy_domain: a.example\nsuppress: {mx-required: x}",
         "2:12: suppress.mx-required: is not a rule that can be silenced (mx-not-in-policy, max-age-under-an-hour, "),
        ("policy_domain: a.example\nmx-not-in-policy: x",
         "2:1: mx-not-in-policy: is not a key here; did you mean suppress.mx-not-in-policy?"),
        # maps
        ("policy_domains: {}", "1:17: policy_domains: {} is not a map of policy domains"),
        ("policy_domains: [a.example]", '1:17: policy_domains: ["a.example"] is not a map'),
        ("policy_domains: {a.example: {}}\nowner: x", "2:1: owner: cannot stand beside policy_domains"),
        ("policy_domains:\n  a.example: {policy_domain: a.example}",
         "2:15: policy_domains[a.example].policy_domain: the key above"),
        ("policy_domains:\n  a.example: x", '2:3: policy_domains[a.example]: "x" is not a spec'),
        ("policy_domains:\n  a_b.example: {}", '2:3: policy_domains[a_b.example]: "a_b.example" is not a mail domain'),
        ("policy_domains:\n  a.example:\n    mta_sts: {mode: on}",
         '3:21: policy_domains[a.example].mta_sts.mode: "on" is not a mode'),
    ],
)  # fmt: skip
def test_one_fault_one_line(errors: Errors, text: str, said: str) -> None:
    (line,) = errors({"x.yaml": text})
    assert said in line


@pytest.mark.parametrize(
    ("host", "said"),
    [
        ("10 mx1.example.com", 'the preference stays in DNS; write "mx1.example.com"'),
        ("192.0.2.1", "it is an address"),
        ("[192.0.2.1]", "it is an address"),
        ("2001:db8::1", "it is an address"),
        ("mx.example.com:25", "a host name is wanted"),
        ("smtp://mx.example.com", "a host name is wanted"),
        ("mx_1.example.com", "underscore"),
        ("mx1", "a full name has 2 or more"),
        ("*", 'a wildcard is the whole left-most label and stands for one label: "*.example.com"'),
        ("m*.example.com", "a wildcard is the whole left-most label"),
        ("*.*.example.com", "a wildcard is the whole left-most label"),
        ("mx.*.example.com", "a wildcard is the whole left-most label"),
        ("*.com", "everybody can register a name there"),
        (".example.com", 'write "*.example.com"'),
        ("mx..example.com", "an empty label"),
        ("mx.example.com..", "an empty label"),
        ("mx1.example.com mx2.example.com", "character"),
        ("☕.example.com", "IDNA 2008"),
        ("OK.example.com.", "it stands in the list already"),
    ],
)
def test_what_is_no_mx_host_is_told_how_to_be_one(errors: Errors, host: str, said: str) -> None:
    text = f'policy_domain: a.example\nmta_sts:\n  mode: testing\n  mx:\n    - ok.example.com\n    - "{host}"\n'
    (line,) = errors({"x.yaml": text})
    assert line.startswith(f'x.yaml:6:7: mta_sts.mx[1]: "{host}" is not an MX host: ')
    assert said in line


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("reports@example.org", 'write "mailto:reports@example.org"'),
        ("http://reports.example.org/", "write a mailto: or https: URI"),
        ("reports.example.org", "write a mailto: or https: URI"),
        ("mailto:", "nothing"),
        ("mailto:reports", "write mailto:reports@example.org"),
        ("mailto:a@b@example.org", "write mailto:reports@example.org"),
        ("mailto:a b@example.org", "percent-encode"),
        ("mailto:ü@example.org", "percent-encode"),
        ("mailto:a@ex_ample.org", "underscore"),
        ("mailto:a,b@example.org", 'write "mailto:a%2Cb@example.org"'),
        ("mailto:a!b;c@example.org", 'write "mailto:a%21b%3Bc@example.org"'),
        ("mailto:a@example.org,mailto:b@example.org", "one list entry for each address"),
        ("https://example.org/a;b", 'write "https://example.org/a%3Bb"'),
        ("https:///x", "write https://reports.example.org/tls"),
        ("https://user:secret@example.org/", "without a user"),
        ("https://192.0.2.1/", "address"),
        ("https://example.org:99999/", "range"),
        ("https://example.org:0/", "port 0"),
        ("https://[::1/", "Invalid"),
        ("MAILTO:ok@example.org", "it stands in the list already"),
    ],
)
def test_what_is_no_rua_is_told_how_to_be_one(errors: Errors, uri: str, said: str) -> None:
    text = f'policy_domain: a.example\ntls_rpt:\n  rua: ["mailto:ok@example.org", "{uri}"]\n'
    (line,) = errors({"x.yaml": text})
    assert line.startswith(f'x.yaml:3:34: tls_rpt.rua[1]: "{uri}" is not a report URI: ')
    assert said in line


def test_a_rua_that_no_provider_takes_is_refused_where_it_stands(errors: Errors) -> None:
    uris = ", ".join(f'"https://reports.example.org/{n}{"x" * 871}"' for n in range(10))
    said = errors(
        {
            "a.yaml": f"policy_domain: a.example\ntls_rpt: {{rua: [{uris}]}}\n",
            "b/defaults.yaml": f"owner: x\ntls_rpt:\n  rua: [{uris}]\n",
            "b/b.yaml": "policy_domains: {b.example: {}, c.example: {}}\n",
        }
    )
    told = (
        "tls_rpt.rua: a TXT record of 9026 octets; 2000 is the most that every DNS provider takes; "
        "write fewer or shorter URIs"
    )
    assert said == [f"a.yaml:2:16: {told}", f"b/defaults.yaml:3:8: {told}"]


def test_a_rua_as_long_as_every_provider_takes_is_no_fault(errors: Errors, tmp_path: Path) -> None:
    text = 'policy_domain: a.example\ntls_rpt: {{rua: ["https://r.example/{}", "https://r.example/{}"]}}\n'
    room = 2000 - len("v=TLSRPTv1; rua=https://r.example/,https://r.example/;")
    (tmp_path / "a.yaml").write_text(text.format("a" * 980, "b" * (room - 980)))
    (spec,) = load(tmp_path)
    assert spec.tls_rpt is not None
    assert len(str(Record(spec.tls_rpt.rua))) == 2000
    (line,) = errors({"x.yaml": text.format("a" * 980, "b" * (room - 979))})
    assert "a TXT record of 2001 octets" in line


@pytest.mark.parametrize("key", ["dns", "adopt", "retired_until", "ignore", "hosting"])
def test_a_planned_key_is_never_accepted_in_silence(errors: Errors, key: str) -> None:
    assert key in spec_schema()["x-planned"]
    line = f"{key}: is planned but not yet acted on; remove it"
    assert errors({"x.yaml": f"policy_domain: a.example\n{key}: true\n"}) == [f"x.yaml:2:1: {line}"]
    assert errors({"x.yaml": f"policy_domains: {{a.example: {{{key}: {{a: 1}}}}}}\n"}) == [
        f"x.yaml:1:30: policy_domains[a.example].{line}"
    ]


def test_all_faults_of_all_files_come_at_once_and_in_order(errors: Errors) -> None:
    said = errors(
        {
            "b.yaml": "policy_domain: b.example\ndns: manual\n"
            "mta_sts:\n  mode: strict\n  mx: [192.0.2.4, 5, mx_.b.example]\n",
            "a.yaml": "policy_domain: [\n",
            "c/d.yaml": "policy_domain: c_d.example\ntls_rpt: {rua: [x]}\n",
            "ok.yaml": "policy_domain: ok.example\n",
            "z.yml": "policy_domain: z.example\n",
        }
    )
    assert [line.split(": ")[0] for line in said] == [
        "a.yaml:1:16", "b.yaml:2:1", "b.yaml:4:9", "b.yaml:5:8", "b.yaml:5:19", "b.yaml:5:22", "c/d.yaml:1:16",
        "c/d.yaml:2:17", "z.yml:1:1",
    ]  # fmt: skip


def test_a_default_at_fault_is_named_once_where_it_stands(errors: Errors) -> None:
    said = errors(
        {
            "defaults.yaml": "owner: the team\nmta_sts:\n  mode: testing\n  mx: [mx_1.x.example]\n",
            "a.yaml": "policy_domain: a.example\n",
            "b.yaml": "policy_domains: {b.example: {}, c.example: {}}\n",
            "d/defaults.yaml": "mta_sts: {max_age: 54w}\n",
            "d/d.yaml": "policy_domain: d.example\nowner: x\n",
        }
    )
    assert [line.split('"')[0] for line in said] == [
        "d/defaults.yaml:1:20: mta_sts.max_age: ",
        "defaults.yaml:1:8: owner: ",
        "defaults.yaml:4:8: mta_sts.mx[0]: ",
    ]


def test_a_default_at_fault_is_named_even_where_no_spec_takes_it(errors: Errors) -> None:
    said = errors({"defaults.yaml": "policy_domain: a.example\ndns: 1\nmta_sts: {mx: [a_b.example]}\n"})
    assert [line.split(": ")[:2] for line in said] == [
        ["defaults.yaml:1:1", "policy_domain"],
        ["defaults.yaml:2:1", "dns"],
        ["defaults.yaml:3:16", "mta_sts.mx[0]"],
    ]


def test_below_unreadable_defaults_only_yaml_is_judged(errors: Errors) -> None:
    said = errors(
        {
            "defaults.yaml": "mta_sts: {mode: enforce",
            "a.yaml": "policy_domain: a.example\nmta_sts: {mx: [mx.a.example]}\n",
            "sub/defaults.yaml": "owner: x\n",
            "sub/b.yaml": "policy_domain: [\n",
        }
    )
    assert [line.split(": ")[0] for line in said] == ["defaults.yaml:1:10", "sub/b.yaml:1:16"]
    assert errors({"defaults.yaml": "- a", "sub/b.yaml": "policy_domain: b.example"}) == [
        'defaults.yaml:1:1: ["a"] is not a map of keys'
    ]


def test_what_is_missing_is_missing_in_the_spec(errors: Errors) -> None:
    said = errors(
        {"defaults.yaml": "mta_sts: {mode: enforce}\n", "b.yaml": "policy_domains:\n  # c\n  b.example: {}\n"}
    )
    assert said == [
        "b.yaml:3:3: policy_domains[b.example].mta_sts.mx: mode enforce needs the hosts that may receive the mail: "
        "mx: [mx1.example.com] (RFC 8461 section 3.2)"
    ]


def test_two_specs_of_one_domain_name_both_places(errors: Errors) -> None:
    said = errors(
        {
            "a.yaml": "# first\npolicy_domain: bücher.example\n",
            "b.yaml": "policy_domains:\n  ok.example: {}\n  XN--BCHER-KVA.example.: {}\n",
            "c.yaml": "policy_domain: BÜCHER.example\n",
        }
    )
    assert said == [
        "b.yaml:3:3: policy_domains[XN--BCHER-KVA.example.]: xn--bcher-kva.example has a spec already, at "
        "policy_specs/a.yaml:2; remove one of the two",
        "c.yaml:1:16: policy_domain: xn--bcher-kva.example has a spec already, at policy_specs/a.yaml:2; "
        "remove one of the two",
    ]


def test_what_is_no_file_to_read(errors: Errors, tmp_path: Path) -> None:
    root = tmp_path / "policy_specs"
    root.mkdir()
    (root / "folder").mkdir()
    (root / "link").symlink_to("folder")
    (root / "gone.yaml").symlink_to("nowhere")
    (root / "folder.yaml").mkdir()
    (root / "folder.yaml" / "unread.yaml").write_text("nothing of this is read")
    os.mkfifo(root / "pipe.yaml")
    (root / "latin.yaml").write_bytes("owner: bö".encode("latin-1"))
    (root / "large.yaml").write_bytes(b"#" * (1 << 20) + b"\n")
    assert errors({"ok.yaml": "policy_domain: ok.example"}) == [
        "folder.yaml:1:1: a folder with the name of a spec; rename it",
        "gone.yaml:1:1: not a regular file, or a link to nothing",
        "large.yaml:1:1: the file is larger than 1048576 bytes; split it",
        "latin.yaml:1:9: the file is not UTF-8; save it as UTF-8",
        "link:1:1: a link to a folder is not followed; move the folder here",
        "pipe.yaml:1:1: not a regular file, or a link to nothing",
    ]


@pytest.mark.parametrize(
    ("root", "said"),
    [
        ("nowhere", "nowhere:1:1: there is no such file or folder"),
        ("x/defaults.yaml", "x/defaults.yaml:1:1: this file fills in"),
        ("x/a.txt", "x/a.txt:1:1: not a file whose name ends in .yaml"),
    ],
)
def test_a_root_that_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, root: str, said: str) -> None:
    monkeypatch.chdir(tmp_path)
    Path("x").mkdir()
    Path("x/defaults.yaml").touch()
    Path("x/a.txt").touch()
    with pytest.raises(SpecErrors) as raised:
        load(Path(root))
    assert str(raised.value).startswith(said)


STS = "policy_domain: a.example\nmta_sts:\n  "


@pytest.mark.parametrize(
    ("text", "said"),
    [
        # what only looks like an indentation
        (STS[:-2] + "\tmode: none", "3:1: a tab indents this line; YAML takes spaces only"),
        (STS + "mode: none\n  \tmx: []", "4:3: a tab indents this line; YAML takes spaces only"),
        ("policy_domain: a.example\n owner: x", "2:7: this line is not indented like the ones above it"),
        (STS + " mode: none\n  mx: []", "4:3: this line is not indented like the ones above it"),
        # a wildcard without quotes
        (STS + "mode: testing\n  mx: [*.mail.example]", '4:8: a plain * refers to an anchor, and there is none of this '
         'name; put a wildcard in quotes: "*.mail.example"'),
        (STS + "mode: testing\n  mx:\n    - *.mail.example # all", '5:7: a plain * refers to an anchor'),
        (STS + "mode: testing\n  mx: [b.example.com, *c]", '4:23: a plain * refers to an anchor'),
        ("policy_domain: &a a.example\nowner: *b", '2:8: a plain * refers to an anchor'),
        # what opens and does not close
        (STS + 'mode: testing\n  mx: ["b.example.com]\nowner: x', "4:8: the quote that opens here is never closed"),
        (STS + "mode: 'testing\n  mx: []\nowner: x", "3:9: the quote that opens here is never closed"),
        ('policy_domain: "a.example\nowner: "x"', "1:16: the quote that opens here is closed only in line 2"),
        (STS + "mode: testing\n  mx: [b.example.com\nowner: x", "4:7: the [ that opens here is not closed"),
        ("policy_domain: a.example\nmta_sts: {mode: none\nowner: x", "2:10: the { that opens here is not closed"),
        ("policy_domain: a.example\nmta_sts: {mode: none mx: []}", "2:24: a comma, or the } for the { in column 10"),
        # a colon
        (STS + "mode:none\n  mx: []", '3:3: a blank is missing after "mode:"'),
        ("policy_domain:a.example", '1:1: a blank is missing after "policy_domain:"'),
        ("policy_domain:a.example\nowner: x", '1:1: a blank is missing after "policy_domain:"'),
        ("policy_domain: a.example\nowner:x", '2:1: a blank is missing after "owner:"'),
        ("policy_domain: a.example\nmta_sts: {mode:none}",
         '2:11: mta_sts[mode:none]: a blank is missing after "mode:"'),
        ("policy_domain: a.example\nowner: x: y", '2:9: a second ": " in one line; put the value in quotes'),
        (STS + "mode: testing\n  mx:\n    -b.example.com",
         '5:5: mta_sts.mx: "-b.example.com" is not a list of MX hosts; '
         "a blank is missing after the -"),
        # characters
        ("policy_domain: @a.example", "1:16: a value cannot begin with @; put it in quotes"),
        ("policy_domain: `a.example`", "1:16: a value cannot begin with `; put it in quotes"),
        ('policy_domain: "a\\.example"', "1:18: in double quotes a backslash begins an escape"),
        ("policy_domain: a.example\r\nowner: x y\r\n", '2:8: owner: "x y" is not an owner'),
        ("<<<<<<< HEAD\npolicy_domain: a.example\n=======\npolicy_domain: b.example\n>>>>>>> x",
         "1:1: a merge conflict that nobody has resolved"),
        ("policy_domain: a.example\nowner: x\x00y", "2:9: not YAML: a control character"),
        ("policy_domain: a.example\nowner: x\nowner: y", "3:1: the key 'owner' stands here twice"),
        ("policy_domain: a.example\nmta_sts: {mode: none, max_age: 086400}", "2:32: 086400 begins with a zero"),
        # what is no domain
        *(
            (f"policy_domain: '{text}'", f'1:16: policy_domain: "{text}" is not a mail domain: {said}')
            for text, said in {
                "192.0.2.1": "it is an IP address; write the domain", "2001:db8::1": "it is an IP address",
                "[192.0.2.1]": "it is an IP address",
                "postmaster@contoso.example": "it is a mail address; write contoso.example",
                "@contoso.example": "it is a mail address; write contoso.example",
                "https://contoso.example/mail": "it is a URL; write contoso.example",
                "mailto:x@contoso.example": "it is a mail address; write contoso.example",
                "https://": "it is a URL; write the domain alone",
                "contoso.example:25": "it has a path or a port; write contoso.example",
                "contoso.example/x": "it has a path or a port; write contoso.example",
                "*.contoso.example": "a policy is for one name",
                "a.example, b.example": "one name is wanted; several go under policy_domains",
            }.items()
        ),
        ("policy_domains:\n  postmaster@contoso.example: {}", "it is a mail address; write contoso.example"),
        ("policy_domains:\n  12345: {}", "2:3: the key 12345 is not text; put it in quotes"),
        # modes: the hint stands there when there is one, and no stray ; when there is none
        *(
            (f"policy_domain: a.example\nmta_sts: {{mode: {mode}}}",
             f"2:17: mta_sts.mode: {shown} is not a mode{hint} (none, testing, enforce; RFC 8461 section 3.2)")
            for mode, shown, hint in [
                ("report", '"report"', ""), ("on", '"on"', ""), ("yes", '"yes"', ""), ("true", "true", ""),
                ("5", "5", ""), ("off", '"off"', '; did you mean "none"?'),
                ("false", "false", '; did you mean "none"?'),
                ("test", '"test"', '; did you mean "testing"?'), ("[none]", '["none"]', ""),
            ]
        ),
    ],
)  # fmt: skip
def test_what_people_mistype_is_told_where_it_begins(errors: Errors, text: str, said: str) -> None:
    (line,) = errors({"x.yaml": text})
    assert line.startswith("x.yaml:")
    assert said in line


def test_a_file_of_another_encoding(errors: Errors, tmp_path: Path) -> None:
    (tmp_path / "policy_specs").mkdir()
    (tmp_path / "policy_specs" / "wide.yaml").write_bytes("policy_domain: a.example".encode("utf-16"))
    assert errors({}) == ["wide.yaml:1:1: the file is UTF-16; save it as UTF-8"]


def test_a_link_out_of_the_folder_is_not_read(errors: Errors, tmp_path: Path) -> None:
    """An error shows what a file holds: a link in a stranger's pull request must not show other files of the runner."""
    (tmp_path / "secret").write_text("password-of-the-runner")
    (tmp_path / "beside").mkdir()
    (tmp_path / "beside" / "other.yaml").write_text("password-of-the-runner")
    root = tmp_path / "policy_specs"
    (root / "sub").mkdir(parents=True)
    (root / "absolute.yaml").symlink_to(tmp_path / "secret")
    (root / "relative.yaml").symlink_to("../secret")
    (root / "sub" / "defaults.yaml").symlink_to("../../secret")
    (root / "twice.yaml").symlink_to("relative.yaml")
    (root / "device.yaml").symlink_to("/dev/zero")
    (root / "folder").symlink_to("../beside")
    said = errors({"ok.yaml": "policy_domain: ok.example"})
    assert not [line for line in said if "password" in line]
    out = "1:1: a link out of the folder of specs is not followed; put the file itself here"
    assert said == [
        f"absolute.yaml:{out}",
        f"device.yaml:{out}",
        "folder:1:1: a link to a folder is not followed; move the folder here",
        f"relative.yaml:{out}",
        f"sub/defaults.yaml:{out}",
        f"twice.yaml:{out}",
    ]
    for named in (root / "relative.yaml", root / "sub" / "defaults.yaml"):
        with pytest.raises(SpecErrors) as raised:
            load(named)
        assert "password" not in str(raised.value)


def test_a_link_inside_the_folder_is_read(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "shared.yaml").write_text("policy_domain: a.example\n")
    (tmp_path / "a" / "defaults.yaml").write_text("owner: x\n")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "defaults.yaml").symlink_to("../a/defaults.yaml")
    (tmp_path / "b" / "b.yaml").write_text("policy_domain: b.example\n")
    assert {spec.policy_domain: spec.owner for spec in load(tmp_path)} == {"a.example": None, "b.example": "x"}
