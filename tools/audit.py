"""Known vulnerabilities of everything that is locked: ``python tools/audit.py requirements/*.txt`` (``make audit``).

pip-audit asks PyPI's database of advisories. Where that does not answer, or answers about another index than the one
with the advisories, it is skipped and said why: its "no known vulnerabilities" would then mean that it knows none.
0: none found, or skipped; 1: some found.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

COMMAND = ["pip-audit", "--require-hashes", "--disable-pip", "--progress-spinner=off", "--format=json", "--timeout=15"]


class Unreachable(Exception):
    """Why there is no answer."""


def asked(program: str, lock: Path) -> list[dict[str, Any]]:
    """What the database says of every package of a lock. Unreachable where it does not."""
    done = subprocess.run([program, *COMMAND[1:], "-r", str(lock)], capture_output=True, text=True, check=False)
    try:
        found: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        words = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        raise Unreachable(words[-1][:300] if words else f"{program} ended with {done.returncode}") from None
    if found and all("skip_reason" in each for each in found):
        raise Unreachable(str(found[0]["skip_reason"])[:300])
    return found


def first_of(lock: Path, folder: Path) -> Path:
    """A lock of its first package alone: whether anyone answers is asked once, not a hundred times."""
    lines = lock.read_text(encoding="utf-8").splitlines(keepends=True)
    end = next((number for number, line in enumerate(lines) if not line.rstrip().endswith("\\")), len(lines) - 1)
    path = folder / "first.txt"
    path.write_text("".join(lines[: end + 1]), encoding="utf-8")
    return path


def main(locks: list[str], program: str = COMMAND[0]) -> int:
    """Asks about each lock and prints what is known."""
    vulnerable = 0
    with tempfile.TemporaryDirectory() as folder:
        try:
            asked(program, first_of(Path(locks[0]), Path(folder)))
            for name in locks:
                found = asked(program, Path(name))
                known = [each for each in found if "skip_reason" not in each]
                bad = [each for each in known if each["vulns"]]
                vulnerable += len(bad)
                print(f"{name}: {len(known)} of {len(found)} packages are known, {len(bad)} are vulnerable")
                for each in bad:
                    for hole in each["vulns"]:
                        fixed = ", ".join(hole.get("fix_versions", [])) or "no version yet"
                        print(f"  {each['name']} {each['version']}: {hole['id']}, mended in {fixed}")
        except (OSError, Unreachable) as cause:
            print(f"skipped: the database of advisories gave no answer: {cause}", file=sys.stderr)
            return 1 if vulnerable else 0
    return 1 if vulnerable else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
