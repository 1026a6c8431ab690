"""`python -m sandbox.engine pulumi`: prints the path of the Pulumi CLI after making sure that there is one."""

import sys

from sandbox.engine.cli import NoEngine, pulumi_command

USAGE = "usage: python -m sandbox.engine pulumi"


def main(arguments: list[str]) -> int:
    """Exit codes: 0 done, 2 no engine or wrong usage."""
    if arguments != ["pulumi"]:
        print(USAGE, file=sys.stderr)
        return 2
    try:
        print(pulumi_command())
    except NoEngine as e:
        print(e, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
