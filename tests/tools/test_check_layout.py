"""The layout check reports folders, modules and functions that are too large."""

from pathlib import Path

from tools.check_layout import MOST_BODY_LINES, MOST_LINES, MOST_MODULES, main, problems


def test_a_full_folder_and_a_long_module_are_reported(tmp_path: Path) -> None:
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
    assert found[0].startswith(str(package))
    assert str(MOST_MODULES + 1) in found[0]
    assert found[1].startswith(str(package / "one_more.py"))
    assert main([str(tmp_path)]) == 1


def test_a_long_function_is_reported_without_signature_docstring_and_nested_functions(tmp_path: Path) -> None:
    body = "    x = 1\n" * MOST_BODY_LINES
    nested = f"    def inner():\n    {body.replace(chr(10), chr(10) + '    ').rstrip()}\n"
    module = tmp_path / "module.py"
    module.write_text(f'def f(\n    a,\n):\n    """One.\n\n    More.\n    """\n{nested}{body}')
    assert list(problems([tmp_path])) == []

    module.write_text(f"def first():\n    pass\n\n\ndef second():\n{body}    return x\n")
    (found,) = problems([tmp_path])
    assert found.startswith(f"{module}:5:")
    assert "second" in found
    assert str(MOST_BODY_LINES + 1) in found
