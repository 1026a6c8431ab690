"""`python -m mailtls.cli`: the command, where the script is not on the path."""

from mailtls.cli.main import main

main(prog_name="mailtls")
