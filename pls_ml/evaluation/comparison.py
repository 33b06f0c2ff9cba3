"""Rules against model on the same leads: every figure with an interval, every difference paired, and a rule written before."""

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from html import escape
from typing import Any

import numpy as np
import numpy.typing as npt

from pls_ml.core.errors import DataError, suggest
from pls_ml.evaluation.bootstrap import Estimate, basic_interval, draw_accounts, paired_difference, percentile_interval
from pls_ml.evaluation.clusters import Clusters, cluster_rows
from pls_ml.evaluation.measures import LOWER_IS_BETTER, RAISED_BY_NOISE, CandidateScores, Economics, PreparedCandidate, prepare_candidate
from pls_ml.evaluation.ranking import check_capacity, check_labels, group_by_score, precision_at, sort_scores
from pls_ml.evaluation.tables import render_html, render_text

Floats = npt.NDArray[np.float64]
#: B values of every figure of every candidate
Draws = dict[str, dict[str, Floats]]

DECIDING = "precision_at_capacity"
PERIODS_NEEDED = 0.75
# Resamples in one pass over the rows: as many numbers as a processor fetches at a time, twice.
RESAMPLES_AT_ONCE = 16
VALUE_FIGURES = ("captured_value", "captured_share")
MAIN_FIGURES = ("average_precision", "roc_auc", "precision_at_capacity", "log_loss", "brier", "observed_expected")


@dataclass(frozen=True, eq=False)
class ComparisonOptions:
    """Who is compared with whom, and where.

    `capacity` below 1 is a share of the leads, 1 or more a number of leads. `periods` gives each row its test month or fold
    (None: all rows are one period), `values` what a row is worth when worked (None: captured value is not reported), `economics` what a
    win gives and a contact costs (None: neither expected value nor net benefit), `weight` how much a row counts (None: 1 each).
    """

    capacity: float
    reference: str
    challenger: str
    n_resamples: int = 1000
    seed: int = 0
    periods: npt.ArrayLike | None = None
    values: npt.ArrayLike | None = None
    economics: Economics | None = None
    weight: npt.ArrayLike | None = None


@dataclass(frozen=True)
class PeriodDifference:
    """Precision at capacity of both in one period; a period with one class only tells nothing and does not vote."""

    period: str
    rows: int
    positives: int
    reference: float
    challenger: float

    @property
    def difference(self) -> float:
        """Challenger minus reference."""
        return self.challenger - self.reference

    @property
    def votes(self) -> bool:
        """Whether the period holds both outcomes."""
        return 0 < self.positives < self.rows


@dataclass(frozen=True)
class Decision:
    """The outcome of the rule, with the figures it rests on."""

    wins: bool
    difference: Estimate
    agreeing: int
    voting: int
    sentence: str


@dataclass(frozen=True)
class Comparison:
    """All figures by candidate, paired differences of each one - reference, periods, and the decision on the challenger."""

    rows: int
    positives: int
    accounts: int
    base_rate: float
    capacity: float
    reference: str
    challenger: str
    metrics: dict[str, dict[str, Estimate]]
    paired: dict[str, dict[str, Estimate]]
    periods: tuple[PeriodDifference, ...]
    decision: Decision

    def __repr__(self) -> str:
        """Takes nothing; returns it in one line."""
        return f"Comparison({self.rows:,} rows, {', '.join(self.metrics)}: {self.decision.sentence})"

    @property
    def differences(self) -> dict[str, Estimate]:
        """The paired differences challenger - reference, by figure."""
        return self.paired[self.challenger]

    def to_dict(self) -> dict[str, Any]:
        """Takes nothing; returns everything as plain JSON values, None for what is not defined."""
        plain = {name: getattr(self, name) for name in ("rows", "positives", "accounts", "base_rate", "capacity")}
        return plain | {
            "reference": self.reference,
            "challenger": self.challenger,
            "metrics": {name: {m: e.to_dict() for m, e in figures.items()} for name, figures in self.metrics.items()},
            "differences": {name: estimate.to_dict() for name, estimate in self.differences.items()},
            "paired": {name: {f: e.to_dict() for f, e in found.items()} for name, found in self.paired.items()},
            "periods": [asdict(period) | {"difference": period.difference} for period in self.periods],
            "decision": asdict(self.decision) | {"difference": self.decision.difference.to_dict()},
        }

    def to_text(self) -> str:
        """Takes nothing; returns the main figures, the periods and the decision as aligned text for a console."""
        _, periods = self._tables()
        value = [render_text(*self._value_table())] if "captured_value" in self.differences else []
        blocks = [[self._facts()], render_text(*self._main_table()), *value, render_text(*periods), [self.decision.sentence]]
        return "\n\n".join("\n".join(lines) for lines in blocks)

    def _repr_html_(self) -> str:
        tables = "".join(render_html(header, rows) for header, rows in self._tables())
        opening, closing = (f"<p>{escape(sentence)}</p>" for sentence in (self._facts(), self.decision.sentence))
        return opening + tables + closing

    def _facts(self) -> str:
        where = f"{self.rows:,} rows of {self.accounts:,} accounts, {self.positives:,} won (base rate {self.base_rate:.3g})"
        return f"{where}; {name_capacity(self.capacity)}; 95 % intervals from whole accounts drawn again"

    def _main_table(self) -> tuple[list[str], list[list[str]]]:
        return self._lines(MAIN_FIGURES)

    def _value_table(self) -> tuple[list[str], list[list[str]]]:
        header, lines = self._lines(VALUE_FIGURES)
        return [f"amounts of won deals in the {name_capacity(self.capacity)}", *header[1:]], lines

    def _lines(self, figures: tuple[str, ...]) -> tuple[list[str], list[list[str]]]:
        """One line per candidate, so that a console is wide enough."""
        named = (*self.metrics.items(), (f"{self.challenger} - {self.reference}", self.differences))
        lines = [[name, *(show_brief(found.get(figure)) for figure in figures)] for name, found in named]
        return ["", *map(label_figure, figures)], lines

    def _tables(self) -> Iterator[tuple[list[str], list[list[str]]]]:
        names = list(self.metrics)
        figures = list(dict.fromkeys(figure for name in names for figure in self.metrics[name]))
        lines = [[label_figure(f), *(_show(self.metrics[n].get(f)) for n in names), _show(self.differences.get(f))] for f in figures]
        yield ["figure", *names, f"{self.challenger} - {self.reference}"], lines
        precisions = [(p.reference, p.challenger, p.difference) for p in self.periods]
        counts = [(p.period, str(p.rows), str(p.positives)) for p in self.periods]
        votes = [[*count, *map(_short, at)] for count, at in zip(counts, precisions, strict=True)]
        yield ["period", "rows", "won", self.reference, self.challenger, "difference"], votes


def compare_candidates(
    labels: npt.ArrayLike, candidates: dict[str, CandidateScores], groups: npt.ArrayLike, options: ComparisonOptions
) -> Comparison:
    """Takes n labels, the candidates' scores for the same rows, n account ids and the wishes; returns the comparison.

    All candidates share the resamples, so differences are paired. Refuses with `DataError`: unknown candidate names, unequal
    lengths, one class only, a single account, a capacity not above 0.
    """
    truth, accounts = check_labels(labels), np.asarray(groups).astype(str)
    _check_comparison(truth, accounts, candidates, options)
    values = None if options.values is None else np.asarray(options.values, np.float64)
    rows = cluster_rows(accounts, options.weight)
    prepared = {name: prepare_candidate(truth, scores, rows, values, options.economics) for name, scores in candidates.items()}
    whole = {name: c.measure(np.ones((1, rows.count)), options.capacity) for name, c in prepared.items()}
    points = {name: {figure: float(value[0]) for figure, value in figures.items()} for name, figures in whole.items()}
    draws = _resample(prepared, rows, options)
    metrics = {n: {f: _interval(f, points[n][f], draws[n][f]) for f in points[n]} for n in candidates}
    paired = {name: _pair(name, options.reference, points, draws) for name in candidates if name != options.reference}
    paired.setdefault(options.challenger, _pair(options.challenger, options.reference, points, draws))
    periods = _compare_periods(truth, candidates, options, rows.weight)
    positives, weight = int(truth.sum()), rows.weight
    facts = (int(truth.size), positives, rows.count, float(truth @ weight / weight.sum()), options.capacity)
    decision = decide(paired[options.challenger][DECIDING], periods, options)
    return Comparison(*facts, options.reference, options.challenger, metrics, paired, periods, decision)


def decide(difference: Estimate, periods: tuple[PeriodDifference, ...], options: ComparisonOptions) -> Decision:
    """Takes the paired difference of precision at capacity and the periods; returns the decision, in one sentence.

    The challenger wins only if the lower end of the interval is above 0 and three quarters of the voting periods agree.
    """
    voting = [period for period in periods if period.votes]
    agreeing = sum(period.difference > 0 for period in voting)
    wins = difference.low > 0 and bool(voting) and agreeing >= PERIODS_NEEDED * len(voting)
    claim = f"{'' if wins else 'no evidence that '}{options.challenger} beats {options.reference}"
    value, low, high = (f"{100 * number:+.1f}" for number in (difference.value, difference.low, difference.high))
    figures = f"precision in the {name_capacity(options.capacity)} differs by {value} points (95 % interval {low} to {high})"
    needed = math.ceil(PERIODS_NEEDED * len(voting))
    sentence = f"{claim}: {figures}, and it is higher in {agreeing} of {len(voting)} periods ({needed} needed)"
    return Decision(wins, difference, agreeing, len(voting), sentence)


def explain_rule(options: ComparisonOptions) -> str:
    """Takes the wishes, before anything is compared; returns by which rule it will be decided, in one sentence."""
    voters = "periods" if options.periods is None else f"{np.unique(np.asarray(options.periods)).size} periods"
    return (
        f"{options.challenger} beats {options.reference} if the lower end of the paired 95 % interval of precision in the "
        f"{name_capacity(options.capacity)} is above 0 and precision is higher in three quarters of the {voters}; "
        f"otherwise there is no evidence that it does"
    )


def name_capacity(capacity: float) -> str:
    """Takes a capacity; returns it in words."""
    return f"top {100 * capacity:g} %" if capacity < 1 else f"top {capacity:g} leads"


def _check_comparison(truth: Floats, accounts: npt.NDArray[Any], candidates: dict[str, Any], options: ComparisonOptions) -> None:
    check_capacity(options.capacity)
    for name in (options.reference, options.challenger):
        if name not in candidates:
            raise DataError(f"candidate '{name}' has no scores{suggest(name, [*candidates])}: there are {', '.join(candidates)}")
    for name, column in (("account ids", accounts), ("periods", options.periods), ("values", options.values)):
        if column is not None and np.shape(column) != truth.shape:
            raise DataError(f"{truth.size} labels but {np.size(column)} {name}: expected one each per row")
    for name, scores in candidates.items():
        if np.shape(scores.raw) != truth.shape:
            raise DataError(f"{truth.size} labels but {np.size(scores.raw)} scores of '{name}': expected one each per row")
    if not 0 < truth.sum() < truth.size:
        raise DataError(f"{truth.sum():.0f} of {truth.size} rows are positive: expected both outcomes; take a longer test window")


def _resample(prepared: dict[str, PreparedCandidate], rows: Clusters, options: ComparisonOptions) -> Draws:
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    drawn: dict[str, list[dict[str, Floats]]] = {name: [] for name in prepared}
    # Tall, thin products gain nothing from threads and lose much to them on a busy machine; one thread also repeats to the bit.
    with threadpool_limits(1, "blas"):
        for draws in draw_accounts(rows, options.n_resamples, options.seed, RESAMPLES_AT_ONCE):
            for name, candidate in prepared.items():
                drawn[name].append(candidate.measure(draws, options.capacity))
    return {name: {f: np.concatenate([block[f] for block in blocks]) for f in blocks[0]} for name, blocks in drawn.items()}


def _pair(name: str, reference: str, points: dict[str, dict[str, float]], draws: Draws) -> dict[str, Estimate]:
    shared = [figure for figure in points[name] if figure in points[reference] and figure != "uncertainty"]
    sides = {f: ((points[name][f], points[reference][f]), (draws[name][f], draws[reference][f])) for f in shared}
    return {figure: paired_difference(*side) for figure, side in sides.items()}


def _interval(figure: str, value: float, draws: Floats) -> Estimate:
    return (basic_interval if figure in RAISED_BY_NOISE else percentile_interval)(value, draws)


def _compare_periods(
    truth: Floats,
    candidates: dict[str, CandidateScores],
    options: ComparisonOptions,
    weight: Floats,
) -> tuple[PeriodDifference, ...]:
    named = np.full(truth.size, "all") if options.periods is None else np.asarray(options.periods).astype(str)
    # A number of leads is for all rows together; a period gets its share of it.
    share = options.capacity if options.capacity < 1 else min(options.capacity / truth.size, 1 - 1e-12)
    sides = [np.asarray(candidates[name].raw, np.float64) for name in (options.reference, options.challenger)]

    def compare(period: str) -> PeriodDifference:
        here = named == period
        at = [float(precision_at(group_by_score(sort_scores(raw[here]), truth[here], weight[here]), share)[0]) for raw in sides]
        return PeriodDifference(period, int(here.sum()), int(truth[here].sum()), at[0], at[1])

    return tuple(compare(str(period)) for period in np.unique(named))


def label_figure(figure: str) -> str:
    """Takes a figure's name; returns it in words, with a mark where lower is better."""
    return figure.replace("_", " ") + (" ↓" if figure in LOWER_IS_BETTER else "")


def _show(estimate: Estimate | None) -> str:
    return "" if estimate is None else f"{_short(estimate.value)} ({_short(estimate.low)} to {_short(estimate.high)})"


def show_brief(estimate: Estimate | None) -> str:
    """Takes a figure or None; returns it with its interval, as short as a console needs."""
    if estimate is None or math.isnan(estimate.value):
        return ""
    dash, form = " to " if estimate.low < 0 else "–", ",.0f" if abs(estimate.value) >= 1000 else ".3f"
    return f"{estimate.value:{form}} ({estimate.low:{form}}{dash}{estimate.high:{form}})"


def _short(number: float) -> str:
    return "not defined" if math.isnan(number) else f"{number:.4g}" if abs(number) < 1000 else f"{number:,.0f}"
