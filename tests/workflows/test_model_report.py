"""The report of a model: complete, the same every time, with nobody's name in it, and honest about what was not kept."""

import json
import re
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from projects import open_variant

from pls_ml.cli import main
from pls_ml.core.errors import BundleError, UnknownNameError
from pls_ml.workflows.bundle import load_bundle, save_bundle
from pls_ml.workflows.contribution_displays import measure_contributions
from pls_ml.workflows.model_report import PAGE, PICTURES
from pls_ml.workflows.training_record import FINDINGS, MOST_LEADS, SAMPLE, name_folder, read_sample

SECTIONS = ["gates", "worth", "probabilities", "stability", "signals", "pairs", "reasons", "data", "leaks", "settings"]


@pytest.fixture(scope="module")
def project(trained, tmp_path_factory):
    """The trained project in a folder of its own, with what its training kept."""
    folder = tmp_path_factory.mktemp("reported")
    shutil.copytree(trained.project.output / "reports", folder / "out" / "reports")
    return open_variant(trained, folder)


@pytest.fixture(scope="module")
def report(project):
    return project.report_model()


def test_the_page_has_every_part_and_the_decision(trained, report):
    page = report.path.read_text(encoding="utf-8")

    assert re.findall(r'<section id="([a-z]+)"', page) == SECTIONS
    assert trained.report.comparison.decision.sentence in page
    assert report.path.name == PAGE
    assert report.version == trained.report.version


def test_every_picture_is_in_the_page_and_a_file_beside_it(report):
    page = report.path.read_text(encoding="utf-8")

    names = re.findall(r'id="picture-([^"]+)"', page)
    assert sorted(names) == sorted(report.displays)
    assert sorted(path.stem for path in (report.path.parent / PICTURES).iterdir()) == sorted(names)
    assert {"reliability", "scores", "gain", "lift", "precision_recall", "importance", "beeswarm"} <= set(names)


def test_the_same_model_gives_the_same_files(project, report):
    before = {path.name: path.read_bytes() for path in report.path.parent.rglob("*.*")}

    project.report_model(report.version)

    assert {path.name: path.read_bytes() for path in report.path.parent.rglob("*.*")} == before


def test_what_is_kept_of_people_is_signals_and_outcomes_of_some_and_names_nobody(trained, project):
    kept = pd.read_parquet(name_folder(project, trained.report.version) / SAMPLE)
    bundle = load_bundle(project)

    assert list(kept.columns) == [*(column.name for column in bundle.catalogue), "label"]
    assert len(kept) == min(MOST_LEADS, trained.report.comparison.rows)
    ids = {*trained.world.tables["users"].column("user_id").to_pylist(), *trained.world.tables["accounts"].column("account_id").to_pylist()}
    told = {str(value) for name in kept if kept[name].dtype.kind not in "fib" for value in kept[name].dropna().unique()}
    assert not ids & told
    assert not any(lead in (name_folder(project, trained.report.version) / FINDINGS).read_text() for lead in list(ids)[:50])


def test_contributions_of_every_scorer_sum_to_its_scores_and_rank_the_signals(project):
    bundle = load_bundle(project)
    signals, _ = read_sample(project, bundle.version)

    for name in bundle.scorers:
        found = measure_contributions(bundle, name, signals)
        scores = bundle.calibrators[name].transform(bundle.scorers[name].raw_score(signals))
        assert found.receipts.score == pytest.approx(scores, abs=1e-9)
        assert found.receipts.base_probability + found.receipts.probability.sum(axis=1) == pytest.approx(scores, abs=1e-9)
        sizes = [one.size for one in found.signals]
        assert sizes == sorted(sizes, reverse=True)
        assert sum(one.share for one in found.signals) == pytest.approx(1) or not sizes


def test_a_declared_direction_of_trees_is_never_told_the_other_way(project):
    bundle = load_bundle(project)
    signals, _ = read_sample(project, bundle.version)

    ways = {one.column.signal.direction: one.way for one in measure_contributions(bundle, "lightgbm", signals).signals}

    assert ways.get("up") != "more speaks against"
    assert ways.get("down") != "more speaks for"


def test_without_the_sample_the_page_says_so_and_shows_the_rest(trained, tmp_path):
    shutil.copytree(trained.project.output / "reports", tmp_path / "out" / "reports")
    project = open_variant(trained, tmp_path)
    (name_folder(project, trained.report.version) / SAMPLE).unlink()

    report = project.report_model()

    assert "No held-out leads were kept" in report.path.read_text(encoding="utf-8")
    assert "reliability" in report.displays
    assert "beeswarm" not in report.displays


def test_a_model_whose_findings_are_gone_is_refused(trained, tmp_path):
    project = open_variant(trained, tmp_path)

    with pytest.raises(BundleError, match=r"the findings of the training of model m-.* are not in .*: train again, or restore them"):
        project.report_model()


def test_findings_that_are_damaged_are_refused(trained, tmp_path):
    project = open_variant(trained, tmp_path)
    path = name_folder(project, trained.report.version) / FINDINGS
    path.parent.mkdir(parents=True)
    path.write_text("{", encoding="utf-8")

    with pytest.raises(BundleError, match=r"training.json is damaged"):
        project.report_model()


def test_a_recalibrated_model_has_the_findings_of_its_training_and_says_what_changed(trained, tmp_path):
    shutil.copytree(trained.project.output / "reports", tmp_path / "out" / "reports")
    project = open_variant(trained, tmp_path)
    bundle = load_bundle(project)
    again = {"from": bundle.version, "first": "2024-08-01", "last": "2024-09-01", "reasons": ["the mean is off"]}
    version = save_bundle(project, replace(bundle, version="", facts=bundle.facts | {"recalibration": again}))

    page = project.report_model(version).path.read_text(encoding="utf-8")

    assert f"from {bundle.version} on leads of 2024-08-01 to 2024-09-01: the mean is off" in page
    assert "before the recalibration" in page
    assert 'id="picture-beeswarm"' in page


def test_a_training_shows_its_pictures_by_name(trained):
    found = trained.report.displays

    assert list(found)[:5] == ["reliability", "scores", "gain", "lift", "precision_recall"]
    with pytest.raises(UnknownNameError, match=r"no picture 'learning_curve'.* there are reliability"):
        found["learning_curve"]


def test_the_figures_of_a_picture_are_those_of_the_comparison(trained):
    comparison, gain = trained.report.comparison, trained.report.displays["gain"]

    for name, curve in gain.curves.items():
        read_off = float(np.interp(comparison.capacity, curve.worked, curve.captured))
        assert read_off == pytest.approx(comparison.metrics[name]["recall_at_capacity"].value, abs=1e-6)


def test_a_learning_curve_is_measured_when_asked_and_ends_at_the_model_itself(trained, tmp_path):
    project = open_variant(trained, tmp_path)

    report = project.train(learning_curve=True)

    curve, comparison = report.learning_curve, report.comparison
    assert report.version == trained.report.version
    assert list(curve.rows) == sorted(curve.rows)
    assert (curve.rows[-1], curve.accounts[-1]) == (report.split["train"], report.split["train_accounts"])
    assert curve.figures["average_precision"][-1].value == pytest.approx(comparison.metrics[report.used]["average_precision"].value)
    kept = json.loads((name_folder(project, report.version) / FINDINGS).read_text())
    assert kept["learning_curve"] == curve.to_dict()
    assert "learning_curve" in project.report_model().displays


def test_the_command_writes_the_page_of_a_model_and_says_what_it_cannot_take(project):
    runner, where = CliRunner(), ["--project", str(project.root / "pls.yaml"), "--data", str(project.data_root)]

    written = runner.invoke(main, ["report", "model", *where])
    dated = runner.invoke(main, ["report", "model", "--as-of", "2024-01-01", *where])
    versioned = runner.invoke(main, ["report", "leads", "m-1", *where])
    unknown = runner.invoke(main, ["report", "model", "m-0", *where])

    assert written.exit_code == 0
    assert written.stdout.startswith(f"page: {project.output / 'reports'}")
    assert (dated.exit_code, versioned.exit_code, unknown.exit_code) == (2, 2, 5)
    assert "leave --as-of out" in dated.stderr
    assert "takes no version" in versioned.stderr
    assert "no model 'm-0'" in unknown.stderr
