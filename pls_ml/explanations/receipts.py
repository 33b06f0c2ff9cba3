"""The complete list of contributions of one score: it sums to that score exactly.

Per signal, contributions c_i with base m0 sum to the margin m. Through a monotone calibrator g the share of probability is
c_i · (g(m) − g(m0)) / (m − m0), the straight-path integral of g' (Aumann–Shapley along the line from m0 to m): it keeps signs and
sums to g(m) − g(m0). In log-odds the same with logit g. Where m = m0 the ratio is the slope of g. Where g is flat from m0 to m, as
an isotonic map is beyond its outer steps, every line is 0: the score shown is that of the starting point, and has nothing to share out;
the raw score still ranks. Points are a card's own, from 0 on: no calibrator touches them.

Two forms: `Receipts.to_frame` is the complete one, for tables; what a person sees is `Receipt`, in which every line that the policy
hides is part of one line 'other', so that the sum stays true.

A score that starts from a card is the card's margin plus what trees add to it: both margins, and both parts of every line, are kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pls_ml.core.catalogue import Catalogue, Signal
from pls_ml.core.errors import UnknownLeadError
from pls_ml.core.protocols import Calibrator, Floats, PointsScorer, Scorer, Shares, TwoPartScorer
from pls_ml.explanations.peers import Peers
from pls_ml.explanations.policy import OTHER, OTHER_LABEL
from pls_ml.explanations.receipt import NOT_SHOWN, Parts, Receipt, or_none
from pls_ml.explanations.telling import Telling
from pls_ml.explanations.wording import Line, say_values

SAME = 1e-11
"""Margins closer than this to the base use the slope: the ratio would be 0/0, or nothing but rounding."""
SAME_SIGN = 0.8
"""The share of a scorer's seeds, four of five, in which a contribution has its sign: below, another draw might say the opposite."""


@dataclass(frozen=True, repr=False)
class Receipts:
    """Contributions of n leads over k signals: `log_odds` and `probability` are n × k; each row plus its base is the score.

    `learned` (n × k) is the part of `log_odds` that trees give, all of it where they start from nothing, 0 where there are none.
    `parts` are those of each raw score where trees start from something, else none. `steady` (n × k) says whether enough of the seeds
    agree with a contribution's sign; `leading` (n × k) which of its signal's windows gives most of it: sentences speak of that one.
    `points` (n × k) are a card's, which sum to its score.
    """

    lead_ids: tuple[str, ...]
    signals: tuple[Signal, ...]
    log_odds: Floats
    probability: Floats
    base_log_odds: float
    base_probability: float
    score: Floats
    values: pd.DataFrame
    learned: Floats
    parts: tuple[Parts, ...]
    steady: npt.NDArray[np.bool_]
    leading: npt.NDArray[np.int8]
    peers: Peers | None = None
    points: Floats | None = None

    @property
    def telling(self) -> Telling:
        """What each line says in words."""
        return Telling(self.signals, self.values, self.log_odds, self.leading, self.peers)

    def one(self, lead_id: str) -> Receipt:
        """Takes a lead's id; returns its receipt; refuses an unknown one."""
        if lead_id not in self.lead_ids:
            raise UnknownLeadError(f"no receipt for lead '{lead_id}': {len(self.lead_ids):,} leads are scored here")
        row = self.lead_ids.index(lead_id)
        values, here = self.values.iloc[[row]], np.array([row])
        lines = [
            Line(
                signal=s.id,
                log_odds=float(self.log_odds[row, k]),
                probability=float(self.probability[row, k]),
                label=s.label,
                value=say_values(s, values)[0],
                family=s.family,
                rep_visible=s.rep_visible,
                learned=float(self.learned[row, k]),
                percentile=or_none(self.telling.place(k, here)[0]),
                sentence=self.telling.tell(k, here)[0],
                points=None if self.points is None else float(self.points[row, k]),
            )
            for k, s in enumerate(self.signals)
        ]
        ordered = tuple(sorted(lines, key=lambda line: (-abs(line.probability), line.signal)))
        parts = self.parts[row] if self.parts else None
        points = None if self.points is None else float(self.points[row].sum())
        return Receipt(lead_id, float(self.score[row]), self.base_probability, self.base_log_odds, ordered, parts, points)

    def to_frame(self) -> pd.DataFrame:
        """Takes nothing; returns one row per lead and signal with a share, hidden or not, in a total order: the complete form."""
        words = np.array([say_values(signal, self.values) for signal in self.signals], dtype=object)
        everybody = np.arange(len(self.lead_ids))
        percentiles = np.array([self.telling.place(k, everybody) for k in range(len(self.signals))])
        rows, columns = np.nonzero(self.log_odds if self.points is None else (self.log_odds != 0) | (self.points != 0))
        return pd.DataFrame(
            {
                "lead_id": np.array(self.lead_ids, dtype=object)[rows],
                "signal": np.array([signal.id for signal in self.signals], dtype=object)[columns],
                "log_odds": self.log_odds[rows, columns],
                "learned": self.learned[rows, columns],
                "probability": self.probability[rows, columns],
                "points": np.nan if self.points is None else self.points[rows, columns],
                "value": words[columns, rows],
                "percentile": percentiles[columns, rows],
            }
        )

    def __repr__(self) -> str:
        return f"receipts of {len(self.lead_ids):,} leads over {len(self.signals):,} signals"

    def to_explanation(self) -> Any:
        """Takes nothing; returns a `shap.Explanation` in probability, so that shap's plots work; hidden signals are its last column."""
        import shap

        seen = [k for k, signal in enumerate(self.signals) if signal.rep_visible]
        hidden = [k for k, signal in enumerate(self.signals) if not signal.rep_visible]
        shown = [self.signals[k] for k in seen]
        shares, names = self.probability[:, seen], [signal.label for signal in shown]
        data = self.values[[signal.columns[0].name for signal in shown]].astype(object)
        words = pd.DataFrame({signal.id: say_values(signal, self.values) for signal in shown}, index=self.values.index, dtype=object)
        if hidden:
            shares = np.column_stack([shares, self.probability[:, hidden].sum(axis=1)])
            names, data[OTHER], words[OTHER] = [*names, OTHER_LABEL], np.nan, NOT_SHOWN
        base = np.full(len(self.lead_ids), self.base_probability)
        return shap.Explanation(
            values=shares, base_values=base, data=data.to_numpy(), display_data=words.to_numpy(dtype=object), feature_names=names
        )


def build_receipts(
    scorer: Scorer, calibrator: Calibrator, signals: pd.DataFrame, lead_ids: Sequence[str], catalogue: Catalogue
) -> Receipts:
    """Takes a fitted scorer and calibrator, n × m signal columns and n lead ids; returns n receipts, windows of a signal summed."""
    (start, start_shares), seeds = _split(scorer, signals)
    listed, from_start = sum_by_signal(start_shares, signals, catalogue)
    learned = _average(seeds, start_shares, signals, catalogue)
    shares, base = from_start + learned.by_signal, start + learned.base
    margins = base + shares.sum(axis=1)
    odds_scale, probability_scale = path_scales(calibrator, margins, base)
    at_base = float(calibrator.transform(np.array([base]))[0])
    return Receipts(
        lead_ids=tuple(lead_ids),
        signals=listed,
        log_odds=shares * odds_scale[:, None],
        probability=shares * probability_scale[:, None],
        base_log_odds=float(np.log(at_base) - np.log1p(-at_base)),
        base_probability=at_base,
        score=calibrator.transform(margins),
        values=signals,
        learned=learned.by_signal * odds_scale[:, None],
        parts=_find_parts(scorer, start + start_shares.sum(axis=1), learned.base + learned.by_signal.sum(axis=1)),
        steady=np.where(shares > 0, learned.above, learned.below) >= SAME_SIGN * learned.seeds,
        leading=_find_leading(start_shares + learned.by_column, shares, signals, catalogue),
        points=sum_by_signal(scorer.point_shares(signals), signals, catalogue)[1] if isinstance(scorer, PointsScorer) else None,
    )


@dataclass(frozen=True)
class _Learned:
    """What was learned, on average over the seeds; and in how many of them a signal speaks for a lead, and against it."""

    seeds: int
    base: float
    by_column: Floats
    by_signal: Floats
    above: npt.NDArray[np.int8]
    below: npt.NDArray[np.int8]


def _split(scorer: Scorer, signals: pd.DataFrame) -> tuple[Shares, Iterator[Shares]]:
    """What a scorer starts from, and what each of its seeds learned on top; a scorer in one piece learned nothing on top."""
    if isinstance(scorer, TwoPartScorer):
        return scorer.parts(signals)
    return scorer.contributions(signals), iter(())


def _average(seeds: Iterator[Shares], start: Floats, signals: pd.DataFrame, catalogue: Catalogue) -> _Learned:
    """One seed's shares after the other: all of them would not fit into memory beside each other."""
    from_start = sum_by_signal(start, signals, catalogue)[1]
    n, base, by_column, by_signal = 0, 0.0, np.zeros_like(start), np.zeros_like(from_start)
    above, below = (np.zeros(from_start.shape, np.int8) for _ in range(2))
    for seed_base, shares in seeds:
        mine = sum_by_signal(shares, signals, catalogue)[1]
        n, base = n + 1, base + seed_base
        by_column += shares
        by_signal += mine
        mine += from_start
        above += mine > 0
        below += mine < 0
    by_column /= max(n, 1)
    by_signal /= max(n, 1)
    return _Learned(n, base / max(n, 1), by_column, by_signal, above, below)


def _find_leading(columns: Floats, shares: Floats, signals: pd.DataFrame, catalogue: Catalogue) -> npt.NDArray[np.int8]:
    """Per row and signal the place, among the signal's columns, of the one that gives most towards the signal's own side."""
    place = {str(name): position for position, name in enumerate(signals.columns)}
    owners = {owner.id: owner for owner in (catalogue.by_column[name].signal for name in place)}
    leading = np.zeros(shares.shape, np.int8)
    for k, owner in enumerate(owners.values()):
        known = [place[column.name] for column in owner.columns if column.name in place]
        if len(known) > 1:
            leading[:, k] = (columns[:, known] * np.where(shares[:, [k]] < 0, -1, 1)).argmax(axis=1)
    return leading


def _find_parts(scorer: Scorer, start: Floats, learned: Floats) -> tuple[Parts, ...]:
    if not isinstance(scorer, TwoPartScorer) or scorer.start_ is None:
        return ()
    return tuple(Parts(scorer.start_.kind, float(x), float(y)) for x, y in zip(start, learned, strict=True))


def sum_by_signal(shares: Floats, signals: pd.DataFrame, catalogue: Catalogue) -> tuple[tuple[Signal, ...], Floats]:
    """Takes n × m shares, the n × m signal columns they are of, and the catalogue; returns the k signals and n × k sums over windows."""
    owners = [catalogue.by_column[str(c)].signal for c in signals.columns]
    places: dict[str, list[int]] = {}
    for position, owner in enumerate(owners):
        places.setdefault(owner.id, []).append(position)
    firsts = [first for first, *_ in places.values()]
    per_signal = np.ascontiguousarray(shares[:, firsts])  # row by row, so that a sum is the same in any batch
    for k, (_, *others) in enumerate(places.values()):
        for position in others:
            per_signal[:, k] += shares[:, position]
    return tuple({owner.id: owner for owner in owners}.values()), per_signal


def path_scales(calibrator: Calibrator, margins: Floats, base: float | Floats) -> tuple[Floats, Floats]:
    """Takes a calibrator, n margins and the base of all, or of each; returns what a unit of margin is worth in log-odds and probability."""
    step = margins - base
    near = np.abs(step) < SAME
    safe = np.where(near, 1.0, step)
    end, start = calibrator.transform(margins), calibrator.transform(np.broadcast_to(base, margins.shape))
    slope = calibrator.slope(margins)
    odds = np.log(end) - np.log1p(-end) - (np.log(start) - np.log1p(-start))
    return np.where(near, slope / (end * (1 - end)), odds / safe), np.where(near, slope, (end - start) / safe)
