"""The text of a first spec: what `init` and `discover` write. Pure.

What is written reads back: the text goes through the loader's own parser and judge before it is handed out, so that
nobody is given a file that `mailtls validate` refuses.
"""

import json
import re
from collections.abc import Iterator, Sequence

from mailtls import names
from mailtls.mta_sts.policy import Mode
from mailtls.spec import duration, schema, values, yaml_text
from mailtls.spec.errors import Fault
from mailtls.spec.model import Source

_PLAIN_NAME = re.compile(r"[a-z][a-z0-9-]*(?:\.[a-z0-9-]+)+")
"""A name that no reader of YAML takes for anything but text: it begins with a letter and has a dot."""
_MODE_NOTES = {
    Mode.TESTING: "senders deliver all the same, and report what would have failed",
    Mode.ENFORCE: "senders deliver only to the hosts below, over TLS that they can verify",
    Mode.NONE: "the way out: senders act as if there were no policy",
}


class UnwritableSpec(ValueError):
    """The values make no valid spec (a name that no policy may hold, a wrong URI). Nothing can be written for them; the
    text is one line per fault."""


def new_spec(
    policy_domain: str,
    mx: Sequence[str],
    seen: Sequence[str] = (),
    next_steps: Sequence[str] = (),
    schema_line: str | None = None,
    *,
    mode: Mode | None = Mode.TESTING,
    max_age: int | None = None,
    tls_rpt_rua: Sequence[str] = (),
    owner: str | None = None,
    contact: str | None = None,
) -> str:
    """The YAML of one spec, with comments; the file ends in a line end.

    mx: host names or patterns, in the order that the file has them. seen: what was found, a comment of one line each,
    on top. next_steps: numbered, a comment of one line each, at the end. schema_line: the comment by which an editor
    finds the schema, whole (`# yaml-language-server: $schema=...`); None: no such line.
    mode: None writes no mta_sts at all, which asks for reports only; mx is then left out.
    max_age: seconds; None leaves it to follow the mode. tls_rpt_rua: () leaves the reports to the platform's pipeline.
    Raises UnwritableSpec.
    """
    lines = [f"# {_one_line(schema_line.lstrip('# '))}"] if schema_line else []
    lines += [_comment(line) for line in seen]
    lines.append(f"policy_domain: {_name(policy_domain)}{_in_unicode(policy_domain)}")
    if mode is not None:
        lines += _mta_sts(mode, mx, max_age)
    if tls_rpt_rua:
        lines += ["tls_rpt:", "  rua:", *(f"    - {_quoted(uri)}" for uri in tls_rpt_rua)]
    lines += [f"{key}: {_quoted(text)}" for key, text in (("owner", owner), ("contact", contact)) if text is not None]
    if next_steps:
        lines.append("# Next:")
        lines += [_comment(f"{number}. {step}") for number, step in enumerate(next_steps, 1)]
    text = "\n".join(lines) + "\n"
    if faults := [_told(fault) for fault in _faults(text)]:
        raise UnwritableSpec("\n".join(faults))
    return text


def _mta_sts(mode: Mode, mx: Sequence[str], max_age: int | None) -> Iterator[str]:
    yield "mta_sts:"
    yield f"  mode: {mode} # {_MODE_NOTES[mode]}"
    if mx:
        yield "  mx: # every host that may receive the mail; one that is missing here gets none in enforce"
        yield from (f"    - {_name(host)}{_in_unicode(host)}" for host in mx)
    if max_age is not None:
        yield f"  max_age: {duration.written(max_age)}"


def _name(text: str) -> str:
    return text if _PLAIN_NAME.fullmatch(text) else _quoted(text)


def _in_unicode(name: str) -> str:
    """The comment that shows an international name as people know it."""
    shown = names.u_labels(name)
    return "" if shown == name else f" # {_one_line(shown)}"


def _quoted(text: str) -> str:
    """In double quotes, which for printable text are the same in JSON and YAML."""
    return json.dumps(text, ensure_ascii=False)


def _comment(text: str) -> str:
    return f"# {_one_line(text)}".rstrip()


def _one_line(text: str) -> str:
    """What others wrote, as the rest of a comment's line: it cannot end the comment and begin a key."""
    return "".join(c if c.isprintable() else " " for c in text)


def _faults(text: str) -> list[Fault]:
    """Why the loader would refuse `text`; nothing when it takes it."""
    try:
        node = yaml_text.compose(text)
        data = {} if node is None else yaml_text.to_data(node)
    except yaml_text.YamlFault as e:
        return [Fault((), e.message)]
    if not schema.is_valid(data):
        return list(schema.faults(data))
    return values.build(data, Source("", 1))[1]


def _told(fault: Fault) -> str:
    key = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in fault.path).lstrip(".")
    return f"{key}: {fault.message}" if key else fault.message
