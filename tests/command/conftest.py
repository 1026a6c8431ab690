"""What the tests of the command share stands beside them: `from built_wheel import build, install`."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))
