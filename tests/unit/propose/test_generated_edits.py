"""Edits of generated folders: the loader reads exactly the intended difference, every other byte stands as it was."""

import dataclasses
import datetime
import re
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from spec_folders import DOMAINS, HOSTS, Folder, folders

from mailtls.mta_sts.policy import Mode, MxPattern
from mailtls.propose.decided import decided_edit
from mailtls.propose.spec_edit import EditedFile, EditRefused, edit_spec, mx_edits
from mailtls.propose.yaml_edit import Edit, Remove, Set
from mailtls.rollout import decision
from mailtls.rollout.decision import Action, Kind
from mailtls.spec.load import load, survey
from mailtls.spec.model import MtaSts, PolicySpec

MODE, MX, MAX_AGE = ("mta_sts", "mode"), ("mta_sts", "mx"), ("mta_sts", "max_age")
DAY = 86400


class Case:
    """A folder on disk, and edits of it, each from the same beginning."""

    def __init__(self, folder: Folder, place: Path) -> None:
        self.folder = folder
        self.place = place
        self.files = folder.bytes_with(folder.mode)
        for name, data in self.files.items():
            (place / name).write_bytes(data)
        self.before = survey(place)
        assert not self.before.errors, "the generator writes good specs"
        assert [spec.policy_domain for spec in self.before.specs] == sorted(
            domain.encode("idna").decode() for domain in DOMAINS
        )

    @property
    def spec(self) -> PolicySpec:
        return next(spec for spec in self.before.specs if spec.policy_domain == self.folder.domain)

    @property
    def policy(self) -> MtaSts:
        assert self.spec.mta_sts
        return self.spec.mta_sts

    @property
    def text(self) -> bytes:
        """The file of the spec in question, before the edit."""
        return self.files[self.folder.file]

    @property
    def own_policy(self) -> dict[str, Any]:
        """What that file says of the policy."""
        found: dict[str, Any] = self.folder.own.get("mta_sts", {})
        return found

    def mx_edits(self, patterns: Sequence[MxPattern]) -> tuple[Edit, ...]:
        return mx_edits(self.before, self.folder.domain, [pattern.text for pattern in patterns])

    def edit(self, edits: Sequence[Edit]) -> EditedFile | None:
        done = edit_spec(self.place, self.folder.domain, edits, self.before)
        for name, data in self.files.items():
            assert (self.place / name).read_bytes() == data, "an edit writes nothing by itself"
        return done

    def check(self, edits: Sequence[Edit], **policy: Any) -> bytes:
        """Make edits; all specs are as before but for these values of this one's policy. Returns the file's bytes."""
        wanted = dataclasses.replace(self.spec, mta_sts=dataclasses.replace(self.policy, **policy))
        return self.check_spec(edits, wanted)

    def check_spec(self, edits: Sequence[Edit], wanted: PolicySpec) -> bytes:
        done = self.edit(edits)
        if done is None:
            assert wanted == self.spec
            return self.text
        return self.check_file(done, wanted)

    def check_file(self, done: EditedFile, wanted: PolicySpec | None) -> bytes:
        """With the file in place the loader reads what is wanted, and all other specs as before."""
        assert done.path == self.place / self.folder.file, "the defaults are others' too"
        assert done.before == self.text
        if done.after is None:
            done.path.unlink()
        else:
            done.path.write_bytes(done.after)
        after = {spec.policy_domain: spec for spec in load(self.place)}
        done.path.write_bytes(self.text)
        assert after.pop(self.folder.domain, None) == wanted == done.change.head
        assert after == {spec.policy_domain: spec for spec in self.before.specs if spec is not self.spec}
        return done.after or b""


def same_start(one: bytes, other: bytes) -> int:
    """How many bytes from the first on are the same."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((index for index, (a, b) in pairs if a != b), min(len(one), len(other)))


def one_run_more(less: bytes, more: bytes) -> bytes:
    """What `more` has in one place and `less` has not; fails where they differ in more than that."""
    head = same_start(less, more)
    tail = same_start(less[head:][::-1], more[head:][::-1])
    assert head + tail == len(less), (less, more)
    return more[head : len(more) - tail]


def added(before: bytes, after: bytes) -> bytes:
    """The new part; where the last item had no comma yet, that comma is let through."""
    head = same_start(before, after)
    without_comma = after[:head] + after[head + 1 :]
    if after[head : head + 1] == b"," and same_start(before, without_comma) > head + 1:
        return one_run_more(before, without_comma)
    return one_run_more(before, after)


def mode(case: Case, mode: str) -> None:
    """A mode is changed in its place, or is new."""
    by_mode = {} if "max_age" in case.folder.data["mta_sts"] else {"max_age": 7 * DAY if mode == "enforce" else DAY}
    after = case.check([Set(MODE, mode)], mode=Mode(mode), **by_mode)
    if case.folder.aliased:
        return
    if "mode" in case.own_policy:
        assert after == case.folder.bytes_with(mode)[case.folder.file]
    elif after != case.text:
        assert mode.encode() in added(case.text, after)


def mx_added(case: Case, host: str) -> None:
    """A host comes behind the others."""
    patterns = (*case.policy.mx, MxPattern(host))
    after = case.check(case.mx_edits(patterns), mx=patterns)
    if not case.folder.aliased:
        assert host.encode() in added(case.text, after)


def mx_removed(case: Case, index: int) -> None:
    """A host goes, with its line and no other host; the last one goes only where a policy needs none."""
    index %= len(case.policy.mx)
    patterns = (*case.policy.mx[:index], *case.policy.mx[index + 1 :])
    if not patterns and case.policy.mode is not Mode.NONE:
        with pytest.raises(EditRefused, match="needs the hosts"):
            case.edit(case.mx_edits(patterns))
        return
    after = case.check(case.mx_edits(patterns), mx=patterns)
    if patterns and "mx" in case.own_policy and not case.folder.aliased:
        one_run_more(after, case.text)
        gone = [host for host in HOSTS if case.text.count(host.encode()) > after.count(host.encode())]
        assert gone == [case.own_policy["mx"][index]]


def mx_replaced(case: Case, index: int) -> None:
    """One host for another, where it stands."""
    if "mx" not in case.own_policy:
        return
    index %= len(case.policy.mx)
    patterns = (*case.policy.mx[:index], MxPattern("mx9.contoso.example"), *case.policy.mx[index + 1 :])
    after = case.check([Set((*MX, index), "mx9.contoso.example")], mx=patterns)
    if not case.folder.aliased:
        head = same_start(case.text, after)
        tail = same_start(case.text[head:][::-1], after[head:][::-1])
        assert case.text[head : len(case.text) - tail].decode() in case.own_policy["mx"][index]


def max_age_set(case: Case, written: str | int, seconds: int) -> None:
    """A time is changed in its place, or is new."""
    after = case.check([Set(MAX_AGE, written)], max_age=seconds)
    if "max_age" not in case.own_policy and not case.folder.aliased and after != case.text:
        assert str(written) in added(case.text, after).decode()


def max_age_removed(case: Case) -> None:
    """It follows the mode then."""
    if "max_age" not in case.own_policy:
        with pytest.raises(EditRefused, match=r"\.yaml:\d+: mta_sts\.max_age is not written here"):
            case.edit([Remove(MAX_AGE)])
        return
    after = case.check([Remove(MAX_AGE)], max_age=7 * DAY if case.policy.mode is Mode.ENFORCE else DAY)
    if len(case.own_policy) > 1 and not case.folder.aliased and after != case.text:
        assert b"max_age" in one_run_more(after, case.text)


def new_keys(case: Case) -> None:
    """Keys that the spec does not have, some of them two levels deep."""
    reason = 'fourteen days, "clean": no failure'
    suppress = {**case.spec.suppress, "enforce-without-evidence": reason}
    edits: list[Edit] = [
        Set(("owner",), "other-team"),
        Set(("suppress", "enforce-without-evidence"), reason),
        Set(("retire",), True),
        Set(("rollout", "after", "days"), 21),
        Set(("rollout", "planned_move"), "2026-12-24"),
        Set(("hold",), True),
        Remove(("hold",)),
    ]
    rollout = dataclasses.replace(case.spec.controller.rollout, days=21, planned_move=datetime.date(2026, 12, 24))
    controller = dataclasses.replace(case.spec.controller, rollout=rollout, retire=True)
    wanted = dataclasses.replace(case.spec, owner="other-team", suppress=suppress, controller=controller)
    case.check_spec(edits, wanted)


def decided(case: Case, mode: str, host: str, index: int) -> None:
    """All that a decision may ask for, at once."""
    gone = case.policy.mx[index % len(case.policy.mx)]
    action = Action(
        Kind.PROMOTE,
        case.folder.domain,
        decision.Edit(Mode(mode), (host,), (gone.text,), 14 * DAY, suppress=(("mode-lowered", "because"),)),
        (),
    )
    patterns = (*(pattern for pattern in case.policy.mx if pattern != gone), MxPattern(host))
    wanted = dataclasses.replace(
        case.spec,
        mta_sts=MtaSts(Mode(mode), patterns, 14 * DAY),
        suppress={**case.spec.suppress, "mode-lowered": "because"},
    )
    done = decided_edit(case.place, action, case.before)
    assert done
    case.check_file(done, wanted)


def removed(case: Case) -> None:
    """The spec goes, and with it the file that holds no other."""
    done = decided_edit(
        case.place, Action(Kind.DELETE, case.folder.domain, decision.Edit(delete=True), ()), case.before
    )
    assert done
    if case.folder.file == "one.yaml":
        assert done.after is None
    elif done.after and not case.folder.aliased:
        assert case.folder.domain.encode() in one_run_more(done.after, case.text)
    case.check_file(done, None)


def nothing(case: Case) -> None:
    """What is so already is no change."""
    age = case.folder.data["mta_sts"].get("max_age", case.policy.max_age)
    assert case.edit([Set(MODE, str(case.policy.mode)), Set(MAX_AGE, age)]) is None
    assert case.mx_edits(case.policy.mx) == ()


@settings(max_examples=200, phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink])
@given(
    folders(),
    st.sampled_from(["none", "testing", "enforce"]),
    st.sampled_from(["mx9.contoso.example", "*.mx.fabrikam.example"]),
    st.integers(0, 3),
    st.sampled_from([("3d", 3 * DAY), (1209600, 1209600), ("30m", 1800)]),
)
def test_each_edit_changes_what_it_says_and_no_other_byte(
    folder: Folder, new_mode: str, host: str, index: int, age: tuple[str | int, int]
) -> None:
    edits: list[Callable[[Case], None]] = [
        lambda case: mode(case, new_mode),
        lambda case: mx_added(case, host),
        lambda case: mx_removed(case, index),
        lambda case: mx_replaced(case, index),
        lambda case: max_age_set(case, *age),
        max_age_removed,
        new_keys,
        lambda case: decided(case, new_mode, host, index),
        removed,
        nothing,
    ]
    with tempfile.TemporaryDirectory() as place:
        case = Case(folder, Path(place))
        for edit in edits:
            edit(case)


def test_the_generator_reaches_what_it_is_for() -> None:
    """Each way of writing is drawn at least once in a hundred folders."""
    seen: set[str] = set()

    @settings(max_examples=100, database=None, derandomize=True)
    @given(folders())
    def look(folder: Folder) -> None:
        text = folder.files[folder.file]
        marks = {
            "CRLF": "\r\n",
            "comment in brackets": r", +#",
            "double quotes": '"',
            "dash": r"\n *- ",
            "block": r"mta_sts['\"]?:(?: +#.*)?[\r\n]",
            "flow": r"mta_sts['\"]?: \{",
            "mark of the encoding": "\ufeff",
            "document start": "---",
            "alias": r"\*shared",
        }
        seen.update(name for name, mark in marks.items() if re.search(mark, text))
        seen.update(["no last line end"] if text[-1:] not in "\r\n" else [])
        seen.update(["defaults"] if folder.shared else [])

    look()
    assert seen == {
        *("CRLF", "comment in brackets", "no last line end", "double quotes", "dash", "block", "flow"),
        *("mark of the encoding", "document start", "alias", "defaults"),
    }
