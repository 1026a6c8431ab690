"""How the gates look at the world."""

from dataclasses import dataclass, field

from mailtls.observe.dns import Resolver


@dataclass(frozen=True, slots=True)
class GateSettings:
    """
    timeout: seconds that a gate waits at most. proxy: `http://host:port` for the fetch, by CONNECT; None: none.
    port: where policy hosts listen. standing_look: whether every run looks at what is published already.
    """

    timeout: float = 180
    resolver: Resolver = field(default_factory=Resolver)
    proxy: str | None = None
    port: int = 443
    standing_look: bool = True
