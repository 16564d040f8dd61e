"""Check that folders and modules stay small enough to find things in; imports are checked by import-linter.

    python tools/check_layout.py [FOLDER …]

Prints one line per problem and exits with 1 if there is any.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

FOLDERS = ("app", "bench", "studies", "tests", "tools")
MOST_MODULES = 12  # in a folder, besides __init__.py
MOST_LINES = 300  # in a module


def problems(folders: list[Path]) -> Iterator[str]:
    """Yield a sentence for every folder with too many modules and every module with too many lines."""
    for top in folders:
        for folder in sorted({path.parent for path in top.rglob("*.py")}):
            modules = sorted(path for path in folder.glob("*.py") if path.name != "__init__.py")
            if len(modules) > MOST_MODULES:
                yield f"{folder}: {len(modules)} modules, at most {MOST_MODULES}: move some into a subpackage"
            for module in modules:
                lines = len(module.read_text(encoding="utf-8").splitlines())
                if lines > MOST_LINES:
                    yield f"{module}: {lines} lines, at most {MOST_LINES}: split it by idea"


def main(folders: list[str]) -> int:
    """Print all problems; return the exit code."""
    found = list(problems([Path(folder) for folder in folders or FOLDERS]))
    for line in found:
        print(line, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
