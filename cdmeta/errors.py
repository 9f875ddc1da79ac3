"""What a caller may catch: something could not be done. What is wrong with data is a finding, not an error."""

from __future__ import annotations


class CdmetaError(Exception):
    """Base of all errors of cdmeta; its text is one line, fit to be shown to a person.

    Its only argument is a `phrase.Phrase`, so that it can be told in any language; `str` tells it in English.
    """


class PackageError(CdmetaError):
    """There is nothing at the path that can be opened as a data package."""


class TableError(CdmetaError):
    """A file could not be read as a table with one name for each column."""


class SheetError(CdmetaError):
    """A file is no sheet that was made to be filled in, or is too large or too strange to be opened."""


class ApprovalError(CdmetaError):
    """A package could not be approved, or an approval does not hold.

    Attributes:
        because: each reason as a phrase, at least one.
    """

    def __init__(self, message: object, reasons: tuple[object, ...] = ()) -> None:
        super().__init__(message)
        self.because = reasons or (message,)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Each reason in one sentence, in English, at least one."""
        return tuple(str(reason) for reason in self.because)


class KeyFileError(CdmetaError):
    """A key, a signature or an allowed-signers file could not be read or written."""


class ConversionError(CdmetaError):
    """A package could not be turned into the format asked for."""


class MemoryUsedUpError(ConversionError):
    """The engine needs more memory for the rows than it may have."""


class OutputError(CdmetaError):
    """Output could not be written: the folder is not empty, the disk is full, no permission."""


class UnknownNameError(CdmetaError):
    """A code, field, code list or format that does not exist; the message names the nearest."""
