"""The page about the sandbox says what its patches say."""

from sandbox.cloud.fidelity import PAGE, page


def test_the_table_of_patches_is_not_stale() -> None:
    text = PAGE.read_text()
    assert page(text) == text, "run `make docs`"
    assert text.count("| `") > 20
