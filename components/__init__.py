"""Pulumi components: they take plain Inputs and know nothing of YAML."""
