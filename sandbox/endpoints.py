"""Where the parts of a running local cloud listen, as `endpoints.json` tells it to whoever wants to use them."""

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from sandbox.engine.cache import write_atomically


class NoSandbox(RuntimeError):
    """No local cloud is running there; `python -m sandbox up` starts one."""


@dataclass(frozen=True, slots=True)
class Endpoints:
    """All on loopback.

    dns, https, smtp: `127.0.0.1:PORT`. rua_https: URI for reports by POST; None: reports come by mail alone.
    aws, cloudflare, webhook, control, proxy: URLs. proxy leads every HTTPS host name to `https`, by CONNECT.
    ca: PEM file of the authority that signed all certificates. keys: folder of the outside senders' DKIM keys.
    pulumi_env: variables with which `pulumi` works on this cloud.
    """

    dns: str
    https: str
    smtp: str
    aws: str
    cloudflare: str
    webhook: str
    control: str
    proxy: str
    ca: str
    keys: str
    pulumi_env: dict[str, str]
    rua_https: str | None = None

    def write(self, path: Path) -> None:
        write_atomically(path, json.dumps(asdict(self), indent=1, sort_keys=True) + "\n")

    @classmethod
    def read(cls, path: Path) -> "Endpoints":
        """Raises NoSandbox."""
        try:
            data = json.loads(path.read_text())
        except FileNotFoundError as e:
            raise NoSandbox(f"no sandbox is running ({path.name} is not there): start one with make sandbox-up") from e
        return cls(**{field.name: data[field.name] for field in fields(cls)})


def exports(variables: Mapping[str, str], unset: Sequence[str] = ()) -> str:
    """Lines for a shell, `export NAME=value`; before them, what must not be there."""
    head = f"unset {' '.join(unset)}\n" if unset else ""
    return head + "".join(f"export {name}={shlex.quote(value)}\n" for name, value in sorted(variables.items()))
