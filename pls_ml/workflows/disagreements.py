"""Where rules and model disagree at the same volume: who was right on matured leads, and which leads of a night they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pls_ml.core.protocols import Floats
from pls_ml.evaluation.comparison import Comparison, ComparisonOptions
from pls_ml.evaluation.disagreement import CELLS, MODEL_ONLY, RULES_ONLY, Disagreement, find_cells, measure_disagreement
from pls_ml.explanations.differences import PairedLines, find_differences
from pls_ml.explanations.receipts import Receipts, build_receipts
from pls_ml.scores import ScorecardClassifier
from pls_ml.workflows.bundle import Bundle
from pls_ml.workflows.candidates import Candidate, TrainingRows
from pls_ml.workflows.config import ModelConfig
from pls_ml.workflows.signals import SignalTable

COLUMNS = {
    "lead_id": "string",
    "cell": "string",
    "rank_rules": "int64",
    "rank_model": "int64",
    "signal": "string",
    "value": "string",
    "difference": "float64",
    "rules": "float64",
    "model": "float64",
}
"""Of `disagreements.parquet`: a row per signal that sets the receipts of a lead apart, model - rules in log-odds; '' where none does."""


@dataclass(frozen=True)
class NightCells:
    """Who was compared (None: there is no card, or nothing to hold against it), the cell of each lead by id, and the leads in dispute."""

    pair: dict[str, Any] | None
    cells: dict[str, str]
    table: pd.DataFrame

    def __repr__(self) -> str:
        """Takes nothing; returns it in one line."""
        return f"NightCells({', '.join(f'{cell} {count:,}' for cell, count in self.counts.items())})"

    @property
    def counts(self) -> dict[str, int]:
        """How many leads are in each cell."""
        found = list(self.cells.values())
        return {cell: found.count(cell) for cell in CELLS} if self.pair else {}


def measure_on_held_out(
    candidates: Mapping[str, Candidate], comparison: Comparison, test: TrainingRows, model: ModelConfig
) -> Disagreement | None:
    """Takes the candidates, their comparison on the held-out rows, these rows and the settings; returns who was right where.

    The pair is that of the comparison; None where its reference is no card.
    """
    reference = candidates.get(comparison.reference)
    if reference is None or not isinstance(reference.scorer, ScorecardClassifier):
        return None
    rules, learned = (candidates[name].scorer.raw_score(test.signals) for name in (comparison.reference, comparison.challenger))
    options = ComparisonOptions(comparison.capacity, comparison.reference, comparison.challenger, model.resamples, model.seed)
    return measure_disagreement(test.labels, rules, learned, test.accounts, options)


def sort_into_cells(bundle: Bundle, table: SignalTable, receipts: Mapping[str, Receipts]) -> NightCells:
    """Takes a bundle, n leads' signals and the receipts there are; returns each lead's cell, and what sets apart those in dispute.

    Both sides take the share of the leads at which training compared them.
    """
    pair = _name_pair(bundle)
    if pair is None:
        return NightCells(None, {}, pd.DataFrame({name: [] for name in COLUMNS}).astype(COLUMNS))
    leads = table.spine["lead_id"].to_numpy(object)
    by_id = np.argsort(leads.astype(str), kind="stable")
    rules, model = (bundle.scorers[name].raw_score(table.values)[by_id] for name in pair)
    capacity = bundle.facts["comparison"]["capacity"]
    cells, rank_rules, rank_model = find_cells(rules, model, capacity)
    disputed = pd.DataFrame({"lead_id": leads[by_id], "cell": cells, "rank_rules": rank_rules, "rank_model": rank_model, "place": by_id})
    disputed = disputed[disputed["cell"].isin([RULES_ONLY, MODEL_ONLY])]
    disputed = disputed.assign(own=disputed[["rank_rules", "rank_model"]].min(axis=1)).sort_values(["cell", "own"], ignore_index=True)
    found = _explain(bundle, pair, table, receipts, disputed)
    lines = disputed.merge(found, left_index=True, right_on="row", how="left").fillna({"signal": "", "value": ""})
    named = {"rules": pair[0], "model": pair[1], "capacity": capacity}
    in_cells = dict(zip(leads[by_id].tolist(), cells.tolist(), strict=True))
    return NightCells(named, in_cells, lines[list(COLUMNS)].astype(COLUMNS).reset_index(drop=True))


def _name_pair(bundle: Bundle) -> tuple[str, str] | None:
    """The card, and what scores; where the card scores, the learned candidate that training held against it."""
    rules = next((name for name, scorer in bundle.scorers.items() if isinstance(scorer, ScorecardClassifier)), None)
    model = bundle.used if bundle.used != rules else bundle.facts["comparison"]["challenger"]
    return (rules, model) if rules is not None and model in bundle.scorers else None


def _explain(
    bundle: Bundle, pair: tuple[str, str], table: SignalTable, receipts: Mapping[str, Receipts], disputed: pd.DataFrame
) -> pd.DataFrame:
    """What sets the receipts of each lead in dispute apart; `row` is its place among them."""
    places = disputed["place"].to_numpy(np.int64)
    values = table.values.iloc[places]
    rules, model = (_read_lines(bundle, name, values, receipts, places) for name in pair)
    lines = PairedLines(receipts[bundle.used].signals, values, rules, model)
    return find_differences(lines, (disputed["cell"] == MODEL_ONLY).tolist())


def _read_lines(bundle: Bundle, name: str, values: pd.DataFrame, receipts: Mapping[str, Receipts], places: npt.NDArray[np.int64]) -> Floats:
    """One side's lines in log-odds; what the night has not explained is explained for these leads alone."""
    if name in receipts:
        return receipts[name].log_odds[places]
    ids = [""] * len(values)
    return build_receipts(bundle.scorers[name], bundle.calibrators[name], values, ids, bundle.catalogue).log_odds
