"""Runs Python programs for a Pulumi CLI that brings no language host of its own (one that was built from source).

The real one, `pulumi-language-python`, is a Go program that ships with the installed CLI and is always preferred.
This one does what `up`, `preview`, `destroy` and `refresh` ask of it, with the interpreter it was installed by: it
makes no virtual environments and installs nothing.
"""
