"""What a person sees while pip fills an environment: how far it is, on a terminal and off one."""

import io

import pytest

from sandbox.engine.environments import EnvironmentFailed, environment, told

LINES = [f"Collecting package{number}==1.0\n" for number in range(45)]
LINES += ["  Using cached a.whl\n", "Installing collected packages: a, b\n"]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_off_a_terminal_plain_lines_tell_how_far_it_is() -> None:
    stream = io.StringIO()
    assert list(told(LINES, 45, stream)) == LINES
    assert stream.getvalue() == "  20 of 45 packages\n  40 of 45 packages\n  unpacking\n"


def test_on_a_terminal_one_line_counts() -> None:
    stream = Terminal()
    assert list(told(LINES, 45, stream)) == LINES
    assert stream.getvalue().startswith("\r  1 of 45\r  2 of 45")
    assert stream.getvalue().count("\n") == 1


def test_what_cannot_be_installed_is_told_in_pips_words(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setenv("MAILTLS_CACHE", str(tmp_path / "cache"))
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("idna==3.20 --hash=sha256:" + "0" * 64 + "\n")
    with pytest.raises(EnvironmentFailed, match="THESE PACKAGES DO NOT MATCH THE HASHES"):
        environment("nothing", requirements)
    assert "installing nothing and what it needs: 1 packages" in capsys.readouterr().err
    assert not list((tmp_path / "cache" / "environments").glob("*/.ready"))
