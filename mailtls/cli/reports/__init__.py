"""The commands under `mailtls reports`: one file each."""
