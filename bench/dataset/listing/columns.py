"""The columns of a labels file that name the images and their labels."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edge_bench.bench.dataset.listing.match import Conflict, ImagePaths, Matches, match
from edge_bench.bench.dataset.listing.text import Table, tables
from edge_bench.bench.dataset.listing.walk import SUFFIXES
from edge_bench.bench.errors import DatasetError
from edge_bench.bench.wording import abbreviate, counted

__all__ = ["LABEL_HEADINGS", "Labelled", "is_label_heading", "labels_by_file"]

#: Known headings of columns, in lower case with underscores.
LABEL_HEADINGS = {
    "label", "labels", "class", "classes", "classid", "class_id", "class_index", "class_idx", "class_label",
    "class_no", "class_number", "classname", "class_name", "category", "category_id", "category_name", "target",
    "targets", "y", "y_true", "ground_truth", "groundtruth", "gt", "truth", "label_id", "label_idx", "label_index",
    "label_name", "labelid", "labelname", "true_label", "synset", "wnid",
}  # fmt: skip
_FILE_HEADINGS = {
    "file", "files", "filename", "file_name", "filenames", "filepath", "file_path", "path", "paths", "image", "images",
    "image_file", "image_name", "imagename", "image_path", "imagepath", "img", "img_name", "img_path", "image_id",
    "imageid", "id", "name", "photo", "picture",
}  # fmt: skip
_WHOLE = re.compile(r"[0-9]+")


@dataclass(frozen=True)
class Labelled:
    """The label of each image as text, and the line of the labels file that states it."""

    labels: list[str]
    lines: list[int]
    notes: list[str]


def is_label_heading(cell: str) -> bool:
    """Return whether a cell is a known heading of a column of labels."""
    return _normalized(cell) in LABEL_HEADINGS


def labels_by_file(
    path: Path, lines: list[str], folder: Path, files: Sequence[str], label_column: str | None, *, names_known: bool
) -> Labelled | None:
    """Return the label of each file from a table; None if no reading of the lines names any of the files.

    label_column: heading or number, from 1, of the column of labels; by default the only or best known one
    names_known: whether class names can be matched with the model's outputs. Otherwise numbers are preferred

    Raise DatasetError if images have no label, or several, or if it is unclear which column contains the labels.
    """
    images = ImagePaths(folder, files)
    best: _Reading | None = None
    for table in tables(lines):
        reading = _Reading.of(table, images, label_column)
        if reading.matches.covered > (best.matches.covered if best else 0):
            best = reading
        if best and best.matches.covered == len(files):
            break
    if best is None:
        return None
    column, notes = best.label_column(path, label_column, names_known=names_known)
    names = [row[best.file_column] for row in best.rows]
    matches = match(images, names, [row[column] for row in best.rows])
    _refuse_conflicts(path, files, best, matches)
    missing = [n for n in range(len(files)) if n not in matches.lines or not best.rows[matches.lines[n]][column]]
    if missing:
        raise DatasetError(
            f"{path}: no label for {len(missing):,} of {counted(len(files), 'image')}, such as {files[missing[0]]}",
            "add a line FILE LABEL for each image",
        )
    if matches.by_stem:
        notes.append(f"{path.name}: {counted(matches.by_stem, 'image')} matched by name without suffix")
    if matches.by_name_only:
        notes.append(f"{path.name}: {counted(matches.by_name_only, 'image')} matched by name only, in another folder")
    rows = [matches.lines[number] for number in range(len(files))]
    return Labelled([best.rows[row][column] for row in rows], [best.lines[row] for row in rows], notes)


@dataclass(frozen=True)
class _Reading:
    """A table and its column of file names."""

    headings: list[str] | None
    rows: list[list[str]]
    lines: list[int]
    file_column: int
    matches: Matches  # regardless of labels

    @classmethod
    def of(cls, table: Table, images: ImagePaths, label_column: str | None) -> "_Reading":
        """Find the column whose values match the most images, by whole names if possible."""
        has_headings = _is_header(table.rows[0], images, label_column)
        rows, lines = (table.rows[1:], table.lines[1:]) if has_headings else (table.rows, table.lines)
        headings = table.rows[0] if has_headings else None

        def quality(column: int) -> tuple[int, int, bool, int]:
            known = headings is not None and _normalized(headings[column]) in _FILE_HEADINGS
            return found[column].covered, -found[column].by_stem, known, -column

        found = [match(images, [row[n] for row in rows], [None] * len(rows)) for n in range(len(table.rows[0]))]
        best = max(range(len(found)), key=quality)
        return cls(headings, rows, lines, best, found[best])

    def label_column(self, path: Path, stated: str | None, *, names_known: bool) -> tuple[int, list[str]]:
        """Return the column of labels, and notes that say why if there are others."""
        others = [n for n in range(len(self.rows[0])) if n != self.file_column and any(row[n] for row in self.rows)]
        if stated is not None:
            column = self._column_called(stated)
            if column not in others:
                raise DatasetError(
                    f"{path}: --label-column {stated} is not one of its label columns", self._choices(others)
                )
            return column, [f"labels: column {self._title(column)} of {path.name}, as set"]
        if not others:
            raise DatasetError(f"{path}: file names but no labels", "add a label to each line: FILE LABEL")
        if len(others) == 1:
            return others[0], []
        known = [n for n in others if self.headings and is_label_heading(self.headings[n])]
        column = self._only_meaning(known, names_known=names_known)
        if column is None:
            raise DatasetError(
                f"{path}: unclear which of its {counted(len(others), 'column')} contains the labels",
                self._choices(others),
            )
        text = f"labels: column {self._title(column)} of {path.name}, by its heading; --label-column selects another"
        return column, [text]

    def _only_meaning(self, known: list[int], *, names_known: bool) -> int | None:
        """Return the column if all known ones agree: numbers, names, or one column of each, one to one."""
        distinct: list[int] = []
        for column in known:
            if all(any(row[column] != row[other] for row in self.rows) for other in distinct):
                distinct.append(column)
        if len(distinct) == 1:
            return distinct[0]
        numbers = [n for n in distinct if all(_WHOLE.fullmatch(row[n]) for row in self.rows)]
        if len(distinct) != 2 or len(numbers) != 1:
            return None
        pairs = {(row[distinct[0]], row[distinct[1]]) for row in self.rows}
        if not len({first for first, _ in pairs}) == len({second for _, second in pairs}) == len(pairs):
            return None
        return next(n for n in distinct if (n in numbers) != names_known)

    def _column_called(self, stated: str) -> int | None:
        if self.headings:
            for name in (str.strip, _normalized):
                found = [n for n, heading in enumerate(self.headings) if name(heading) == name(stated)]
                if len(found) == 1:
                    return found[0]
        return int(stated) - 1 if re.fullmatch(r"[0-9]{1,4}", stated) else None

    def _title(self, column: int) -> str:
        return f"{column + 1} ({self.headings[column]})" if self.headings else str(column + 1)

    def _choices(self, columns: list[int]) -> str:
        if not columns:
            return "omit --label-column"
        first = self.headings or self.rows[0]
        # a first line without known headings may still have headings, unless it names an image
        where = " in the first line" if not self.headings and 0 in self.matches.lines.values() else ""
        known = sorted(columns, key=lambda n: not is_label_heading(first[n]))
        names = abbreviate([f"{n + 1} ({first[n] or 'no heading'}{where if first[n] else ''})" for n in known])
        return f"set it with --label-column: {names}"


def _is_header(row: list[str], images: ImagePaths, label_column: str | None) -> bool:
    """Return whether the first row has headings: all are known, or some are and none can be a value."""
    cells = [_normalized(cell) for cell in row]
    known = [cell in LABEL_HEADINGS or cell in _FILE_HEADINGS for cell in cells]
    if all(known):
        return True
    if label_column is not None and _normalized(label_column) in cells and not _WHOLE.fullmatch(label_column):
        return True
    values = any(_WHOLE.fullmatch(cell) or Path(cell).suffix.lower() in SUFFIXES for cell in row)
    return any(known) and not values and not any(match(images, [cell], [None]).covered for cell in row)


def _refuse_conflicts(path: Path, files: Sequence[str], reading: _Reading, matches: Matches) -> None:
    if not matches.conflicts:
        return
    conflict: Conflict = matches.conflicts[min(matches.conflicts)]
    shown, lines = files[conflict.image], [reading.lines[row] for row in conflict.lines]
    if conflict.other_image is not None:
        problem = f"line {lines[0]} matches both {files[conflict.other_image]} and {shown}"
    else:
        problem = f"lines {lines[0]} and {lines[1]} have different labels for {shown}"
    raise DatasetError(f"{path}: {problem}", "write one line per image, with its path in the folder")


def _normalized(heading: str) -> str:
    return re.sub(r"[\s_-]+", "_", heading.strip().casefold()).strip("_")
