"""An edit of one spec among many: where it is written, and what it may not touch."""

from pathlib import Path

import pytest

from mailtls.propose.decided import decided_edit
from mailtls.propose.spec_edit import EditRefused, edit_spec, mx_edits, remove_spec
from mailtls.propose.yaml_edit import Remove, Set
from mailtls.rollout.decision import Action, Edit, Kind
from mailtls.spec.load import load, survey

MODE = ("mta_sts", "mode")


@pytest.fixture
def specs(tmp_path: Path) -> Path:
    """Defaults on two levels, a map, and a file of one spec."""
    files = {
        "defaults.yaml": "mta_sts: {mode: testing, max_age: 2w}\n",
        "one.yaml": "policy_domain: one.example\nmta_sts: {mx: [mx1.one.example]}\n",
        "brands/defaults.yaml": "mta_sts:\n  mx: [mx1.brands.example, mx2.brands.example]\n",
        "brands/all.yaml": "policy_domains:\n  a.example: {}\n  b.example:\n    owner: b\n",
    }
    for name, text in files.items():
        path = tmp_path / "specs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "specs"


def text_after(specs: Path, domain: str, *edits: Set | Remove) -> str:
    done = edit_spec(specs, domain, edits)
    assert done
    assert done.after is not None
    return done.after.decode()


def test_what_two_defaults_say_is_written_into_the_one_spec(specs: Path) -> None:
    assert text_after(specs, "b.example", Set(MODE, "enforce")) == (
        "policy_domains:\n  a.example: {}\n  b.example:\n    owner: b\n    mta_sts:\n      mode: enforce\n"
    )
    edits = mx_edits(survey(specs), "a.example", ["mx2.brands.example", "*.mx.brands.example"])
    assert text_after(specs, "a.example", *edits) == (
        'policy_domains:\n  a.example: {mta_sts: {mx: [mx2.brands.example, "*.mx.brands.example"]}}\n'
        "  b.example:\n    owner: b\n"
    )


def test_what_defaults_share_is_not_taken_away_for_one(specs: Path) -> None:
    with pytest.raises(EditRefused, match=r"specs/defaults\.yaml:1: mta_sts\.max_age is shared by all specs below"):
        edit_spec(specs, "a.example", [Remove(("mta_sts", "max_age"))])


def test_an_edit_that_makes_a_wrong_spec_is_refused_with_the_loaders_words(specs: Path) -> None:
    with pytest.raises(EditRefused, match=r'one\.yaml:2:\d+: mta_sts\.mode: "enforced" is not a mode; did you mean'):
        edit_spec(specs, "one.example", [Set(MODE, "enforced")])
    with pytest.raises(EditRefused, match="is not a key here"):
        edit_spec(specs, "one.example", [Set(("holt",), True)])


def test_an_edit_by_which_another_spec_would_change_is_refused(specs: Path) -> None:
    with pytest.raises(EditRefused, match=r"(?s)refused.*a\.example has a spec already"):
        edit_spec(specs, "one.example", [Set(("policy_domain",), "a.example")])
    with pytest.raises(EditRefused, match=r"would also change new\.example"):
        edit_spec(specs, "one.example", [Set(("policy_domain",), "new.example")])


def test_hosts_that_stay_keep_their_lines(specs: Path) -> None:
    head = "policy_domain: one.example\nmta_sts:\n  mx:\n    - MX1.One.Example. # as DNS shows it\n"
    (specs / "one.yaml").write_text(f"{head}    - mx2.one.example # old\n")
    edits = mx_edits(survey(specs), "one.example", ["mx1.one.example", "mx3.one.example"])
    assert text_after(specs, "one.example", *edits) == (f"{head}    - mx3.one.example\n")


def test_hosts_in_another_order_are_put_one_by_one(specs: Path) -> None:
    found = survey(specs)
    done = edit_spec(specs, "one.example", mx_edits(found, "one.example", ["mx9.one.example", "mx1.one.example"]))
    assert done
    assert done.after == b"policy_domain: one.example\nmta_sts: {mx: [mx9.one.example, mx1.one.example]}\n"


def test_the_mark_of_the_encoding_stays(specs: Path) -> None:
    (specs / "one.yaml").write_bytes(b"\xef\xbb\xbf" + (specs / "one.yaml").read_bytes())
    done = edit_spec(specs, "one.example", [Set(MODE, "none")])
    assert done
    assert done.after == b"\xef\xbb\xbfpolicy_domain: one.example\nmta_sts: {mx: [mx1.one.example], mode: none}\n"


def test_a_spec_goes_with_its_file_or_out_of_its_map(specs: Path) -> None:
    alone = remove_spec(specs, "one.example")
    assert alone
    assert alone.after is None
    assert alone.change.head is None
    entry = remove_spec(specs, "a.example")
    assert entry
    assert entry.after == b"policy_domains:\n  b.example:\n    owner: b\n"


def test_a_file_with_a_spec_at_fault_beside_is_not_taken_for_alone(specs: Path) -> None:
    (specs / "brands" / "all.yaml").write_text("policy_domains:\n  a.example: {}\n  b.example: {owner: 'b b'}\n")
    entry = remove_spec(specs, "a.example")
    assert entry
    assert entry.after == b"policy_domains:\n  b.example: {owner: 'b b'}\n"


def test_the_last_spec_of_all_does_not_go(specs: Path) -> None:
    (specs / "brands" / "all.yaml").unlink()
    with pytest.raises(
        EditRefused, match=r"one.example is the last spec in .* allow_destroy: true, pulumi up, pulumi d"
    ):
        remove_spec(specs, "one.example")


def test_a_domain_without_a_good_spec_is_refused(specs: Path) -> None:
    action = Action(Kind.ADD_MX, "no.example", Edit(add_mx=("mx.no.example",)), ())
    with pytest.raises(EditRefused, match=r"no policy of no\.example"):
        decided_edit(specs, action)
    with pytest.raises(EditRefused, match=r"no spec of no\.example"):
        edit_spec(specs, "no.example", [Set(MODE, "none")])


def test_what_is_decided_and_says_the_same_is_no_edit(specs: Path) -> None:
    before = load(specs)
    action = Action(Kind.RAISE_MAX_AGE, "a.example", Edit(max_age=14 * 86400), ())
    assert decided_edit(specs, action) is None
    assert load(specs) == before


def test_reasons_that_are_over_go_and_what_defaults_say_for_many_stays(specs: Path) -> None:
    (specs / "one.yaml").write_text(
        "policy_domain: one.example\nmta_sts: {mx: [mx1.one.example]}\nsuppress:\n  mode-lowered: why  # in May\n"
    )
    (specs / "brands" / "defaults.yaml").write_text(
        "mta_sts: {mx: [mx1.brands.example]}\nsuppress: {mode-lowered: all}\n"
    )

    def after(domain: str, edit: Edit) -> str | None:
        done = decided_edit(specs, Action(Kind.PROMOTE, domain, edit, ()))
        return done.after.decode() if done and done.after else None

    over = Edit(unsuppress=("mode-lowered", "max-age-jump"))
    assert after("one.example", over) == "policy_domain: one.example\nmta_sts: {mx: [mx1.one.example]}\n"
    assert after("a.example", over) is None
    both = Edit(suppress=(("max-age-jump", "quiet"),), unsuppress=("mode-lowered", "max-age-jump"))
    assert after("one.example", both) == (
        "policy_domain: one.example\nmta_sts: {mx: [mx1.one.example]}\nsuppress:\n  max-age-jump: quiet\n"
    )
