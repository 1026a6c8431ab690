"""How Cloudflare says no."""


class Refusal(Exception):
    """The API answers with an error and changes nothing.

    status: of HTTP. code, message: the first entry of `errors`. chain: (code, message) of its `error_chain`.
    headers: more response headers.
    """

    def __init__(
        self,
        status: int,
        code: int,
        message: str,
        chain: tuple[int, str] | None = None,
        headers: tuple[tuple[str, str], ...] = (),
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.chain = chain
        self.headers = headers


def invalid(code: int, message: str) -> Refusal:
    """A request that Cloudflare does not take."""
    return Refusal(400, code, message)


def could_not_route(path: str) -> Refusal:
    """A path with an id that is no id, or that nothing has. path: below the base URL."""
    return invalid(7003, f"Could not route to /client/v4{path}, perhaps your object identifier is invalid?")


def not_there(what: str) -> Refusal:
    """Something the real API can do and the stand-in cannot: better no answer than a made-up one."""
    return Refusal(400, 1004, f"the sandbox's stand-in for Cloudflare {what}")
