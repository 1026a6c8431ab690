"""A real forge on this machine: Gitea, built from its source, so that a pull request is one and not a stand-in."""
