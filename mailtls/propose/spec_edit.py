"""One policy domain's spec, edited in the file that it is written in, and in no file that others share.

A value that comes from a `defaults.yaml` is written into the spec itself, the narrowest place that changes only this
domain. After the edit the whole set is loaded again with the new text: one spec may differ, and no other.
"""

import codecs
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mailtls.changes import Change, compare
from mailtls.propose.yaml_edit import Edit, NotEditable, Remove, Set, edited
from mailtls.spec.errors import SpecError
from mailtls.spec.load import Survey, survey
from mailtls.spec.place import Layer, Places
from mailtls.spec.yaml_text import YamlFault, compose, decode, to_data

_LAST = (
    "{shown}: {policy_domain} is the last spec in {root}, and an empty set of specs is refused, since it would delete "
    "every domain. Keep the file, and take the whole stack down: set allow_destroy: true, pulumi up, pulumi destroy "
    "(docs/first-real-deployment.md tells what goes with it). Do other domains follow? Then write their specs first"
)


class EditRefused(ValueError):
    """The edit cannot be made, or would change more than it should. The text has file and line, and what to do."""


@dataclass(frozen=True, slots=True)
class EditedFile:
    """A file before and after. path: to write it. shown: as the user would type it. after: None where the file goes.
    change: the one spec that differs, as it was and as it will be."""

    path: Path
    shown: str
    before: bytes
    after: bytes | None
    change: Change


def edit_spec(root: Path, policy_domain: str, edits: Sequence[Edit], found: Survey | None = None) -> EditedFile | None:
    """The file of a spec with `edits` made, their paths from the spec's own map down; None where all is so already.

    root: the folder of specs, or one spec. found: what `survey(root)` said, if it was asked. Reads, and writes nothing.
    Raises EditRefused.
    """
    found = found or survey(root)
    layers = _layers(root, policy_domain, found)
    before = _read(layers[0])
    after = _edited_bytes(layers[0], layers, before, edits)
    return None if after == before else _held_against(found, root, policy_domain, before, after)


def remove_spec(root: Path, policy_domain: str, found: Survey | None = None) -> EditedFile | None:
    """The spec taken out: its entry of a map, or the file that holds no other. As `edit_spec` in all else."""
    found = found or survey(root)
    own = _layers(root, policy_domain, found)[0]
    if found.asked == 1:
        raise EditRefused(_LAST.format(shown=own.file.shown, policy_domain=policy_domain, root=root))
    before = _read(own)
    after = None if _is_alone(own, before) else _edited_bytes(own, (own,), before, [Remove(())])
    return _held_against(found, root, policy_domain, before, after)


def _layers(root: Path, policy_domain: str, found: Survey) -> tuple[Layer, ...]:
    if policy_domain not in found.layers:
        raise EditRefused(f"there is no spec of {policy_domain} without a fault in {root}")
    return found.layers[policy_domain]


def _is_alone(own: Layer, data: bytes) -> bool:
    """Does the file hold no other spec, good or at fault?"""
    if not own.prefix:
        return True
    try:
        node = compose(decode(data))
        return node is not None and len(to_data(node)["policy_domains"]) == 1
    except (YamlFault, KeyError, TypeError) as e:
        raise EditRefused(f"{own.file.shown} has changed meanwhile; try again") from e


def _held_against(
    found: Survey, root: Path, policy_domain: str, before: bytes, after: bytes | None
) -> EditedFile | None:
    """The edit, if the set that it makes differs from `found` by this spec and no other."""
    own = found.layers[policy_domain][0].file
    change = _only_change(found, survey(root, instead={own.path: after}), policy_domain)
    return EditedFile(Path(own.path), own.shown, before, after, change) if change else None


def mx_edits(found: Survey, policy_domain: str, wanted: Sequence[str]) -> tuple[Edit, ...]:
    """The edits by which a domain's mx becomes `wanted`, patterns as `MxPattern.text` has them: hosts that stay keep
    their lines. Raises EditRefused."""
    spec = next((spec for spec in found.specs if spec.policy_domain == policy_domain), None)
    if spec is None or spec.mta_sts is None:
        raise EditRefused(f"there is no policy of {policy_domain} without a fault")
    have = [pattern.text for pattern in spec.mta_sts.mx]
    path = ("mta_sts", "mx")
    if not Places().written(path, found.layers[policy_domain][:1]):
        return () if have == list(wanted) else (Set(path, list(wanted)),)
    staying = [host for host in have if host in wanted]
    if list(wanted[: len(staying)]) == staying:
        new = [Set((*path, len(have) + index), host) for index, host in enumerate(wanted[len(staying) :])]
        gone = [Remove((*path, index)) for index, host in enumerate(have) if host not in wanted]
        return (*new, *reversed(gone))
    put = [Set((*path, index), host) for index, host in enumerate(wanted)]
    surplus = [Remove((*path, index)) for index in range(len(wanted), len(have))]
    return (*put, *reversed(surplus))


def _read(own: Layer) -> bytes:
    try:
        return own.file.read()
    except OSError as e:
        raise EditRefused(f"{own.file.shown}: cannot be read: {e.strerror}") from e


def _edited_bytes(own: Layer, layers: tuple[Layer, ...], before: bytes, edits: Sequence[Edit]) -> bytes:
    for index, edit in enumerate(edits):
        made = (one.path[: len(edit.path)] for one in edits[:index] if isinstance(one, Set))
        if isinstance(edit, Remove) and edit.path not in made:
            _check_own(edit, layers)
    mark = codecs.BOM_UTF8 if before.startswith(codecs.BOM_UTF8) else b""
    try:
        placed = [_placed(edit, own.prefix) for edit in edits]
        return mark + edited(decode(before), placed).encode()
    except (NotEditable, YamlFault) as e:  # YamlFault: changed since it was loaded
        raise EditRefused(f"{own.file.shown}:{e.line}: {e.message}") from e


def _check_own(edit: Remove, layers: tuple[Layer, ...]) -> None:
    """What is removed is written in the spec itself: what a defaults.yaml says cannot be taken away for one domain."""
    places = Places()
    if places.written(edit.path, layers[:1]):
        return
    key = ".".join(map(str, edit.path))
    if shared := places.written(edit.path, layers[1:]):
        where = f"{shared.file}:{shared.line}"
        raise EditRefused(f"{where}: {key} is shared by all specs below; give this domain a value of its own instead")
    here = places.written((), layers[:1])
    raise EditRefused(f"{layers[0].file.shown}:{here.line if here else 1}: {key} is not written here")


def _placed(edit: Edit, prefix: tuple[str, ...]) -> Edit:
    path = (*prefix, *edit.path)
    return Set(path, edit.value) if isinstance(edit, Set) else Remove(path)


def _only_change(before: Survey, after: Survey, policy_domain: str) -> Change | None:
    """The change of this domain; None where its spec says the same as before. Raises EditRefused where anything else
    would change, or would be at fault."""
    known = {_without_place(fault) for fault in before.errors}
    if new := [str(fault) for fault in after.errors if _without_place(fault) not in known]:
        raise EditRefused("the edit would make a spec that is refused:\n" + "\n".join(new))
    changes = compare(before.specs, after.specs)
    others = [change.policy_domain for change in changes if change.policy_domain != policy_domain]
    if others:
        raise EditRefused(f"the edit would also change {', '.join(others[:5])}; edit it by hand")
    return changes[0] if changes else None


def _without_place(fault: SpecError) -> tuple[str, str, str, str]:
    """A fault in the same file may have moved by some lines."""
    return fault.file, fault.key, fault.message, fault.rule
