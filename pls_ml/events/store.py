"""The state on disk: grown by what became known since, extended by new atoms, closed by months, and read as one table.

Segments lie side by side by the ticks at which their events became known. One once written changes no more, until its month is complete
and its parts become one file. Every file is known by its SHA-256, which is in its name as well: no file is ever written over.

One run at a time brings the state up to date; any number may read it meanwhile, for the files they read stay until nobody reads.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

from pls_ml.core.atoms import Atom, coded_properties
from pls_ml.core.errors import TableError
from pls_ml.core.files import digest_data, digest_file, write_json
from pls_ml.core.locks import SharedUse, hold_alone
from pls_ml.core.protocols import WriteBatches
from pls_ml.events.files import StateFiles
from pls_ml.events.log import Log, Span, Survey
from pls_ml.events.logged import computable, find_values, find_wanted, open_logged
from pls_ml.events.manifest import Coded, Manifest, Segment, StateFile, Totals, join_codes
from pls_ml.events.months import close_months, split_months, sum_up
from pls_ml.events.quarantine import count_rows, count_undated, open_quarantine, refuse_mostly_bad
from pls_ml.events.rolling import Rolled, roll
from pls_ml.events.state import columns_of, make_codes

CHUNK_ROWS = 8_000_000
"""Rows of the log that are rolled up in one go: more would only take more memory."""
FORMAT = 3
"""Of the files; another one means to build the state again."""
SCRATCH = ("rolled", "owners", "first_of_each", "repeated")
"""Tables that are needed no more when everything is rolled up."""
END_OF_TIME = 2**62
MANIFEST = "manifest.json"
LEFTOVERS = ("*.parquet", "*.draft", ".*.part")


@dataclass(frozen=True)
class Update:
    """A state brought up to date: its manifest, and what had to be done beyond adding what became known since, in words."""

    manifest: Manifest
    done: tuple[str, ...]


class StateStore:
    """The kept state of one log."""

    def __init__(self, folder: Path, write: WriteBatches) -> None:
        """Takes the folder that holds the state, made when first brought up to date, and what writes Parquet."""
        self.folder = folder
        self.files = StateFiles(folder, write)
        self._use: SharedUse | None = None

    def read(self) -> Manifest | None:
        """Takes nothing; returns what is kept, or nothing where there is none that can be read."""
        try:
            written = json.loads((self.folder / MANIFEST).read_text(encoding="utf-8"))
            return Manifest.model_validate(written["kept"]) if written["sha256"] == digest_data(written["kept"]) else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def update(self, log: Log, survey: Survey, atoms: Sequence[Atom], until: int) -> Update:
        """Takes a log, when its rows became known, the atoms wanted and the tick to reach; returns the state brought up to date.

        Where the log's past, or a file, changed, the state is built again from there on; atoms that are new are built alone for the
        events already kept. Its files stay readable for as long as this store is there. Refuses a log of which too large a share is
        unusable, or of which nothing is known yet at `until`, and a state that another run is bringing up to date.
        """
        if until <= survey.ticks[0]:
            first, end = (log.grain.start_of(tick) for tick in (int(survey.ticks[0]), until))
            raise TableError(
                f"nothing is known yet at the end of the data, {end}: the log begins on {first:%Y-%m-%d}; choose a later `data.until`"
            )
        with hold_alone(self.folder / ".lock", f"the state in {self.folder}"):
            self._end_use()
            try:
                update = self._bring_up(log, survey, computable(log, atoms), min(until, survey.limit_tick))
                self._use = SharedUse(self.folder / ".in-use")
            finally:
                self._clean()
        return update

    def _bring_up(self, log: Log, survey: Survey, atoms: Sequence[Atom], until: int) -> Update:
        before = self.read()
        kept, done = self._keep_valid(log, survey, before, atoms)
        if new := [atom for atom in atoms if any(segment.lacks(atom.name) for segment in kept.segments)]:
            done.append(
                f"Added to the kept state what new signals ask for: {len(new)} more {'quantity' if len(new) == 1 else 'quantities'}."
            )
            for segment in kept.segments:
                kept = self._extend(log, kept, segment, new)
        begin = int(survey.ticks[0]) if kept.until is None else kept.until
        for chunk in _group(split_months(log.grain, begin, until), survey):
            kept = self._append(log, survey, kept, atoms, chunk)
        beyond = survey.undated or survey.count(survey.limit_tick, END_OF_TIME)
        kept = kept.model_copy(update={"undated": count_undated(log, survey.limit_tick) if beyond else {}})
        open_quarantine(log, survey.limit_tick)
        refuse_mostly_bad(log, kept.quarantined, kept.read)
        for table in SCRATCH:
            log.database.execute(f"DROP TABLE IF EXISTS {table}")
        kept = close_months(self.files, log.database, log.grain, kept, atoms)
        kept = sum_up(self.files, log.database, log.grain, kept, atoms)
        if kept != before:
            data = kept.model_dump(mode="json")
            write_json(self.folder / MANIFEST, {"kept": data, "sha256": digest_data(data)})
        return Update(kept, tuple(done))

    def _keep_valid(self, log: Log, survey: Survey, kept: Manifest | None, atoms: Sequence[Atom]) -> tuple[Manifest, list[str]]:
        """What is kept, as far as it was made from this log in this way; and what is wrong with the rest."""
        fresh = Manifest(made_from=digest_data({"format": FORMAT, "log": log.made_from}))
        if kept is None:
            return fresh, ["Built the state again: its manifest cannot be read."] if (self.folder / MANIFEST).exists() else []
        if kept.made_from != fresh.made_from:
            return fresh, ["Built the state again: the log's mapping, its columns or the time grain changed."]
        for place, segment in enumerate(kept.segments):
            if why := self._find_fault(survey, segment, is_first=place == 0):
                since = log.grain.start_of(min(segment.since, int(survey.ticks[0])) if place == 0 else segment.since)
                totals = tuple(t for t in kept.totals if t.until <= segment.since)
                said = f"Built the state again from {since:%Y-%m-%d} on: {why}."
                return kept.model_copy(update={"segments": kept.segments[:place], "totals": self._usable(totals, atoms)}), [said]
        return kept.model_copy(update={"totals": self._usable(kept.totals, atoms)}), []

    def _find_fault(self, survey: Survey, segment: Segment, is_first: bool) -> str | None:
        """Why a segment has to be built again."""
        earlier = is_first and survey.ticks[0] < segment.since
        same = survey.count(segment.since, segment.until) == segment.read and survey.mark(segment.since, segment.until) == segment.mark
        if earlier or not same:
            return "what the log says of that time changed"
        return None if self._is_intact(segment.files) else "a file was missing or damaged"

    def _usable(self, totals: Iterable[Totals], atoms: Sequence[Atom]) -> tuple[Totals, ...]:
        names = [atom.name for atom in atoms]
        return tuple(t for t in totals if t.file.holds(names) and self._is_intact((t.file,)))

    def _is_intact(self, files: Iterable[StateFile]) -> bool:
        paths = [(self.folder / file.name, file.sha256) for file in files]
        return all(path.is_file() and digest_file(path) == digest for path, digest in paths)

    def _extend(self, log: Log, kept: Manifest, segment: Segment, new: Sequence[Atom]) -> Manifest:
        """The kept state with a file of the atoms that a segment lacks; totals have to be made anew."""
        atoms = [atom for atom in new if segment.lacks(atom.name)]
        if not atoms:
            return kept
        span = (segment.since, segment.until)
        before = kept.codes_at(segment.until)
        rolled, (found,) = _roll(log, before, atoms, [span], segment.read)
        file = self._write_span(rolled, atoms, span, join_codes(before, found))
        changed = segment.model_copy(update={"files": (*segment.files, file), "codes": join_codes(segment.codes, found)})
        segments = tuple(changed if s.since == segment.since else s for s in kept.segments)
        return kept.model_copy(update={"segments": segments, "totals": ()})

    def _append(self, log: Log, survey: Survey, kept: Manifest, atoms: Sequence[Atom], chunk: Sequence[Span]) -> Manifest:
        """The kept state with the segments of a chunk."""
        rolled, found = _roll(log, kept.codes, atoms, chunk, survey.count(chunk[0][0], chunk[-1][1]))
        codes = list(accumulate(found, join_codes, initial=kept.codes))[1:]
        rows = [survey.count(*span) for span in chunk]
        with ThreadPoolExecutor(rolled.writers) as pool:
            files = list(pool.map(lambda *of: (self._write_span(rolled, atoms, *of[:2]),) if of[2] else (), chunk, codes, rows))
        for span, new, read, written, counted in zip(chunk, found, rows, files, count_rows(log, chunk), strict=True):
            segment = Segment(
                since=span[0],
                until=span[1],
                read=read,
                mark=survey.mark(*span),
                repeated=read - rolled.count(span) - sum(counted.excluded.values()) - sum(counted.quarantined.values()),
                excluded=counted.excluded,
                quarantined=counted.quarantined,
                names=counted.names,
                codes=new,
                files=written,
            )
            kept = kept.model_copy(update={"segments": (*kept.segments, segment)})
        return kept

    def _write_span(self, rolled: Rolled, atoms: Sequence[Atom], span: Span, codes: Coded) -> StateFile:
        """Writes what was rolled up of a span, with no more mask words than were needed by its end."""
        with rolled.stream(span, [column for atom in atoms for column in columns_of(atom, codes)]) as reader:
            return self.files.write_file(reader, f"events-{span[0]}-{span[1]}", atoms)

    def _end_use(self) -> None:
        if self._use:
            self._use.end()
            self._use = None

    def _clean(self) -> None:
        """Removes what the manifest does not name, unless somebody still reads; then a later run does."""
        kept, use = self.read(), self._use or SharedUse(self.folder / ".in-use")
        named = kept.names_of_files if kept else set()
        with use.alone() as alone:
            for path in (path for pattern in LEFTOVERS for path in self.folder.glob(pattern) if alone):
                if path.name not in named:
                    with suppress(OSError):
                        path.unlink()


def _roll(log: Log, codes: Coded, atoms: Sequence[Atom], chunk: Sequence[Span], events: int) -> tuple[Rolled, list[Coded]]:
    """The state's rows of a chunk of so many events, and for each of its spans the values that were new in it."""
    whole = (chunk[0][0], chunk[-1][1])
    open_logged(log, whole, find_wanted(log, atoms))
    values = find_values(log, whole, coded_properties(atoms), codes)
    found = [_known_in(values, span) for span in chunk]
    extended = join_codes(codes, *found)
    make_codes(log.database, {name: extended.get(name, ()) for name in coded_properties(atoms)})
    return roll(log, whole, atoms, extended, events), found


def _known_in(values: Mapping[str, Sequence[tuple[str, int]]], span: Span) -> Coded:
    """The values that became known in a span, of properties that have such."""
    found = {name: tuple(value for value, tick in given if span[0] <= tick < span[1]) for name, given in values.items()}
    return {name: new for name, new in found.items() if new}


def _group(spans: Sequence[Span], survey: Survey) -> list[list[Span]]:
    """Spans side by side, as many at a time as hold no more rows than are rolled up in one go."""
    chunks: list[list[Span]] = []
    for span in spans:
        if chunks and survey.count(chunks[-1][0][0], span[1]) <= CHUNK_ROWS:
            chunks[-1].append(span)
        else:
            chunks.append([span])
    return chunks
