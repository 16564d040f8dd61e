"""Tables for Python: pandas data frames, or structured numpy arrays without pandas."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Frame", "frame", "frame_of_records", "joined"]

#: A structured array with the same columns if pandas is not installed.
Frame: TypeAlias = "pd.DataFrame"
Column = npt.NDArray[Any]


def frame(columns: Mapping[str, Column]) -> Frame:
    """Return columns of equal length as a data frame, or as a structured array, shape [rows], without pandas."""
    try:
        import pandas as pd
    except ImportError:
        pass
    else:
        return pd.DataFrame(dict(columns))
    length = len(next(iter(columns.values()), ()))
    table: Any = np.empty(length, [(name, values.dtype) for name, values in columns.items()])
    for name, values in columns.items():
        table[name] = values
    return table


def frame_of_records(records: Sequence[Mapping[str, Any]]) -> Frame:
    """Return records as a frame with one column per field. Fields that are lists or records are left out.

    A missing number is NaN, a missing text or boolean is None. A field without a value in any record is NaN.
    """
    names = list(dict.fromkeys(name for record in records for name in record))
    values = {name: [record.get(name) for record in records] for name in names}
    return frame(
        {name: _column(each) for name, each in values.items() if not any(isinstance(v, list | dict) for v in each)}
    )


def joined(parts: Sequence[Mapping[str, Column]]) -> dict[str, Column]:
    """Return the columns of several tables with the same columns, one below the other."""
    return {name: np.concatenate([part[name] for part in parts]) for name in (parts[0] if parts else ())}


def _column(values: Sequence[Any]) -> Column:
    known = [each for each in values if each is not None]
    if any(isinstance(each, bool | str) for each in known):
        is_complete = len(known) == len(values) and all(isinstance(each, bool) for each in known)
        return np.array(values, np.bool_ if is_complete else object)
    if known and len(known) == len(values) and all(isinstance(each, int) for each in known):
        return np.array(values, np.int64)
    return np.array([np.nan if each is None else each for each in values], np.float64)
