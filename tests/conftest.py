"""What holds for all tests: hypothesis keeps no clock, and who may run beside whom.

`make test` has two workers. What shares a running thing (the local cloud, the emulator, a Gitea) or the repository's
own files stays on one worker, in its order; all else goes to whoever is free.
"""

from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("mailtls", deadline=None, max_examples=100)
settings.load_profile("mailtls")

HERE = Path(__file__).parent
TOGETHER = {
    "end_to_end": "end_to_end",
    "command/test_wheel.py": "end_to_end",  # builds from the tree, where those keep settings for a while
    "sandbox": "sandbox",
    "forge": "forge",
}
"""Below `tests/`: the name of its group."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        place = item.path.relative_to(HERE)
        group = TOGETHER.get(place.parts[0]) or TOGETHER.get(place.as_posix())
        if group:
            item.add_marker(pytest.mark.xdist_group(group))
