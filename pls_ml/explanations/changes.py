"""Why scores moved between two moments: an exact split into data, model and calibrator, for many leads at once.

f, g, x are the scorer, the calibrator and the signals then; F, G, X those of now; c_i(x) is the share of signal i in the margin f(x),
with base b, and C_i(X) that in F(X), with base B. Three steps lead from the score then, g(f(x)), to the score now, G(F(X)):

* data: g(f(X)) − g(f(x)), what the lead did, as the model judged it that gave the first score. Signal i has
  (c_i(X) − c_i(x)) · (g(f(X)) − g(f(x))) / (f(X) − f(x)).
* model: g(F(X)) − g(f(X)), the same signals judged by the other scorer. Signal i has
  (C_i(X) − c_i(X)) · (g(F(X)) − g(f(X))) / (F(X) − f(X)), where a share is 0 in the scorer that does not look at the signal; the
  starting point has B − b in place of the difference of shares.
* calibrator: G(F(X)) − g(F(X)), the same margin on another map; it belongs to no signal.

In log-odds the same with logit g and logit G. Within a step each ratio is the mean slope of g on the straight path from one margin to the
other, as in a receipt (the slope itself where both are the same), so that lines keep their signs and sum to the step; the steps telescope,
so that all sum to the difference of the two scores. The order is that of cause and answer: signals first, since a lead that did something
is asked about more often than a model that was trained; the calibrator last, since it is fitted to its scorer's margins. In the model step
the old map therefore reads margins of the new scorer: where the two scorers differ in scale, that is part of the step, and the calibrator
step takes it back. Signals that are the same then and now give no data lines; equal scorers no model lines; equal calibrators no last line.

A signal may have a data line though its own value is as it was: what it is worth depends on the others, which moved.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from pls_ml.core.catalogue import Catalogue, Signal
from pls_ml.core.errors import UnknownLeadError
from pls_ml.core.protocols import Calibrator, Floats, Scorer
from pls_ml.explanations.change_receipt import CALIBRATOR, DATA, MODEL, PARTS, ChangeLine, ChangeReceipt, Moment
from pls_ml.explanations.policy import OTHER
from pls_ml.explanations.receipt import START
from pls_ml.explanations.receipts import path_scales, sum_by_signal
from pls_ml.explanations.wording import say_values

NEW, GONE = "not looked at then", "no longer looked at"
"""In place of a value, where only one of two models looks at a signal."""
Places = npt.NDArray[np.int64]
SHARES = ("log_odds", "probability")
COLUMNS = ("lead_id", "part", "signal", *SHARES, "before", "after")


@dataclass(frozen=True)
class Scoring:
    """How n leads are scored at one moment: their n × m signal columns, and what makes a score of them."""

    moment: Moment
    scorer: Scorer
    calibrator: Calibrator
    catalogue: Catalogue
    values: pd.DataFrame


@dataclass(frozen=True)
class Lines:
    """n × k lines on both scales."""

    log_odds: Floats
    probability: Floats

    @property
    def total(self) -> Lines:
        """The k lines summed: n × 1."""
        return Lines(self.log_odds.sum(axis=1, keepdims=True), self.probability.sum(axis=1, keepdims=True))

    def take(self, columns: Places) -> Lines:
        """Takes places of lines; returns those lines."""
        return Lines(self.log_odds[:, columns], self.probability[:, columns])

    def at(self, row: int, k: int) -> tuple[float, float]:
        """Takes a row and a line; returns its two shares."""
        return float(self.log_odds[row, k]), float(self.probability[row, k])

    @property
    def present(self) -> npt.NDArray[np.bool_]:
        """Where there is a share: n × k."""
        return np.asarray((self.log_odds != 0) | (self.probability != 0))


@dataclass(frozen=True)
class Changes:
    """Why n scores moved: `data` is n × k, `model` n × (k + 1), the starting point last, and `calibrator` n × 1; all sum to the difference.

    `signals` are the k that either model looks at; `again` are the signals of now as the model of then reads them.
    """

    then: Scoring
    now: Scoring
    again: pd.DataFrame
    lead_ids: tuple[str, ...]
    signals: tuple[Signal, ...]
    data: Lines
    model: Lines
    calibrator: Lines
    before: Floats
    after: Floats

    def one(self, lead_id: str) -> ChangeReceipt:
        """Takes a lead's id; returns why its score moved; refuses an unknown one."""
        if lead_id not in self.lead_ids:
            raise UnknownLeadError(f"no change for lead '{lead_id}': {len(self.lead_ids):,} leads were scored at both moments")
        row = self.lead_ids.index(lead_id)
        lines = sorted(self._lines(row), key=lambda line: (PARTS.index(line.part), -abs(line.probability), line.signal))
        scores = float(self.before[row]), float(self.after[row])
        return ChangeReceipt(lead_id, self.then.moment, self.now.moment, *scores, tuple(lines))

    def to_frame(self) -> pd.DataFrame:
        """Takes nothing; returns COLUMNS, a row per lead and line in a total order; the model's lines are one, so are hidden ones."""
        blocks = self._list_blocks()
        rows = [np.flatnonzero(block.shares.present[:, 0]) for block in blocks]
        leads, places = np.concatenate(rows), np.repeat(np.arange(len(blocks)), [len(own) for own in rows])
        order = np.lexsort((places, leads))
        odds, probability = (np.concatenate([one[own] for one, own in zip(lines, rows, strict=True)])[order] for lines in _columns(blocks))
        told = {"lead_id": (self.lead_ids, leads), "part": ([x.part for x in blocks], places), "signal": ([x.name for x in blocks], places)}
        told |= {"before": _say_blocks(blocks, rows, self.then.values), "after": _say_blocks(blocks, rows, self.again)}
        texts = {name: pd.array(list(words), dtype="str").take(place[order]) for name, (words, place) in told.items()}
        return pd.DataFrame(texts | {"log_odds": odds, "probability": probability})[list(COLUMNS)]

    def _list_blocks(self) -> list[_Block]:
        """What the table says of every lead: its visible signals as the model of then reads them, the hidden ones, the model, the map."""
        seen = [self._is_visible(signal) for signal in self.signals]
        known = {signal.id: signal for signal in self.then.catalogue.signals}
        visible = [(k, signal) for k, signal in enumerate(self.signals) if seen[k] and signal.id in known]
        blocks = [_Block(DATA, signal.id, self.data.take(np.array([k])), known[signal.id]) for k, signal in visible]
        blocks.append(_Block(DATA, OTHER, self.data.take(np.flatnonzero(~np.array(seen))).total, None))
        return [*blocks, _Block(MODEL, "", self.model.total, None), _Block(CALIBRATOR, "", self.calibrator, None)]

    def _lines(self, row: int) -> Iterator[ChangeLine]:
        old, new = ({signal.id: signal for signal in one.catalogue.signals} for one in (self.then, self.now))
        for k, signal in enumerate(self.signals):
            again = say_values(old[signal.id], self.again.iloc[[row]])[0] if signal.id in old else NEW
            if self.data.present[row, k]:
                before = say_values(old[signal.id], self.then.values.iloc[[row]])[0]
                yield self._line(DATA, signal, self.data.at(row, k), (before, again))
            if self.model.present[row, k]:
                now = say_values(new[signal.id], self.now.values.iloc[[row]])[0] if signal.id in new else GONE
                yield self._line(MODEL, signal, self.model.at(row, k), (again, now))
        for part, shares, label in ((MODEL, self.model, START), (CALIBRATOR, self.calibrator, CALIBRATOR)):
            if shares.present[row, -1]:
                log_odds, probability = shares.at(row, -1)
                yield ChangeLine(part, "", log_odds, probability, label, "", True, "", "")

    def _line(self, part: str, signal: Signal, share: tuple[float, float], words: tuple[str, str]) -> ChangeLine:
        return ChangeLine(part, signal.id, share[0], share[1], signal.label, signal.family, self._is_visible(signal), words[0], words[1])

    def _is_visible(self, signal: Signal) -> bool:
        """Whether both catalogues let people see it."""
        both = (*self.then.catalogue.signals, *self.now.catalogue.signals)
        return all(own.rep_visible for own in both if own.id == signal.id)


@dataclass(frozen=True)
class _Block:
    """One line of every lead: n × 1 shares."""

    part: str
    name: str
    shares: Lines
    signal: Signal | None


@dataclass(frozen=True)
class _Judged:
    """What a scorer makes of n leads: the base, its signals, n × k shares of the margin, n margins."""

    base: float
    signals: tuple[Signal, ...]
    shares: Floats
    margins: Floats


def build_changes(then: Scoring, now: Scoring, again: pd.DataFrame, lead_ids: Sequence[str]) -> Changes:
    """Takes two scorings of the same n leads, the signals of now as the scorer of then reads them, and n ids; returns why scores moved.

    `again` has the columns of `then.values`, in their order.
    """
    first, moved = _judge(then, then.values), _judge(then, again)
    last = moved if now.scorer is then.scorer and now.values is again else _judge(now, now.values)
    signals = tuple({signal.id: signal for signal in (*first.signals, *last.signals)}.values())
    old, new = _place(moved, signals), _place(last, signals)
    weighed = np.column_stack([new - old, np.full(len(lead_ids), last.base - moved.base)])
    before, after = then.calibrator.transform(first.margins), now.calibrator.transform(last.margins)
    same_map = then.calibrator.transform(last.margins)
    return Changes(
        then,
        now,
        again,
        tuple(lead_ids),
        signals,
        _scale(old - _place(first, signals), then.calibrator, (first.margins, moved.margins)),
        _scale(weighed, then.calibrator, (moved.margins, last.margins)),
        Lines((_log_odds(after) - _log_odds(same_map))[:, None], (after - same_map)[:, None]),
        before,
        after,
    )


def name_no_change() -> pd.DataFrame:
    """Takes nothing; returns the table of changes where no lead was scored at both moments: its columns without a row."""
    return pd.DataFrame({name: pd.array([], dtype="float64" if name in SHARES else "str") for name in COLUMNS})


def _judge(scoring: Scoring, values: pd.DataFrame) -> _Judged:
    base, shares = scoring.scorer.contributions(values)
    signals, per_signal = sum_by_signal(shares, values, scoring.catalogue)
    return _Judged(base, signals, per_signal, base + per_signal.sum(axis=1))


def _place(judged: _Judged, signals: Sequence[Signal]) -> Floats:
    """Lines in the order of the signals; 0 where the scorer does not look at one."""
    order = {signal.id: k for k, signal in enumerate(signals)}
    placed = np.zeros((len(judged.margins), len(signals)))
    placed[:, [order[signal.id] for signal in judged.signals]] = judged.shares
    return placed


def _scale(shares: Floats, calibrator: Calibrator, margins: tuple[Floats, Floats]) -> Lines:
    """Differences of shares of the margin, and the margins on both ends → the same in log-odds and in probability."""
    odds, probability = path_scales(calibrator, margins[1], margins[0])
    return Lines(shares * odds[:, None], shares * probability[:, None])


def _log_odds(probability: Floats) -> Floats:
    return np.asarray(np.log(probability) - np.log1p(-probability))


def _columns(blocks: Sequence[_Block]) -> tuple[list[Floats], list[Floats]]:
    return [block.shares.log_odds[:, 0] for block in blocks], [block.shares.probability[:, 0] for block in blocks]


def _say_blocks(blocks: Sequence[_Block], rows: Sequence[Places], values: pd.DataFrame) -> tuple[list[str], Places]:
    """Each block's values at its rows, in words: the distinct texts, and the place of every row's among them."""
    words: list[str] = []
    places: list[Places] = []
    for block, own in zip(blocks, rows, strict=True):
        distinct, place = ([""], np.zeros(len(own), np.int64)) if block.signal is None else _say_distinct(block.signal, values, own)
        places.append(place + len(words))
        words += distinct
    return words, np.concatenate(places)


def _say_distinct(signal: Signal, values: pd.DataFrame, rows: Places) -> tuple[list[str], Places]:
    """Signals have few distinct values, windows side by side: each is worded once."""
    part = values[[column.name for column in signal.columns]].iloc[rows]
    codes = np.zeros(len(rows), np.int64)
    for name in part.columns:
        codes = pd.factorize(codes * (len(rows) + 1) + pd.factorize(part[name])[0])[0]
    _, first, places = np.unique(codes, return_index=True, return_inverse=True)
    return say_values(signal, part.iloc[first]) if len(rows) else [], places
