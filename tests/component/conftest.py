"""The harness of the component tests stands beside them: `from strict_mocks import run, assert_well_formed`."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))
