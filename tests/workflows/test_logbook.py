"""What every workflow's run leaves in the tracker, and how runs are listed and compared."""

import json
from dataclasses import replace

import pytest
from projects import open_variant

from pls_ml.core.errors import BundleError, ConfigError
from pls_ml.evaluation import ImportanceDisplay
from pls_ml.workflows.bundle import load_bundle, save_bundle
from pls_ml.workflows.tracking import open_project_tracker, read_metrics, track, track_training

GATES = [
    {"name": "slope", "figure": 1.1, "limit": "0.8 to 1.25", "passed": True, "sentence": "slope 1.10"},
    {"name": "better", "figure": None, "limit": "above 0", "passed": False, "sentence": "no evidence"},
]


@pytest.fixture(scope="module")
def logbook(trained, tmp_path_factory):
    """A project with two trainings (the second with the rules in use), a backtest, a search of two trials and a promotion tracked."""
    project = open_variant(trained, tmp_path_factory.mktemp("logbook"), {"tracking": {"kind": "mlflow"}})
    track_training(project, trained.report)
    bundle = load_bundle(project, trained.report.version)
    rules = save_bundle(
        project, replace(bundle, used="rules", catalogue=bundle.catalogue.select([s.id for s in bundle.catalogue.signals][:-1]))
    )
    other = replace(project, config=project.config.model_copy(update={"model": project.config.model.model_copy(update={"use": "rules"})}))
    track_training(other, replace(trained.report, version=rules, used="rules"))
    figures = {"lightgbm/precision_at_capacity": {"value": 0.5, "low": 0.4, "high": 0.6}, "folds": 5}
    track(
        project,
        "backtest",
        {"used": "lightgbm", "metrics": figures, "data": {"events": "d1"}},
        {"importance": ImportanceDisplay((("logins", 0.5, "more speaks for"),))},
    )
    search = track(project, "tune", {"metrics": {"best": 0.2}}).run_id
    for leaves in (15, 31):
        track(project, "tune", {"parameters": {"leaves": leaves}, "metrics": {"loss": 0.2}}, parent=search)
    track(project, "promote", {"version": rules, "gates": GATES, "accepted": ["better"]})
    return project


def find(project, kind, **tags):
    found = [run for run in open_project_tracker(project).list_runs("demo") if run.kind == kind and run.parent is None]
    return next(run for run in found if tags.items() <= run.tags.items())


def test_a_training_is_logged_with_figures_intervals_gates_rows_and_reasons(trained, logbook):
    run, report = find(logbook, "train", used="lightgbm"), trained.report

    precision = report.comparison.metrics["lightgbm"]["precision_at_capacity"]
    names = [f"lightgbm/precision_at_capacity{ending}" for ending in ("", "_low", "_high")]
    assert [run.metrics[name] for name in names] == pytest.approx([precision.value, precision.low, precision.high])
    assert run.metrics["difference/log_loss"] == pytest.approx(report.comparison.differences["log_loss"].value)
    assert run.metrics["gate/slope"] == pytest.approx(report.gates[1].figure)
    assert (run.metrics["rows/train"], run.metrics["reasons/same_first"]) == (report.split["train"], report.reasons["same_first"])
    assert run.metrics["reasons/sign_agreement"] == report.reasons["sign_agreement"]
    assert run.metrics["gate/reason_signs"] == report.reasons["sign_agreement"]
    disputed = [run.metrics[f"disagreement/{name}"] for name in ("model_only", "model_only_low", "rules_only", "difference_high")]
    rates = {one.cell: one.rate for one in report.disagreement.cells}
    known = (rates["model only"].value, rates["model only"].low, rates["rules only"].value, report.disagreement.difference.high)
    assert disputed == pytest.approx(known)
    assert run.tags["decision"] == report.comparison.decision.sentence
    assert run.tags["gates"] == f"{sum(gate.passed for gate in report.gates)} of {len(report.gates)}"
    assert {len(run.tags[f"{part}_digest"]) for part in ("config", "data", "catalogue")} == {64}
    assert run.parameters["horizon.horizon_days"] == "90"


def test_the_report_and_its_parts_are_files_and_pictures_beside_them(trained, logbook):
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=f"sqlite:///{logbook.output}/mlflow.db")
    files = {file.path for file in client.list_artifacts(find(logbook, "train", used="lightgbm").run_id)}

    parts = ("report", "comparison", "gates", "reasons", "disagreement", "reliability", "data", "catalogue")
    assert files == {"model", *(f"{name}.png" for name in trained.report.displays), *(f"{part}.json" for part in parts)}
    report = open_project_tracker(logbook).read_report(find(logbook, "train", used="lightgbm").run_id)
    assert report["comparison"] == trained.report.to_dict()["comparison"]
    assert report["data"] == load_bundle(logbook, trained.report.version).facts["data"]


def test_only_trainings_register_a_model(logbook):
    from mlflow import MlflowClient

    versions = MlflowClient(tracking_uri=f"sqlite:///{logbook.output}/mlflow.db").search_model_versions()

    assert len(versions) == 2


def test_a_trial_is_nested_and_does_not_repeat_the_project_file(logbook):
    search = find(logbook, "tune")
    trials = [run for run in open_project_tracker(logbook).list_runs("demo") if run.parent == search.run_id]

    assert sorted(run.parameters["leaves"] for run in trials) == ["15", "31"]
    assert all(list(run.parameters) == ["leaves"] for run in trials)
    assert "model.seed" in search.parameters


def test_figures_that_are_not_defined_are_left_out_and_names_are_ones_the_tracker_takes():
    report = {
        "comparison": {"metrics": {"base rate": {"log_loss": {"value": 0.2, "low": None, "high": 0.3}}}, "base_rate": 0.1},
        "metrics": {"a (b)": 1, "flag": float("nan"), "word": "x"},
        "gates": GATES,
        "reasons": {"same_first": 0.9, "profile": {"seats": 0.5}},
    }

    assert read_metrics(report) == {
        "base_rate/log_loss": 0.2, "base_rate/log_loss_high": 0.3, "base_rate": 0.1, "a__b_": 1.0, "gate/slope": 1.1,
        "reasons/same_first": 0.9,
    }  # fmt: skip


def test_runs_are_a_table_of_what_a_decision_needs(trained, logbook):
    table = logbook.runs()

    lines = table.to_text().splitlines()
    assert [line.split()[1] for line in lines] == ["kind", "promote", "tune", "backtest", "train", "train"]
    assert "tune (2 trials)" in lines[2]
    assert "0.500 (0.400 to 0.600)" in lines[3]
    assert lines[1].endswith("1 of 2, accepted better  challenger")
    assert trained.report.version in lines[5]
    rows = json.loads(json.dumps(table.to_dict(), allow_nan=False))["runs"]
    assert rows[4]["log_loss"]["value"] == pytest.approx(trained.report.comparison.metrics["lightgbm"]["log_loss"].value)
    assert (rows[1]["parts"], rows[0]["accepted"], rows[3]["aliases"]) == (2, "better", ["challenger"])
    assert table._repr_html_().count("<tr>") == 6


def test_without_a_tracked_run_the_table_says_how_to_get_one(trained, tmp_path):
    project = open_variant(trained, tmp_path, {"tracking": {"kind": "mlflow"}})

    assert project.runs().to_text() == "no run is tracked yet: `pls-ml train --track` writes the first one"


def test_where_tracking_is_off_runs_and_compare_say_how_to_switch_it_on(trained):
    for look in (trained.project.runs, lambda: trained.project.compare("a", "b")):
        with pytest.raises(ConfigError, match=r"tracking is switched off .*set `tracking\.kind: mlflow` and run `pls-ml train --track`"):
            look()


def test_two_runs_side_by_side_show_figures_gates_and_all_that_differs(trained, logbook):
    model, rules = find(logbook, "train", used="lightgbm"), find(logbook, "train", used="rules")

    found = logbook.compare(trained.report.version, rules.run_id[:6])

    metrics = trained.report.comparison.metrics
    first, second = found.figures["log_loss"]
    assert (first["low"], second["high"]) == pytest.approx((metrics["lightgbm"]["log_loss"].low, metrics["rules"]["log_loss"].high))
    difference = metrics["rules"]["log_loss"].value - metrics["lightgbm"]["log_loss"].value
    plain = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert plain["figures"]["log_loss"]["difference"] == pytest.approx(difference)
    assert found.settings == {"used": ("lightgbm", "rules"), "model.use": ("lightgbm", "rules")}
    (missing,) = found.signals
    assert (missing, found.signals[missing][1]) == (load_bundle(logbook, trained.report.version).catalogue.signals[-1].id, None)
    assert set(found.gates) == {gate.name for gate in trained.report.gates}
    text = found.to_text()
    assert f"{difference:+.3f}" in text
    assert "the same in both: data" in text
    assert [run.run_id for run in found.runs] == [model.run_id, rules.run_id]
    assert found._repr_html_().count("<table") == 4


def test_a_comparison_draws_reliability_and_figures_of_both(trained, logbook):
    found = logbook.compare(trained.report.version, find(logbook, "train", used="rules").run_id)

    assert [path.name for path in found.pictures] == ["reliability.png", "figures.png"]
    assert all(path.read_bytes().startswith(b"\x89PNG") and path.parent.parent == logbook.output / "comparisons" for path in found.pictures)


def test_a_backtest_can_be_compared_with_a_training_and_data_that_differ_are_said_to(trained, logbook):
    found = logbook.compare(trained.report.version, find(logbook, "backtest").run_id)

    assert found.data["events"][1] == "d1"
    assert "were measured on other data" in found.to_text()
    assert found.figures["log_loss"][1]["value"] is None


@pytest.mark.parametrize(
    ("wanted", "message"),
    [("zzz", "no run 'zzz': the newest are "), ("", "no run ''"), ("m-0", "no run 'm-0'")],
)
def test_an_unknown_run_is_refused_with_those_that_exist(logbook, wanted, message):
    with pytest.raises(BundleError, match=message):
        logbook.compare(wanted, wanted)


def test_one_run_is_not_compared_with_itself(trained, logbook):
    with pytest.raises(BundleError, match="are the same run: give two"):
        logbook.compare(trained.report.version, find(logbook, "train", used="lightgbm").run_id)


def test_a_promotion_of_a_tracked_model_is_logged_with_its_gates_whether_refused_or_not(trained, tmp_path):
    project = open_variant(trained, tmp_path, {"tracking": {"kind": "mlflow"}})
    failed = [gate for gate in trained.report.gates if not gate.passed]
    assert failed
    track_training(project, trained.report)

    with pytest.raises(ValueError, match="is not promoted"):
        project.promote()
    refused = find(project, "promote")
    line = project.promote(accept=[gate.name for gate in failed]).tracked

    assert (refused.tags["refused"], refused.tags["gates_failed"]) == ("yes", ", ".join(gate.name for gate in failed))
    assert refused.aliases == ("challenger",)
    promoted = find(project, "promote", gates_accepted=", ".join(gate.name for gate in failed))
    assert (promoted.aliases, promoted.version) == (("champion",), trained.report.version)
    assert "in experiment 'demo'" in line
