"""The layout check names what is too large, and passes what is not."""

from pathlib import Path

from tools.check_layout import MOST_LINES, MOST_MODULES, main, problems


def test_a_full_folder_and_a_long_module_are_named(tmp_path: Path) -> None:
    package = tmp_path / "package"
    package.mkdir()
    (package / "__init__.py").touch()
    for number in range(MOST_MODULES):
        (package / f"module{number}.py").write_text("x = 1\n" * MOST_LINES)
    assert list(problems([tmp_path])) == []
    assert main([str(tmp_path)]) == 0

    (package / "one_more.py").write_text("x = 1\n" * (MOST_LINES + 1))
    found = list(problems([tmp_path]))
    assert len(found) == 2
    assert f"{MOST_MODULES + 1} modules" in found[0]
    assert found[1].startswith(str(package / "one_more.py"))
    assert main([str(tmp_path)]) == 1
