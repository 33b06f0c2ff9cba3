"""A model is judged on outcomes that matured since it was made, mended where its probabilities are off, and left alone where not."""

import json
import shutil
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from click.testing import CliRunner
from projects import frames, merge, open_config, read_demo

from pls_ml.calibration import SigmoidCalibrator
from pls_ml.cli import main
from pls_ml.core.errors import BundleError, DataError, ImmatureOutcomesError
from pls_ml.evaluation.gates import GATES
from pls_ml.synthetic import World, WorldSpec, generate_world, write_world
from pls_ml.workflows.backtest_bound import describe_backtest
from pls_ml.workflows.bundle import load_bundle, read_pointer, save_bundle

TRAINED, CALIBRATED, TODAY = datetime(2025, 1, 31), datetime(2025, 5, 15), datetime(2025, 6, 24)
"""Where the data ended at training, at the first recalibration, and where they end now."""
HORIZON = timedelta(days=91)


@dataclass(frozen=True)
class Aged:
    """A world whose model was trained when half a year less of it was known, and recalibrated since."""

    world: World
    folder: Any
    config: dict[str, Any]
    version: str

    def open(self, folder, tables=None, **changes):
        """The project today, in a folder of its own that holds a copy of the model."""
        shutil.copytree(self.folder / "out" / "models", folder / "out" / "models", dirs_exist_ok=True)
        arrow = {name: pa.Table.from_pandas(frame, preserve_index=False) for name, frame in (tables or {}).items()}
        return open_config(merge(self.config, changes), folder, data=self.folder, tables=arrow)


@pytest.fixture(scope="module")
def aged(tmp_path_factory):
    folder = tmp_path_factory.mktemp("aged")
    world = generate_world(WorldSpec(accounts=1500, days=540, seed=7, events_per_user_scale=0.2, conversion_intercept=-7.0))
    write_world(world, folder / "data")
    config = read_demo(spine={"every_days": 28}, model={"use": "lightgbm"}, split={"test_share": 0.25, "account_share": 0.3})
    trained = open_config(merge(config, {"data": {"until": TRAINED}}), folder).train()
    report = open_config(merge(config, {"data": {"until": CALIBRATED}}), folder).recalibrate(trained.version)
    shutil.rmtree(folder / "out" / "models" / trained.version)
    return Aged(world, folder, config, report.new_version)


def lose_wins(world, share):
    """The opportunities, with a share of the wins lost that the last calibration cannot have known."""
    deals = frames(world)["opportunities"]
    won = deals["is_won"].fillna(False).astype(bool) & (deals["closed_at"].dt.tz_localize(None) > CALIBRATED - HORIZON)
    lost = won & (np.random.default_rng(0).random(len(deals)) < share)
    return deals.assign(is_won=deals["is_won"].mask(lost, False))


def save_with(project, aged, calibrator):
    """The model with another calibrator of the scorer in use."""
    bundle = load_bundle(project, aged.version)
    return save_bundle(project, replace(bundle, calibrators=bundle.calibrators | {bundle.used: calibrator}))


def read_manifest(project, version):
    return json.loads((project.models / version / "manifest.json").read_text(encoding="utf-8"))["files"]


@pytest.fixture(scope="module")
def mended(aged, tmp_path_factory):
    """The project after six in ten of the newer wins were lost, and what recalibrating it said."""
    project = aged.open(tmp_path_factory.mktemp("mended"), {"opportunities": lose_wins(aged.world, 0.6)})
    project.promote(aged.version, GATES)
    return project, project.recalibrate()


def test_without_drift_there_is_nothing_to_do_and_nothing_is_written(aged, tmp_path):
    project = aged.open(tmp_path)

    report = project.recalibrate()

    assert (report.action, report.reasons, report.new_version, report.calibrators) == ("nothing", (), None, {})
    assert report.upkeep.figures["observed_expected"].low < 1 < report.upkeep.figures["observed_expected"].high
    assert [path.name for path in project.models.glob("m-*")] == [aged.version]
    assert report.to_text().startswith(f"nothing to do: lightgbm {aged.version} on newly matured outcomes (")


def test_leads_whose_outcomes_matured_since_the_last_calibration_are_judged_and_ranked_since_training(aged, tmp_path):
    report = aged.open(tmp_path).recalibrate()

    windows = report.upkeep.windows
    assert CALIBRATED - HORIZON < datetime.fromisoformat(report.first) <= datetime.fromisoformat(report.last) <= TODAY - HORIZON
    assert [window.month for window in windows] == ["2024-11", "2024-12", "2025-01", "2025-02", "2025-03"]
    assert report.upkeep.rows == sum(window.rows for window in windows[-2:])
    assert max(window.rows for window in windows) <= len(frames(aged.world)["users"])  # one row of each lead and month


def test_a_planted_shift_of_the_base_rate_is_mended_by_the_intercept(aged, mended):
    project, report = mended
    old, new = load_bundle(project, aged.version), load_bundle(project, report.new_version)

    assert report.action == "intercept"
    assert report.upkeep.figures["observed_expected"].high < 1
    assert report.reasons[0].startswith(f"{report.upkeep.won:,} leads won where ")
    margins = np.linspace(-6, 1, 9)
    for name in old.scorers:
        steps = new.calibrators[name].log_odds(margins) - old.calibrators[name].log_odds(margins)
        assert new.calibrators[name].kind == old.calibrators[name].kind
        assert steps.max() < -0.3
        assert np.ptp(steps) < 1e-9
    made = new.calibrators[new.used]
    assert (made.rows_, made.positives_) == (report.upkeep.rows, report.upkeep.won) == (new.bands[new.used].rows, report.upkeep.won)


def test_the_new_version_keeps_its_promises_on_the_same_leads(aged, mended):
    project, report = mended
    bundle = load_bundle(project, report.new_version)
    known = load_bundle(project, aged.version).facts  # as if it had not been fitted on these leads
    again = save_bundle(project, replace(bundle, facts=known))

    found = project.recalibrate(again)

    assert found.action == "nothing"
    assert found.upkeep.figures["observed_expected"].value == pytest.approx(1, abs=1e-9)
    assert found.upkeep.figures["roc_auc"] == report.upkeep.figures["roc_auc"]


def test_the_new_version_shares_the_scorers_and_leaves_the_old_one_and_the_champion(aged, mended):
    project, report = mended
    old, new = read_manifest(project, aged.version), read_manifest(project, report.new_version)

    assert {name for name in old if old[name] != new[name]} == {"calibrators.json", "bands.json", "facts.json"}
    assert read_pointer(project, "champion") == aged.version
    assert load_bundle(project).version == aged.version
    facts = load_bundle(project, report.new_version).facts["recalibration"]
    assert [facts[name] for name in ("from", "action", "won")] == [aged.version, "intercept", report.upkeep.won]
    assert facts["data_end"] == TODAY.isoformat()


def test_a_recalibrated_champion_is_promoted_by_its_probabilities_alone_judged_on_accounts_its_map_was_not_fitted_on(aged, mended):
    project, report = mended
    frozen = {gate["name"]: gate for gate in load_bundle(project, report.new_version).facts["gates"]}
    before = {gate["name"]: gate for gate in load_bundle(project, aged.version).facts["gates"]}

    promotion = project.promote(report.new_version, ("slope",))
    project.roll_back()

    assert [gate.name for gate in promotion.gates] == ["slope", "observed_expected"]
    assert {name for name in before if before[name] != frozen[name]} == {"slope", "observed_expected"}
    assert frozen["observed_expected"]["figure"] == pytest.approx(1, abs=0.3)
    assert frozen["observed_expected"]["figure"] != pytest.approx(1, abs=1e-6)


def test_the_new_version_scores_the_same_leads_in_the_same_order_lower(aged, mended):
    project, report = mended
    before, after = (project.score(version=version).scores.set_index("lead_id") for version in (aged.version, report.new_version))

    assert before.index.tolist() == after.index.tolist()
    assert (after["score"] < before["score"]).all()
    assert after["score"].mean() == pytest.approx(before["score"].mean() * report.upkeep.figures["observed_expected"].value, rel=0.15)


def test_what_a_recalibration_has_used_is_not_new_to_its_version(mended):
    project, report = mended

    with pytest.raises(ImmatureOutcomesError, match=f"no outcome has matured since model {report.new_version} was made"):
        project.recalibrate(report.new_version)


def test_a_planted_slope_is_mended_by_the_sigmoid(aged, tmp_path):
    project = aged.open(tmp_path)
    bundle = load_bundle(project, aged.version)
    honest = bundle.calibrators[bundle.used]
    margins = np.linspace(-4, 0, 50)
    slope, intercept = np.polyfit(margins, honest.log_odds(margins), 1)
    stored = {"positives": 9, "rows": 99, "domain": [-5.0, 5.0]}
    planted = SigmoidCalibrator.from_dict(stored | {"parameters": {"b": 2.2 * slope, "a": 2 * intercept}})
    report = project.recalibrate(save_with(project, aged, planted))

    assert report.action == "slope"
    assert report.upkeep.figures["slope"].high < 1
    assert "probabilities lie too far apart (slope 0." in report.to_text()
    made = load_bundle(project, report.new_version).calibrators[bundle.used]
    assert made.kind == "sigmoid"
    assert made.parameters_["b"] == pytest.approx(planted.parameters_["b"] * report.upkeep.figures["slope"].value, rel=1e-6)


def test_a_main_signal_that_moved_asks_for_a_training_and_writes_nothing(aged, tmp_path):
    accounts = frames(aged.world)["accounts"]
    project = aged.open(tmp_path, {"accounts": accounts.assign(employee_count=accounts["employee_count"] * 40)})

    report = project.recalibrate()

    assert (report.action, report.new_version, report.exit_code) == ("retrain", None, 6)
    assert report.reasons[0].startswith("signal 'employees' moved (PSI ")
    assert "run `pls-ml train`" in report.to_text()
    assert [path.name for path in project.models.glob("m-*")] == [aged.version]


def test_ranking_that_fell_for_two_months_asks_for_a_training(aged, tmp_path):
    deals = frames(aged.world)["opportunities"]
    late = deals["closed_at"].dt.tz_localize(None) > TRAINED
    others = np.random.default_rng(0).permutation(frames(aged.world)["accounts"]["account_id"].to_numpy())[: int(late.sum())]
    deals.loc[late, "account_id"] = others

    report = aged.open(tmp_path, {"opportunities": deals}).recalibrate()

    assert report.action == "retrain"
    assert report.reasons[0].startswith("ranking fell below the lower end of training's interval")
    assert report.notes[0].startswith("ranking is held against the lower bound of training: there is no ")
    assert f"note: {report.notes[0]}" in report.to_text()


def test_where_the_model_was_backtested_its_ranking_is_held_against_the_folds(aged, tmp_path):
    before = aged.open(tmp_path, data={"until": TRAINED})
    bundle = load_bundle(before, aged.version)
    told = {
        "about": describe_backtest(before, SimpleNamespace(data_end=TRAINED)),
        "comparison": {"metrics": {bundle.used: {"roc_auc": {"low": 0.99}}}},
    }
    before.output.joinpath("backtest.json").write_text(json.dumps(told), encoding="utf-8")

    report = aged.open(tmp_path).recalibrate()

    assert (report.upkeep.lower_bound, report.notes, report.action) == (0.99, (), "retrain")
    assert report.reasons[0].startswith("ranking fell below the lower end of the backtest's interval, 0.990")
    assert "the backtest's lower bound 0.990" in report.to_text()


def test_data_that_end_where_the_last_calibration_did_are_refused_with_the_day_outcomes_mature(aged, tmp_path):
    project = aged.open(tmp_path, data={"until": CALIBRATED})

    message = r"knows those of leads up to 2025-02-13, those of 2025-02-17 are complete on 2025-05-19, and the data end on 2025-05-15; wait"
    with pytest.raises(ImmatureOutcomesError, match=message):
        project.recalibrate()


def test_outcomes_of_which_none_is_won_are_no_evidence_but_a_stale_table(aged, tmp_path):
    with pytest.raises(DataError, match=r"have the same outcome \(0 won, .* were promised\): check that the outcomes are up to date"):
        aged.open(tmp_path, {"opportunities": lose_wins(aged.world, 1.0)}).recalibrate()


def test_outcomes_of_which_all_are_won_are_no_evidence_either(aged, tmp_path):
    users, deals = (frames(aged.world)[name] for name in ("users", "opportunities"))
    closed = deals["closed_at"].dt.tz_localize(None)
    soon = deals["is_won"].fillna(False).astype(bool) & closed.between(TODAY - HORIZON + timedelta(days=2), CALIBRATED - timedelta(days=1))

    with pytest.raises(DataError, match=r"have the same outcome \([1-9]\d* won, .* were promised\)"):
        aged.open(tmp_path, {"users": users.assign(is_internal=~users["account_id"].isin(deals.loc[soon, "account_id"]))}).recalibrate()


def test_an_account_with_most_of_the_new_rows_is_named(aged, tmp_path):
    users, deals = (frames(aged.world)[name] for name in ("users", "opportunities"))
    quiet = users.loc[users["account_id"].notna() & ~users["account_id"].isin(deals["account_id"]), "account_id"].iloc[0]
    moved = np.arange(len(users)) % 10 < 9

    report = aged.open(tmp_path, {"users": users.assign(account_id=users["account_id"].mask(moved, quiet))}).recalibrate()

    assert any(note.startswith(f"account '{quiet}' has ") and "newly matured rows" in note for note in report.notes)


def test_one_account_alone_is_no_evidence(aged, tmp_path):
    users, deals = (frames(aged.world)[name] for name in ("users", "opportunities"))
    quiet = users.loc[users["account_id"].notna() & ~users["account_id"].isin(deals["account_id"]), "account_id"].iloc[0]

    with pytest.raises(DataError, match=r"have the same outcome \(0 won"):
        aged.open(tmp_path, {"users": users.assign(account_id=quiet)}).recalibrate()


def test_a_model_that_does_not_exist_is_refused(aged, tmp_path):
    with pytest.raises(BundleError, match="no model 'm-0'"):
        aged.open(tmp_path).recalibrate("m-0")


def test_the_report_is_plain_json_text_and_html(mended):
    _, report = mended

    found = json.loads(json.dumps(report.to_dict(), allow_nan=False))

    assert (found["action"], found["new_version"], found["won"]) == ("intercept", report.new_version, report.upkeep.won)
    assert f"`pls-ml promote {report.new_version}` lets it score" in report.to_text()
    assert report._repr_html_().count("<table") == 1


def test_the_command_ends_with_99_when_there_is_nothing_to_do(aged, tmp_path):
    project = aged.open(tmp_path)

    result = CliRunner().invoke(main, ["recalibrate", "--project", str(tmp_path / "pls.yaml"), "--data", str(aged.folder), "--json"])

    assert result.exit_code == 99
    assert json.loads(result.stdout)["action"] == "nothing"
    assert read_pointer(project, "champion") is None


def test_a_tracked_recalibration_is_a_run_of_its_own_with_the_new_bundle(aged, tmp_path):
    import mlflow

    project = aged.open(tmp_path, {"opportunities": lose_wins(aged.world, 0.6)}, tracking={"kind": "mlflow"})

    report = project.recalibrate(track=True)

    assert report.tracked in report.to_text()
    database = next(project.output.rglob("*.db"))
    runs = mlflow.MlflowClient(f"sqlite:///{database}").search_runs(["1"])
    assert [(run.data.tags["kind"], run.data.tags["action"]) for run in runs] == [("recalibrate", "intercept")]
    assert runs[0].data.metrics[f"{report.used}/observed_expected"] == pytest.approx(report.upkeep.figures["observed_expected"].value)
