"""Rules and model at the same volume: which leads both take, which only one of them takes, and how often each kind wins."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import numpy.typing as npt

from pls_ml.core.errors import DataError
from pls_ml.evaluation.bootstrap import BLOCK_CELLS, Estimate, draw_accounts, paired_difference, percentile_interval
from pls_ml.evaluation.clusters import cluster_rows
from pls_ml.evaluation.comparison import ComparisonOptions, name_capacity
from pls_ml.evaluation.ranking import ScoreOrder, chance_taken, check_capacity, check_labels, sort_scores
from pls_ml.evaluation.tables import render_html, render_text

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

CELLS = ("both", "rules only", "model only", "neither")
"""Who takes a lead where both may take equally many."""
BOTH, RULES_ONLY, MODEL_ONLY, NEITHER = CELLS
HEADER = ("taken by", "rows", "won", "win rate, 95 % interval")


@dataclass(frozen=True)
class CellRate:
    """One cell: its rows and wins, in expectation over the order of tied leads, and the share that wins."""

    cell: str
    rows: float
    wins: float
    rate: Estimate


@dataclass(frozen=True)
class Disagreement:
    """Matured evidence: win rates by cell, and how much more often those win that the model alone takes than those of the rules alone."""

    rules: str
    model: str
    capacity: float
    rows: int
    cells: tuple[CellRate, ...]
    difference: Estimate

    @property
    def sentence(self) -> str:
        """What the evidence says, in one sentence."""
        rates = {one.cell: one for one in self.cells}
        where = f"where {self.rules} and {self.model} disagree in the {name_capacity(self.capacity)}"
        if rates[MODEL_ONLY].rows < 1:
            return f"{self.rules} and {self.model} take the same leads in the {name_capacity(self.capacity)}"
        won = [_percent(rates[cell].rate) for cell in (MODEL_ONLY, RULES_ONLY)]
        picks = f"those picked by {self.model} win {won[0]}, those picked by {self.rules} {won[1]}"
        gap = f"a difference of {_points(self.difference)}"
        if self.difference.low > 0 or self.difference.high < 0:
            return f"{where}, {picks}: {gap}"
        return f"no evidence on who is right {where}: {picks}, {gap}"

    def to_dict(self) -> dict[str, Any]:
        """Takes nothing; returns plain values."""
        cells = [vars(one) | {"rate": one.rate.to_dict()} for one in self.cells]
        plain = {"rules": self.rules, "model": self.model, "capacity": self.capacity, "rows": self.rows, "cells": cells}
        return plain | {"difference": self.difference.to_dict(), "sentence": self.sentence}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Disagreement:
        """Takes what `to_dict` gave; returns the evidence."""
        cells = tuple(CellRate(**one | {"rate": _read(one["rate"])}) for one in data["cells"])
        return cls(data["rules"], data["model"], data["capacity"], data["rows"], cells, _read(data["difference"]))

    def to_text(self) -> str:
        """Takes nothing; returns the cells as aligned text, and the sentence."""
        return "\n".join([*render_text(HEADER, self._rows()), self.sentence])

    def _repr_html_(self) -> str:
        return f"{render_html(HEADER, self._rows())}<p>{escape(self.sentence)}</p>"

    def _rows(self) -> list[tuple[str, str, str, str]]:
        names = {BOTH: BOTH, RULES_ONLY: f"{self.rules} only", MODEL_ONLY: f"{self.model} only", NEITHER: NEITHER}
        return [(names[one.cell], f"{one.rows:,.0f}", f"{one.wins:,.0f}", _percent(one.rate)) for one in self.cells]


def measure_disagreement(
    labels: npt.ArrayLike, rules: npt.ArrayLike, model: npt.ArrayLike, groups: npt.ArrayLike, options: ComparisonOptions
) -> Disagreement:
    """Takes n labels, the raw scores of both sides, n account ids and the options of their comparison; returns the win rate of each cell.

    Both sides take equally many leads. Of tied leads at the edge each is taken in part, and the same lot decides for both sides: what a
    tie alone sets apart is no disagreement. Each resample draws whole accounts and finds the edges anew, with the draws of the comparison,
    so that one side is better here exactly where its precision at capacity is.
    """
    truth, rows = check_labels(labels), cluster_rows(groups, options.weight)
    orders = (sort_scores(rules), sort_scores(model))
    if {truth.size, rows.codes.size} != {order.order.size for order in orders}:
        raise DataError(f"{truth.size} labels, {rows.codes.size} accounts and {orders[0].order.size} scores: expected one each per row")
    whole = _count_cells(truth, orders, rows.weight[None, :], options.capacity)
    block = max(1, BLOCK_CELLS // truth.size)
    drawn = [
        _count_cells(truth, orders, times[:, rows.codes] * rows.weight, options.capacity)
        for times in draw_accounts(rows, options.n_resamples, options.seed, block)
    ]
    rates, draws = _divide(*whole)[0], np.concatenate([_divide(*counts) for counts in drawn])
    cells = tuple(
        CellRate(name, float(whole[0][0, k]), float(whole[1][0, k]), percentile_interval(rates[k], draws[:, k]))
        for k, name in enumerate(CELLS)
    )
    model_only, rules_only = CELLS.index(MODEL_ONLY), CELLS.index(RULES_ONLY)
    difference = paired_difference((rates[model_only], rates[rules_only]), (draws[:, model_only], draws[:, rules_only]))
    return Disagreement(options.reference, options.challenger, options.capacity, int(truth.size), cells, difference)


def find_cells(rules: Floats, model: Floats, capacity: float) -> tuple[npt.NDArray[np.str_], Ints, Ints]:
    """Takes the raw scores of n leads by both sides, in an order that ties may follow; returns n cells, and the ranks in both orders.

    Tied leads go by the other side's score, since a tie is no opinion, and then by their place; so a lead is in a list exactly when its
    rank is within it.
    """
    size = len(rules)
    most = max(1, round(check_capacity(capacity) * size)) if capacity < 1 else int(capacity)
    ranks = [_rank(own, other) for own, other in ((rules, model), (model, rules))]
    by_rules, by_model = (rank <= most for rank in ranks)
    cells = np.select([by_rules & by_model, by_rules, by_model], [BOTH, RULES_ONLY, MODEL_ONLY], NEITHER)
    return cells, ranks[0], ranks[1]


def _rank(own: Floats, other: Floats) -> Ints:
    ranks = np.empty(len(own), np.int64)
    ranks[np.lexsort((np.arange(len(own)), -other, -own))] = np.arange(1, len(own) + 1)
    return ranks


def _count_cells(truth: Floats, orders: tuple[ScoreOrder, ScoreOrder], weight: Floats, capacity: float) -> tuple[Floats, Floats]:
    """Rows and wins, B by cells: of a lead that both take in part, the common part is in both."""
    rules, model = (chance_taken(order, weight, capacity) * weight for order in orders)
    both = np.minimum(rules, model)
    rows = [part.sum(axis=1) for part in (both, rules, model, weight)]
    wins = [part @ truth for part in (both, rules, model, weight)]
    return _split(*rows), _split(*wins)


def _split(both: Floats, rules: Floats, model: Floats, everybody: Floats) -> Floats:
    """What both, each side and everybody have → cells."""
    return np.stack([both, rules - both, model - both, everybody - rules - model + both], axis=1)


def _divide(rows: Floats, wins: Floats) -> Floats:
    return np.divide(wins, rows, out=np.full_like(rows, np.nan), where=rows > 1e-9)


def _percent(rate: Estimate) -> str:
    if math.isnan(rate.value):
        return "not defined"
    return f"{100 * rate.value:.1f} % ({100 * rate.low:.1f} to {100 * rate.high:.1f} %)"


def _points(gap: Estimate) -> str:
    if math.isnan(gap.value):
        return "not defined"
    return f"{100 * gap.value:+.1f} points (95 % interval {100 * gap.low:+.1f} to {100 * gap.high:+.1f})"


def _read(estimate: Mapping[str, float | None]) -> Estimate:
    return Estimate(*(math.nan if (number := estimate[name]) is None else number for name in ("value", "low", "high")))
