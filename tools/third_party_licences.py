"""Write the licences of all Python distributions in folders to one file: ``third_party_licences.py FILE FOLDER …``.

The build of an image calls it. It needs only the standard library and no network, and runs no code of the
distributions. Names, versions and licence ids come from their metadata, texts from the files that they installed.
For a distribution without a text, it is the file NAME.txt in ``licence_texts`` or, for Apache-2.0, that of this
project, which has the same licence. A distribution without id or text is an error.
"""

import importlib.metadata
import re
import sys
from collections.abc import Iterable
from pathlib import Path

__all__ = ["licence_id", "licence_texts", "main", "write_licences"]

_TEXTS = Path(__file__).with_name("licence_texts")
_APACHE = Path(__file__).parent.parent / "LICENSE"
_RULE = "=" * 80
#: Names of files with licences, notices and authors. Licences of headers, of which no image contains any, are left out.
_FILE = re.compile(r"(^|/)[^/]*(licen[cs]e|copying|notice|third.?party)[^/]*$|\.dist-info/licen[cs]es/", re.IGNORECASE)
_NOT_TEXT = re.compile(r"\.(py|pyc|pyi|pyd|so|h|json)$|/include/")
#: SPDX ids of other names in metadata, in lower case.
_IDS = {
    "3-clause bsd license": "BSD-3-Clause",
    "apache 2.0": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "apache software license": "Apache-2.0",
    "bsd 3-clause": "BSD-3-Clause",
    "bsd-3": "BSD-3-Clause",
    "freebsd": "BSD-2-Clause-Views",
    "isc license": "ISC",
    "isc license (iscl)": "ISC",
    "mit license": "MIT",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
    "python software foundation license": "PSF-2.0",
}
_SPDX = re.compile(r"(?:[A-Z][A-Za-z0-9.+]*(?:-[A-Za-z0-9.+]+)*)(?: (?:AND|OR|WITH) [A-Z][\w.+-]*)*")
#: First words of texts, and the id that they belong to.
_BEGINNINGS = {"Apache License": "Apache-2.0", "MIT License": "MIT", "BSD 3-Clause": "BSD-3-Clause"}


def licence_id(metadata: importlib.metadata.PackageMetadata, texts: Iterable[str]) -> str:
    """Return the SPDX id or expression; empty if neither metadata nor texts name one."""
    if stated := metadata.get_all("License-Expression"):
        return str(stated[0])
    classifiers = [each.split(" :: ") for each in metadata.get_all("Classifier") or ()]
    names = [*(metadata.get_all("License") or ()), *(each[-1] for each in classifiers if each[0] == "License")]
    for name in map(str.strip, names):
        if name.lower() in _IDS:
            return _IDS[name.lower()]
        if name not in ("BSD", "UNKNOWN") and _SPDX.fullmatch(name):
            return name
    for text in texts:
        if "Redistribution and use in source and binary forms" in text:
            return "BSD-3-Clause" if re.search("name(s)? of", text) else "BSD-2-Clause"
        for beginning, found in _BEGINNINGS.items():
            if beginning in text[:200]:
                return found
    return ""


def licence_texts(distribution: importlib.metadata.Distribution) -> dict[str, str]:
    """Return the installed licence texts by path; different files with the same text count once."""
    found = dict[str, str]()
    for path in sorted(distribution.files or (), key=str):
        if not _FILE.search(str(path)) or _NOT_TEXT.search(str(path)):
            continue
        file = Path(str(distribution.locate_file(path)))
        if file.is_file():  # a build may have removed files
            text = file.read_text(encoding="utf-8", errors="replace").strip()
            if text and text not in found.values():
                found[str(path)] = text
    return found


def write_licences(target: Path, folders: Iterable[Path]) -> int:
    """Write the licences of the distributions in ``folders``; return their number.

    Raise ValueError if one has no licence id or no text.
    """
    sections, rows = [], []
    found = importlib.metadata.distributions(path=[str(folder) for folder in folders])
    for each in sorted(found, key=lambda each: each.metadata["Name"].lower()):
        name = each.metadata["Name"]
        texts = licence_texts(each) or _text_from_here(each)
        spdx = licence_id(each.metadata, texts.values())
        if not (spdx and texts):
            raise ValueError(f"{name} {each.version} has no licence {'text' if spdx else 'id'}: add it to {__file__}")
        rows.append(f"{name} {each.version}: {spdx}")
        parts = [f"{path}\n\n{text}" for path, text in texts.items()]
        sections.append("\n\n".join([f"{_RULE}\n{rows[-1]}\n{_RULE}", *parts]))
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text("\n\n".join(["\n".join(rows), *sections]) + "\n", encoding="utf-8")
    return len(rows)


def _text_from_here(distribution: importlib.metadata.Distribution) -> dict[str, str]:
    own = _TEXTS / f"{distribution.metadata['Name'].lower()}.txt"
    if own.is_file():
        return {own.name: own.read_text().strip()}
    return {"LICENSE": _APACHE.read_text().strip()} if licence_id(distribution.metadata, ()) == "Apache-2.0" else {}


def main(arguments: list[str]) -> int:
    """Write the file and print the number of distributions; return the exit code."""
    target, *folders = map(Path, arguments)
    try:
        count = write_licences(target, folders)
    except ValueError as cause:
        print(cause, file=sys.stderr)
        return 1
    print(f"{target}: licences of {count} distributions", file=sys.stderr)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
