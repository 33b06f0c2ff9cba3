"""Errors by culprit: each names the value, what was expected and the next step, and carries its exit code."""

from difflib import get_close_matches
from typing import ClassVar


class PlsError(Exception):
    """Base of every named condition; the command line prints it without a traceback."""

    exit_code: ClassVar[int] = 1


class ConfigError(PlsError, ValueError):
    """The project file, a catalogue or a card is wrong."""

    exit_code = 3


class DataError(PlsError, ValueError):
    """The data break the contract."""

    exit_code = 4


class TableError(DataError):
    """A table is missing, unreadable, or lacks columns."""


class LeakageError(DataError):
    """A signal knows the outcome."""


class ImmatureOutcomesError(DataError):
    """No outcome is old enough to be counted."""


class UnknownLeadError(DataError, LookupError):
    """The lead asked for is not among the scored ones."""


class UnknownNameError(PlsError, KeyError):
    """A result has nothing of the name asked for."""

    exit_code = 4

    def __str__(self) -> str:
        return str(self.args[0])  # a KeyError would print its sentence in quotes


class BundleError(PlsError, ValueError):
    """A bundle is missing, damaged, or does not fit the data."""

    exit_code = 5


class GateError(PlsError, ValueError):
    """A gate kept something from being published or promoted."""

    exit_code = 6


class WriteError(PlsError, OSError):
    """An output could not be written."""

    exit_code = 73


class BusyError(PlsError, BlockingIOError):
    """Another run is at work on the same files; trying again later will do."""

    exit_code = 75


class MissingExtraError(PlsError, ImportError):
    """An optional dependency is not installed."""

    exit_code = 3


def suggest(name: str, known: list[str] | tuple[str, ...]) -> str:
    """Takes a wrong name and the right ones; returns ' (did you mean …?)' or an empty string."""
    by_lower = {other.lower(): other for other in reversed(known)}
    near = get_close_matches(name.lower(), by_lower, n=1, cutoff=0.6)
    return f" (did you mean '{by_lower[near[0]]}'?)" if near else ""
