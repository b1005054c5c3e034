"""A page of a report, read as a browser would read it."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from itertools import pairwise

EMPTY = {"meta", "path", "use", "rect", "br", "hr", "img", "link", "circle", "line"}


@dataclass
class Page(HTMLParser):
    """What a page holds.

    Attributes
    ----------
    headings : level, identifier and text of each, in order.
    links : where its links lead.
    resources : whatever a browser would fetch.
    drawings : what each says of itself.
    rows : of tables, the texts of their cells.
    ids : of all elements.
    text : everything that is shown.
    """

    headings: list[tuple[int, str, str]] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    resources: list[str] = field(default_factory=list)
    drawings: list[dict[str, str | None]] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    text: str = ""

    def __post_init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    @classmethod
    def of(cls, content: bytes) -> "Page":
        page = cls()
        page.feed(content.decode())
        page.close()
        assert page.open == []  # every element was closed
        return page

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        if "id" in told:
            self.ids.append(told["id"] or "")
        if tag == "a" and told.get("href"):
            self.links.append(told["href"] or "")
        elif tag != "use":
            self.resources += [told[it] or "" for it in ("src", "href", "data") if told.get(it)]
        if tag == "svg":
            self.drawings.append(told)
        if tag in {"h1", "h2", "h3"}:
            self.headings.append((int(tag[1]), told.get("id") or "", ""))
        if tag == "tr":
            self.rows.append([])
        if tag in {"td", "th"}:
            self.rows[-1].append("")
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in EMPTY:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if tag not in EMPTY:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" in self.open:
            self.resources += [it for it in ("@import", "url(", "http") if it in data]
            return
        self.text += data
        if {"td", "th"} & set(self.open):
            self.rows[-1][-1] += data
        if {"h1", "h2", "h3"} & set(self.open):
            level, own, before = self.headings[-1]
            self.headings[-1] = (level, own, before + data)


def check(page: Page) -> None:
    """What every report's page keeps."""
    levels = [level for level, _, _ in page.headings]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(later <= before + 1 for before, later in pairwise(levels))
    assert len(set(page.ids)) == len(page.ids)
    assert page.resources == []
    assert {it.removeprefix("#") for it in page.links} <= set(page.ids)
    assert {f"#{own}" for _, own, _ in page.headings[1:]} <= set(page.links)
    for drawing in page.drawings:
        assert drawing["role"] == "img"
        assert len(drawing["aria-label"] or "") > 40
        assert "width" not in drawing
