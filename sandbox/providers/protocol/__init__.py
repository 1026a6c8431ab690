"""The engine's provider protocol (pulumi/proto/provider.proto) and a table-driven way to answer it."""
