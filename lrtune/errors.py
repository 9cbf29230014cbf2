"""Every exception of lrtune, under one base class.

The command line prints the message of any of them on one line and exits with code 2; anything
else is a bug of ours and shows its traceback.
"""

from __future__ import annotations


class LrtuneError(Exception):
    """Base class: catching it catches whatever lrtune raises on purpose."""


class ArgumentError(LrtuneError, ValueError):
    """An argument outside its domain. The message names it, its value and what would be right."""


class DataError(LrtuneError, ValueError):
    """Images or labels that cannot be used: missing, damaged, or of the wrong shape or kind."""


class RunFolderError(LrtuneError):
    """A run folder that cannot be created, read or continued."""


class OtherSearchError(RunFolderError):
    """A run folder that holds another search.

    Attributes:
        typed: the same message in the words of the command line.
    """

    def __init__(self, message: str, typed: str = "") -> None:
        super().__init__(message)
        self.typed = typed or message


class SearchError(LrtuneError):
    """A search that cannot go on: no trial can succeed, or the hypermodel cannot be used."""


class UnsendableJobError(SearchError):
    """A hypermodel or data that cannot be sent to worker processes."""
