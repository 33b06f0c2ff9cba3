"""The plain values of a training, a backtest and a bundle → the tables of the model report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pls_ml.core.catalogue import Catalogue
from pls_ml.evaluation.bootstrap import Estimate
from pls_ml.evaluation.comparison import label_figure, name_capacity, show_brief
from pls_ml.explanations.importance import SignalImportance
from pls_ml.reports.model_page import Table

RANKING = ("average_precision", "roc_auc", "precision_at_capacity", "recall_at_capacity", "lift_at_capacity")
LOSSES = ("log_loss", "brier", "miscalibration", "discrimination")
CALIBRATION = ("calibration_slope", "calibration_intercept", "ici", "observed_expected")
PAIRED = ("precision_at_capacity", "average_precision", "roc_auc", "log_loss", "brier")
INTERVALS = "In brackets: 95 % intervals from drawing whole accounts again."
RIGHT = "Right are slope 1, intercept 0 and observed/expected 1; ICI is the mean distance between probability and smoothed outcome."
MOST_SIGNALS = 15


def tabulate_gates(gates: Sequence[Mapping[str, Any]]) -> Table:
    """Takes verdicts as plain values; returns them as a table."""
    rows = tuple((gate["name"].replace("_", " "), "passed" if gate["passed"] else "not passed", gate["sentence"]) for gate in gates)
    return Table("What a promotion asks for", ("gate", "verdict", "why"), rows)


def tabulate_ranking(comparison: Mapping[str, Any], where: str) -> Table:
    """Takes a comparison as plain values and the leads it is on; returns how all candidates rank."""
    title = f"Ranking of {where}: {comparison['rows']:,} rows of {comparison['accounts']:,} accounts, {comparison['positives']:,} won"
    note = f"Base rate {comparison['base_rate']:.3g}; capacity is the {name_capacity(comparison['capacity'])}. {INTERVALS}"
    return _tabulate_figures(title, _order(comparison), RANKING, note)


def tabulate_differences(comparison: Mapping[str, Any]) -> Table:
    """Takes a comparison as plain values; returns every candidate's paired differences from the reference."""
    title = f"Differences from {comparison['reference']}, on the same leads"
    paired = {name: comparison["paired"][name] for name in _order(comparison) if name in comparison["paired"]}
    return _tabulate_figures(title, paired, PAIRED, f"Paired. {INTERVALS}")


def tabulate_probabilities(comparison: Mapping[str, Any], calibrators: Mapping[str, Mapping[str, Any]]) -> tuple[Table, ...]:
    """Takes a comparison and the calibrators as plain values; returns how right probabilities are, and what they were fitted on."""
    shown = {name: found for name, found in _order(comparison).items() if "brier" in found}
    uncertainty = next(iter(shown.values()))["uncertainty"]["value"]
    parts = f"Brier score = miscalibration − discrimination + uncertainty, which is {uncertainty:.4f} for all. {INTERVALS}"
    fitted = tuple((name, one["kind"], f"{one['positives']:,}", f"{one['rows']:,}") for name, one in calibrators.items())
    return (
        _tabulate_figures("Probabilities of the held-out leads", shown, LOSSES, parts),
        _tabulate_figures("Calibration on the held-out leads", shown, CALIBRATION, f"{RIGHT} {INTERVALS}"),
        Table("Calibrators, fitted on rows that training had not seen", ("candidate", "kind", "won", "rows"), fitted),
    )


def tabulate_ratios(ratios: Sequence[Mapping[str, Any]]) -> tuple[Table, ...]:
    """Takes pooled ratios as plain values; returns a table for months, for segments."""
    tables = []
    for found in ratios:
        rows = tuple(
            (
                one["level"],
                f"{one['rows']:,}",
                f"{one['won']:,}",
                f"{one['expected']:,.1f}",
                f"{one['ratio']:.2f}",
                say_figure(one["pooled"]),
            )
            for one in found["levels"]
        )
        note = f"Small ones are drawn to the common ratio; beyond noise they differ by ± {found['spread']:.0%}."
        header = (found["by"], "rows", "won", "expected", "alone", "pooled (95 %)")
        tables.append(Table(f"Wins seen against wins promised, by {found['by']}", header, rows, note))
    return tuple(tables)


def tabulate_periods(comparison: Mapping[str, Any]) -> Table:
    """Takes a comparison as plain values; returns precision at capacity of both sides in every period of the test."""
    pair = comparison["reference"], comparison["challenger"]
    rows = tuple(
        (one["period"], f"{one['rows']:,}", f"{one['positives']:,}", *(f"{one[s]:.3f}" for s in ("reference", "challenger", "difference")))
        for one in comparison["periods"]
    )
    return Table("Precision at capacity by month of the test", ("period", "rows", "won", *pair, "difference"), rows)


def tabulate_folds(backtest: Mapping[str, Any]) -> Table:
    """Takes a backtest as plain values; returns its folds."""
    pair = backtest["comparison"]["reference"], backtest["comparison"]["challenger"]
    rows = []
    for fold in backtest["folds"]:
        metrics = (fold["comparison"] or {}).get("metrics", {})
        precision = (say_figure(metrics.get(name, {}).get("precision_at_capacity")) for name in pair)
        ratio = say_figure(metrics.get(pair[1], {}).get("observed_expected"))
        counts = (f"{fold['rows']['train']:,}", f"{fold['rows']['test']:,}", f"{fold['positives']:,}")
        rows.append((fold["test_start"], *counts, fold["chosen"], *precision, ratio))
    header = (
        "tests from",
        "trained on",
        "tested",
        "won",
        "chosen",
        *(f"{name}: precision" for name in pair),
        f"{pair[1]}: observed/expected",
    )
    return Table("Backtest: the whole pipeline fitted anew before each fold", header, tuple(rows), INTERVALS)


def tabulate_signals(signals: Sequence[SignalImportance], most: int = MOST_SIGNALS) -> tuple[Table, Table]:
    """Takes signals, the loudest first, and how many to list; returns their importance, and the shape of each by value."""
    listed = tuple(
        (one.label, one.family.replace("_", " "), f"{one.size:.3f}", f"{one.share:.1%}", one.way, one.column.name) for one in signals[:most]
    )
    rest = signals[most:]
    note = f"{len(rest)} more signals have {sum(one.share for one in rest):.1%} of it all." if rest else ""
    shapes = tuple((one.label, "; ".join(f"{words} {share:+.2f}" for words, share in one.shape)) for one in signals[:most])
    return (
        Table(
            "Mean size of each signal’s contribution",
            ("signal", "family", "log-odds", "share", "direction", "leading column"),
            listed,
            note,
        ),
        Table(
            "Shape: mean contribution (log-odds) by value of the leading column, lowest values first",
            ("signal", "value and contribution"),
            shapes,
        ),
    )


def tabulate_reasons(reasons: Mapping[str, Any], catalogue: Catalogue, most: int = 12) -> Table:
    """Takes the profile of reasons and the catalogue; returns of which share of the best leads each signal is a reason."""
    labels = {signal.id: signal.label for signal in catalogue.signals}
    ranked = sorted(reasons["profile"].items(), key=lambda item: (-item[1], item[0]))[:most]
    return Table("Reasons given for the best leads", ("signal", "share of them"), tuple((labels.get(n, n), f"{s:.1%}") for n, s in ranked))


def tabulate_population(found: Mapping[str, Any]) -> tuple[Table, ...]:
    """Takes a training as plain values; returns who was counted: labels and their maturity, who was set aside, how rows were split."""
    labels, split = found["labels"], found["split"]
    counted = {
        "matured rows": labels["rows"],
        "of them won": labels["positives"],
        "not matured yet, left out": labels["immature"],
        "won inside the gap, left out": labels["won_in_gap"],
    }
    parts = (("Outcomes", counted), ("Set aside before training", found["removed"]), ("Split", split))
    return tuple(
        Table(title, ("", "count"), tuple((name.replace("_", " "), f"{n:,}") for name, n in counts.items()))
        for title, counts in parts
        if counts
    )


def tabulate_coverage(found: Mapping[str, Any], catalogue: Catalogue) -> tuple[Table, ...]:
    """Takes a training as plain values and the bundle's catalogue; returns which signals could not be computed, and why."""
    missing = tuple(sorted(found["not_computable"].items()))
    title = f"{len(catalogue.signals)} signals were computed, {len(missing)} could not be"
    return (Table(title, ("signal", "why not"), missing),) if missing else ()


def tabulate_leaks(audit: Mapping[str, Any]) -> tuple[Table, ...]:
    """Takes a leak audit as plain values; returns what it found, the signals that say most alone, and what it could not judge."""
    found = tuple((one["name"], one["sentence"], "yes" if one["acknowledged"] else "no") for one in audit["findings"])
    alone = tuple((one["signal"], f"{one['auc']:.3f}") for one in audit["signals"][:8] if one["auc"] is not None)
    unjudged = tuple(audit["not_judged"].items())
    tables = (
        Table("Findings", ("about", "what was found", "acknowledged"), found),
        Table("Signals that say most alone", ("signal", "ROC-AUC alone"), alone),
        Table("What the audit could not judge", ("test", "why"), unjudged),
    )
    return tuple(table for table in tables if table.rows)


def tabulate_settings(frozen: Mapping[str, Any], tuning: Mapping[str, Any] | None) -> tuple[Table, ...]:
    """Takes what a bundle froze and the search for settings as plain values; returns both as tables."""
    rows = tuple(
        (f"{part}: {name}", str(value)) for part in ("horizon", "spine", "population", "outcome") for name, value in frozen[part].items()
    )
    tables = [Table("Settings", ("setting", "value"), rows)]
    if tuning:
        best = tuning["best"]
        settings = tuple((name, f"{value:g}") for name, value in best["settings"].items())
        tables.append(
            Table(f"Best of {len(tuning['trials'])} settings of the trees: trial {best['number']}", ("setting", "value"), settings)
        )
    return tuple(tables)


def _order(comparison: Mapping[str, Any]) -> dict[str, Any]:
    """The figures of both sides first, then the other candidates, then those that learned nothing."""
    metrics = comparison["metrics"]
    first, last = (comparison["challenger"], comparison["reference"]), ("activity", "base rate", "random")
    names = dict.fromkeys((*first, *(name for name in metrics if name not in last), *last))
    return {name: metrics[name] for name in names if name in metrics}


def _tabulate_figures(title: str, metrics: Mapping[str, Any], figures: Sequence[str], note: str) -> Table:
    shown = [figure for figure in figures if any(figure in found for found in metrics.values())]
    rows = tuple((name, *(say_figure(found.get(figure)) for figure in shown)) for name, found in metrics.items())
    return Table(title, ("candidate", *map(label_figure, shown)), tuple(row for row in rows if any(row[1:])), note)


def say_figure(estimate: Mapping[str, float | None] | None) -> str:
    """Takes an estimate as plain values, or None; returns it with its interval."""
    return show_brief(Estimate.from_dict(estimate)).replace("-0.000", "0.000") if estimate else ""
