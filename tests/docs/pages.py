"""The pages that people read, and the shell commands in them."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.command_line import REPOSITORY

__all__ = ["Block", "all_pages", "command_lines", "edge_bench_arguments", "shell_blocks", "without_comments"]

_FENCE = re.compile(r"^(?P<indent> *)```(?P<language>\w*)\n(?P<text>.*?)^(?P=indent)```$", re.DOTALL | re.MULTILINE)
_NOT_RUN = re.compile(r"<!-- *not run:(.*?)-->\s*\Z", re.DOTALL)
_COMMENT = re.compile(r"('[^']*'|\"(?:\\.|[^\"\\])*\")|(?<!\S)#[^\n]*")
_HEREDOC = re.compile(r"<<-?\s*(['\"]?)(\w+)\1(.*?\n).*?^\2$", re.DOTALL | re.MULTILINE)
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
_OPERATOR = re.compile(r"[();<>|&\n]+")
#: Words before a command that are not the command.
_BEFORE = {"do", "then", "else", "if", "until", "while", "time", "!", "env", "nohup", "exec", "{"}
#: Images, and services of compose.yaml, whose arguments are those of `edge-bench`.
_IMAGES = {
    "edge-bench", "edge-bench:latest", "edge-bench-host", "train", "host", "edge", "compare", "serve", "offload",
}  # fmt: skip


@dataclass(frozen=True)
class Block:
    """A fenced block of a page. ``not_run`` is the reason in the comment before it, None without a comment."""

    page: str
    line: int
    language: str
    text: str
    not_run: str | None

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def all_pages() -> list[Path]:
    """Return the pages of the repository: those at its top and in docs/."""
    return sorted([*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").rglob("*.md")])


def shell_blocks(path: Path) -> list[Block]:
    """Return the blocks of shell commands of a page."""
    return [block for block in blocks(path) if block.language == "sh"]


def blocks(path: Path) -> Iterator[Block]:
    """Yield every fenced block of a page."""
    text = path.read_text(encoding="utf-8")
    for fence in _FENCE.finditer(text):
        reason = _NOT_RUN.search(text, 0, fence.start())
        yield Block(
            path.relative_to(REPOSITORY).as_posix(), text.count("\n", 0, fence.start()) + 1, fence["language"],
            fence["text"], reason and reason[1].strip(),
        )  # fmt: skip


def without_comments(text: str) -> str:
    """Return a shell script without its comments, which may contain quotes of their own."""
    return _COMMENT.sub(lambda found: found[1] or "", text)


def command_lines(text: str) -> Iterator[list[str]]:
    """Yield the words of each simple command of a shell script, without assignments, redirections and comments."""
    text = without_comments(_HEREDOC.sub(r"\3", text)).replace("\\\n", " ")
    lexer = shlex.shlex(text, posix=True, punctuation_chars="();<>|&\n")
    lexer.whitespace, lexer.whitespace_split, lexer.commenters = " \t", True, ""
    words: list[str] = []
    target = False  # whether the next word is the file of a redirection
    for word in [*lexer, "\n"]:
        if _OPERATOR.fullmatch(word):
            target = word in ("<", ">", ">>", ">&")
            if target and words and words[-1].isdigit():
                words.pop()
            if not target:
                if words:
                    yield words
                words = []
        elif target:
            target = False
        elif words or not (word in _BEFORE or _ASSIGNMENT.match(word)):
            words.append(word)


def edge_bench_arguments(words: list[str]) -> list[str] | None:
    """Return the arguments that a command passes to `edge-bench`, also in a container or over ssh; None for others."""
    match words:
        case ["edge-bench", *arguments] | ["python", "-m", "edge_bench", *arguments]:
            return arguments
        case ["ssh", _, *remote] | ["sudo", *remote]:
            return edge_bench_arguments(remote)
        case ["docker", *_] if "run" in words and "--entrypoint" not in words:
            places = [number for number, word in enumerate(words) if _is_image(word) and number > words.index("run")]
            return words[places[0] + 1 :] if places else None
    return None


def _is_image(word: str) -> bool:
    """Return whether a word of `docker run` is one of the project's images, also in a registry and with a tag."""
    return word.removeprefix("REGISTRY/").partition(":")[0] in _IMAGES
