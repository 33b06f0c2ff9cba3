"""What a kept state consists of: its segments by the ticks at which events became known, their files, and what was counted."""

from __future__ import annotations

from collections.abc import Iterable

from pls_ml.core.files import digest_data
from pls_ml.core.spec import Spec

Coded = dict[str, tuple[str, ...]]
"""Property → values, in the order in which they became known."""


class StateFile(Spec):
    """One Parquet file: its name, rows, SHA-256, and the atoms it holds."""

    name: str
    rows: int
    sha256: str
    atoms: tuple[str, ...]

    def holds(self, atoms: Iterable[str]) -> bool:
        """Takes names of atoms; returns whether all of them are in it."""
        return set(atoms) <= set(self.atoms)


class Segment(Spec):
    """Events that became known in [since, until), in ticks: what became of the log's rows, the events by name, and the files.

    Several files hold different atoms of the same events; a segment without a row of the log has none.
    """

    since: int
    until: int
    read: int
    mark: int
    """Tells these rows of the log from others; see `Survey.mark`."""
    repeated: int = 0
    excluded: dict[str, int] = {}
    quarantined: dict[str, int] = {}
    names: dict[str, int] = {}
    """Usable rows by canonical event name, repeated ones included."""
    codes: Coded = {}
    """Values of properties kept as bits that were new in these events."""
    files: tuple[StateFile, ...] = ()

    def lacks(self, atom: str) -> bool:
        """Takes the name of an atom; returns whether the segment has events but no file with it."""
        return self.read > 0 and not any(atom in file.atoms for file in self.files)


class Totals(Spec):
    """Everything that was visible at tick `until`, per user and account: early days by tick, the rest in one row."""

    until: int
    file: StateFile


class Manifest(Spec):
    """A kept state: what it was made from (`made_from`), its segments side by side, its totals, and the log's rows without a time."""

    made_from: str
    segments: tuple[Segment, ...] = ()
    totals: tuple[Totals, ...] = ()
    undated: dict[str, int] = {}

    @property
    def until(self) -> int | None:
        """The tick up to which the state reaches."""
        return self.segments[-1].until if self.segments else None

    @property
    def read(self) -> int:
        """Rows of the log that were looked at."""
        return sum(segment.read for segment in self.segments) + sum(self.undated.values())

    @property
    def codes(self) -> Coded:
        """The values of properties kept as bits; a value's place is its bit."""
        return join_codes(*(segment.codes for segment in self.segments))

    def codes_at(self, tick: int) -> Coded:
        """Takes a tick at which a segment ends; returns the codes as they were there."""
        return join_codes(*(segment.codes for segment in self.segments if segment.until <= tick))

    @property
    def files(self) -> tuple[StateFile, ...]:
        """The files of all segments."""
        return tuple(file for segment in self.segments for file in segment.files)

    @property
    def names_of_files(self) -> set[str]:
        """Every file, those of the totals as well."""
        return {file.name for file in self.files} | {totals.file.name for totals in self.totals}

    @property
    def digest(self) -> str:
        """What was read of the log, and how, in one digest, however the state came about; values of properties are not in it."""
        counts = {field: self.count(field) for field in ("names", "excluded", "quarantined")}
        mark = sum(segment.mark for segment in self.segments) % 2**64
        return digest_data({"made_from": self.made_from, "read": self.read, "mark": str(mark), "undated": self.undated, **counts})

    @property
    def quarantined(self) -> dict[str, int]:
        """Rows of the log that could not be used, by reason."""
        return add_counts(self.undated, *(segment.quarantined for segment in self.segments))

    def count(self, field: str) -> dict[str, int]:
        """Takes 'excluded', 'quarantined' or 'names'; returns its counts over all segments, in alphabetical order."""
        return add_counts(*(getattr(segment, field) for segment in self.segments))


def add_counts(*counts: dict[str, int]) -> dict[str, int]:
    """Takes counts by key; returns their sums, by key in alphabetical order."""
    return {key: sum(one.get(key, 0) for one in counts) for key in sorted({key for one in counts for key in one})}


def join_codes(*codes: Coded) -> Coded:
    """Takes codes, the earlier ones first; returns for each property all its values in that order."""
    return {name: tuple(v for one in codes for v in one.get(name, ())) for name in sorted({name for one in codes for name in one})}
