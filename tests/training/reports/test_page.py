"""A report in Markdown as one page."""

from dataclasses import replace

import pytest

from tests.training.reports.pages import Page, check
from training.reports.drawings import Drawing
from training.reports.page import page

SVG = b"""<?xml version="1.0"?>
<!DOCTYPE svg>
<svg xmlns:xlink="http://www.w3.org/1999/xlink" width="300pt" height="200pt" viewBox="0 0 300 200"
 xmlns="http://www.w3.org/2000/svg" version="1.1">
<metadata><x/></metadata>
<defs><path id="m1" style="stroke: #000000; fill: #0072b2"/></defs>
<g clip-path="url(#m1)"><use xlink:href="#m1" style="stroke: #123456"/></g>
</svg>
"""
ALT = 'A line that goes up, and one that goes down, "steeply"'
DRAWING = Drawing("figures/one.svg", "One", "Up is better.", ALT, SVG)
REPORT = """# A < B

## Answers

It *holds* for `a_model`.

| model | QLIKE |
|---|---:|
| `har` | 0.5 |

## More

![whatever](figures/one.svg)
*One.* Up is better.

### More

![again](figures/one.svg)
"""


def test_it_has_contents_tables_and_figures() -> None:
    content = page(REPORT, [DRAWING])
    read = Page.of(content)
    check(read)
    assert read.headings == [
        (1, "a--b", "A < B"),
        (2, "answers", "Answers"),
        (2, "more", "More"),
        (3, "more-1", "More"),
    ]
    assert read.links == ["#answers", "#more", "#more-1"]
    assert read.rows == [["model", "QLIKE"], ["har", "0.5"]]
    text = content.decode()
    assert "<p>It <em>holds</em> for <code>a_model</code>.</p>" in text
    assert '<th scope="row"><code>har</code></th>' in text
    assert '<th style="text-align:right" scope="col">QLIKE</th>' in text
    # What comes first stands before the contents, the rest after them.
    assert text.index("It <em>holds") < text.index("<nav") < text.index("<figure>")
    assert "<title>A &lt; B</title>" in text
    assert '<div class="wide" role="region" tabindex="0" aria-label="Answers">\n<table>' in text


def test_a_drawing_takes_the_colours_of_the_page_and_keeps_others() -> None:
    text = page(REPORT, [DRAWING]).decode()
    assert "stroke: currentColor; fill: var(--blue)" in text
    assert "stroke: #123456" in text
    assert "#000000" not in text.partition("<body>")[2]
    for number in (1, 2):
        assert f'id="d{number}-m1"' in text
        assert f'xlink:href="#d{number}-m1"' in text
        assert f'clip-path="url(#d{number}-m1)"' in text
    assert 'style="max-width: 300pt"' in text
    assert "metadata" not in text
    (first, _) = Page.of(text.encode()).drawings
    assert first["aria-label"] == ALT
    assert "<figcaption>\n<em>One.</em> Up is better.</figcaption></figure>" in text


def test_every_colour_has_a_value_for_the_light_and_one_for_the_dark() -> None:
    style = page("# A\n").decode().partition("</style>")[0]
    light, dark = style.split("prefers-color-scheme: dark")
    for name in (
        "paper",
        "ink",
        "rule",
        "muted",
        "blue",
        "orange",
        "green",
        "purple",
        "red",
        "sky",
    ):
        assert f"--{name}: #" in light
        assert f"--{name}: #" in dark
        assert light.split(f"--{name}: ")[1][:7] != dark.split(f"--{name}: ")[1][:7]


@pytest.mark.parametrize(
    "hostile", ["<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "a & b"]
)
def test_html_is_shown_and_not_run(hostile: str) -> None:
    content = page(f"# {hostile}\n\n## Answers {hostile}\n\n| x |\n|---|\n| {hostile} |\n")
    read = Page.of(content)
    assert [text for _, _, text in read.headings] == [hostile, f"Answers {hostile}"]
    assert read.rows[1] == [hostile]
    assert read.resources == []


def test_nothing_may_be_fetched_or_run() -> None:
    text = page("# A\n\n[x](javascript:alert)\n").decode()
    assert "default-src 'none'; style-src 'unsafe-inline'" in text
    assert 'href="javascript' not in text
    assert "<script" not in text


def test_an_image_that_nobody_drew_is_a_mistake() -> None:
    with pytest.raises(KeyError, match=r"none\.svg"):
        page("# A\n\n![x](none.svg)\n")


def test_a_path_may_have_any_letter_of_an_asset_name() -> None:
    index = replace(DRAWING, file="figures/^GSPC=_a.svg")
    assert len(Page.of(page("# A\n\n![x](figures/^GSPC=_a.svg)\n", [index])).drawings) == 1
