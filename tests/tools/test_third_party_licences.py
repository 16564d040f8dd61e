"""The file of licences in the images: an id and a text for every distribution, from its installed metadata."""

from pathlib import Path

import pytest

from tools.third_party_licences import main

BSD = "Redistribution and use in source and binary forms, with or without modification, are permitted"
BSD_3 = f"{BSD} …\nNeither the name of the owner nor the names of its contributors may be used"


def install(site: Path, name: str, *headers: str, files: dict[str, str] | None = None) -> None:
    """Write the metadata of an installed distribution and its other files."""
    info = f"{name}-1.0.dist-info"
    metadata = "\n".join(["Metadata-Version: 2.1", f"Name: {name}", "Version: 1.0", *headers, ""])
    contents = {f"{info}/METADATA": metadata} | {path.format(info=info): text for path, text in (files or {}).items()}
    for path, text in contents.items():
        (site / path).parent.mkdir(parents=True, exist_ok=True)
        (site / path).write_text(text)
    (site / info / "RECORD").write_text("".join(f"{path},,\n" for path in [*contents, f"{name}/LICENSE-removed"]))


def written(site: Path) -> str:
    target = site.parent / "doc" / "licences"
    assert main([str(target), str(site)]) == 0
    return target.read_text()


@pytest.mark.parametrize(
    ("headers", "text", "expected"),
    [
        (["License-Expression: MIT OR Apache-2.0"], "either", "MIT OR Apache-2.0"),
        (["License: BSD-3"], "", "BSD-3-Clause"),
        (["License: MPL-2.0 AND MIT"], "both", "MPL-2.0 AND MIT"),
        (["License: UNKNOWN", "Classifier: License :: OSI Approved :: ISC License (ISCL)"], "", "ISC"),
        (["License: BSD", "Classifier: License :: OSI Approved :: BSD License"], BSD_3, "BSD-3-Clause"),
        (["License: A long text\n  in many lines", "Classifier: License :: OSI Approved :: BSD License"], BSD,
         "BSD-2-Clause"),
        ([], "Apache License\nVersion 2.0", "Apache-2.0"),
    ],
)  # fmt: skip
def test_the_id_comes_from_the_metadata_or_the_text(
    tmp_path: Path, headers: list[str], text: str, expected: str
) -> None:
    install(tmp_path / "site", "some", *headers, files={"{info}/licenses/LICENSE": text or "a text"})
    assert written(tmp_path / "site").splitlines()[0] == f"some 1.0: {expected}"


def test_every_distribution_has_all_its_texts_once(tmp_path: Path) -> None:
    site = tmp_path / "site"
    files = {
        "{info}/licenses/LICENSE": "own text", "Some/ThirdPartyNotices.txt": "text of others",
        "Some/vendored/COPYING": "own text", "Some/licence.py": "import this", "Some/include/x/LICENSE": "of a header",
    }  # fmt: skip
    install(site, "Some", "License: MIT", files=files)
    install(site, "another", "License-Expression: Apache-2.0")  # without a text of its own
    found = written(site)
    assert found.splitlines()[:2] == ["another 1.0: Apache-2.0", "Some 1.0: MIT"]
    assert [found.count(text) for text in ("own text", "text of others", "import this", "of a header")] == [1, 1, 0, 0]
    assert "TERMS AND CONDITIONS FOR USE, REPRODUCTION, AND DISTRIBUTION" in found


@pytest.mark.parametrize(
    ("header", "files"), [("License: MIT", {}), ("Summary: none", {"{info}/LICENSE": "words without an id"})]
)
def test_a_distribution_without_an_id_or_a_text_fails_the_build(
    tmp_path: Path, header: str, files: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    install(tmp_path / "site", "unclear", header, files=files)
    assert main([str(tmp_path / "licences"), str(tmp_path / "site")]) == 1
    assert "unclear 1.0" in capsys.readouterr().err
    assert not (tmp_path / "licences").exists()
