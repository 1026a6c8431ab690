"""The real Pulumi engine on a machine that has none: found, fetched or built, and given what it needs to run."""
