"""What was decided about a domain, as an edit of its spec."""

from collections.abc import Iterator
from pathlib import Path

from mailtls.propose.spec_edit import EditedFile, edit_spec, mx_edits, remove_spec
from mailtls.propose.yaml_edit import Edit, Set
from mailtls.rollout import decision
from mailtls.spec import duration
from mailtls.spec.load import Survey, survey


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
    for rule, reason in wanted.suppress:
        yield Set(("suppress", rule), reason)


def _mx(action: decision.Action, found: Survey) -> list[str]:
    """The patterns after the action: those that stay in their order, then the new ones."""
    spec = next((spec for spec in found.specs if spec.policy_domain == action.policy_domain), None)
    have = [pattern.text for pattern in spec.mta_sts.mx] if spec and spec.mta_sts else []
    staying = [pattern for pattern in have if pattern not in action.edit.remove_mx]
    return [*staying, *(pattern for pattern in action.edit.add_mx if pattern not in staying)]
