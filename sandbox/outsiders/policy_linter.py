"""Ask parliament what it makes of IAM and resource policies. Runs with the outsiders' Python, as a script:

    python policy_linter.py      reads one JSON object: name to the text of a policy

Prints one JSON object: name to a list of `[issue, detail]`.
"""

import json
import sys
import warnings

warnings.simplefilter("ignore")

from parliament import analyze_policy_string  # noqa: E402  it warns while it is imported


def main() -> None:
    """Read, ask, tell."""
    found = {}
    for name, document in json.load(sys.stdin).items():
        policy = analyze_policy_string(document)
        found[name] = sorted([finding.issue, json.dumps(finding.detail)] for finding in policy.findings)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
