"""The complete list of contributions of one score: it sums to that score exactly.

Per signal, contributions c_i with base m0 sum to the margin m. Through a monotone calibrator g the share of probability is
c_i · (g(m) − g(m0)) / (m − m0), the straight-path integral of g' (Aumann–Shapley along the line from m0 to m): it keeps signs and
sums to g(m) − g(m0). In log-odds the same with logit g. Where m = m0 the ratio is the slope of g.

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
from pls_ml.core.protocols import Calibrator, Floats, Scorer, Shares, TwoPartScorer
from pls_ml.explanations.peers import Peers
from pls_ml.explanations.policy import show_lines
from pls_ml.explanations.telling import Telling
from pls_ml.explanations.wording import Line, say_values

START = "starting point"
"""The base in words: the average lead of a model, a lead with 0 points of a card."""
SAME = 1e-9
"""Margins closer than this to the base use the slope: the ratio would be 0/0."""
SAME_SIGN = 0.8
"""The share of a scorer's seeds, four of five, in which a contribution has its sign: below, another draw might say the opposite."""


@dataclass(frozen=True)
class Parts:
    """A raw score, a log-odds before calibration, in two parts: what the start says, and what trees add to it."""

    start: str
    start_score: float
    learned: float

    def to_dict(self) -> dict[str, Any]:
        """Takes nothing; returns plain values, with the raw score that both sum to."""
        return {"start": self.start, "start_score": self.start_score, "learned": self.learned, "raw_score": self.start_score + self.learned}

    def to_text(self) -> str:
        """Takes nothing; returns the sum in words."""
        return f"{self.start} {self.start_score:+.2f} + learned {self.learned:+.2f} = raw score {self.start_score + self.learned:+.2f}"


@dataclass(frozen=True, repr=False)
class Receipts:
    """Contributions of n leads over k signals: `log_odds` and `probability` are n × k; each row plus its base is the score.

    `learned` (n × k) is the part of `log_odds` that trees give, all of it where they start from nothing, 0 where there are none.
    `parts` are those of each raw score where trees start from something, else none. `steady` (n × k) says whether enough of the seeds
    agree with a contribution's sign; `leading` (n × k) which of its signal's windows gives most of it: sentences speak of that one.
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
                percentile=_or_none(self.telling.place(k, here)[0]),
                sentence=self.telling.tell(k, here)[0],
            )
            for k, s in enumerate(self.signals)
        ]
        ordered = tuple(sorted(lines, key=lambda line: (-abs(line.probability), line.signal)))
        parts = self.parts[row] if self.parts else None
        return Receipt(lead_id, float(self.score[row]), self.base_probability, self.base_log_odds, ordered, parts)

    def to_frame(self) -> pd.DataFrame:
        """Takes nothing; returns one row per lead and signal with a contribution, hidden or not: the complete form, in a total order."""
        words = np.array([say_values(signal, self.values) for signal in self.signals], dtype=object)
        everybody = np.arange(len(self.lead_ids))
        percentiles = np.array([self.telling.place(k, everybody) for k in range(len(self.signals))])
        rows, columns = np.nonzero(self.log_odds)
        return pd.DataFrame(
            {
                "lead_id": np.array(self.lead_ids, dtype=object)[rows],
                "signal": np.array([signal.id for signal in self.signals], dtype=object)[columns],
                "log_odds": self.log_odds[rows, columns],
                "learned": self.learned[rows, columns],
                "probability": self.probability[rows, columns],
                "value": words[columns, rows],
                "percentile": percentiles[columns, rows],
            }
        )

    def __repr__(self) -> str:
        return f"receipts of {len(self.lead_ids):,} leads over {len(self.signals):,} signals"

    def to_explanation(self) -> Any:
        """Takes nothing; returns a `shap.Explanation` in probability, so that shap's plots work: complete, with what reps may not see."""
        import shap

        data = self.values[[signal.columns[0].name for signal in self.signals]].to_numpy()
        base = np.full(len(self.lead_ids), self.base_probability)
        return shap.Explanation(values=self.probability, base_values=base, data=data, feature_names=[s.label for s in self.signals])


@dataclass(frozen=True, repr=False)
class Receipt:
    """One lead's receipt: `base` plus all lines is `score`, the calibrated probability; lines run from the largest on."""

    lead_id: str
    score: float
    base: float
    base_log_odds: float
    lines: tuple[Line, ...]
    parts: Parts | None = None

    def to_dict(self) -> dict[str, Any]:
        """Takes nothing; returns plain values; lines the policy hides from reps are one line 'other', so that the sum stays true."""
        lines = pd.DataFrame([line.to_dict() | {"lead_id": self.lead_id} for line in self.lines if line.log_odds != 0])
        visible = {line.signal for line in self.lines if line.rep_visible}
        shown = [] if lines.empty else show_lines(lines, visible).drop(columns=["lead_id", "rep_visible"]).to_dict("records")
        shown = [line | {"percentile": _or_none(line["percentile"])} for line in shown]
        head = {"lead_id": self.lead_id, "score": self.score, "base": self.base, "base_log_odds": self.base_log_odds}
        return head | {"lines": shown, "parts": self.parts.to_dict() if self.parts else None}

    def to_text(self, most: int | None = None) -> str:
        """Takes how many lines to spell out (None: all); returns the receipt as aligned lines that add up.

        Where trees correct a card, a last line says what each of them gives.
        """
        lines = self.to_dict()["lines"]
        rows = [(START, self.base)]
        rows += [(f"{line['label']}{': ' if line['value'] else ''}{line['value']}", line["probability"]) for line in lines[:most]]
        if most is not None and lines[most:]:
            rows.append((f"{len(lines) - most} smaller signals", sum(line["probability"] for line in lines[most:])))
        width = max(len(text) for text, _ in rows)
        body = [f"  {text:<{width}}  {share:+8.2%}" for text, share in rows]
        last = [f"  {self.parts.to_text()}"] if self.parts else []
        return "\n".join([*body, f"  {'score':<{width}}  {self.score:8.2%}", *last])

    def __repr__(self) -> str:
        return f"{self.lead_id}\n{self.to_text()}"

    def _repr_html_(self) -> str:
        from html import escape

        lines = self.to_dict()["lines"]
        body = "".join(
            f"<tr><td>{escape(x['label'])}</td><td>{escape(x['value'])}</td><td>{x['probability']:+.2%}</td></tr>" for x in lines
        )
        head = f"<caption>{escape(self.lead_id)}: {self.score:.1%}</caption><tr><td>{START}</td><td></td><td>{self.base:.2%}</td></tr>"
        foot = f"<tr><td>{escape(self.parts.to_text())}</td><td></td><td></td></tr>" if self.parts else ""
        return f"<table>{head}{body}{foot}</table>"


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
    per_signal = shares[:, [first for first, *_ in places.values()]]
    for k, (_, *others) in enumerate(places.values()):
        for position in others:
            per_signal[:, k] += shares[:, position]
    return tuple({owner.id: owner for owner in owners}.values()), per_signal


def path_scales(calibrator: Calibrator, margins: Floats, base: float) -> tuple[Floats, Floats]:
    """Takes a calibrator, n margins and their base; returns what a unit of margin is worth in log-odds and in probability."""
    step = margins - base
    near = np.abs(step) < SAME
    safe = np.where(near, 1.0, step)
    end, start = calibrator.transform(margins), calibrator.transform(np.array([base]))[0]
    slope = calibrator.slope(margins)
    odds = np.log(end) - np.log1p(-end) - (np.log(start) - np.log1p(-start))
    return np.where(near, slope / (end * (1 - end)), odds / safe), np.where(near, slope, (end - start) / safe)


def _or_none(number: float | None) -> float | None:
    return None if number is None or np.isnan(number) else float(number)
