"""What these tests share stands beside them: `from spec_folders import folders`."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))
