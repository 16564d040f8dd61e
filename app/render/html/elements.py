"""HTML from typed elements. Text that is not ``Html`` is escaped, so that no name can become markup."""

from collections.abc import Iterable

from edge_bench.app.render.escaping import html_text

__all__ = ["Child", "Html", "element", "fragment", "page"]

#: Elements without content and end tag.
_VOID = {"br", "col", "hr", "img", "input", "link", "meta"}


class Html(str):
    """Text that is already HTML and is inserted without escaping."""

    __slots__ = ()


Child = str | Html | None | Iterable["Child"]


def fragment(*children: Child) -> Html:
    """Return the children concatenated, with plain text escaped and None skipped."""
    return Html("".join(_pieces(children)))


def _pieces(children: Iterable[Child]) -> Iterable[str]:
    for child in children:
        if child is None:
            continue
        if isinstance(child, Html):
            yield child
        elif isinstance(child, str):
            yield html_text(child)
        else:
            yield from _pieces(child)


def element(tag: str, *children: Child, **attributes: str | None) -> Html:
    """Return ``<tag attribute="…">children</tag>``; ``class_`` and ``aria_label`` become ``class`` and ``aria-label``.

    An attribute that is None is omitted. An empty one is written without a value.
    """
    attribute_text = "".join(
        f" {name.rstrip('_').replace('_', '-')}" + (f'="{html_text(value)}"' if value else "")
        for name, value in attributes.items()
        if value is not None
    )
    if tag in _VOID:
        return Html(f"<{tag}{attribute_text}>")
    return Html(f"<{tag}{attribute_text}>{fragment(*children)}</{tag}>")


def page(title: str, style: str, *body: Child, form_action: str = "'none'") -> str:
    """Return a complete document whose Content-Security-Policy forbids requests, except forms to ``form_action``."""
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element(
            "meta",
            http_equiv="Content-Security-Policy",
            content=(
                "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; "
                f"form-action {form_action}"
            ),
        ),
        # without an icon, browsers request /favicon.ico
        element("link", rel="icon", href="data:,"),
        element("title", title),
        element("style", Html(style)),
    )
    return f'<!doctype html>\n<html lang="en">{head}{element("body", *body)}</html>\n'
