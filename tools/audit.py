"""Print known vulnerabilities of all locked packages: ``python tools/audit.py requirements/*.txt`` (``make audit``).

pip-audit queries PyPI's database of advisories. If the database does not answer, or the package index has no
advisories, the audit is skipped with the reason, because pip-audit would then report no vulnerabilities.
Exit code 1: vulnerabilities found; 0: none found, or skipped.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

COMMAND = ["pip-audit", "--require-hashes", "--disable-pip", "--progress-spinner=off", "--format=json", "--timeout=15"]


class Unreachable(Exception):
    """The database of advisories did not answer. The message is the reason."""


def query_advisories(program: str, lock: Path) -> list[dict[str, Any]]:
    """Return pip-audit's entry for each package of a lock file. Raise Unreachable if there is no answer."""
    completed = subprocess.run([program, *COMMAND[1:], "-r", str(lock)], capture_output=True, text=True, check=False)
    try:
        packages: list[dict[str, Any]] = json.loads(completed.stdout)["dependencies"]
    except (ValueError, KeyError):
        errors = [line.strip() for line in completed.stderr.splitlines() if line.strip()]
        raise Unreachable(errors[-1][:300] if errors else f"{program} ended with {completed.returncode}") from None
    if packages and all("skip_reason" in each for each in packages):
        raise Unreachable(str(packages[0]["skip_reason"])[:300])
    return packages


def first_package(lock: Path, folder: Path) -> Path:
    """Write a lock file with only the first package of ``lock``, to test the connection with a single query."""
    lines = lock.read_text(encoding="utf-8").splitlines(keepends=True)
    end = next((number for number, line in enumerate(lines) if not line.rstrip().endswith("\\")), len(lines) - 1)
    path = folder / "first.txt"
    path.write_text("".join(lines[: end + 1]), encoding="utf-8")
    return path


def main(locks: list[str], program: str = COMMAND[0]) -> int:
    """Query and print the vulnerabilities of each lock file; return the exit code."""
    vulnerable = 0
    with tempfile.TemporaryDirectory() as folder:
        try:
            query_advisories(program, first_package(Path(locks[0]), Path(folder)))
            for name in locks:
                packages = query_advisories(program, Path(name))
                known = [each for each in packages if "skip_reason" not in each]
                affected = [each for each in known if each["vulns"]]
                vulnerable += len(affected)
                print(f"{name}: {len(known)} of {len(packages)} packages are known, {len(affected)} are vulnerable")
                for each in affected:
                    for vulnerability in each["vulns"]:
                        fixed = ", ".join(vulnerability.get("fix_versions", [])) or "no version yet"
                        print(f"  {each['name']} {each['version']}: {vulnerability['id']}, fixed in {fixed}")
        except (OSError, Unreachable) as cause:
            print(f"skipped: the database of advisories did not answer: {cause}", file=sys.stderr)
            return 1 if vulnerable else 0
    return 1 if vulnerable else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
