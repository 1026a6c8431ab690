"""S3 and SNS in a folder, so that a process that is killed leaves behind just what it had done."""

import hashlib
import json
import os
import shutil
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from report_lambda.store import Listed, ObjectTooLarge, StoredObject


class Calls:
    """Every call of either service goes through here: counted, and told to whoever wants to disturb it.

    before, after: get the number of the call, from 1, around its effect.
    """

    def __init__(self) -> None:
        self.count = 0
        self.before: Callable[[int], None] = lambda call: None
        self.after: Callable[[int], None] = lambda call: None

    def through(self, effect: Callable[[], Any]) -> Any:
        self.count += 1
        call = self.count
        self.before(call)
        result = effect()
        self.after(call)
        return result

    def kill_at(self, call: int, *, after: bool) -> None:
        """This very process, as the kernel does it: nothing is cleaned up."""

        def strike(now: int) -> None:
            if now == call:
                os.kill(os.getpid(), signal.SIGKILL)

        self.before, self.after = ((lambda _: None), strike) if after else (strike, (lambda _: None))


class DiskStore:
    """S3's semantics for the verbs of ObjectStore; a file for each object, whose name is its key in quotes."""

    def __init__(self, folder: Path, calls: Calls, clock: Callable[[], datetime]) -> None:
        self.folder, self.calls, self._clock = folder, calls, clock
        self._one = threading.Lock()  # each call happens at once, as S3's do

    def get(self, key: str, limit: int) -> StoredObject | None:
        return self.calls.through(lambda: self._get(key, limit))

    def put_if_absent(self, key: str, body: bytes, content_type: str) -> bool:
        return self.calls.through(lambda: self._put(key, body, lambda standing: standing is None))

    def put_if_match(self, key: str, body: bytes, content_type: str, etag: str) -> bool:
        return self.calls.through(
            lambda: self._put(key, body, lambda standing: standing is not None and _etag(standing) == etag)
        )

    def list_objects(self, prefix: str, *, start_after: str = "", limit: int = 1000) -> list[Listed]:
        return self.calls.through(lambda: list(self._list(prefix, start_after))[:limit])

    def copy(self, source: str, target: str) -> None:
        self.calls.through(lambda: self._put(target, self.objects()[source], lambda standing: True))

    def objects(self) -> dict[str, bytes]:
        return {unquote(path.name): path.read_bytes() for path in self.folder.iterdir()}

    def lay(self, key: str, body: bytes) -> None:
        """From outside: SES stores a mail, the program writes its list."""
        self._put(key, body, lambda standing: True)

    def _path(self, key: str) -> Path:
        return self.folder / quote(key, safe="")

    def _get(self, key: str, limit: int) -> StoredObject | None:
        with self._one:
            path = self._path(key)
            if not path.exists():
                return None
            body = path.read_bytes()
        if len(body) > limit:
            raise ObjectTooLarge(key, len(body))
        return StoredObject(body, _etag(body))

    def _put(self, key: str, body: bytes, allowed: Callable[[bytes | None], bool]) -> bool:
        with self._one:
            path = self._path(key)
            if not allowed(path.read_bytes() if path.exists() else None):
                return False
            path.write_bytes(body)
            moment = self._clock().timestamp()
            os.utime(path, (moment, moment))
            return True

    def _list(self, prefix: str, start_after: str) -> Iterator[Listed]:
        for key in sorted(unquote(path.name) for path in self.folder.iterdir()):
            if key.startswith(prefix) and key > start_after:
                path = self._path(key)
                body = path.read_bytes()
                yield Listed(key, _etag(body), len(body), datetime.fromtimestamp(path.stat().st_mtime, UTC))


class DiskTopic:
    """A line for each message that was taken."""

    def __init__(self, file: Path, calls: Calls) -> None:
        self.file, self._calls = file, calls

    def publish(self, subject: str, text: str, attributes: Mapping[str, str | tuple[str, ...]]) -> None:
        self._calls.through(lambda: self._append(subject))

    def subjects(self) -> list[str]:
        return [json.loads(line) for line in self.file.read_text().splitlines()] if self.file.exists() else []

    def _append(self, subject: str) -> None:
        with self.file.open("a") as file:
            file.write(json.dumps(subject) + "\n")


class Place:
    """A bucket and a topic on disk, that can be put back to how they were."""

    def __init__(self, folder: Path, clock: Callable[[], datetime]) -> None:
        self._folder = folder
        self._kept = folder.with_name(f"{folder.name}-kept")
        (folder / "bucket").mkdir(parents=True)
        self.calls = Calls()
        self.store = DiskStore(folder / "bucket", self.calls, clock)
        self.topic = DiskTopic(folder / "topic", self.calls)

    def keep(self) -> None:
        shutil.rmtree(self._kept, ignore_errors=True)
        shutil.copytree(self._folder, self._kept)

    def put_back(self) -> None:
        shutil.rmtree(self._folder)
        shutil.copytree(self._kept, self._folder)

    def under(self, prefix: str) -> dict[str, bytes]:
        return {key: body for key, body in self.store.objects().items() if key.startswith(prefix)}


def in_a_process_that_dies(work: Callable[[], object]) -> bool:
    """Run `work` in a process of its own. True: it was killed; False: it came to its end."""
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException:  # noqa: BLE001  the child must not go on as a second pytest
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return True
    assert os.waitstatus_to_exitcode(status) == 0, "the work failed before the blow"
    return False


def _etag(body: bytes) -> str:
    return hashlib.md5(body, usedforsecurity=False).hexdigest()
