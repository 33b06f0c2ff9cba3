"""Signals, scores and contributions on Apache Spark: the query, the scorer and the receipts are those of the local night."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from pls_ml.core.atoms import Atom, coded_properties
from pls_ml.core.catalogue import Catalogue
from pls_ml.core.database import quote
from pls_ml.core.errors import BundleError, DataError, suggest
from pls_ml.core.files import to_json
from pls_ml.events.invitations import invited_rows
from pls_ml.events.opening import KeptState
from pls_ml.events.portable import PortableLog
from pls_ml.events.state import Codes, columns_of
from pls_ml.explanations.receipts import build_receipts
from pls_ml.io.bundles import read_bundle
from pls_ml.signals.dialects import to_dialect
from pls_ml.signals.engines.spark import SparkEngine, open_state, open_tables, read_state
from pls_ml.signals.engines.spark_session import set_apart
from pls_ml.signals.warehouse import READ, read_columns
from pls_ml.workflows.bundle import Bundle, assemble_bundle
from pls_ml.workflows.data import LoadedData, load_data
from pls_ml.workflows.project import Project
from pls_ml.workflows.signals import KEYS as SPINE_KEYS
from pls_ml.workflows.signals import build_spine

KEYS = ("lead_id", "as_of")
CONTRIBUTION = "log_odds_"
"""Before a signal's name: its contribution."""
NUMBERS = ("tinyint", "smallint", "int", "bigint", "float", "double", "decimal", "boolean", "void")
TEXTS = ("string", "void")
"""Spark's types of number and of category signals; a column that only holds NULL has type void."""


def signals_on_spark(project: Project, as_of: datetime | None, session: Any) -> Any:
    """Takes a project, one `as_of` (None: the training grid) and a Spark session; returns a DataFrame of the leads and their signals.

    The rows and values are those of `project.signals`. Leads, users and accounts are read here and sent to the cluster; the kept state
    is read there, so every executor must be able to read the project's output folder. Nothing of the session is changed.
    """
    data = load_data(project)
    build_spine(project, data, as_of)
    catalogue, apart = data.coverage.catalogue, set_apart(session)
    _send_tables(data, catalogue, apart)
    SparkEngine(apart, data.grain, data.state.words() if data.state else {}).build_signals(catalogue)
    beside = ", ".join(f"s.{key}" for key in SPINE_KEYS)
    columns = ", ".join(f"g.{quote(column.name)}" for column in catalogue)
    return apart.sql(to_dialect(f'SELECT {beside}, {columns} FROM spine AS s JOIN signals AS g ON g."row" = s."row"', "spark"))


def roll_up_on_spark(log: PortableLog, atoms: Sequence[Atom], session: Any) -> tuple[Any, Codes]:
    """Takes a log that a session of `open_session` has as the view `events` (for invitations also `users`), atoms, and the session.

    Returns a DataFrame of the state's rows, as the kept state has them, and the codes of the values in them.
    """
    codes: dict[str, list[str]] = {}
    if coded_properties(atoms):
        for name, value in session.sql(to_dialect(log.find_codes(atoms), "spark")).collect():
            codes.setdefault(name, []).append(value)
    steps = ", ".join((*log.steps(atoms), *log.roll_up(atoms, codes)))
    return session.sql(to_dialect(f"WITH {steps} SELECT rolled.* FROM rolled", "spark")), codes


def _send_tables(data: LoadedData, catalogue: Catalogue, session: Any) -> None:
    """Makes views of everything that the signals read."""
    wanted = {name: read_columns(catalogue, name) for name in READ} | {"user_versions": read_columns(catalogue, "users")}
    sent = {
        name: data.database.arrow(
            f"SELECT {', '.join(f'CAST({quote(c)} AS {kind}) AS {quote(c)}' for c, kind in columns.items())} FROM {quote(name)}"
        )
        for name, columns in wanted.items()
        if data.database.has(name)
    }
    sent["spine"] = data.database.arrow('SELECT "row", lead_id, account_id, account_key, as_of FROM spine')
    if data.scratch:  # a state of tables handed in from memory is gone when they are
        sent["state"] = data.database.arrow("SELECT * FROM state")
    open_tables(session, sent)
    if not data.scratch:
        open_state(session, _read_kept(data.state, data, session) if data.state else read_state(session, (), ()))


def _read_kept(state: KeptState, data: LoadedData, session: Any) -> Any:
    """The rows of a kept state, with those of accepted invitations."""
    codes = state.manifest.codes
    files = [state.store.folder / file.name for file in state.manifest.files]
    columns = [column for atom in state.atoms for column in columns_of(atom, codes)]
    rows = read_state(session, files, columns)
    if not state.invitations:
        return rows
    return rows.unionByName(session.createDataFrame(data.database.arrow(invited_rows(data.database, state.grain, state.atoms, codes))))


def score_on_spark(signals: Any, folder: Path, keep: Sequence[str] = KEYS) -> Any:
    """Takes a Spark DataFrame of signal columns, a bundle's folder and the columns to keep; returns a DataFrame of those and the scores.

    Beside the kept columns stand `raw_score` (margin), `score` (probability), `base_log_odds` and `log_odds_<signal>` for each signal;
    base and contributions sum to the log-odds of the score. Executors need this package, but no folder: the bundle travels as text.
    Refuses a damaged bundle, missing columns and columns of another type, before anything runs.
    """
    parts, texts = read_bundle(folder)
    sent = to_json({"version": folder.name, "parts": parts, "texts": texts})
    bundle = _open_bundle(sent)
    names = tuple(dict.fromkeys(keep))
    found = ("raw_score", "score", "base_log_odds", *(f"{CONTRIBUTION}{signal.id}" for signal in bundle.catalogue.signals))
    _check_kept(dict(signals.dtypes), names, found)
    kept = [_column(signals, name).alias(f"kept_{position}") for position, name in enumerate(names)]
    schema = signals.select(*(_column(signals, name) for name in names)).schema
    for name in found:
        schema.add(name, "double", False)
    score = partial(_score_batches, sent=sent, names=(*names, *found))
    return signals.select(*kept, *_choose_signals(signals, bundle)).mapInArrow(score, schema)


def _check_kept(types: dict[str, str], names: Sequence[str], found: Sequence[str]) -> None:
    for name in names:
        if name not in types:
            raise DataError(f"there is no column '{name}' to keep{suggest(name, list(types))}: the table has {', '.join(types)}")
        if name in found:
            raise DataError(f"column '{name}' cannot be kept: the result has one of that name; rename it")


def _choose_signals(signals: Any, bundle: Bundle) -> list[Any]:
    types = dict(signals.dtypes)
    chosen = []
    for position, column in enumerate(bundle.catalogue):
        if column.name not in types:
            near = suggest(column.name, list(types))
            raise BundleError(f"signal '{column.name}' of model {bundle.version} is missing{near}: build the signals with its catalogue")
        expected, cast = (TEXTS, "string") if column.signal.is_category else (NUMBERS, "double")
        if types[column.name].split("(")[0] not in expected:
            raise DataError(f"signal '{column.name}' is of type {types[column.name]}: model {bundle.version} expects {cast}")
        chosen.append(_column(signals, column.name).cast(cast).alias(f"signal_{position}"))
    return chosen


def _column(signals: Any, name: str) -> Any:
    quoted = name.replace("`", "``")
    return signals[f"`{quoted}`"]


def _score_batches(batches: Iterable[Any], sent: str, names: Sequence[str]) -> Iterator[Any]:
    """Takes Arrow batches, the bundle as text and the names of the result's columns; yields the result's batches."""
    bundle = _open_bundle(sent)
    for batch in batches:
        if batch.num_rows:
            yield _score_batch(bundle, batch, names)


def _score_batch(bundle: Bundle, batch: Any, names: Sequence[str]) -> Any:
    import pyarrow as pa

    columns = [column.name for column in bundle.catalogue]
    kept = batch.columns[: -len(columns)]
    values = pa.RecordBatch.from_arrays(batch.columns[-len(columns) :], names=columns).to_pandas()
    scorer = bundle.scorers[bundle.used]
    rows = [""] * len(values)  # results stay beside their row, so no lead has to be looked up by name
    receipts = build_receipts(scorer, bundle.calibrators[bundle.used], values, rows, bundle.catalogue)
    base = np.full(len(values), receipts.base_log_odds)
    scores = [scorer.raw_score(values), receipts.score, base, *receipts.log_odds.T]
    return pa.RecordBatch.from_arrays([*kept, *map(pa.array, scores)], names=list(names))


@lru_cache(maxsize=1)
def _open_bundle(sent: str) -> Bundle:
    """Takes a bundle as text; returns it; a worker opens it once, however many batches and tasks it gets."""
    data = json.loads(sent)
    return assemble_bundle(data["version"], data["parts"], data["texts"])
