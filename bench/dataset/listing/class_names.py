"""Lists of class names: one output of the model per line, by name, or by number and name."""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence

from edge_bench.bench.dataset.listing.text import unquoted
from edge_bench.bench.errors import DatasetError
from edge_bench.bench.io.names import recordable
from edge_bench.bench.wording import abbreviate, counted

__all__ = ["MAX_LABEL", "first_number", "match_names", "output_names", "short_name"]

#: Labels are stored as 16 bits, and 65,535 is not a label.
MAX_LABEL = 65_534
#: Such as ``1 ant``, ``1: ant``, ``1. ant``, ``1) ant`` and ``"1","ant"``, but not ``1.5 l``.
_NUMBERED = re.compile(r'"?([0-9]{1,9})"?(?:[ \t]*[,;:\t][ \t]*|[ \t]*[.)](?![0-9])[ \t]*|[ \t]+)(\S.*)')
_QUOTED = re.compile(r'"(?:[^"]|"")+"')
_SYNSET = re.compile(r"(n[0-9]{8})(?:[\s,;:]+(.*))?")
_SYNSET_FOLDER = re.compile(r"(n[0-9]{8})[-_ ]")  # such as n02085620-Chihuahua
_HEADER = re.compile(
    r'"?(id|index|idx|number|no|class_?id|label_?id|label|class)"?[ \t]*[,;:\t ][ \t]*"?\w[\w ]*"?', re.IGNORECASE
)
_Key = Callable[[str], Sequence[str]]


def output_names(source: str, lines: Sequence[str]) -> list[str]:
    """Return the names of a model's outputs in their order.

    A line is a name, or a number and a name if all lines are. Either may be in quotation marks. Consecutive numbers
    from 0 or 1 are line numbers. Other numbers are the indices of the outputs, and outputs without a line are called
    ``output 3``. Raise DatasetError naming ``source`` if lines are empty, or if numbers are repeated or too large.
    """
    return _entries(source, lines)[0]


def match_names(source: str, lines: Sequence[str], wanted: Sequence[str]) -> tuple[dict[str, int], list[str]]:
    """Return the output of each wanted class name, and the names of all outputs.

    Names are compared with the whole line first. Then follow its name without a number, an ImageNet synset's id or
    description, the number, and the name regardless of case, underscores and synonyms. Raise DatasetError if a wanted
    name is missing or on several lines, or if two wanted names have the same output.
    """
    lines = _without_empty(source, lines)
    if set(wanted) <= set(lines):
        names, rows = [_whole_unquoted(line) for line in lines], lines
        keys: list[tuple[list[str], _Key]] = [(rows, lambda text: [text])]
    else:
        names, numbers = _entries(source, lines)
        keys = [(names, kind) for kind in (_unchanged, _synset_parts)]
        keys += [(numbers, _unchanged)] if numbers else []
        keys += [(names, kind) for kind in (_normalized, _loose_synonyms)]
    outputs, missing = dict[str, int](), []
    indices = [_index(texts, key) for texts, key in keys]
    for name in wanted:
        for (_, key), index in zip(keys, indices, strict=True):
            found = {output for form in _wanted_forms(name, key) for output in index.get(form, [])}
            if len(found) > 1:
                first, second = sorted(found)[:2]
                raise DatasetError(
                    f"{source}: {recordable(name)} may be line {first + 1} or {second + 1}",
                    "use different names in these two lines, and the same names in the data",
                )
            if found:
                outputs[name] = found.pop()
                break
        else:
            missing.append(recordable(name))
    if missing:
        raise DatasetError(
            f"{source}: {len(missing):,} of the {len(wanted):,} classes are missing: {abbreviate(missing)}",
            "list the names of all outputs of the model with --classes, spelled as in the data",
        )
    _refuse_shared(source, outputs)
    return outputs, [recordable(short_name(name)) for name in names]


def short_name(name: str) -> str:
    """Return the id of an ImageNet synset that is followed by its description; other names unchanged."""
    found = _SYNSET.fullmatch(name)
    return found[1] if found else name


def _entries(source: str, lines: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the names of the outputs, and their numbers if all lines have one; "" for outputs without a line."""
    lines = _without_empty(source, lines)
    entries = _numbered_lines(lines)
    return _numbered(source, entries) if entries else ([_whole_unquoted(line) for line in lines], [])


def first_number(lines: Sequence[str]) -> int | None:
    """Return the number of the first name in a list; None if not all its lines have a number."""
    entries = _numbered_lines([line for line in lines if line])
    return entries[0][0] if entries else None


def _numbered_lines(lines: Sequence[str]) -> list[tuple[int, str]]:
    """Return the number and the name of each line except a heading; empty if not all lines have both."""
    lines = [_whole_unquoted(line) for line in lines]
    for first in (0, 1):  # a heading may come before the numbers
        found = [_NUMBERED.fullmatch(line) for line in lines[first:]]
        if found and all(found) and (not first or _HEADER.fullmatch(lines[0])):
            return [(int(each[1]), unquoted(each[2])) for each in found if each]
    return []


def _whole_unquoted(line: str) -> str:
    """Return a line without the quotation marks around it, unless they belong to several fields."""
    return unquoted(line) if _QUOTED.fullmatch(line) else line


def _numbered(source: str, entries: list[tuple[int, str]]) -> tuple[list[str], list[str]]:
    numbers, names = [number for number, _ in entries], [name for _, name in entries]
    if numbers in (list(range(len(numbers))), list(range(1, len(numbers) + 1))):
        return names, [str(number) for number in numbers]
    number, count = Counter(numbers).most_common(1)[0]
    if count > 1:
        raise DatasetError(
            f"{source}: output {number} has {counted(count, 'name')}", "use each output's number once, from 0"
        )
    if max(numbers) > MAX_LABEL:
        raise DatasetError(f"{source}: output {max(numbers)} is above {MAX_LABEL:,}", "number the outputs from 0")
    by_number = dict(zip(numbers, names, strict=True))
    outputs = range(max(numbers) + 1)
    return (
        [by_number.get(number, f"output {number}") for number in outputs],
        [str(number) if number in by_number else "" for number in outputs],
    )


def _without_empty(source: str, lines: Sequence[str]) -> list[str]:
    """Return the lines without empty ones at the end; raise DatasetError for others, which would shift the outputs."""
    stripped = [line.strip() for line in lines]
    while stripped and not stripped[-1]:
        stripped.pop()
    if not stripped:
        raise DatasetError(f"{source}: no class names", "write one name per line")
    if "" in stripped:
        raise DatasetError(
            f"{source}: line {stripped.index('') + 1} is empty", "remove the line, or write the name of that output"
        )
    return stripped


def _index(texts: Sequence[str], key: _Key) -> dict[str, list[int]]:
    index: dict[str, list[int]] = {}
    for number, text in enumerate(texts):
        for form in dict.fromkeys(key(text)):
            if form:
                index.setdefault(form, []).append(number)
    return index


def _wanted_forms(name: str, key: _Key) -> Sequence[str]:
    if key in (_normalized, _loose_synonyms):
        return _normalized(name)
    folder = _SYNSET_FOLDER.match(name) if key is _synset_parts else None
    return [unicodedata.normalize("NFC", name), *([folder[1]] if folder else [])]


def _unchanged(text: str) -> list[str]:
    return [unicodedata.normalize("NFC", text)]


def _synset_parts(text: str) -> list[str]:
    found = _SYNSET.fullmatch(text)
    return [part for part in found.groups() if part] if found else []


def _normalized(text: str) -> list[str]:
    return [re.sub(r"[\s_-]+", " ", unicodedata.normalize("NFC", text).casefold()).strip()]


def _loose_synonyms(text: str) -> list[str]:
    found = _SYNSET.fullmatch(text)
    description = (found[2] or "") if found else text
    return [form for part in [description, *description.split(",")] for form in _normalized(part)]


def _refuse_shared(source: str, outputs: dict[str, int]) -> None:
    by_output: dict[int, str] = {}
    for name, output in outputs.items():
        if output in by_output:
            both = f"{recordable(by_output[output])} and {recordable(name)}"
            raise DatasetError(
                f"{source}: the classes {both} both match output {output}",
                "write both names as they are spelled in the data",
            )
        by_output[output] = name
