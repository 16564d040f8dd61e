"""`make audit` says what is vulnerable, and never takes silence for safety."""

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
    """A pip-audit that has been asked already."""
    (tmp_path / "said").write_text(text)
    program = tmp_path / "pip-audit"
    program.write_text(f"#!/bin/sh\ncat '{tmp_path / 'said'}'\necho 'could not connect' >&2\nexit {code}\n")
    program.chmod(0o755)
    return str(program)


def test_what_is_vulnerable_is_named_and_fails(tmp_path: Path, lock: str, capsys: pytest.CaptureFixture[str]) -> None:
    said = (
        '{"dependencies": [{"name": "first", "version": "1.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["1.1"]}]},'
        '{"name": "second", "version": "2.0", "vulns": []}]}'
    )
    assert audit.main([lock], answering(tmp_path, said, 1)) == 1
    assert "first 1.0: PYSEC-1, mended in 1.1" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("said", "code", "words"),
    [
        ("", 1, "could not connect"),
        ('{"dependencies": [{"name": "first", "skip_reason": "not found on PyPI"}]}', 0, "not found on PyPI"),
    ],
)
def test_no_answer_is_said_and_is_no_all_clear(
    tmp_path: Path, lock: str, said: str, code: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert audit.main([lock], answering(tmp_path, said, code)) == 0
    shown = capsys.readouterr()
    assert shown.out == ""
    assert f"skipped: the database of advisories gave no answer: {words}" in shown.err


def test_whether_anyone_answers_is_asked_of_one_package(tmp_path: Path, lock: str) -> None:
    assert audit.first_package(Path(lock), tmp_path).read_text() == "first==1.0 \\\n    --hash=sha256:00\n"


def test_every_lock_has_hashes_and_no_address() -> None:
    locks = sorted((REPOSITORY / "requirements").glob("*.txt"))
    assert [lock.stem for lock in locks] == ["audit", "dev", "edge", "host"]
    for lock in locks:
        text = lock.read_text(encoding="utf-8")
        assert "://" not in text
        for package in text.replace("\\\n", "").splitlines():
            assert "--hash=sha256:" in package, package[:80]
