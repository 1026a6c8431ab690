"""Where a fault is, or a value that somebody asks about: the slow path, taken only when there is one."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from mailtls.spec import yaml_text
from mailtls.spec.errors import Fault, SpecError, one_line
from mailtls.spec.files import SourceFile
from mailtls.spec.model import Source

_Path = tuple[str | int, ...]

_SIMPLE_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")


@dataclass(frozen=True, slots=True)
class Layer:
    """A file that has a say in a spec, and where in the file the spec's map begins."""

    file: SourceFile
    prefix: tuple[str, ...] = ()


class Places:
    """Finds the places of faults during one `load`, composing each file in question once more.

    instead: by path, what counts in place of a file's bytes.
    """

    def __init__(self, instead: Mapping[str, bytes | None] | None = None) -> None:
        self._instead = instead or {}
        self._known: dict[SourceFile, Mapping[_Path, yaml_text.Place]] = {}

    def placed(self, fault: Fault, layers: tuple[Layer, ...]) -> SpecError:
        """The fault with file, line and column. `layers`: the spec's own file first, then the defaults, leaf first.

        A value at fault is where it was written, which may be a defaults.yaml. What is missing is missing in the spec's
        own map, at the innermost key there that leads to it.
        """
        for layer in layers:
            if place := self._of(layer.file).get((*layer.prefix, *fault.path)):
                is_entry = not fault.path and layer.prefix  # its key tells more than its `{`
                line, column = place.key if fault.at_key or is_entry else place.value
                return SpecError(layer.file.shown, line, column, _key(layer, fault.path), fault.message, fault.rule)
        own = layers[0]
        found = self._of(own.file)
        path = (*own.prefix, *fault.path)
        while path and path not in found:
            path = path[:-1]
        line, column = found[path].key if path in found else (1, 1)
        said_by_key = own.prefix and fault.path == ("policy_domain",)
        key = _key(own, () if said_by_key else fault.path)
        return SpecError(own.file.shown, line, column, key, fault.message, fault.rule)

    def written(self, path: _Path, layers: tuple[Layer, ...]) -> Source | None:
        """Where the value at `path` was written, the nearest file first; None where no file has it."""
        for layer in layers:
            if place := self._of(layer.file).get((*layer.prefix, *path)):
                line, column = place.key
                return Source(layer.file.shown, line, column)
        return None

    def _of(self, file: SourceFile) -> Mapping[_Path, yaml_text.Place]:
        if file not in self._known:
            self._known[file] = _read(file, self._instead.get(file.path))
        return self._known[file]


def _read(file: SourceFile, instead: bytes | None) -> Mapping[_Path, yaml_text.Place]:
    """Places of a file that was read before."""
    try:
        node = yaml_text.compose(yaml_text.decode(file.read() if instead is None else instead))
    except (yaml_text.YamlFault, OSError):  # changed since it was read: the fault is real, its place is gone
        return {}
    return yaml_text.places(node) if node else {}


def _key(layer: Layer, path: _Path) -> str:
    """`mta_sts.mx[0]`, `policy_domains[one.example].mta_sts`"""
    text = ""
    for part in (*layer.prefix, *path):
        if isinstance(part, str) and _SIMPLE_KEY.fullmatch(part) and not text.endswith("policy_domains"):
            text += f".{part}" if text else part
        else:
            text += f"[{one_line(str(part)[:260])}]"
    return text
