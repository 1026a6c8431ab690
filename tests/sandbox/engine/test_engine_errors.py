"""What the user of a broken program is told, by our language host."""

import pytest
from engine_program import Program

pytestmark = pytest.mark.usefixtures("own_language_host")


def test_an_error_for_the_user_is_one_clean_message(program: Program) -> None:
    said = program.write("import pulumi\nraise pulumi.RunError('line 4: no such mode')").fails()
    assert "error: line 4: no such mode" in said
    assert "Traceback" not in said
    assert "exited with non-zero" not in said
    assert "1 errored" in said


def test_an_exception_shows_where_it_was_raised(program: Program) -> None:
    said = program.write(
        """
        def deeper():
            raise ValueError("broken")

        deeper()
        """
    ).fails()
    assert "Program failed with an unhandled exception" in said
    assert f'File "{program.source}", line 5, in <module>' in said
    assert f'File "{program.source}", line 3, in deeper' in said
    assert "ValueError: broken" in said


def test_a_traceback_begins_in_the_project(program: Program) -> None:
    said = program.write("raise ValueError('broken')").fails()
    assert "language_host" not in said
    assert "run_in_stack" not in said


def test_an_exception_in_an_apply_shows_where_it_was_raised(program: Program) -> None:
    said = program.write("import pulumi\npulumi.Output.from_input(1).apply(lambda one: one / 0)\n").fails()
    assert f'File "{program.source}", line 2, in <lambda>' in said
    assert "ZeroDivisionError" in said


def test_a_program_that_does_not_compile_shows_the_line(program: Program) -> None:
    said = program.write("this is no program").fails()
    assert f'File "{program.source}", line 1' in said
    assert "SyntaxError" in said


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("import sys; sys.exit(3)", "program exited with non-zero exit code: 3"),
        ("import os; os.kill(os.getpid(), 9)", "program was ended by signal 9"),
    ],
)
def test_a_program_that_ends_early_fails_the_run(program: Program, source: str, told: str) -> None:
    assert told in program.write(source).fails()
