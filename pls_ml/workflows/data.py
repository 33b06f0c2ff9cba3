"""Sources → canonical tables and the kept state, ready for signals and labels."""

from __future__ import annotations

import tempfile
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pls_ml.core.atoms import find_atoms
from pls_ml.core.catalogue import Catalogue
from pls_ml.core.columns import TABLES
from pls_ml.core.database import Database
from pls_ml.core.errors import ConfigError, TableError
from pls_ml.core.files import digest_data, digest_files
from pls_ml.core.tables import TableSource
from pls_ml.core.windows import EPOCH, Grain
from pls_ml.events.identity import resolve_users
from pls_ml.events.invitations import NAME as INVITED
from pls_ml.events.log import Log, Survey
from pls_ml.events.mapping import EventSource
from pls_ml.events.opening import KeptState
from pls_ml.events.quarantine import refuse_mostly_bad
from pls_ml.events.store import StateStore
from pls_ml.io.reading import load_table
from pls_ml.io.sinks import write_batches
from pls_ml.io.sources import list_files, refuse_damaged
from pls_ml.labels.outcomes import find_outcomes
from pls_ml.signals.coverage import Coverage, LogContents, find_coverage
from pls_ml.signals.engines import DuckDBEngine
from pls_ml.signals.query import longest_reach
from pls_ml.workflows.project import Project


@dataclass(frozen=True)
class EventCounts:
    """What became of every row of the log; `quarantined` gives rows per reason, `excluded` those left out on purpose."""

    read: int
    kept: int
    duplicates: int
    excluded: dict[str, int]
    quarantined: dict[str, int]

    def to_dict(self) -> dict[str, Any]:
        """Takes nothing; returns plain values."""
        return asdict(self)


@dataclass(frozen=True)
class LoadedData:
    """The project's tables at work: where the data end, the kept state, its grain, and which signals can be computed."""

    database: Database
    grain: Grain
    data_end: datetime | None
    state: KeptState | None
    coverage: Coverage
    digests: dict[str, str]
    scratch: tempfile.TemporaryDirectory[str] | None = field(default=None, repr=False)
    """Holds the state of tables handed in from memory for as long as they are at work."""

    @property
    def digest(self) -> str:
        """One digest of everything that was read."""
        return digest_data(self.digests)

    @property
    def event_names(self) -> dict[str, int]:
        """Usable events by canonical name, the most frequent first."""
        counts = self.state.manifest.count("names") if self.state else {}
        return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def load_data(project: Project, catalogue: Catalogue | None = None) -> LoadedData:
    """Takes a project, and the catalogue of a bundle where one is used; returns its data, checked, and the state up to date."""
    grain = Grain(project.config.signals.grain, project.config.signals.timezone)
    scratch = tempfile.TemporaryDirectory(prefix="pls-ml-") if "events" in project.tables else None
    folder = Path(scratch.name) if scratch else project.output / "state"
    with project.progress.step("reading the tables"):
        database = _open(project, folder)
        digests = _load_tables(project, database)
        resolve_users(database)
    state = data_end = None
    log = Log(database, project.config.data.events or EventSource(), grain) if database.has("events") else None
    catalogue = catalogue or project.catalogue(database, grain)
    longest_reach(catalogue, grain)  # a window that the state cannot cut exactly is refused before anything is computed
    if log:
        state, data_end = _open_state(project, log, catalogue, folder)
        digests["events"] = state.manifest.digest
    find_outcomes(database, project.config.outcome, grain)
    coverage = find_coverage(database, catalogue, _find_contents(database, state))
    data = LoadedData(database, grain, data_end, state, coverage, digests, scratch)
    if log and (counts := count_events(data)):  # events of users that the table does not list are known only here
        refuse_mostly_bad(log, counts.quarantined, counts.read)
    return data


def build_signals(project: Project, data: LoadedData, catalogue: Catalogue) -> None:
    """Takes loaded data with a `spine`; makes the table `signals`."""
    with project.progress.step(f"computing {len(list(catalogue))} signal columns for {data.database.count('spine'):,} rows"):
        open_engine(data, catalogue).build_signals(catalogue)


def open_engine(data: LoadedData, catalogue: Catalogue) -> DuckDBEngine:
    """Takes loaded data with a `spine` and the catalogue; returns the engine over as much of the state as the spine can see."""
    words = data.state.words() if data.state else {}
    if data.state:
        first = data.database.rows("SELECT min(as_of) FROM spine")[0][0]
        if first is not None:
            data.state.open_from(data.database, catalogue, data.grain.tick_of(first), longest_reach(catalogue, data.grain))
    return DuckDBEngine(data.database, data.grain, words)


def count_events(data: LoadedData) -> EventCounts | None:
    """Takes loaded data; returns what became of every row of the log."""
    if data.state is None:
        return None
    manifest = data.state.manifest
    unknown, internal = data.database.rows(
        "SELECT coalesce(sum(e.n) FILTER (WHERE u.user_id IS NULL), 0), coalesce(sum(e.n) FILTER (WHERE u.is_internal), 0) "
        "FROM state AS e LEFT JOIN users AS u USING (user_id) WHERE e.life_tick IS NOT NULL"
    )[0]
    excluded = manifest.count("excluded") | ({"internal user": int(internal)} if internal else {})
    quarantined = manifest.quarantined | ({"unknown user": int(unknown)} if unknown else {})
    repeated = sum(segment.repeated for segment in manifest.segments)
    read = sum(segment.read for segment in manifest.segments) + sum(manifest.undated.values())
    return EventCounts(read, read - repeated - sum(excluded.values()) - sum(quarantined.values()), repeated, excluded, quarantined)


def _open(project: Project, state: Path) -> Database:
    sources = {name: getattr(project.config.data, name) for name in TABLES if name not in project.tables}
    paths = [project.data_root / source.path for source in sources.values() if source and source.path]
    folders = {file.parent for path in paths for file in list_files(path)}
    resources = project.config.resources
    return Database([*sorted(folders), state], resources.threads, resources.memory, spill=state / "spill")


def _load_tables(project: Project, database: Database) -> dict[str, str]:
    digests = {}
    for name in TABLES:
        source, given = getattr(project.config.data, name), project.tables.get(name)
        if source is None and given is None:
            continue
        load_table(database, name, source or (EventSource() if name == "events" else TableSource()), project.data_root, given)
        if name != "events":
            digests[name] = _digest_rows(database, name) if given is not None else _digest_source(project, source.path)
    return digests


def _digest_source(project: Project, path: str) -> str:
    return digest_files(list_files(project.data_root / path), project.data_root)


def _digest_rows(database: Database, name: str) -> str:
    """A digest of a table handed in from memory, whatever the order of its rows."""
    rows, total = database.rows(f"SELECT count(*), sum(CAST(hash(t) AS HUGEINT)) FROM source_{name} AS t")[0]
    return f"memory-{rows}-{total or 0:x}"


def _open_state(project: Project, log: Log, catalogue: Catalogue, folder: Path) -> tuple[KeptState, datetime]:
    atoms, grain, store = find_atoms(catalogue), log.grain, StateStore(folder, write_batches)
    with project.progress.step("bringing the state up to date with the log"):
        try:
            survey = log.survey()
            data_end = _find_end(project, survey, grain)
            update = store.update(log, survey, atoms, grain.tick_after(data_end))
        except TableError:
            if log.source.path and "events" not in project.tables:
                refuse_damaged(log.database, project.data_root / log.source.path)
            raise
    for line in update.done:
        project.progress.note(line)
    state = KeptState(store, update.manifest, atoms, grain, log.source.invitations)
    state.open(log.database)
    return state, data_end


def _find_contents(database: Database, state: KeptState | None) -> LogContents | None:
    if state is None:
        return None
    names = set(state.manifest.count("names")) | ({INVITED} if state.invitations else set())
    return LogContents(tuple(sorted(names)), state.manifest.codes)


def _find_end(project: Project, survey: Survey, grain: Grain) -> datetime:
    """The configured end, else the first grain boundary after the last moment an event became known."""
    if project.config.data.until is not None:
        until = project.config.data.until
        return until.astimezone(UTC).replace(tzinfo=None) if until.tzinfo else until
    if survey.last_tick is None:
        raise TableError("no usable event is left after cleaning: see `pls-ml check` for the reasons")
    return grain.start_of(survey.last_tick + 1)


def place_moment(data: LoadedData, as_of: datetime | None) -> datetime:
    """Takes loaded data and a wish; returns the `as_of` in UTC, by default the end of the data.

    Refuses one outside the data, and one between two ticks: the state cannot tell what was known there.
    """
    if data.data_end is None:
        return EPOCH
    if as_of is not None and as_of.tzinfo is not None:
        as_of = as_of.astimezone(UTC).replace(tzinfo=None)
    moment = as_of or data.data_end
    _check_moment(data, moment)
    return moment


def _check_moment(data: LoadedData, as_of: datetime) -> None:
    """Takes loaded data and an `as_of`; refuses one off the grain, before the first event or after the end of the data."""
    if not data.grain.starts_at(as_of):
        zone = "" if data.grain.zone == "UTC" else f" in {data.grain.zone}"
        raise ConfigError(
            f"as_of {as_of:%Y-%m-%d %H:%M} is no whole {data.grain.kind}{zone}: choose one, or a finer `signals.grain` and train again"
        )
    first = data.grain.start_of(data.state.manifest.segments[0].since) if data.state else None
    if first is not None and as_of <= first:
        raise TableError(f"as_of {as_of:%Y-%m-%d} lies before the first event ({first:%Y-%m-%d}): choose a later one")
    if data.data_end is not None and as_of > data.data_end:
        raise TableError(
            f"as_of {as_of:%Y-%m-%d} lies after the end of the data ({data.data_end:%Y-%m-%d}): choose an earlier one, or add newer data"
        )
