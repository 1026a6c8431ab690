"""What was decided about a domain, as an edit of its spec."""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from mailtls.propose.spec_edit import EditedFile, edit_spec, mx_edits, remove_spec
from mailtls.propose.yaml_edit import Edit, Remove, Set
from mailtls.rollout import decision
from mailtls.spec import duration
from mailtls.spec.load import Survey, survey
from mailtls.spec.place import Places


def decided_edit(root: Path, action: decision.Action, found: Survey | None = None) -> EditedFile | None:
    """The file after the action; None where the spec says it already. Root and errors as for `edit_spec`."""
    found = found or survey(root)
    if action.edit.delete:
        return remove_spec(root, action.policy_domain, found)
    return edit_spec(root, action.policy_domain, list(_edits(action, found)), found)


def _edits(action: decision.Action, found: Survey) -> Iterator[Edit]:
    wanted = action.edit
    if wanted.mode is not None:
        yield Set(("mta_sts", "mode"), str(wanted.mode))
    if wanted.add_mx or wanted.remove_mx:
        yield from mx_edits(found, action.policy_domain, _mx(action, found))
    if wanted.max_age is not None:
        yield Set(("mta_sts", "max_age"), duration.written(wanted.max_age))
    if wanted.retire:
        yield Set(("retire",), True)
    yield from suppress_edits(found, action.policy_domain, dict(wanted.suppress), wanted.unsuppress)


def suppress_edits(found: Survey, policy_domain: str, put: Mapping[str, str], over: Collection[str]) -> Iterator[Edit]:
    """put: rule to its reason. over: rules whose reason goes where this spec itself has it; what a defaults.yaml says
    for many domains stays."""
    for rule, reason in put.items():
        yield Set(("suppress", rule), reason)
    own, places = found.layers.get(policy_domain, ())[:1], Places()
    gone = [rule for rule in over if rule not in put and places.written(("suppress", rule), own)]
    spec = next((spec for spec in found.specs if spec.policy_domain == policy_domain), None)
    staying = [
        rule for rule in (spec.suppress if spec else ()) if rule not in gone and places.written(("suppress", rule), own)
    ]
    if gone and not put and not staying:
        yield Remove(("suppress",))
    else:
        yield from (Remove(("suppress", rule)) for rule in gone)


def _mx(action: decision.Action, found: Survey) -> list[str]:
    """The patterns after the action: those that stay in their order, then the new ones."""
    spec = next((spec for spec in found.specs if spec.policy_domain == action.policy_domain), None)
    have = [pattern.text for pattern in spec.mta_sts.mx] if spec and spec.mta_sts else []
    staying = [pattern for pattern in have if pattern not in action.edit.remove_mx]
    return [*staying, *(pattern for pattern in action.edit.add_mx if pattern not in staying)]
