"""Matured rows to train and to test on: loaded, split in time and by account, and one per lead and month where leads are judged."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from pls_ml.core.catalogue import Catalogue
from pls_ml.core.errors import DataError
from pls_ml.evaluation.splits import Split, SplitSpec, split_rows
from pls_ml.labels.amounts import find_won_amounts
from pls_ml.labels.horizon import LabelCounts
from pls_ml.workflows.candidates import TrainingRows
from pls_ml.workflows.data import LoadedData, build_signals, load_data
from pls_ml.workflows.inputs import set_aside_leaks
from pls_ml.workflows.project import Project
from pls_ml.workflows.signals import SignalTable, build_spine, keep_matured, read_signals


def load_training_rows(project: Project, catalogue: Catalogue | None = None) -> tuple[LoadedData, SignalTable, TrainingRows, LabelCounts]:
    """Takes a project, and a bundle's catalogue where its signals are wanted; returns the data, the matured rows, and label counts.

    The rows come as a signal table and as training rows. A project's own signals come without those that know the outcome.
    """
    data = load_data(project, catalogue)
    left_out: tuple[str, ...] = ()
    if catalogue is None:
        catalogue, left_out = set_aside_leaks(project, data.database, data.coverage.catalogue)
    removed = build_spine(project, data, None)
    counts = keep_matured(project, data)
    if not counts.positives:
        raise DataError(
            f"none of the {counts.rows:,} matured rows is won within the horizon: expected at least one; check `outcome` and `horizon`"
        )
    build_signals(project, data, catalogue)
    table = read_signals(data, catalogue, removed, left_out)
    return data, table, take_matured(data, table), counts


def take_matured(data: LoadedData, table: SignalTable) -> TrainingRows:
    """Takes data whose `spine` holds matured rows, and their signal table; returns them as rows to train on."""
    labels = data.database.frame('SELECT label FROM spine ORDER BY "row"')["label"].to_numpy(np.int8)
    # A lead counts once a month, however dense the grid. Once in all would overstate winners, who leave the population when they win.
    month = table.spine["as_of"].dt.to_period("M")
    weight = 1.0 / table.spine.groupby(["lead_id", month])["lead_id"].transform("size").to_numpy(np.float64)
    accounts = table.spine["account_key"].to_numpy(object)
    as_of = table.spine["as_of"].to_numpy("datetime64[us]")
    return TrainingRows(table.values, labels, weight, accounts, as_of, find_won_amounts(data.database))


def split_training(project: Project, rows: TrainingRows) -> Split:
    """Takes a project and matured rows; returns which of them train and which are held out: later, and of other accounts."""
    config = project.config.split
    # Where every account has one row, time alone keeps them apart, and holding accounts back would only cost rows.
    by_account = config.by_account and len(set(rows.accounts)) < len(rows.accounts)
    spec = SplitSpec(config.test_start, config.test_share, by_account, config.account_share, config.embargo_days)
    return split_rows(rows.as_of, rows.accounts, project.config.horizon.to_horizon() if project.config.timed else None, spec)


def one_per_month(table: SignalTable, part: Any) -> Any:
    """Takes a signal table and a mask of its rows; returns the place of each lead's first row in every month.

    More would repeat the same lead's outcome.
    """
    chosen = table.spine.loc[part, ["lead_id", "as_of"]]
    first = ~pd.DataFrame({"lead": chosen["lead_id"], "month": chosen["as_of"].dt.to_period("M")}).duplicated()
    return np.flatnonzero(part)[first.to_numpy()]
