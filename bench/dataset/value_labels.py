"""True values as numbers: a .npy, an .npz, or a table with one or more numbers for each example."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge_bench.bench.dataset.listing.columns import is_label_heading
from edge_bench.bench.dataset.listing.match import ImagePaths, match
from edge_bench.bench.dataset.listing.text import read_lines, tables
from edge_bench.bench.errors import DatasetError
from edge_bench.bench.io.archives import ARCHIVE_ERRORS
from edge_bench.bench.io.files import why_unreadable
from edge_bench.bench.io.names import recordable
from edge_bench.bench.io.npy import open_npy
from edge_bench.bench.wording import abbreviate, counted

__all__ = ["TrueValues", "read_values", "task_of_values"]

Values = npt.NDArray[np.float64]
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?|[+-]?(nan|inf|infinity)", re.IGNORECASE)
_THOUSANDS, _BELOW_THOUSAND = re.compile(r"[+-]?[1-9][0-9]{0,2}\.[0-9]{3}"), re.compile(r"[+-]?[0-9]{1,3}")
_LABEL_KEYS = ("labels", "y_test", "y", "targets")
_REMEDY = "use a .npy, an .npz with one array, or a .csv with a line FILE,NUMBER,… for each example"
_MOST_BYTES = 1 << 30


@dataclass(frozen=True)
class TrueValues:
    """Numbers of all examples, float64 [examples, columns], all finite; headings of a table's columns, if any."""

    values: Values
    headings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Table:
    rows: list[list[str]]
    lines: list[int]  # in the file, from 1


def read_values(
    path: Path,
    count: int,
    folder: Path | None = None,
    files: Sequence[str] = (),
    column: str | None = None,
    output: str | None = None,
) -> TrueValues:
    """Read the true values of all ``count`` examples.

    files: of the examples in ``folder``, if they are files. A table then has a column of file names. Arrays have one
    row per example, for files in the order of their sorted names. column: heading or number, from 1, of the only column
    to use. output: name of the model's output, if set; an .npz may have an array of this name. Raise DatasetError if
    rows are missing, or a value is not a finite number.
    """
    if path.suffix in (".npy", ".npz"):
        values, headings, places = _from_array(path, output), tuple[str, ...](), list[int]()
        notes = _order_note(path, files) if files else ()
    else:
        values, headings, places = _from_text(path, folder, files, column)
        notes = ()
    if len(values) != count:
        raise DatasetError(
            f"{path}: {counted(len(values), 'row')} of true values for {counted(count, 'example')}",
            "provide one row for each example",
        )
    wrong = ~np.isfinite(values).all(axis=1)
    if wrong.any():
        row = int(wrong.argmax())
        place = f"line {places[row]}" if places else f"row {row:,}"
        raise DatasetError(f"{path}: {place}: a value that is not finite", "remove examples with unknown values")
    return TrueValues(values, headings, notes)


def task_of_values(path: Path, output: str | None = None) -> str | None:
    """Return the only task that fits these values: regress for fractions, multilabel for rows with sets of classes.

    None for class labels, and for files that do not contain numbers. output: as in `read_values`
    """
    if path.suffix in (".npy", ".npz"):
        values, classes_possible = _from_array(path, output), True
    else:
        try:
            found = _numbers_only(path)
        except DatasetError:
            return None
        if found is None:
            return None
        values, classes_possible = found
    finite = values[np.isfinite(values).all(axis=1)]
    if (finite != np.rint(finite)).any():
        return "regress" if values.shape[1] == 1 or classes_possible else None
    is_flags = values.shape[1] > 1 and bool(((values == 0) | (values == 1)).all())
    if is_flags and classes_possible and (values.sum(axis=1) > 1).any():
        return "multilabel"
    return None


def _from_array(path: Path, output: str | None) -> Values:
    try:
        if path.suffix == ".npz":
            return _table_of(_array_of_labels(path, output), path)
        return _table_of(open_npy(path), path)
    except FileNotFoundError:
        raise DatasetError(f"{path}: no such file") from None
    except (OSError, *ARCHIVE_ERRORS) as cause:
        raise DatasetError(f"{path}: not an array of numbers: {why_unreadable(cause)}", _REMEDY) from None


def _array_of_labels(path: Path, output: str | None) -> npt.NDArray[np.generic]:
    import zipfile

    from edge_bench.bench.dataset.arrays import extracted_array
    from edge_bench.bench.io.files import open_regular_file

    with open_regular_file(path) as file, zipfile.ZipFile(file) as archive:
        members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
        named = [name for name in (output, *_LABEL_KEYS) if name is not None and name in members]
        chosen = named[0] if named else next(iter(members)) if len(members) == 1 else None
        if chosen is None:
            raise DatasetError(
                f"{path}: unclear which array to use: {abbreviate(list(members))}",
                f"set the output with --output if an array has its name, or rename one to {' or '.join(_LABEL_KEYS)}",
            )
        return open_npy(extracted_array(archive, members[chosen], path))


def _table_of(array: npt.NDArray[np.generic], path: Path) -> Values:
    if array.dtype.kind not in "iufb" or array.ndim < 1 or not array.size or array.size * 8 > _MOST_BYTES:
        raise DatasetError(
            f"{path}: {array.dtype} of shape {list(array.shape)}", "provide a row of numbers per example"
        )
    return np.asarray(array).reshape(len(array), -1).astype(np.float64)


def _order_note(path: Path, files: Sequence[str]) -> tuple[str, ...]:
    """Return how rows were matched with files; raise DatasetError if the order of the files is ambiguous."""
    natural = sorted(files, key=lambda name: [int(p) if p.isdecimal() else p for p in re.split(r"([0-9]+)", name)])
    if natural != list(files):
        raise DatasetError(
            f"{path}: unclear which row belongs to which file: alphabetical and numeric order of the names differ",
            "use a .csv with lines FILE,NUMBER",
        )
    return (f"true values: the rows of {path.name} in the order of the sorted file names",)


def _readings(path: Path) -> list[_Table]:
    """Return the possible readings of a text file, the most likely first."""
    lines = read_lines(path)
    single = _Table([[line] for line in lines if line], [n for n, line in enumerate(lines, 1) if line])
    return [*(_Table(each.rows, each.lines) for each in tables(lines)), single]


def _from_text(
    path: Path, folder: Path | None, files: Sequence[str], column: str | None
) -> tuple[Values, tuple[str, ...], list[int]]:
    readings = _readings(path)
    if not files:
        table, names, order = _most_numbers(readings), None, None
    else:
        table, names, order = _by_file(path, readings, folder or Path(), files)
    header = _has_heading(table, names, order)
    headings = table.rows[0] if header else []
    columns = _value_columns(path, table, names, headings, column)
    rows = order if order is not None else list(range(header, len(table.rows)))
    values = np.empty((len(rows), len(columns)))
    for place, row in enumerate(rows):
        for number, each in enumerate(columns):
            cell = table.rows[row][each]
            if not _NUMBER.fullmatch(cell):
                raise DatasetError(
                    f"{path}: line {table.lines[row]}: {recordable(cell)[:40]!r} is not a number", _REMEDY
                )
            values[place, number] = float(cell)
    _refuse_thousands(path, [table.rows[row][each] for row in rows for each in columns])
    shown = tuple(recordable(headings[each]) for each in columns) if headings else ()
    return values, shown, [table.lines[row] for row in rows]


def _refuse_thousands(path: Path, cells: Sequence[str]) -> None:
    """Raise DatasetError if 1.016 beside 719 probably means 1016. If it were a fraction, others would have one, too."""
    dotted = [cell for cell in cells if "." in cell]
    others = [cell for cell in cells if "." not in cell]
    if dotted and others and all(map(_THOUSANDS.fullmatch, dotted)) and all(map(_BELOW_THOUSAND.fullmatch, others)):
        raise DatasetError(
            f"{path}: {dotted[0]} beside {others[0]}: points seem to be thousands separators",
            "write numbers without separators, and fractions with all their digits, such as 719.000",
        )


def _most_numbers(readings: Sequence[_Table]) -> _Table:
    """Return the first reading in which all cells except headings are numbers, otherwise the first."""
    for table in readings:
        if all(_NUMBER.fullmatch(cell) for row in table.rows[1:] for cell in row):
            return table
    return readings[0]


def _by_file(
    path: Path, readings: Sequence[_Table], folder: Path, files: Sequence[str]
) -> tuple[_Table, int, list[int]]:
    """Return the table, its column of file names, and the row of each file."""
    images = ImagePaths(folder, files)
    best: tuple[int, _Table, int] | None = None
    for table in readings:
        for column in range(len(table.rows[0])):
            names = [row[column] for row in table.rows]
            covered = match(images, names, list(range(len(names)))).covered
            if len(table.rows[0]) > 1 and covered and (best is None or covered > best[0]):
                best = covered, table, column
        if best is not None and best[0] == len(files):
            break
    if best is None:
        raise DatasetError(f"{path}: names none of {counted(len(files), 'file')}, such as {files[0]}", _REMEDY)
    _, table, column = best
    found = match(images, [row[column] for row in table.rows], list(range(len(table.rows))))
    if found.conflicts:
        number = min(found.conflicts)
        raise DatasetError(
            f"{path}: several lines match {recordable(files[number])}", "write each file's path in the folder once"
        )
    missing = [recordable(name) for number, name in enumerate(files) if number not in found.lines]
    if missing:
        raise DatasetError(
            f"{path}: no values for {len(missing):,} of {counted(len(files), 'example')}: {abbreviate(missing)}",
            "add them, or move these files elsewhere",
        )
    return table, column, [found.lines[number] for number in range(len(files))]


def _has_heading(table: _Table, names: int | None, order: list[int] | None) -> bool:
    if order is not None and 0 in order:
        return False
    cells = [cell for number, cell in enumerate(table.rows[0]) if number != names]
    return not all(_NUMBER.fullmatch(cell) for cell in cells)


def _value_columns(
    path: Path, table: _Table, names: int | None, headings: Sequence[str], stated: str | None
) -> list[int]:
    columns = [number for number in range(len(table.rows[0])) if number != names]
    if stated is None:
        return columns
    chosen = [number for number in columns if headings and headings[number].strip() == stated.strip()]
    if not chosen and re.fullmatch(r"[0-9]{1,4}", stated):
        chosen = [number for number in columns if number == int(stated) - 1]
    if len(chosen) != 1:
        raise DatasetError(f"{path}: --label-column {stated[:80]} is not one of its value columns", _REMEDY)
    return chosen


def _numbers_only(path: Path) -> tuple[Values, bool] | None:
    """Return the numbers of a table besides at most one column of names, and whether no heading is of class labels."""
    for table in _readings(path):
        body = table.rows[1:] if len(table.rows) > 1 else table.rows
        numeric = [all(_NUMBER.fullmatch(row[n]) for row in body) for n in range(len(body[0]))]
        if not any(numeric) or numeric.count(False) > 1:
            continue
        columns = [number for number, each in enumerate(numeric) if each]
        first = table.rows[0]
        has_heading = not all(_NUMBER.fullmatch(first[number]) for number in columns)
        labels = has_heading and any(is_label_heading(first[number]) for number in columns)
        rows = body if has_heading else table.rows
        return np.array([[float(row[number]) for number in columns] for row in rows], np.float64), not labels
    return None
