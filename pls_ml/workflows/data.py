"""Sources → canonical tables and the state, ready for signals and labels."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pls_ml.core.catalogue import Catalogue
from pls_ml.core.columns import TABLES
from pls_ml.core.database import Database
from pls_ml.core.errors import ConfigError, TableError
from pls_ml.core.tables import TableSource
from pls_ml.core.windows import GRAIN_US
from pls_ml.events.cleaning import EventCounts, clean_events
from pls_ml.events.identity import resolve_users
from pls_ml.events.mapping import EventSource
from pls_ml.events.state import find_needs, roll_up
from pls_ml.io.files import digest_data, digest_file
from pls_ml.io.reading import load_table
from pls_ml.labels.outcomes import find_outcomes
from pls_ml.signals.coverage import Coverage, find_coverage
from pls_ml.signals.engines import DuckDBEngine
from pls_ml.signals.expressions import check_grain
from pls_ml.workflows.project import Project

EPOCH = datetime(1970, 1, 1)


@dataclass(frozen=True)
class LoadedData:
    """The project's tables at work: where the data end, what became of the log's rows, and which signals can be computed."""

    database: Database
    data_end: datetime | None
    events: EventCounts | None
    coverage: Coverage
    digests: dict[str, str]

    @property
    def digest(self) -> str:
        """One digest of everything that was read."""
        return digest_data(self.digests)


def load_data(project: Project, catalogue: Catalogue | None = None, grain: str | None = None) -> LoadedData:
    """Takes a project, and the catalogue and time grain of a bundle where one is used; returns its data, loaded and checked."""
    catalogue = catalogue or project.catalogue()
    grain = grain or project.config.signals.grain
    for column in catalogue:
        check_grain(column, grain)
    with project.progress.step("reading the tables"):
        database = _open(project)
        digests = _load_tables(project, database)
        resolve_users(database)
    counts = None
    source = project.config.data.events or EventSource()
    if database.has("events"):
        with project.progress.step("cleaning the events and rolling up the state"):
            needs = find_needs(catalogue)
            counts = clean_events(database, source, needs.properties)
            roll_up(database, needs, grain)
    find_outcomes(database, project.config.outcome)
    data_end = _find_end(project, database, grain)
    return LoadedData(database, data_end, counts, find_coverage(database, catalogue), digests)


def build_signals(project: Project, data: LoadedData, catalogue: Catalogue, grain: str) -> None:
    """Takes loaded data with a `spine`; makes the table `signals`."""
    with project.progress.step(f"computing {len(list(catalogue))} signal columns for {data.database.count('spine'):,} rows"):
        DuckDBEngine(data.database, grain).build_signals(catalogue)


def _open(project: Project) -> Database:
    sources = {name: getattr(project.config.data, name) for name in TABLES}
    folders = {(project.data_root / source.path).parent for source in sources.values() if source and source.path}
    resources = project.config.resources
    return Database(sorted(folders), resources.threads, resources.memory)


def _load_tables(project: Project, database: Database) -> dict[str, str]:
    digests = {}
    for name in TABLES:
        source, given = getattr(project.config.data, name), project.tables.get(name)
        if source is None and given is None:
            continue
        load_table(database, name, source or (EventSource() if name == "events" else TableSource()), project.data_root, given)
        digests[name] = _digest_rows(database, name) if given is not None else digest_file(project.data_root / source.path)
    return digests


def _digest_rows(database: Database, name: str) -> str:
    """A digest of a table handed in from memory, whatever the order of its rows."""
    rows, total = database.rows(f"SELECT count(*), sum(CAST(hash(t) AS HUGEINT)) FROM source_{name} AS t")[0]
    return f"memory-{rows}-{total or 0:x}"


def _find_end(project: Project, database: Database, grain: str) -> datetime | None:
    """The configured end, else the first grain boundary after the last moment an event became known."""
    if project.config.data.until is not None:
        until = project.config.data.until
        return until.astimezone(UTC).replace(tzinfo=None) if until.tzinfo else until
    if not database.has("state"):
        return None
    last = database.rows("SELECT max(greatest(known_tick, event_tick)) FROM state")[0][0]
    if last is None:
        raise TableError("no usable event is left after cleaning: see `pls-ml check` for the reasons")
    return EPOCH + timedelta(microseconds=(last + 1) * GRAIN_US[grain])


def place_moment(data: LoadedData, as_of: datetime | None, grain: str) -> datetime:
    """Takes loaded data, a wish and the time grain; returns the `as_of` in UTC, by default the end of the data.

    Refuses one outside the data, and one between two ticks: the state cannot tell what was known there.
    """
    if data.data_end is None:
        return EPOCH
    if as_of is not None and as_of.tzinfo is not None:
        as_of = as_of.astimezone(UTC).replace(tzinfo=None)
    moment = as_of or data.data_end
    _check_moment(data, moment, grain)
    return moment


def _check_moment(data: LoadedData, as_of: datetime, grain: str) -> None:
    """Takes loaded data, an `as_of` and the time grain; refuses one off the grain, before the first event or after the end of the data."""
    if (as_of - EPOCH) % timedelta(microseconds=GRAIN_US[grain]):
        raise ConfigError(f"as_of {as_of:%Y-%m-%d %H:%M} is no whole {grain}: choose one, or a finer `signals.grain` and train again")
    first = data.database.rows("SELECT min(first_us) FROM state")[0][0] if data.database.has("state") else None
    if first is not None and as_of <= EPOCH + timedelta(microseconds=first):
        raise TableError(
            f"as_of {as_of:%Y-%m-%d} lies before the first event ({EPOCH + timedelta(microseconds=first):%Y-%m-%d}): choose a later one"
        )
    if data.data_end is not None and as_of > data.data_end:
        raise TableError(
            f"as_of {as_of:%Y-%m-%d} lies after the end of the data ({data.data_end:%Y-%m-%d}): choose an earlier one, or add newer data"
        )
