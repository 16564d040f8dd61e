"""The site of the docs: built strictly, without anything from a network; pages made from the code are current."""

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.command_line import REPOSITORY
from tests.docs.pages import all_pages
from tools.docs_hooks import outside_code
from tools.write_cli_reference import commands, reference

_LINK = re.compile(r"(?<!`)\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} +(.*)$", re.MULTILINE)


def test_the_reference_of_the_command_line_is_current() -> None:
    page = reference()
    assert (REPOSITORY / "docs" / "cli.md").read_text(encoding="utf-8") == page, "run `make schema`"
    shown = {name for name, _ in commands()}
    assert {"edge-bench run", "edge-bench fleet run"} < shown
    headings = set(re.findall(r"^## (edge-bench .*)$", page, re.MULTILINE))
    assert headings == shown


def test_the_reference_has_every_option_with_its_variable() -> None:
    page = reference()
    for name, command in commands():
        for each in command.params:
            if not getattr(each, "hidden", False):
                assert each.param_type_name == "argument" or all(f"`{flag}`" in page for flag in each.opts), name
                assert f"`{each.envvar}`" in page or each.envvar is None, name


def test_links_in_pages_lead_to_files_and_headings() -> None:
    """Also on GitHub, where a link to a file outside docs/ is one of the repository."""
    broken = []
    for page in all_pages():
        for target in _LINK.findall(text_of(page)):
            name, _, anchor = target.partition("#")
            path = page.parent / name if name else page
            if "://" not in target and (not path.exists() or (anchor and anchor not in anchors(path))):
                broken.append(f"{page.relative_to(REPOSITORY)}: {target}")
    assert not broken, broken


def test_tests_that_pages_name_exist() -> None:
    tests = "\n".join(path.read_text(encoding="utf-8") for path in (REPOSITORY / "tests").rglob("test_*.py"))
    defined = set(re.findall(r"def (test_\w+)", tests))
    named = {
        (page.name, name)
        for page in all_pages()
        for name in re.findall(r"`(test_[a-z]\w+)`", page.read_text(encoding="utf-8"))
    }
    assert len(named) > 50
    assert not {each for each in named if each[1] not in defined}


def text_of(page: Path) -> str:
    """Return the text of a page without its fenced blocks."""
    parts: list[str] = []
    outside_code(page.read_text(encoding="utf-8"), lambda text: parts.append(text) or text)  # type: ignore[func-returns-value]
    return "".join(parts)


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = (re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", each) for each in _HEADING.findall(text_of(page)))
    return {re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in headings}


class Assets(HTMLParser):
    """Collects the addresses of everything that a browser loads for a page."""

    def __init__(self) -> None:
        super().__init__()
        self.urls: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        if tag != "a" and named.get("rel") not in ("canonical", "prev", "next"):
            names = ("src", "href", "data", "srcset", "poster")
            self.urls |= {value for name in names if (value := named.get(name))}


def loaded_by(site: Path) -> set[str]:
    """Return the addresses of everything that the pages and styles of a site load."""
    assets = Assets()
    for page in site.rglob("*.html"):
        assets.feed(page.read_text(encoding="utf-8"))
    styles = (path.read_text(encoding="utf-8") for path in site.rglob("*.css"))
    found = (re.findall(r"(?:url\(|@import)\s*['\"]?([^'\"); ]+)", style) for style in styles)
    return assets.urls.union(*found)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site."""
    pytest.importorskip("material")
    folder = tmp_path_factory.mktemp("docs") / "site"
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=REPOSITORY, env={"NO_MKDOCS_2_WARNING": "1", "PATH": ""}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stdout + done.stderr
    return folder


@pytest.mark.slow
def test_the_site_loads_nothing_from_a_network(site: Path) -> None:
    loaded = loaded_by(site)
    assert any(url.endswith(".css") for url in loaded)
    assert {url for url in loaded if re.match(r"(?:https?:)?//", url)} == set()
    assert (site / "assets" / "iframe-worker.js").stat().st_size > 1000  # otherwise the theme loads it from a network


@pytest.mark.slow
def test_every_page_is_in_the_site_with_its_lists(site: Path) -> None:
    pages = {path.stem: path.read_text(encoding="utf-8") for path in site.glob("*.html")}
    assert {path.stem for path in (REPOSITORY / "docs").glob("*.md")} <= set(pages)
    for name, text in pages.items():  # unlike GitHub, Markdown needs an empty line before a list
        outside = re.sub(r"<pre.*?</pre>", "", text, flags=re.DOTALL)
        assert re.findall(r"^(?:- |1\. ).*", outside, re.MULTILINE) == [], name
