"""What these tests share stands beside them: `from report_strategies import reports`."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))
