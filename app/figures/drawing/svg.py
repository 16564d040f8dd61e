"""Convert matplotlib's SVG for embedding in a page: colours as CSS variables, unique ids, the page's font."""

import re

from edge_bench.app.figures.drawing.canvas import Drawing, render
from edge_bench.app.render.escaping import html_text
from edge_bench.app.render.formats import Layout
from edge_bench.app.render.html.elements import Html
from edge_bench.app.render.palette import SCREEN_COLOURS

__all__ = ["figure_element", "inline_svg"]


def figure_element(drawing: Drawing, number: int, prefix: str) -> Html:
    """Return a ``<figure>`` with title, caption and both layouts, of which CSS shows one."""
    svgs = "".join(
        f'<div class="plot {layout.value}">{inline_svg(drawing, layout, f"{prefix}-{layout.value}")}</div>'
        for layout in (Layout.PAGE, Layout.COLUMN)
    )
    return Html(
        f'<figure id="{prefix}">{svgs}<figcaption><b>Figure {number}. {html_text(drawing.title)}.</b> '
        f"{html_text(drawing.caption)}</figcaption></figure>"
    )


def inline_svg(drawing: Drawing, layout: Layout, prefix: str) -> Html:
    """Return an ``<svg>`` element with a label for screen readers; ``prefix`` must be unique in the page."""
    text = render(drawing, layout, "inline-svg").decode()
    body = text[text.index("<svg") :]
    head, body = body.split(">", 1)
    view = re.search(r'viewBox="([^"]+)"', head)
    body = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->|<style.*?</style>", "", body, flags=re.DOTALL)
    used = set(re.findall(r'(?:href="#|url\(#)([^")]+)', "".join(_TAG.findall(body))))
    body = _TAG.sub(lambda tag: _page_tag(tag[0], prefix, used), body)  # not in text, which may look like any of it
    body = re.sub(r"<defs>\s*</defs>|<g/>", "", body)
    body = re.sub(r"\s*\n\s*", "\n", body)
    label, description = html_text(drawing.title), html_text(drawing.description)
    return Html(
        f'<svg viewBox="{view[1] if view else ""}" role="img" aria-label="{label}. {description}">'
        f"<title>{label}</title><desc>{description}</desc>{body}"
    )


#: A tag; matplotlib escapes > in the values of attributes.
_TAG = re.compile(r"<[^>]+>")
_COLOUR = re.compile("|".join(map(re.escape, SCREEN_COLOURS)), re.IGNORECASE)


def _page_tag(tag: str, prefix: str, used: set[str]) -> str:
    """Return a tag with the page's colours and font, and with the prefix at ids that are in ``used``; others go."""
    tag = re.sub(r' id="([^"]+)"', lambda match: f' id="{prefix}-{match[1]}"' if match[1] in used else "", tag)
    tag = tag.replace('xlink:href="#', f'href="#{prefix}-').replace("url(#", f"url(#{prefix}-")
    tag = _COLOUR.sub(lambda match: f"var(--{SCREEN_COLOURS[match[0].lower()][0]})", tag)
    tag = re.sub(r"font(?:-family)?: (?P<rest>[^;\"]*)", _page_font, tag)
    return re.sub(r"(\d+\.\d\d)\d+", r"\1", tag)  # hundredths of a point are precise enough


def _page_font(match: re.Match[str]) -> str:
    """Return a font declaration with the figure's size and weight, but without its family."""
    size = re.search(r"[\d.]+px", match["rest"])
    if not size:
        return "font-family: inherit"
    bold = re.match(r"(bold|[67]00)\b", match["rest"])
    return f"font-size: {size[0]}{'; font-weight: bold' if bold else ''}"
