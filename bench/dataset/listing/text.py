"""Text of labels files and class lists: encodings, lines, and separators of fields."""

import codecs
import csv
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from edge_bench.bench.errors import DatasetError
from edge_bench.bench.io.files import read_bounded, why_unreadable

__all__ = ["Table", "read_lines", "tables", "unquoted"]

_MAX_TEXT = 64 << 20  # bytes; ImageNet's 50,000 lines are 2 MB
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"), (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip
_BLANKS = r"[ \t]+"
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


@dataclass(frozen=True)
class Table:
    """Lines of a file as rows of fields. All rows have the same number of fields, at least two."""

    rows: list[list[str]]
    lines: list[int]  # line in the file of each row, from 1


def read_lines(path: Path) -> list[str]:
    """Return the lines of a text file, stripped of blanks. Empty lines at its end are dropped.

    A byte order mark determines the encoding. Without one it is UTF-8, and invalid bytes become surrogates, as in file
    names. Raise DatasetError if the file is empty, too large or not text.
    """
    remedy = "use a text file with one entry per line"
    try:
        data = read_bounded(path, _MAX_TEXT)
        encoding = next((name for mark, name in _BYTE_ORDER_MARKS if data.startswith(mark)), "utf-8")
        text = data.decode(encoding, "surrogateescape" if encoding == "utf-8" else "strict")
    except UnicodeDecodeError:
        raise DatasetError(f"{path}: not a text file", remedy) from None
    except (OSError, ValueError) as cause:
        raise DatasetError(f"{path}: cannot be read: {why_unreadable(cause)}", remedy) from None
    if "\0" in text:
        raise DatasetError(f"{path}: not a text file", remedy)
    lines = [line.strip(" \t\f\v") for line in re.split(r"\r\n|\n|\r", text)]
    while lines and not lines[-1]:
        lines.pop()
    if not any(lines):
        raise DatasetError(f"{path}: empty file", remedy)
    return lines


def tables(lines: list[str]) -> Iterator[Table]:
    """Yield the possible readings of the lines as a table, the most likely first.

    A tab, comma or semicolon separates fields if all rows have the same number of them. Quotation marks protect it, as
    in CSV. Next come blanks, if all rows have the same number of fields. With more than two fields, all but one must be
    numbers in each row. Last is only the last or the first separator of each line, since names may contain others.
    """
    numbered = [(number, line) for number, line in enumerate(lines, 1) if line]
    separators = [mark for mark in "\t,;" if all(mark in line for _, line in numbered)]
    for mark in "\t,;":
        if mark in numbered[0][1] or '"' in numbered[0][1]:  # a quoted field may have several lines
            yield from _csv_table(lines, mark)
    yield from _blank_table(numbered)
    for mark in [*separators, " "]:
        pattern = re.compile(_BLANKS if mark == " " else re.escape(mark))
        for split in (_at_last, _at_first):
            rows = [split(line, pattern) for _, line in numbered]
            if all(len(row) == 2 for row in rows) and not (split is _at_first and _has_uneven_columns(rows, mark)):
                yield Table(rows, [number for number, _ in numbered])


def _csv_table(lines: list[str], separator: str) -> Iterator[Table]:
    reader = csv.reader(io.StringIO("\n".join(lines), newline=""), delimiter=separator, skipinitialspace=True)
    rows, numbers, line = list[list[str]](), list[int](), 1
    try:
        for row in reader:
            if any(row):
                rows.append([cell.strip() for cell in row])
                numbers.append(line)
            line = reader.line_num + 1
    except csv.Error:  # a field of more than 128 KiB
        return
    if rows and len(rows[0]) > 1 and all(len(row) == len(rows[0]) for row in rows):
        yield Table(rows, numbers)


def _blank_table(numbered: list[tuple[int, str]]) -> Iterator[Table]:
    rows = []
    for _, line in numbered:
        if '"' in line:
            try:
                row = next(csv.reader([line.replace("\t", " ")], delimiter=" ", skipinitialspace=True))
            except csv.Error:
                return
        else:
            row = re.split(_BLANKS, line)
        rows.append(row)
    width = len(rows[0])
    if width < 2 or any(len(row) != width for row in rows):
        return
    if width == 2 or all(sum(_NUMBER.fullmatch(cell) is not None for cell in row) >= width - 1 for row in rows[1:]):
        yield Table(rows, [number for number, _ in numbered])


def _has_uneven_columns(rows: list[list[str]], separator: str) -> bool:
    """Return whether the labels after the first separator look like several columns, of which some rows have more."""
    labels = [row[1] for row in rows]
    if separator == " ":
        return len({_NUMBER.fullmatch(re.split(_BLANKS, label)[0]) is None for label in labels}) > 1 or any(
            _NUMBER.fullmatch(label) for label in labels
        )
    fields = [label.split(separator) for label in labels]
    return any(len(each) > 1 and any(_NUMBER.fullmatch(field.strip()) for field in each) for each in fields)


def _at_last(line: str, pattern: re.Pattern[str]) -> list[str]:
    return _split_at(line, pattern, lambda matches: matches[-1])


def _at_first(line: str, pattern: re.Pattern[str]) -> list[str]:
    return _split_at(line, pattern, lambda matches: matches[0])


def _split_at(line: str, pattern: re.Pattern[str], choose: Callable[[list[re.Match[str]]], re.Match[str]]) -> list[str]:
    matches = list(pattern.finditer(line))
    if not matches:
        return [line]
    found = choose(matches)
    return [unquoted(line[: found.start()]), unquoted(line[found.end() :])]


def unquoted(cell: str) -> str:
    """Return a field without blanks and quotation marks around it; doubled ones in it, as in CSV, become single."""
    cell = cell.strip()
    if len(cell) > 1 and cell[0] == cell[-1] == '"':
        return cell[1:-1].replace('""', '"')
    return cell
