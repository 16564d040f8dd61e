"""From matplotlib's SVG to one that belongs into a page: colours that follow the reader's scheme, ids of its own."""

import re
from html import escape

from edge_bench.app.figures.drawing.canvas import Drawing, render
from edge_bench.app.render.escaping import visible
from edge_bench.app.render.formats import Layout
from edge_bench.app.render.html.elements import Html
from edge_bench.app.render.palette import SCREEN_COLOURS

__all__ = ["figure_element", "inline_svg"]


def figure_element(drawing: Drawing, number: int, prefix: str) -> Html:
    """``<figure>`` with the picture in two widths, of which CSS shows one, its title and how to read it."""
    pictures = "".join(
        f'<div class="plot {layout.value}">{inline_svg(drawing, layout, f"{prefix}-{layout.value}")}</div>'
        for layout in (Layout.PAGE, Layout.COLUMN)
    )
    return Html(
        f'<figure id="{prefix}">{pictures}<figcaption><b>Figure {number}. {escape(visible(drawing.title))}.</b> '
        f"{escape(visible(drawing.caption))}</figcaption></figure>"
    )


def inline_svg(drawing: Drawing, layout: Layout, prefix: str) -> Html:
    """The picture as an ``<svg>`` element named and described for screen readers; ``prefix`` is unique in its page."""
    text = render(drawing, layout, "inline-svg").decode()
    body = text[text.index("<svg") :]
    head, body = body.split(">", 1)
    view = re.search(r'viewBox="([^"]+)"', head)
    body = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->|<style.*?</style>", "", body, flags=re.DOTALL)
    body = _own_ids(body, prefix)
    for colour, (name, _) in SCREEN_COLOURS.items():
        body = re.sub(re.escape(colour), f"var(--{name})", body, flags=re.IGNORECASE)
    body = re.sub(r"font(?:-family)?: (?P<rest>[^;\"]*)", _page_font, body)
    body = re.sub(r"(\d+\.\d\d)\d+", r"\1", body)  # a hundredth of a point is less than anyone sees
    body = re.sub(r"<defs>\s*</defs>|<g/>", "", body)
    body = re.sub(r"\s*\n\s*", "\n", body)
    label, description = escape(visible(drawing.title)), escape(visible(drawing.description))
    return Html(
        f'<svg viewBox="{view[1] if view else ""}" role="img" aria-label="{label}. {description}">'
        f"<title>{label}</title><desc>{description}</desc>{body}"
    )


def _page_font(found: re.Match[str]) -> str:
    """The page's own font, in the picture's sizes and weights."""
    size = re.search(r"[\d.]+px", found["rest"])
    if not size:
        return "font-family: inherit"
    bold = re.match(r"(bold|[67]00)\b", found["rest"])
    return f"font-size: {size[0]}{'; font-weight: bold' if bold else ''}"


def _own_ids(body: str, prefix: str) -> str:
    """Ids that something refers to get the prefix, the others go: two pictures in a page must not share any."""
    used = set(re.findall(r'(?:href="#|url\(#)([^")]+)', body))
    body = re.sub(r' id="([^"]+)"', lambda found: f' id="{prefix}-{found[1]}"' if found[1] in used else "", body)
    body = body.replace('xlink:href="#', f'href="#{prefix}-')
    return body.replace("url(#", f"url(#{prefix}-")
