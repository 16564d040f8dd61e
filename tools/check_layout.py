"""Check that folders, modules and functions stay small. Imports are checked by import-linter.

    python tools/check_layout.py [FOLDER …]

Prints one line per problem and exits with 1 if there is any.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

FOLDERS = ("action", "app", "bench", "edge_bench/api", "studies", "tests", "tools")
MOST_MODULES = 12  # in a folder, without __init__.py
MOST_LINES = 300  # in a module
MOST_BODY_LINES = 40  # in a function, without signature, docstring and nested functions
Function = ast.FunctionDef | ast.AsyncFunctionDef


def problems(folders: list[Path]) -> Iterator[str]:
    """Yield a sentence for each folder, module and function that is too large."""
    for top in folders:
        for folder in sorted({path.parent for path in top.rglob("*.py")}):
            modules = sorted(path for path in folder.glob("*.py") if path.name != "__init__.py")
            if len(modules) > MOST_MODULES:
                yield f"{folder}: {len(modules)} modules, at most {MOST_MODULES}: move some into a subpackage"
            for module in modules:
                text = module.read_text(encoding="utf-8")
                if (lines := len(text.splitlines())) > MOST_LINES:
                    yield f"{module}: {lines} lines, at most {MOST_LINES}: split it by topic"
                for function, length in function_lengths(text):
                    if length > MOST_BODY_LINES:
                        yield (
                            f"{module}:{function.lineno}: {function.name} has {length} lines, at most "
                            f"{MOST_BODY_LINES}: move a step of it into a function"
                        )


def function_lengths(text: str) -> Iterator[tuple[Function, int]]:
    """Yield every function of a module with the number of lines of its body."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, Function):
            body = node.body[1:] if ast.get_docstring(node, clean=False) is not None else node.body
            lines = set(range(body[0].lineno, (node.end_lineno or 0) + 1)) if body else set()
            for inner in ast.walk(node):
                if inner is not node and isinstance(inner, Function | ast.ClassDef):
                    first = min([inner.lineno, *(each.lineno for each in inner.decorator_list)])
                    lines -= set(range(first, (inner.end_lineno or first) + 1))
            yield node, len(lines)


def main(folders: list[str]) -> int:
    """Print all problems; return the exit code."""
    lines = list(problems([Path(folder) for folder in folders or FOLDERS]))
    for line in lines:
        print(line, file=sys.stderr)
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
