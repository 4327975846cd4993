"""What can go wrong. Each message is one line: where, what was found, and what to do."""

from __future__ import annotations


class SegreWarning(UserWarning):
    """Something that is done in another way than one might expect, such as a column that is left out."""


class Error(Exception):
    """Whatever goes wrong in Segre."""


class DataError(Error, ValueError):
    """Data that cannot be read, or do not fit the model.

    Attributes
    ----------
    column : str or None
        The column, or the site of an array.
    row : int or None
        The row: in a file of text its line from 1, in frames and arrays a count from 0.
    value : str or None
        What is there.
    """

    def __init__(
        self,
        message: str,
        column: str | None = None,
        row: int | None = None,
        value: str | None = None,
    ) -> None:
        super().__init__(message, column, row, value)
        self.message = message
        self.column = column
        self.row = row
        self.value = value

    def __str__(self) -> str:
        return self.message


class SettingError(Error, ValueError):
    """A setting that does not exist, is out of its range, or means nothing here."""


class FileError(Error, OSError):
    """A file that cannot be read or written, or is damaged."""


class FolderExistsError(Error, FileExistsError):
    """The folder of a new run is there already."""


class EnergyError(Error, ValueError):
    """An energy model that cannot be read or inferred in."""
