"""The command on a ledger in a folder, the site that it wrote, and a browser that looks at it."""

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "unit")]

import sample_ledger as sample  # noqa: E402  after the path
from browser import Browser, browser, found  # noqa: E402
from dashboard_run import PERIOD, run  # noqa: E402

from sandbox.engine.cache import cache_dir, locked  # noqa: E402


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Read by all, changed by none."""
    return sample.store(tmp_path_factory.mktemp("ledger"))


@pytest.fixture(scope="session")
def site(store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("dashboard") / "site"
    done = run(place, "--store", store, *PERIOD)
    assert done.returncode == 0, done.stderr
    return place


@pytest.fixture(scope="session")
def tab() -> Iterator[Browser]:
    """One tab for all tests."""
    if (program := found()) is None:
        pytest.skip("there is no Chromium here: apt-get install chromium; nobody looked at the dashboard's pages")
    with browser(program) as one:
        yield one


@pytest.fixture(scope="session")
def axe() -> str:
    """axe-core as one script: from npm, pinned with its digest, and kept in the cache."""
    if (npm := shutil.which("npm")) is None:
        pytest.skip("npm is missing, and axe-core comes from there: apt-get install npm")
    pins = (HERE / "axe" / "package-lock.json").read_bytes()
    folder = cache_dir() / "axe" / hashlib.sha256(pins).hexdigest()[:12]
    script = folder / "node_modules" / "axe-core" / "axe.min.js"
    with locked("axe"):
        if not script.exists():
            folder.mkdir(parents=True, exist_ok=True)
            for name in ("package.json", "package-lock.json"):
                shutil.copy(HERE / "axe" / name, folder)
            fetched = subprocess.run([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder,
                                     capture_output=True, text=True, timeout=300, check=False)  # fmt: skip
            if fetched.returncode != 0:
                pytest.skip(f"axe-core could not be fetched: {fetched.stderr.strip()[-300:]}")
    return script.read_text("utf-8")
