"""A report in Markdown, and its drawings, as one HTML page that loads nothing from elsewhere."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count, pairwise

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup, escape

from training.reports.drawings import Drawing
from training.reports.markdown import anchor, write

_DEEPEST = 3  # level of the headings that stand in the contents


@dataclass(frozen=True)
class Entry:
    """A line of the contents: a heading, its level and what it is linked by."""

    level: int
    text: str
    anchor: str


def page(markdown: str, drawings: Sequence[Drawing] = ()) -> bytes:
    """Write a report as HTML: the same words and numbers, with contents and drawings inside.

    Parameters
    ----------
    markdown : its first heading is the title. A paragraph that begins with an image is a figure,
        and what follows in it the caption. HTML in it is shown as it is.
    drawings : what images may show, by their paths.
    """
    tokens = _PARSER.parse(markdown)
    title, *contents = _with_anchors(tokens)
    _with_figures(tokens, {_PARSER.normalizeLink(drawing.file): drawing for drawing in drawings})
    tokens = _with_regions(tokens)
    sections = [at for at, it in enumerate(tokens) if it.type == "heading_open" and it.tag == "h2"]
    first = sections[1] if len(sections) > 1 else len(tokens)
    return write(
        "page.html",
        title=title.text,
        contents=contents,
        first=_rendered(tokens[:first]),
        rest=_rendered(tokens[first:]),
    ).encode()


def _rendered(tokens: Sequence[Token]) -> Markup:
    html = _PARSER.renderer.render(tokens, _PARSER.options, {})
    return Markup(html)  # noqa: S704 - made of escaped Markdown and of our own drawings


def _with_anchors(tokens: Sequence[Token]) -> list[Entry]:
    """Give headings what they are linked by, and list them."""
    entries: list[Entry] = []
    taken: dict[str, count[int]] = {}
    for token, inline in pairwise(tokens):
        if token.type != "heading_open" or int(token.tag[1]) > _DEEPEST:
            continue
        text = _text(inline)
        own = anchor(text)
        number = next(taken.setdefault(own, count()))
        token.attrSet("id", f"{own}-{number}" if number else own)
        entries.append(Entry(int(token.tag[1]), text, str(token.attrs["id"])))
    return entries


def _with_figures(tokens: Sequence[Token], drawings: Mapping[str, Drawing]) -> None:
    """Make figures of the paragraphs that begin with an image, with its drawing inside."""
    numbers = count(1)
    for before, inline, after in zip(tokens, tokens[1:], tokens[2:], strict=False):
        children = inline.children or []
        if before.type != "paragraph_open" or not children or children[0].type != "image":
            continue
        drawing = drawings[str(children[0].attrs["src"])]
        before.tag = after.tag = "figure"
        inside = f'<div class="wide">{drawing.inside(next(numbers))}</div>\n<figcaption>'
        inline.children = [_html(inside), *children[1:], _html("</figcaption>")]


def _with_regions(tokens: Sequence[Token]) -> list[Token]:
    """Let tables that are wider than the screen scroll, by keyboard too; name rows and columns."""
    result: list[Token] = []
    heading, leftmost = "", False
    for token, inline in zip(tokens, [*tokens[1:], Token("", "", 0)], strict=True):
        result.append(token)
        match token.type:
            case "heading_open":
                heading = _text(inline)
            case "table_open":
                label = f'role="region" tabindex="0" aria-label="{escape(heading)}"'
                result.insert(-1, _html(f'<div class="wide" {label}>\n'))
            case "table_close":
                result.append(_html("</div>\n"))
            case "th_open":
                token.attrSet("scope", "col")
            case "tr_open":
                leftmost = True
            case "td_open" if leftmost:
                token.tag = "th"
                token.attrSet("scope", "row")
            case "td_close" if leftmost:
                token.tag, leftmost = "th", False
    return result


def _text(inline: Token) -> str:
    return "".join(child.content for child in inline.children or ())


def _html(content: str) -> Token:
    return Token("html_inline", "", 0, content=content)


_PARSER = MarkdownIt("commonmark", {"html": False}).enable("table")
