"""Convert matplotlib's SVG for embedding in a page: colours as CSS variables, unique ids, the page's font."""

import re
from html import escape

from edge_bench.app.figures.drawing.canvas import Drawing, render
from edge_bench.app.render.escaping import visible
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
        f'<figure id="{prefix}">{svgs}<figcaption><b>Figure {number}. {escape(visible(drawing.title))}.</b> '
        f"{escape(visible(drawing.caption))}</figcaption></figure>"
    )


def inline_svg(drawing: Drawing, layout: Layout, prefix: str) -> Html:
    """Return an ``<svg>`` element with a label for screen readers; ``prefix`` must be unique in the page."""
    text = render(drawing, layout, "inline-svg").decode()
    body = text[text.index("<svg") :]
    head, body = body.split(">", 1)
    view = re.search(r'viewBox="([^"]+)"', head)
    body = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->|<style.*?</style>", "", body, flags=re.DOTALL)
    body = _prefix_ids(body, prefix)
    for colour, (name, _) in SCREEN_COLOURS.items():
        body = re.sub(re.escape(colour), f"var(--{name})", body, flags=re.IGNORECASE)
    body = re.sub(r"font(?:-family)?: (?P<rest>[^;\"]*)", _page_font, body)
    body = re.sub(r"(\d+\.\d\d)\d+", r"\1", body)  # hundredths of a point are precise enough
    body = re.sub(r"<defs>\s*</defs>|<g/>", "", body)
    body = re.sub(r"\s*\n\s*", "\n", body)
    label, description = escape(visible(drawing.title)), escape(visible(drawing.description))
    return Html(
        f'<svg viewBox="{view[1] if view else ""}" role="img" aria-label="{label}. {description}">'
        f"<title>{label}</title><desc>{description}</desc>{body}"
    )


def _page_font(match: re.Match[str]) -> str:
    """Return a font declaration with the figure's size and weight, but without its family."""
    size = re.search(r"[\d.]+px", match["rest"])
    if not size:
        return "font-family: inherit"
    bold = re.match(r"(bold|[67]00)\b", match["rest"])
    return f"font-size: {size[0]}{'; font-weight: bold' if bold else ''}"


def _prefix_ids(body: str, prefix: str) -> str:
    """Add the prefix to referenced ids and remove the others, so that two figures in a page share none."""
    used = set(re.findall(r'(?:href="#|url\(#)([^")]+)', body))
    body = re.sub(r' id="([^"]+)"', lambda match: f' id="{prefix}-{match[1]}"' if match[1] in used else "", body)
    body = body.replace('xlink:href="#', f'href="#{prefix}-')
    return body.replace("url(#", f"url(#{prefix}-")
