"""`pls-ml report model`: all that is known of a model → one offline page, and its pictures as files beside it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from pls_ml.core.errors import BundleError
from pls_ml.core.files import write_bytes
from pls_ml.evaluation.displays import Displays, draw_png
from pls_ml.reports.model_page import ModelPage, Picture, Section, render_model_page
from pls_ml.workflows import model_tables as tables
from pls_ml.workflows.backtest_bound import FILE as BACKTEST
from pls_ml.workflows.bundle import Bundle, load_bundle, read_pointer
from pls_ml.workflows.contribution_displays import Contributions, measure_contributions
from pls_ml.workflows.project import Project
from pls_ml.workflows.training_displays import show_backtest, show_training
from pls_ml.workflows.training_record import SAMPLE, name_folder, read_sample, read_training

PAGE, PICTURES = "report.html", "pictures"
CAPTIONS = {
    "gain": "Read upwards at the capacity: the share of all buyers among the leads that sales can work.",
    "lift": "The same against an order at random: 5 means five times as many buyers.",
    "precision_recall": "The further to the upper right the better; the dashed line is an order at random.",
    "learning_curve": "If it still rises at the right end, more accounts would help. Trees keep their number: too many for few rows.",
    "reliability": "On the dashed line promises are kept; a point outside its band is off by more than chance.",
    "scores": "The less the two overlap, the more the score tells apart.",
    "periods": "A difference that lasts from month to month can be relied on.",
    "importance": "How far each signal moves the score on average, up or down.",
    "beeswarm": "Each dot is a held-out lead; grey dots have no value or are categories.",
    "dependence": "A dot per held-out lead over a histogram; marks at the left edge are leads without a value.",
    "interaction": "Coloured by the second signal; grey dots have no value of it.",
    "interactions": "What is left when each signal alone has had its say; an order of size below the bars above means that signals add up.",
    "tuning": "A flat best-so-far line means that the search has converged.",
}
WIDE = ("beeswarm",)


@dataclass(frozen=True)
class ModelReport:
    """Where the page of a model is, its one sentence, and its pictures: `report.displays["beeswarm"].plot()`."""

    version: str
    path: Path
    decision: str
    displays: Displays

    def to_text(self) -> str:
        """Takes nothing; returns where the page is, and how many pictures are beside it."""
        return f"page: {self.path}\npictures: {len(self.displays)} in {self.path.parent / PICTURES}"

    def _repr_html_(self) -> str:
        head = f"<p><b>{escape(self.decision)}</b></p><p>model {escape(self.version)}: {escape(str(self.path))}</p>"
        return head + self.displays._repr_html_()


@dataclass(frozen=True)
class Findings:
    """What is known of a model: its bundle, what its training found, the project's last backtest, and contributions by scorer."""

    bundle: Bundle
    training: Mapping[str, Any]
    backtest: Mapping[str, Any] | None
    contributions: tuple[Contributions, ...]
    champion: bool

    @property
    def displays(self) -> Displays:
        """All pictures by name."""
        used, *others = self.contributions or (None,)
        return Displays(
            {
                **show_training(self.training),
                **(show_backtest(self.backtest) if self.backtest else {}),
                **({"importance": used.displays.get("importance")} if used else {}),
                **{f"importance_{one.name}": one.displays.get("importance") for one in others if one},
                **(used.displays if used else {}),
            }
        )


def report_model(project: Project, version: str | None = None) -> ModelReport:
    """Takes a project and a model version (None: the champion, else the newest); writes its page and pictures; returns both.

    Refuses an unknown version, and a model whose training left no findings.
    """
    found = _gather(project, load_bundle(project, version))
    folder = name_folder(project, found.bundle.version)
    displays, pictures = found.displays, {}
    with project.progress.step(f"drawing {len(displays)} pictures"):
        for name, display in displays.items():
            png = draw_png(display)
            write_bytes(folder / PICTURES / f"{name}.png", png)
            pictures[name] = Picture(name, display.title, png, display.alt, _find_caption(name), name.startswith(WIDE))
    page = ModelPage(
        project.config.project,
        found.bundle.version,
        found.training["comparison"]["decision"]["sentence"],
        _list_facts(found),
        tuple(_build_sections(found, pictures)),
    )
    path = write_bytes(folder / PAGE, render_model_page(page).encode())
    return ModelReport(found.bundle.version, path, page.decision, displays)


def _gather(project: Project, bundle: Bundle) -> Findings:
    """A recalibrated model has the findings of the training it comes from: its scorers are the same."""
    origin = _find_origin(project, bundle)
    training = read_training(project, origin)
    if training is None:
        raise BundleError(
            f"the findings of the training of model {origin} are not in {name_folder(project, origin)}: train again, or restore them"
        )
    sample = read_sample(project, origin)
    names = dict.fromkeys((bundle.used, training["comparison"]["reference"])) if sample else ()
    contributions = []
    for name in names:
        if sample and name in bundle.scorers:
            with project.progress.step(f"explaining {len(sample[1]):,} held-out leads by {name}"):
                contributions.append(measure_contributions(bundle, name, sample[0]))
    path = project.output / BACKTEST
    backtest = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
    return Findings(bundle, training, backtest, tuple(contributions), read_pointer(project, "champion") == bundle.version)


def _find_origin(project: Project, bundle: Bundle) -> str:
    version, facts = bundle.version, bundle.facts
    while read_training(project, version) is None and "recalibration" in facts:
        version = facts["recalibration"]["from"]
        facts = load_bundle(project, version).facts if (project.models / version).is_dir() else {}
    return version


def _list_facts(found: Findings) -> tuple[tuple[str, str], ...]:
    bundle, comparison, labels = found.bundle, found.training["comparison"], found.training["labels"]
    gates = bundle.facts["gates"]
    passed = sum(gate["passed"] for gate in gates)
    figures = comparison["metrics"].get(bundle.used, {})
    facts = [
        ("Scores by", f"{bundle.used}{', the champion' if found.champion else ', not the champion'}"),
        ("Gates", f"{passed} of {len(gates)} passed"),
        ("Trained on", f"{found.training['split']['train']:,} of {labels['rows']:,} matured rows; {labels['positives']:,} of these won"),
        (
            "Judged on",
            f"{comparison['rows']:,} later leads of {comparison['accounts']:,} {_name_accounts(bundle)}, {comparison['positives']:,} won",
        ),
        *(
            (label, tables.say_figure(figures[name]))
            for label, name in (("ROC-AUC", "roc_auc"), ("Log loss", "log_loss"))
            if name in figures
        ),
        ("Data until", str(bundle.facts.get("data_end") or "no times")[:10]),
    ]
    if again := bundle.facts.get("recalibration"):
        why = "; ".join(again["reasons"])
        facts.append(("Recalibrated", f"from {again['from']} on leads of {again['first']} to {again['last']}: {why}"))
    return tuple(facts)


def _build_sections(found: Findings, pictures: Mapping[str, Picture]) -> Iterable[Section]:
    training, bundle = found.training, found.bundle

    def pick(*names: str) -> tuple[Picture, ...]:
        return tuple(picture for name, picture in pictures.items() if name.startswith(names))

    yield Section("gates", "Gates", (), (tables.tabulate_gates(bundle.facts["gates"]),))
    yield _tell_worth(found, pick("gain", "lift", "precision_recall", "learning_curve"))
    yield _tell_probabilities(found, pick("reliability", "scores", "ratios_by"))
    yield _tell_stability(found, pick("periods", "precision_by_fold", "average_precision_by_fold", "observed_expected_by_fold"))
    yield _tell_signals(found, pick("importance", "beeswarm", "dependence"))
    if found.contributions:
        pairs = pick("interaction")
        alone = f"{bundle.used} adds up signal by signal: no pair of them says more than both alone."
        yield Section("pairs", "What only pairs of signals say", () if pairs else (alone,), (), pairs)
    same = f"Another seed gives {training['reasons']['same_first']:.0%} of the best leads the same first reason."
    yield Section("reasons", "Reasons", (same,), (tables.tabulate_reasons(training["reasons"], bundle.catalogue),))
    data = (*tables.tabulate_population(training), *tables.tabulate_coverage(training, bundle.catalogue))
    yield Section("data", "Population and data", (), data)
    leaks = tables.tabulate_leaks(training["leak_audit"])
    yield Section("leaks", "Leak audit", () if training["leak_audit"]["findings"] else ("Nothing was found.",), leaks)
    settings = tables.tabulate_settings(bundle.frozen, training["tuning"])
    yield Section("settings", "Settings and notes", tuple(training["notes"]), settings, pick("tuning"))


def _tell_worth(found: Findings, pictures: tuple[Picture, ...]) -> Section:
    comparison, known = found.training["comparison"], found.training["known_accounts"]
    where = f"later leads of {_name_accounts(found.bundle)}"
    listed = [tables.tabulate_ranking(comparison, where), tables.tabulate_differences(comparison)]
    listed += [tables.tabulate_ranking(known, "later leads of known accounts")] if known else []
    return Section("worth", "Is it better?", (), tuple(listed), pictures)


def _tell_probabilities(found: Findings, pictures: tuple[Picture, ...]) -> Section:
    training, again = found.training, found.bundle.facts.get("recalibration")
    told = ("The figures here are of the probabilities before the recalibration, which the head of this page tells.",) if again else ()
    listed = (*tables.tabulate_probabilities(training["comparison"], training["calibrators"]), *tables.tabulate_ratios(training["ratios"]))
    return Section("probabilities", "Are the probabilities right?", told, listed, pictures)


def _tell_stability(found: Findings, pictures: tuple[Picture, ...]) -> Section:
    listed, sentences = [tables.tabulate_periods(found.training["comparison"])], ["No backtest of this project: run `pls-ml backtest`."]
    if found.backtest:
        listed.append(tables.tabulate_folds(found.backtest))
        sentences = [
            "The backtest is the last one of the project: it fits the whole pipeline anew before each fold, and so judges the recipe, "
            "not this one model.",
            f"Backtest: {found.backtest['decision']}.",
        ]
    return Section("stability", "Does it last?", tuple(sentences), tuple(listed), pictures)


def _tell_signals(found: Findings, pictures: tuple[Picture, ...]) -> Section:
    if not found.contributions:
        lost = f"No held-out leads were kept for this model (`{SAMPLE}` beside this page): train again to see its contributions."
        return Section("signals", "What it listens to", (lost,))
    used = found.contributions[0]
    told = (
        f"Exact contributions to the scores of {len(used.receipts.lead_ids):,} held-out leads, in log-odds after calibration, windows of a "
        "signal summed; complete, with signals that reps may not see. A contribution says how leads like these go together with wins, not "
        "what makes a lead buy."
    )
    if not used.signals:
        return Section("signals", "What it listens to", (told, "No signal says anything: all leads have the same score."))
    return Section("signals", "What it listens to", (told,), tables.tabulate_signals(used.signals), pictures)


def _name_accounts(bundle: Bundle) -> str:
    return "accounts that training never saw" if bundle.facts["held_out"]["by_account"] else "accounts, known ones among them"


def _find_caption(name: str) -> str:
    return next((caption for start, caption in CAPTIONS.items() if name == start or name.startswith(f"{start}_")), "")
