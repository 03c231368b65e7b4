"""Data frames and arrays as the engine's tables."""

import narwhals.stable.v1 as nw
import numpy as np
from scipy.sparse import issparse

from . import _engine
from ._files import label_of

# How messages call the table.
SOURCE = "the data"


def columns_of(X):
    """The columns of a frame or an array of two dimensions by their names, in their order, and whether the names are its own."""
    if issparse(X):
        raise TypeError(
            "Sparse data was passed for X, but dense data is required. Use '.toarray()' to convert to a dense numpy array."
        )
    frame = nw.from_native(X, eager_only=True, pass_through=True)
    if isinstance(frame, nw.DataFrame):
        # pandas has names that are no texts.
        native = list(X.columns) if hasattr(X, "iloc") else frame.columns
        names = [str(name) for name in native]
        if len(set(names)) != len(names):
            raise ValueError("X has two columns of one name: rename one of them")
        return dict(zip(names, frame.iter_columns())), all(isinstance(name, str) for name in native)
    values = np.asarray(X)
    if values.ndim != 2:
        raise ValueError(f"X has {values.ndim} dimensions. Expected 2D array, rows and columns: reshape your data")
    return {f"x{at}": values[:, at] for at in range(values.shape[1])}, False


def table_of(columns):
    """The engine's table of columns."""
    table = _engine.Table(SOURCE)
    for name, column in columns.items():
        add(table, name, column)
    return table


def add(table, name, column):
    """Adds a column as what it holds: numbers, dates, or texts, which are categories, as truth values are."""
    if isinstance(column, nw.Series):
        dtype = column.dtype
        if dtype.is_numeric():
            return table.add_numbers(name, column.cast(nw.Float64).to_numpy().astype(np.float64, copy=False))
        if dtype in (nw.Date, nw.Datetime):
            return add_dates(table, name, column)
        if dtype == nw.Duration:
            raise ValueError(f"column {name!r} holds durations: expected numbers, texts, dates or truth values")
        return add_labels(table, name, column.to_list())
    if column.dtype.kind in "fiu":
        return table.add_numbers(name, column.astype(np.float64, copy=False))
    if column.dtype.kind == "M":
        return table.add_dates(name, *seconds_of(column.astype("datetime64[us]")))
    return add_labels(table, name, column.tolist())


def add_dates(table, name, column):
    """The dates by the clock that they were written by."""
    if column.dtype == nw.Date:
        column = column.cast(nw.Datetime("us"))
    elif getattr(column.dtype, "time_zone", None):
        column = column.dt.replace_time_zone(None)
    table.add_dates(name, *seconds_of(column.to_numpy().astype("datetime64[us]")))


def seconds_of(dates):
    """Seconds since the start of 1970, NaN where one is missing, and whether any has a time of day."""
    seconds = dates.astype(np.int64) / 1e6
    seconds[np.isnat(dates)] = np.nan
    return seconds, bool(np.any(seconds[np.isfinite(seconds)] % 86_400 != 0))


def add_labels(table, name, values):
    """Cells of any kind: numbers where all are, else texts. None, NaN and pandas' NA are missing."""
    codes = Codes()
    try:
        of_rows = np.fromiter(map(codes.__getitem__, values), dtype=np.int64, count=len(values))
    except TypeError as error:
        raise ValueError(f"column {name!r} holds {error}: expected numbers, texts, dates or truth values") from None
    found = [value for value, code in codes.items() if code >= 0]
    if found and all(isinstance(value, (int, float, np.number)) and not isinstance(value, bool) for value in found):
        numbers = [np.nan if code < 0 else float(value) for value, code in zip(values, of_rows)]
        return table.add_numbers(name, np.array(numbers, dtype=np.float64))
    return table.add_texts(name, list(codes.labels), of_rows)


class Codes(dict):
    """The number of the label of each value that was asked for, -1 for one that is missing."""

    def __init__(self):
        super().__init__()
        self.labels = {}

    def __missing__(self, value):
        code = -1 if is_missing(value) else self.labels.setdefault(label_of(value), len(self.labels))
        self[value] = code
        return code


def is_missing(value):
    # pandas' NA is neither equal nor unequal to itself.
    return (
        value is None
        or type(value).__name__ in ("NAType", "NaTType")
        or (isinstance(value, (float, np.floating)) and value != value)
    )
