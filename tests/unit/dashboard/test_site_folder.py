"""A site is there whole or not at all, and what is not ours stays."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from mailtls.dashboard.places import domain_page, is_ours, reporter_page
from mailtls.dashboard.site_folder import NotOurs, SiteFolder

NOW = datetime(2026, 11, 1, tzinfo=UTC)


def write(place: Path, text: str, meanwhile: Path | None = None) -> None:
    """meanwhile: a file that somebody else writes before the site is put in its place."""
    with SiteFolder.at(place) as folder:
        folder.write("index.html", text)
        folder.mark(NOW, {})
        if meanwhile is not None:
            meanwhile.write_text("mine")


def half(place: Path) -> None:
    with SiteFolder.at(place) as folder:
        folder.write("index.html", "half")
        folder.write("../index.html", "outside")


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_a_site_replaces_the_one_before(tmp_path: Path) -> None:
    place = tmp_path / "deep" / "site"
    write(place, "old")
    with SiteFolder.at(place) as folder:
        folder.write("names.html", "new")
        folder.mark(NOW, {})
    assert names(tmp_path) == {"deep/site/names.html", "deep/site/mailtls-dashboard.json"}
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["site"]


def test_after_an_error_the_old_site_stands_and_nothing_beside_it(tmp_path: Path) -> None:
    place = tmp_path / "site"
    write(place, "old")
    with pytest.raises(ValueError, match="no path of a dashboard"):
        half(place)
    assert (place / "index.html").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


def test_an_empty_folder_may_be_taken(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    write(tmp_path / "site", "new")
    assert (tmp_path / "site" / "index.html").read_text() == "new"


@pytest.mark.parametrize("found", ["notes.txt", "domains/a.example/notes.html", ".git/config", "index.htm"])
def test_a_folder_with_other_files_is_refused(tmp_path: Path, found: str) -> None:
    place = tmp_path / "site"
    write(place, "old")
    (place / found).parent.mkdir(parents=True, exist_ok=True)
    (place / found).write_text("mine")
    with pytest.raises(NotOurs, match="no page of a dashboard"):
        write(place, "new")
    assert (place / found).read_text() == "mine"
    assert (place / "index.html").read_text() == "old"


def test_what_somebody_writes_meanwhile_is_not_lost(tmp_path: Path) -> None:
    place = tmp_path / "site"
    write(place, "old")
    with pytest.raises(NotOurs, match=r"notes\.txt"):
        write(place, "new", meanwhile=place / "notes.txt")
    assert (place / "notes.txt").read_text() == "mine"


def test_a_page_of_somebody_else_is_not_ours(tmp_path: Path) -> None:
    """The names alone prove nothing: a folder with an index.html and no mark is any web site."""
    (tmp_path / "index.html").write_text("mine")
    with pytest.raises(NotOurs, match=r"no mailtls-dashboard\.json"):
        write(tmp_path, "new")


@pytest.mark.parametrize("kind", ["file", "link", "link inside"])
def test_no_link_is_followed_and_no_file_replaced(tmp_path: Path, kind: str) -> None:
    other, place = tmp_path / "other", tmp_path / "site"
    write(other, "other")
    if kind == "file":
        place.write_text("mine")
    elif kind == "link":
        place.symlink_to(other)
    else:
        write(place, "old")
        (place / "domains").symlink_to(other)
    with pytest.raises(NotOurs):
        write(place, "new")
    assert (other / "index.html").read_text() == "other"


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(NotOurs, match="cannot be written"), SiteFolder(tmp_path / "file" / "site"):
        pass


@pytest.mark.parametrize("name", ["../../etc", "a/b", "..", "", "A" * 300, "x\0y", "con.", "<b>", "a..b"])
def test_a_name_from_outside_chooses_no_path(name: str) -> None:
    for path in (domain_page(name), reporter_page(name)):
        assert is_ours(path)
        assert ".." not in path


def test_two_names_never_share_a_page() -> None:
    hostile = ["<a>", "<b>", "../x", "..", "a.example"]
    assert len({reporter_page(name) for name in hostile}) == len(hostile)
