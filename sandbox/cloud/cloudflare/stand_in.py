"""The account and its API, as the local cloud starts them and its DNS reads them."""

from collections.abc import Iterable

from sandbox.cloud.cloudflare.account import Account, id_of_zone
from sandbox.cloud.cloudflare.rate_limit import RateLimit
from sandbox.cloud.cloudflare.record import Record
from sandbox.cloud.cloudflare.server import ApiServer


class Cloudflare:
    """Thread-safe. A change is seen by `records` no later than its answer is sent."""

    def __init__(self, zones: Iterable[str], token: str) -> None:
        """zones: names of the zones that exist. token: the one API token that may edit them."""
        self._account = Account(zones)
        self._server = ApiServer(self._account, token)

    @property
    def rate_limit(self) -> RateLimit:
        return self._server.rate_limit

    def start(self, port: int = 0) -> str:
        """Serve the API; returns its base URL, `http://127.0.0.1:PORT/client/v4`."""
        return self._server.start(port)

    def stop(self) -> None:
        self._server.stop()

    def zones(self) -> list[str]:
        """Names, lower case, no final dot."""
        return [zone.name for zone in self._account.zones()]

    def records(self, zone: str) -> list[Record]:
        """What the zone of that name holds now. Raises Refusal when there is no such zone."""
        return [stored.record for stored in self._account.listed(id_of_zone(zone))]

    def leftovers(self) -> list[str]:
        """One line for each record that exists, sorted."""
        return sorted(
            f"Cloudflare zone {zone}: {record.type} record {record.name}"
            for zone in self.zones()
            for record in self.records(zone)
        )
