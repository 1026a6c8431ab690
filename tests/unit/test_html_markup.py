"""Whatever a text holds, it stays a text."""

from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from mailtls.html_markup import Markup, foreign, link, tag


class _Reader(HTMLParser):
    """The elements, attributes and texts that a browser would see."""

    def __init__(self, markup: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(markup)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@given(st.text())
def test_a_text_is_never_an_element(text: str) -> None:
    read = _Reader(tag("td", text))
    assert [name for name, _ in read.elements] == ["td"]
    assert read.text == text


@given(st.text())
def test_a_text_never_leaves_its_attribute(text: str) -> None:
    read = _Reader(link("x.html", "here", title=text))
    assert [(name, set(attributes)) for name, attributes in read.elements] == [("a", {"href", "title"})]
    assert read.elements[0][1]["title"] == text


@given(st.text())
def test_a_strangers_text_has_no_controls_and_an_end(text: str) -> None:
    read = _Reader(foreign(text, 40))
    assert len(read.text) <= 40
    assert read.text.isprintable()


def test_markup_is_not_escaped_twice_and_empty_elements_are_closed() -> None:
    assert tag("p", tag("b", "a & b"), Markup("&amp;")) == "<p><b>a &amp; b</b>&amp;</p>"
    assert tag("path", d="M0 0", class_="gap") == '<path d="M0 0" class="gap"/>'


def test_attributes_that_are_not_there_are_left_out() -> None:
    assert tag("th", "x", scope="row", class_=None, hidden=False, inert=True) == '<th scope="row" inert>x</th>'
