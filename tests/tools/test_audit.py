"""`make audit` names vulnerable packages, and reports a skipped audit as skipped."""

from pathlib import Path

import pytest

from tests.command_line import REPOSITORY
from tools import audit


@pytest.fixture
def lock(tmp_path: Path) -> str:
    path = tmp_path / "lock.txt"
    path.write_text("first==1.0 \\\n    --hash=sha256:00\nsecond==2.0 \\\n    --hash=sha256:00\n")
    return str(path)


def answering(tmp_path: Path, text: str, code: int) -> str:
    """The path of a pip-audit that prints this text."""
    (tmp_path / "output").write_text(text)
    program = tmp_path / "pip-audit"
    program.write_text(f"#!/bin/sh\ncat '{tmp_path / 'output'}'\necho 'could not connect' >&2\nexit {code}\n")
    program.chmod(0o755)
    return str(program)


def test_vulnerable_packages_are_named_and_the_audit_fails(
    tmp_path: Path, lock: str, capsys: pytest.CaptureFixture[str]
) -> None:
    output = (
        '{"dependencies": [{"name": "first", "version": "1.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["1.1"]}]},'
        '{"name": "second", "version": "2.0", "vulns": []}]}'
    )
    assert audit.main([lock], answering(tmp_path, output, 1)) == 1
    lines = capsys.readouterr().out.splitlines()
    (vulnerability,) = [line for line in lines if "PYSEC-1" in line]
    assert all(value in vulnerability for value in ("first", "1.0", "1.1"))
    assert not any("second" in line for line in lines)


@pytest.mark.parametrize(
    ("output", "code", "reason"),
    [
        ("", 1, "could not connect"),
        ('{"dependencies": [{"name": "first", "skip_reason": "not found on PyPI"}]}', 0, "not found on PyPI"),
    ],
)
def test_without_an_answer_the_audit_is_skipped_with_the_reason(
    tmp_path: Path, lock: str, output: str, code: int, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert audit.main([lock], answering(tmp_path, output, code)) == 0
    printed = capsys.readouterr()
    assert printed.out == ""
    assert reason in printed.err


def test_the_connection_is_tested_with_one_package(tmp_path: Path, lock: str) -> None:
    assert audit.first_package(Path(lock), tmp_path).read_text() == "first==1.0 \\\n    --hash=sha256:00\n"


def test_every_lock_file_has_hashes_and_no_url() -> None:
    locks = sorted((REPOSITORY / "requirements").glob("*.txt"))
    assert [lock.stem for lock in locks] == ["audit", "dev", "edge-full", "edge", "host", "nightly", "uv"]
    for lock in [*locks, REPOSITORY / "app/conversion/ncnn/pnnx.txt"]:
        text = lock.read_text(encoding="utf-8")
        assert "://" not in text
        for package in text.replace("\\\n", "").splitlines():
            assert "--hash=sha256:" in package, package[:80]
