"""`python -m sandbox.forge`: prints the path of the Gitea after making sure that there is one."""

import sys

from sandbox.forge.gitea_build import NoCompiler, NoForge, gitea


def main() -> int:
    """Exit codes: 0 done, or not possible on this machine; 2 the build failed."""
    try:
        print(gitea())
    except NoCompiler as e:
        print(f"{e}; the tests that ask it are skipped", file=sys.stderr)
    except NoForge as e:
        print(e, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
