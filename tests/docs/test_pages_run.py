"""The command blocks of README.md and docs/, executed page by page in order, in a folder with what they name."""

import shutil
from pathlib import Path

import pytest

from edge_bench.bench.records.bundle import Bundle
from tests.command_line import REPOSITORY
from tests.docs.examples import EXAMPLES, Examples
from tests.docs.pages import Block, command_lines, edge_bench_arguments, shell_blocks
from tests.docs.shell import execute, port_is_free, words_of

#: Pages for newcomers. The others take minutes: `make test-nightly`.
DAILY = ("README.md", "docs/getting-started.md")
#: Its blocks are the examples of `--help`; docs/*.md say what they need.
NOT_RUN = ("docs/cli.md",)
PAGES = {
    path.relative_to(REPOSITORY).as_posix(): [block for block in shell_blocks(path) if block.not_run is None]
    for path in [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]
}


def pages() -> list[object]:
    """Return each page that has something to execute, with its mark."""
    return [
        pytest.param(page, marks=pytest.mark.slow if page in DAILY else pytest.mark.nightly)
        for page, blocks in PAGES.items()
        if blocks and page not in NOT_RUN
    ]


@pytest.fixture(scope="module")
def examples(digits_bundle: Bundle) -> Examples:
    return Examples(digits_bundle)


@pytest.mark.parametrize("page", pages())
def test_commands_of_page(page: str, examples: Examples, tmp_path: Path) -> None:
    blocks = PAGES[page]
    words = words_of(blocks)
    if "curl" in words and not shutil.which("curl"):
        pytest.skip("needs curl")
    if "serve" in words and not port_is_free():
        pytest.skip("another program listens on port 8000")
    makes_the_bundle = first_command(blocks) in ("train", "all")
    names = {"artifacts/bundle", "results", *(name for name in EXAMPLES if name in words)}
    for name in sorted(names - ({"artifacts/bundle", "artifacts", "results"} if makes_the_bundle else set())):
        examples.make(name, tmp_path)
    execute(blocks, tmp_path, timeout=600)


def first_command(blocks: list[Block]) -> str:
    """Return the first command of `edge-bench` that needs or makes a bundle."""
    used = (edge_bench_arguments(words) for block in blocks for words in command_lines(block.text))
    return next((each[0] for each in used if each and not each[0].startswith("-") and each[0] != "doctor"), "")
