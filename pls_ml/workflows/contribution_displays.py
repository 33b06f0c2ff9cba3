"""What a model listens to: contributions of held-out leads, summed up in tables and drawn by shap."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from pls_ml.evaluation.displays import Display, Displays, ImportanceDisplay
from pls_ml.explanations.importance import TOGETHER, PairImportance, SignalImportance, measure_importance, rank_pairs
from pls_ml.explanations.pictures import draw_beeswarm, draw_dependence, draw_interaction
from pls_ml.explanations.receipts import Receipts, build_receipts, path_scales
from pls_ml.scores import BoostedScorer
from pls_ml.workflows.bundle import Bundle

MOST_SIGNALS, MOST_DEPENDENCES = 15, 6
MOST_PAIRS, DRAWN_PAIRS = 8, 2
PAIR_LEADS, PAIR_CELLS = 300, 20_000_000
"""Interactions take the square of the columns for every lead: at most so many leads, and so many numbers."""


@dataclass(frozen=True, eq=False)
class Contributions:
    """What one scorer says of n leads, signal by signal and pair by pair, the loudest first; no pairs where contributions only add up."""

    name: str
    receipts: Receipts
    signals: tuple[SignalImportance, ...]
    pairs: tuple[PairImportance, ...]

    @property
    def displays(self) -> Displays:
        """Its pictures by name."""
        if not self.signals:
            return Displays({})
        shown = self.signals[:MOST_SIGNALS]
        return Displays(
            {
                "importance": ImportanceDisplay(tuple((s.label, s.size, s.way) for s in shown), f"What '{self.name}' listens to"),
                "beeswarm": BeeswarmDisplay(self.receipts, shown),
                **{f"dependence_{s.signal}": DependenceDisplay(self.receipts, s) for s in shown[:MOST_DEPENDENCES]},
                **self._show_pairs(),
            }
        )

    def _show_pairs(self) -> dict[str, Display]:
        if not self.pairs:
            return {}
        bars = tuple((f"{pair.first.label} × {pair.second.label}", pair.size, TOGETHER) for pair in self.pairs[:MOST_PAIRS])
        values = self.receipts.values.iloc[: len(self.pairs[0].shares)]
        drawn = {
            f"interaction_{pair.first.signal}_{pair.second.signal}": InteractionDisplay(pair, values) for pair in self.pairs[:DRAWN_PAIRS]
        }
        return {"interactions": ImportanceDisplay(bars, "What only pairs of signals say"), **drawn}


def measure_contributions(bundle: Bundle, name: str, signals: pd.DataFrame) -> Contributions:
    """Takes a bundle, one of its scorers and n × m signal columns; returns what it says of them."""
    scorer, calibrator = bundle.scorers[name], bundle.calibrators[name]
    receipts = build_receipts(scorer, calibrator, signals, [str(row) for row in range(len(signals))], bundle.catalogue)
    base, shares = scorer.contributions(signals)
    found = measure_importance(receipts, shares)
    if not isinstance(scorer, BoostedScorer) or not found:
        return Contributions(name, receipts, found, ())
    some = signals.iloc[: max(1, min(PAIR_LEADS, PAIR_CELLS // len(signals.columns) ** 2))]
    scale = path_scales(calibrator, scorer.raw_score(some), base)[0]
    both = scorer.interactions(some) * scale[:, None, None]
    return Contributions(name, receipts, found, rank_pairs(both, scorer.encoding_.columns, found, bundle.catalogue))


@dataclass(frozen=True, repr=False, eq=False)
class BeeswarmDisplay(Display):
    """A dot per lead and signal: how far it moves the score, coloured by the signal's value."""

    title = "Contributions of the held-out leads"
    receipts: Receipts
    signals: tuple[SignalImportance, ...]

    @property
    def size(self) -> tuple[float, float]:
        """Width and height in inches that suit it."""
        return 9.0, 1.4 + 0.36 * len(self.signals)

    @property
    def alt(self) -> str:
        """The picture in words."""
        told = (f"{one.label}: {one.way}" for one in self.signals)
        return f"a dot for each of {len(self.receipts.lead_ids):,} leads and each signal, contribution in log-odds; {'; '.join(told)}"

    def _draw(self, axes: Any) -> None:
        draw_beeswarm(self.receipts, self.signals, axes)


@dataclass(frozen=True, repr=False, eq=False)
class DependenceDisplay(Display):
    """One signal's contribution against its value: the shape that the model has learned."""

    receipts: Receipts
    signal: SignalImportance

    @property
    def title(self) -> str:
        """What it shows, in a few words."""
        return f"{self.signal.label[:1].upper()}{self.signal.label[1:]}"

    @property
    def alt(self) -> str:
        """The picture in words."""
        told = (f"{words} {share:+.2f}" for words, share in self.signal.shape)
        return f"mean contribution in log-odds by value: {'; '.join(told)}"

    def _draw(self, axes: Any) -> None:
        draw_dependence(self.receipts, self.signal, axes)


@dataclass(frozen=True, repr=False, eq=False)
class InteractionDisplay(Display):
    """What only two signals together say, against the value of the first, coloured by that of the second."""

    pair: PairImportance
    values: pd.DataFrame

    @property
    def title(self) -> str:
        """What it shows, in a few words."""
        return f"Together: {self.pair.first.label} and {self.pair.second.label}"

    @property
    def alt(self) -> str:
        """The picture in words."""
        low, high = self.pair.shares.min(), self.pair.shares.max()
        spread = f"from {low:+.2f} to {high:+.2f} log-odds, {self.pair.size:.2g} in size on average"
        return f"what only both together say of {len(self.values):,} leads: {spread}"

    def _draw(self, axes: Any) -> None:
        draw_interaction(self.pair, self.values, axes)
