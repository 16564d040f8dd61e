"""Report pages, and what is in them."""

import re
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path

from edge_bench.app.render.formats import Layout
from edge_bench.app.report.bundle_section import bundle_sections
from edge_bench.app.report.write import write_report
from edge_bench.app.tables.answer.text import Answered, answer_sentences
from edge_bench.bench.progress import Silent
from edge_bench.bench.records.run import Run
from tests.factories import machine

__all__ = ["EMULATED", "PI", "Outline", "answers", "answers_of", "page_of", "rows_of", "section_of", "words_of"]

PI = machine(hostname="pi", cpu="Cortex-A72", architecture="aarch64")
EMULATED = machine(hostname="edge", architecture="aarch64", emulated=True, emulation_signs=["a sign"])


def page_of(folder: Path, runs: list[Run], *bundles: Path, data: Sequence[Path] = ()) -> str:
    """Write the page of these Runs, and return its text."""
    (path,) = write_report(runs, list(bundles), folder / "report.html", ["html"], Layout.COLUMN, Silent(), data=data)
    text = path.read_text()
    assert len(text.encode()) < 5_000_000
    return text


def answers(runs: list[Run]) -> list[str]:
    """Return the sentences that a terminal shows of these Runs."""
    (section,) = bundle_sections(runs, [])
    sentences = answer_sentences(Answered(section.runs, section.comparison, [], ""))
    return [sentence.removeprefix("! ") for sentence in sentences]


def answers_of(text: str) -> list[str]:
    """Return the sentences at the top of a page."""
    found = re.search(r'<div class="answer">(.*?)</div>', text, re.DOTALL)
    assert found
    items = re.findall(r"<p[^>]*>(.*?)</p>", found[1], re.DOTALL)
    return [re.sub(r"<[^>]+>", "", item).replace("\N{NO-BREAK SPACE}", " ") for item in items]


def rows_of(html: object) -> list[list[str]]:
    """Return the cells of the rows of a table, without its head."""
    rows = re.findall(r"<tr>(.*?)</tr>", str(html).partition("<tbody>")[2], re.DOTALL)
    return [[words_of(cell).strip() for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)] for row in rows]


def section_of(text: str, number: int, chapter: int = 1) -> str:
    """Return a section as HTML. 0: comparison, 2: accuracy and time, 3: profiles, 6: disagreements, 9: measurements."""
    found = re.search(rf'<section id="c{chapter}-s{number}">(.*?)</section>', text, re.DOTALL)
    assert found, f"no section {number}"
    return found[1]


def words_of(html: str) -> str:
    """Return the text that a reader sees, without tags and coordinates."""
    return re.sub(r"<[^>]+>", " ", html)


class Outline(HTMLParser):
    """The tags, ids and addresses of a page, and its pictures without a text alternative."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.ids: list[str] = []
        self.unnamed: list[str] = []
        self.tags: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.add(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href", "data", "srcset")]
        self.ids += [value or "" for name, value in attrs if name == "id"]
        if (tag == "svg" and not (given.get("aria-label") and given.get("role") == "img")) or (
            tag == "img" and not given.get("alt")
        ):
            self.unnamed.append(tag)
