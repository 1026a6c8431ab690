"""Trouble: the command could not do what was asked."""

import click


class Trouble(click.ClickException):
    """Ends the command with exit code 2 and one message on standard error: what is wrong, and what to do."""

    exit_code = 2

    def show(self, file: object = None) -> None:
        click.echo(f"mailtls: {self.message}", err=True)
