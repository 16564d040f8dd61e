"""Hooks of MkDocs: links that work on GitHub, made to work in the site.

Pages link to files of the repository, such as ``../CHANGELOG.md``, and to folders, such as ``schema``. A site has only
the pages in docs/. There, a link to a folder leads to the README.md in it or above it. Any other link out of docs/
leads to the repository if ``extra.repository`` in mkdocs.yml has its address, and becomes plain text otherwise.
"""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = ["on_page_markdown", "outside_code"]

#: ``[text](target)`` but no image; the target without a title.
_LINK = re.compile(r"(?<!!)\[([^\]]*)\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^(```|~~~).*?^\1\s*$", re.DOTALL | re.MULTILINE)


def on_page_markdown(markdown: str, *, page: Any, config: Any, **_: Any) -> str:
    """Return the page's text with links out of docs/ rewritten; MkDocs calls it for every page."""
    docs, folder = Path(config["docs_dir"]), Path(page.file.abs_src_path).parent

    def rewritten(link: re.Match[str]) -> str:
        return _rewritten(link, folder, docs, str(config["extra"]["repository"] or ""))

    return outside_code(markdown, lambda text: _LINK.sub(rewritten, text))


def outside_code(markdown: str, change: Callable[[str], str]) -> str:
    """Return the text with ``change`` applied to everything that is not in a fenced block."""
    parts, end = [], 0
    for fence in _FENCE.finditer(markdown):
        parts += [change(markdown[end : fence.start()]), fence[0]]
        end = fence.end()
    return "".join([*parts, change(markdown[end:])])


def _rewritten(link: re.Match[str], folder: Path, docs: Path, repository: str) -> str:
    text, target = link[1], link[2]
    name, hash_sign, anchor = target.partition("#")
    path = (folder / name).resolve()
    if not name or "://" in target or target.startswith("mailto:") or not path.exists():
        return link[0]  # MkDocs reports a file that does not exist
    if path.is_relative_to(docs) and path.is_file():
        return link[0]
    if path.is_relative_to(docs):
        index = next(each / "README.md" for each in (path, *path.parents) if (each / "README.md").is_file())
        return f"[{text}]({Path(os.path.relpath(index, folder)).as_posix()})"
    if not repository:
        return text
    return f"[{text}]({repository.rstrip('/')}/{path.relative_to(docs.parent).as_posix()}{hash_sign}{anchor})"
