"""Files into specs: read, fill in the defaults, judge, build; and when something is wrong, all of it at once.

Two paths. The fast one only asks whether all is well, and most of the time it is. For a spec that is not, the slow one
asks the schema for reasons and composes the files once more for line and column.
"""

import contextlib
import gc
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mailtls.spec import schema, values, yaml_refusal, yaml_text
from mailtls.spec.errors import Fault, SpecError, SpecErrors, quoted
from mailtls.spec.files import Folder, SourceFile, find
from mailtls.spec.model import PolicySpec, Source
from mailtls.spec.place import Layer, Places


@dataclass(frozen=True, slots=True)
class Survey:
    """Whatever could be read. specs: sorted by policy domain. errors: every fault once, sorted. asked: how many specs
    the files hold, those at fault among them, as far as the files can be read. layers: by policy domain, the files that
    have a say in its spec. empty: those of the errors that say of a root that nothing is in it, or that it is gone."""

    specs: tuple[PolicySpec, ...]
    errors: tuple[SpecError, ...]
    asked: int
    layers: Mapping[str, tuple[Layer, ...]] = field(default_factory=dict, compare=False, repr=False)
    empty: tuple[SpecError, ...] = ()
    _places: Places = field(default_factory=Places, compare=False, repr=False)

    def place(self, spec: PolicySpec, key: tuple[str, ...]) -> Source:
        """Where a key of a spec is written, as in ("mta_sts", "max_age"): in its own file or in a defaults.yaml. What
        is written nowhere is missing at the innermost key that leads to it. Reads the files once more."""
        found = self._places.placed(Fault(key, "", at_key=True), self.layers[spec.policy_domain])
        return Source(found.file, found.line, found.column)


def load(root: Path, shown: Path | None = None) -> tuple[PolicySpec, ...]:
    """Every spec at or below `root`, a folder or one file, sorted by policy domain.

    shown: what `root` is called in errors and in `PolicySpec.source`; None: as it is.

    The `defaults.yaml` of each folder, from `root` down, fills what the specs below leave out: maps merge, lists and
    plain values replace. Raises SpecErrors with every fault of every file; a set without any spec is a fault too, since
    deploying it would delete every domain.
    """
    found = survey(root, shown=shown)
    if found.errors:
        raise SpecErrors(found.errors)
    return found.specs


def survey(*roots: Path, shown: Path | None = None, instead: Mapping[str, bytes | None] | None = None) -> Survey:
    """`load` for those who want the good specs and the faults together, of several folders or files as one set.

    What lies inside another root is read once, with the defaults of that root. shown: as for `load`, of a single root.
    instead: by `SourceFile.path`, what is read in place of a spec file's bytes, None where the file is taken for gone:
    the set as it would be after a change.
    """
    loading = _Loading(instead=instead or {}, places=Places(instead))
    empty: list[SpecError] = []
    with _no_search_for_cycles():
        for root in outermost(tuple(map(Path, roots))):
            before = loading.asked, len(loading.errors)
            called = shown or root
            loading.folder(find(root, loading.errors, called), _Defaults())
            if before == (loading.asked, len(loading.errors)):
                name = called.name if called.is_absolute() else called.as_posix()
                message = "no spec in here; an empty set would delete every domain, so it is never meant"
                loading.errors.append(SpecError(name, 1, 1, "", message, "file-not-read"))
                empty.append(loading.errors[-1])
            elif not os.path.lexists(os.path.normpath(root)):
                empty += loading.errors[before[1] :]
    specs = tuple(loading.specs[domain] for domain in sorted(loading.specs))
    nothing = SpecErrors(empty).errors
    errors = SpecErrors(loading.errors).errors
    return Survey(specs, errors, loading.asked, loading.layers, nothing, loading.places)


@contextlib.contextmanager
def _no_search_for_cycles() -> Iterator[None]:
    """Python looks for cycles whenever many objects were made, and walks over all specs so far: a tenth of the time.
    Nodes, data and specs hold none, so all memory comes back without."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def outermost(roots: tuple[Path, ...]) -> list[Path]:
    """The roots without those that lie inside another one, or are another one by another name."""
    kept: dict[Path, Path] = {}
    for root in roots:
        real = Path(os.path.realpath(root))
        if not any(real.is_relative_to(other) for other in kept):
            kept = {other: named for other, named in kept.items() if not other.is_relative_to(real)} | {real: root}
    return list(kept.values())


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`over` laid on `base`: maps merge, anything else replaces. Neither is changed."""
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        merged[key] = merge(below, value) if isinstance(value, dict) and isinstance(below, dict) else value
    return merged


def _all_faults(data: Mapping[str, Any]) -> list[Fault]:
    """What the schema finds in one spec, and what is wrong with the values that it finds nothing in."""
    faults = list(schema.faults(data))
    return faults + values.value_faults(_without(data, {fault.path for fault in faults}))


def _without(data: Any, paths: set[tuple[str | int, ...]], here: tuple[str | int, ...] = ()) -> Any:
    """A copy of `data` less the values at `paths`; a list keeps its length, with None in their place."""
    if isinstance(data, dict):
        kept = {key: value for key, value in data.items() if (*here, key) not in paths}
        return {key: _without(value, paths, (*here, key)) for key, value in kept.items()}
    if isinstance(data, list):
        return [None if (*here, index) in paths else item for index, item in enumerate(data)]
    return data


def _no_map(data: object) -> str:
    """What to say about a file that holds something else than keys and values."""
    key = yaml_refusal.key_without_blank(data) if isinstance(data, str) else None
    return yaml_refusal.blank_missing(key) if key else f"{quoted(data)} is not a spec (policy_domain: contoso.example)"


@dataclass(frozen=True, slots=True)
class _Defaults:
    """What one defaults.yaml and those above it say together. layers: these files, leaf first."""

    data: Mapping[str, Any] = field(default_factory=dict)
    layers: tuple[Layer, ...] = ()


@dataclass(slots=True)
class _Loading:
    """The state of one `load`: what was found so far."""

    errors: list[SpecError] = field(default_factory=list)
    specs: dict[str, PolicySpec] = field(default_factory=dict)
    places: Places = field(default_factory=Places)
    layers: dict[str, tuple[Layer, ...]] = field(default_factory=dict)
    asked: int = 0
    instead: Mapping[str, bytes | None] = field(default_factory=dict)

    def folder(self, folder: Folder, defaults: _Defaults | None) -> None:
        """Load a folder. `defaults`: from the root down; None when one of them cannot be read, in which case the files
        below are only judged as YAML: anything else said about them could be wrong."""
        if folder.defaults:
            defaults = self._extended(defaults, folder.defaults)
        for file in folder.specs:
            if self.instead.get(file.path, b"") is not None:
                self._spec_file(file, defaults)
        for below in folder.folders:
            self.folder(below, defaults)

    def _extended(self, above: _Defaults | None, file: SourceFile) -> _Defaults | None:
        read = self._read(file)
        if read is None:
            return None
        data, _ = read
        if data is None:  # only comments
            data = {}
        layer = (Layer(file),)
        if not isinstance(data, dict):
            self._report(layer, [Fault((), f"{quoted(data)} is not a map of keys")])
            return None
        for key in ("policy_domain", "policy_domains"):
            if key in data:
                self._report(
                    layer, [Fault((key,), "does not belong in a defaults.yaml; write it in a spec", at_key=True)]
                )
        data = {key: value for key, value in data.items() if key not in ("policy_domain", "policy_domains")}
        self._report(layer, values.value_faults(data) if schema.is_valid(data) else _all_faults(data))
        return None if above is None else _Defaults(merge(above.data, data), (*layer, *above.layers))

    def _spec_file(self, file: SourceFile, defaults: _Defaults | None) -> None:
        read = self._read(file)
        if read is None or defaults is None:
            self.asked += 1
            return
        data, lines = read
        if isinstance(data, dict) and "policy_domains" in data:
            self._map(file, data, lines, defaults)
            return
        self.asked += 1
        layers = (Layer(file), *defaults.layers)
        if data is None:
            self._report(layers, [Fault((), "the file is empty; write a spec or remove it")])
        elif not isinstance(data, dict):
            self._report(layers, [Fault((), _no_map(data))])
        else:
            source = Source(file.shown, lines.get(("policy_domain",), 1))
            self._spec(data, defaults, layers, source)

    def _map(
        self, file: SourceFile, data: dict[str, Any], lines: Mapping[tuple[str, ...], int], defaults: _Defaults
    ) -> None:
        """A file with `policy_domains`."""
        file_layer = (Layer(file),)
        for key in data.keys() - {"policy_domains"}:
            message = "cannot stand beside policy_domains; what its specs share goes into a defaults.yaml"
            self._report(file_layer, [Fault((key,), message, at_key=True)])
        entries = data["policy_domains"]
        if not isinstance(entries, dict) or not entries:
            message = f"{quoted(entries)} is not a map of policy domains (policy_domains: {{one.example: {{}}}})"
            self._report(file_layer, [Fault(("policy_domains",), message)])
            return
        self.asked += len(entries)
        for name, entry in entries.items():
            prefix = ("policy_domains", name)
            layers = (Layer(file, prefix), *defaults.layers)
            if entry is not None and not isinstance(entry, dict):
                self._report(
                    layers, [Fault((), f"{quoted(entry)} is not a spec; write {{}} when the defaults say it all")]
                )
                continue
            if entry and "policy_domain" in entry:
                self._report(
                    layers, [Fault(("policy_domain",), "the key above says it already; remove it", at_key=True)]
                )
                continue
            self._spec({**(entry or {}), "policy_domain": name}, defaults, layers, Source(file.shown, lines[prefix]))

    def _spec(self, data: dict[str, Any], defaults: _Defaults, layers: tuple[Layer, ...], source: Source) -> None:
        """One spec: fill in, judge, build."""
        if defaults.data:
            data = merge(defaults.data, data)
        faults = [] if schema.is_valid(data) else _all_faults(data)
        if not faults and "policy_domain" not in data:
            faults = [Fault(("policy_domain",), "missing; write policy_domain: contoso.example")]
        if not faults:
            spec, faults = values.build(data, source)
            if spec:
                faults = self._added(spec)
                self.layers.setdefault(spec.policy_domain, layers)
        if faults:
            self._report(layers, faults)

    def _added(self, spec: PolicySpec) -> list[Fault]:
        first = self.specs.setdefault(spec.policy_domain, spec)
        if first is spec:
            return []
        where = f"{first.source.file}:{first.source.line}"
        return [
            Fault(
                ("policy_domain",),
                f"{spec.policy_domain} has a spec already, at {where}; remove one of the two",
                rule="duplicate-policy-domain",
            )
        ]

    def _read(self, file: SourceFile) -> tuple[Any, dict[tuple[str, ...], int]] | None:
        """A file's plain data and the lines of the keys that name domains; None when it cannot be read."""
        try:
            data = self.instead.get(file.path)
            node = yaml_text.compose(yaml_text.decode(file.read() if data is None else data))
            return (
                (None, {}) if node is None else (yaml_text.to_data(node), yaml_text.key_lines(node, "policy_domains"))
            )
        except yaml_text.YamlFault as e:
            self.errors.append(SpecError(file.shown, e.line, e.column, "", e.message, "yaml-invalid"))
        except OSError as e:
            self.errors.append(SpecError(file.shown, 1, 1, "", f"cannot be read: {e.strerror}", "file-not-read"))
        return None

    def _report(self, layers: tuple[Layer, ...], faults: Iterable[Fault]) -> None:
        self.errors += [self.places.placed(fault, layers) for fault in faults]
