"""Chromium without a window, driven over a pipe: no port is opened, no driver is installed.

The messages are those of the DevTools protocol, JSON with a zero byte at the end (`--remote-debugging-pipe`).
"""

import base64
import contextlib
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ANSWER_WITHIN = 60.0
"""Seconds; a browser that hangs shall say so."""


def found() -> str | None:
    """The browser's program, where there is one."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


class BrowserError(AssertionError):
    """The browser, or a script in the page, said no."""


class Browser:
    """One tab. Every method waits until the browser has answered."""

    def __init__(self, process: subprocess.Popen[bytes], to: int, back: int) -> None:
        self._process, self._to, self._back = process, to, back
        self._number = 0
        self._unread = b""
        self.seen: list[dict[str, Any]] = []
        """Events, in the order in which they came."""
        target = self._call("Target.createTarget", {"url": "about:blank"})["targetId"]
        self._session = self._call("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, parameters: dict[str, Any] | None = None) -> dict[str, Any]:
        """One command to the tab."""
        return self._call(method, parameters or {}, self._session)

    def open(self, address: str) -> None:
        """Go there, and wait until everything is loaded."""
        self.seen.clear()
        answer = self.call("Page.navigate", {"url": address})
        if "errorText" in answer:
            raise BrowserError(f"{address}: {answer['errorText']}")
        self._until("Page.loadEventFired")

    def ask(self, expression: str) -> Any:
        """The value of an expression in the page; of a promise what it brings."""
        answer = self.call("Runtime.evaluate", {"expression": expression, "returnByValue": True, "awaitPromise": True})
        if "exceptionDetails" in answer:
            raise BrowserError(json.dumps(answer["exceptionDetails"], indent=1)[:2000])
        return answer["result"].get("value")

    def screen(self, width: int, height: int, dark: bool = False, media: str = "screen") -> None:
        """What kind of screen the page is on. media: `screen` or `print`."""
        self.call("Emulation.setDeviceMetricsOverride",
                  {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600})  # fmt: skip
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", {"media": media, "features": [scheme]})

    def picture(self, file: Path, whole: bool = True) -> None:
        """A PNG of the page. whole: also what is below the screen."""
        answer = self.call("Page.captureScreenshot", {"format": "png", "captureBeyondViewport": whole})
        file.write_bytes(base64.b64decode(answer["data"]))

    def press(self, key: str, code: int) -> None:
        """One key, down and up. code: the Windows key code, which is what pages see."""
        for kind in ("rawKeyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", {"type": kind, "key": key, "windowsVirtualKeyCode": code})

    @property
    def requested(self) -> list[str]:
        """The addresses that the page asked for since `open`."""
        return [one["params"]["request"]["url"] for one in self.seen if one["method"] == "Network.requestWillBeSent"]

    @property
    def complaints(self) -> list[str]:
        """What the console and the security policy said since `open`."""
        told = ("Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown")
        return [json.dumps(one["params"]) for one in self.seen if one["method"] in told]

    def _call(self, method: str, parameters: dict[str, Any], session: str | None = None) -> dict[str, Any]:
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise BrowserError(f"{method}: {answer['error']}")
                result: dict[str, Any] = answer["result"]
                return result
            self.seen.append(answer)

    def _until(self, event: str) -> None:
        while not any(one.get("method") == event for one in self.seen):
            self.seen.append(self._next())

    def _next(self) -> dict[str, Any]:
        ends = time.monotonic() + ANSWER_WITHIN
        while b"\0" not in self._unread:
            ready, _, _ = select.select([self._back], [], [], max(0.0, ends - time.monotonic()))
            more = os.read(self._back, 1 << 20) if ready else b""
            if not more:
                raise BrowserError("the browser does not answer" if not ready else "the browser has ended")
            self._unread += more
        message, _, self._unread = self._unread.partition(b"\0")
        answer: dict[str, Any] = json.loads(message)
        return answer


@contextlib.contextmanager
def browser(program: str) -> Iterator[Browser]:
    """A browser with a profile of its own, gone at the end."""
    their_in, our_out = os.pipe()
    our_in, their_out = os.pipe()
    with tempfile.TemporaryDirectory(prefix="mailtls-browser-", ignore_cleanup_errors=True) as profile:
        # the browser reads from descriptor 3 and writes to 4, whatever ours are called
        shell = f'exec "$0" "$@" 3<&{their_in} 4>&{their_out}'
        arguments = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-dev-shm-usage",
                     "--no-first-run", "--disable-background-networking", "--remote-debugging-pipe",
                     f"--user-data-dir={profile}"]  # fmt: skip
        process = subprocess.Popen(
            ["bash", "-c", shell, program, *arguments],
            pass_fds=(their_in, their_out), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(their_in)
        os.close(their_out)
        try:
            yield Browser(process, our_out, our_in)
        finally:
            os.close(our_out)
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            os.close(our_in)
