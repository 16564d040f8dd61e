"""HTML made of typed pieces: whatever is not HTML already is escaped, so that no name can become markup."""

from collections.abc import Iterable
from html import escape

from edge_bench.app.render.escaping import visible

__all__ = ["Child", "Html", "element", "fragment", "page"]

#: Elements that have no content and no end tag.
_VOID = {"br", "col", "hr", "img", "link", "meta"}


class Html(str):
    """Text that is HTML and may go into a page as it is."""

    __slots__ = ()


Child = str | Html | None | Iterable["Child"]


def fragment(*children: Child) -> Html:
    """Pieces one after another; plain text is escaped, None is nothing."""
    return Html("".join(_pieces(children)))


def _pieces(children: Iterable[Child]) -> Iterable[str]:
    for child in children:
        if child is None:
            continue
        if isinstance(child, Html):
            yield child
        elif isinstance(child, str):
            yield escape(visible(child))
        else:
            yield from _pieces(child)


def element(tag: str, *children: Child, **attributes: str | None) -> Html:
    """``<tag attribute="…">children</tag>``; ``class_`` and ``aria_label`` become ``class`` and ``aria-label``.

    An attribute that is None is left out, an empty one stands without a value.
    """
    written = "".join(
        f" {name.rstrip('_').replace('_', '-')}" + (f'="{escape(visible(value))}"' if value else "")
        for name, value in attributes.items()
        if value is not None
    )
    if tag in _VOID:
        return Html(f"<{tag}{written}>")
    return Html(f"<{tag}{written}>{fragment(*children)}</{tag}>")


def page(title: str, style: str, *body: Child) -> str:
    """A whole document that asks for nothing from anywhere: its Content-Security-Policy forbids it."""
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element(
            "meta",
            http_equiv="Content-Security-Policy",
            content="default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'",
        ),
        # an empty icon, or a browser asks a server for /favicon.ico
        element("link", rel="icon", href="data:,"),
        element("title", title),
        element("style", Html(style)),
    )
    return f'<!doctype html>\n<html lang="en">{head}{element("body", *body)}</html>\n'
