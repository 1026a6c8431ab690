"""The commands of `mailtls evidence`."""
