"""Who becomes the champion, what stands in the way, and the way back."""

import json
from dataclasses import replace

import numpy as np
import pytest
from projects import open_variant

from pls_ml.core.errors import BundleError, ConfigError, GateError
from pls_ml.evaluation.gates import GATES
from pls_ml.workflows.bundle import load_bundle, read_pointer, save_bundle
from pls_ml.workflows.training_rows import load_training_rows, one_per_month, split_training


@pytest.fixture
def project(trained, tmp_path):
    """The trained project in a folder of its own, with nobody promoted."""
    return open_variant(trained, tmp_path)


@pytest.fixture
def save(trained, project):
    """Saves the trained bundle with other facts, or another scorer in use, as one more version; its gates pass unless they are given."""
    bundle = load_bundle(trained.project, trained.report.version)
    passed = [gate | {"passed": True} for gate in bundle.facts["gates"]]

    def save(used=bundle.used, **facts):
        return save_bundle(project, replace(bundle, used=used, facts=bundle.facts | {"gates": passed} | facts))

    return save


def crown(project, version, *history):
    """Makes a version the champion after others, as if each had been promoted."""
    (project.models / "champion.json").write_text(json.dumps({"version": version, "history": history, "accepted": []}))


def test_training_freezes_its_gates_and_reasons_into_the_bundle(trained):
    facts, report = load_bundle(trained.project).facts, trained.report

    assert facts["gates"] == [gate.to_dict() for gate in report.gates]
    assert [gate.name for gate in report.gates] == [name for name in GATES if name != "same_reasons"]
    assert facts["reasons"] == report.reasons
    assert 0 < report.reasons["same_first"] <= 1
    assert set(report.reasons["profile"]) <= {signal.id for signal in load_bundle(trained.project).catalogue.signals}
    assert "gates: " in report.to_text()


def test_the_gates_are_those_of_the_figures_in_the_report(trained):
    figures = trained.report.comparison.metrics[trained.report.used]
    gates = {gate.name: gate for gate in trained.report.gates}

    assert gates["slope"].figure == figures["calibration_slope"].value
    assert gates["observed_expected"].figure == figures["observed_expected"].value
    assert gates["better"].passed == trained.report.comparison.decision.wins
    assert gates["leak_audit"].passed


def test_the_first_champion_needs_every_gate_of_its_training(project, save):
    version = save()

    promotion = project.promote()

    assert (promotion.version, promotion.before, promotion.accepted) == (version, None, ())
    assert read_pointer(project, "champion") == version
    assert load_bundle(project).version == version


def test_a_model_that_fails_is_refused_with_every_gate_named_and_nobody_is_promoted(project, save):
    gates = [{"name": name, "figure": 1.0, "limit": "x", "passed": name == "slope", "sentence": f"{name} is off"} for name in GATES[:3]]
    version = save(gates=gates)

    with pytest.raises(GateError) as caught:
        project.promote(version)

    assert caught.value.exit_code == 6
    assert str(caught.value) == (
        f"model {version} is not promoted; not better: better is off; not observed_expected: observed_expected is off; "
        "let the rules score (`model.use: rules`), train a better one, or promote it with `--accept better --accept observed_expected`"
    )
    assert read_pointer(project, "champion") is None


def test_an_accepted_gate_lets_the_model_pass_and_is_written_down(project, save):
    gates = [{"name": "slope", "figure": 1.4, "limit": "0.8 to 1.25", "passed": False, "sentence": "calibration slope 1.40"}]
    version = save(gates=gates)

    promotion = project.promote(version, accept=["slope", "leak_audit"])

    assert promotion.accepted == ("slope",)
    assert json.loads((project.models / "champion.json").read_text())["accepted"] == ["slope"]
    assert "slope  accepted  calibration slope 1.40" in promotion.to_text()
    assert json.loads(json.dumps(promotion.to_dict(), allow_nan=False))["gates"] == gates


def test_one_accepted_gate_does_not_open_another(project, save):
    gates = [{"name": name, "figure": None, "limit": "x", "passed": False, "sentence": "off"} for name in ("slope", "leak_audit")]

    with pytest.raises(GateError, match=r"not leak_audit: off.*promote it with `--accept leak_audit`"):
        project.promote(save(gates=gates), accept=["slope"])


def test_a_gate_that_does_not_exist_cannot_be_accepted(project):
    with pytest.raises(ConfigError, match=r"no gate 'slop' \(did you mean 'slope'\?\): expected one of better, slope"):
        project.promote(accept=["slop"])


def test_a_model_from_before_there_were_gates_is_refused(project):
    bundle = load_bundle(project)
    facts = {name: fact for name, fact in bundle.facts.items() if name != "gates"}
    version = save_bundle(project, replace(bundle, facts=facts))

    with pytest.raises(BundleError, match=f"model {version} has no gates to pass: train it again"):
        project.promote(version)


def test_rules_that_score_can_be_the_first_champion_though_no_model_beats_them(trained, tmp_path):
    project = open_variant(trained, tmp_path, {"model": {"use": "rules"}})
    report = project.train()
    assert "no evidence that" in report.comparison.decision.sentence

    assert [gate.name for gate in report.gates] == ["slope", "observed_expected", "leak_audit"]
    assert project.promote().version == report.version


def test_a_champion_is_compared_on_the_same_leads_and_the_same_model_never_beats_itself(project, save):
    first = save(note="first")
    crown(project, first)
    twin = save(note="twin")

    with pytest.raises(GateError, match=f"not better: no evidence that {twin} beats {first}: precision .* differs by \\+0.0 points"):
        project.promote(twin)

    promotion = project.promote(twin, accept=["better"])
    gates = {gate.name: gate for gate in promotion.gates}
    assert (gates["better"].figure, gates["same_reasons"].figure, gates["same_reasons"].passed) == (0.0, 1.0, True)
    assert (promotion.before, promotion.accepted) == (first, ("better",))


def test_the_comparison_with_the_champion_is_that_of_the_training_where_the_champion_is_the_card(trained, project, save):
    crown(project, save(used="rules"))
    model = save()

    promotion = project.promote(model, accept=GATES)

    better = next(gate for gate in promotion.gates if gate.name == "better")
    assert better.figure == pytest.approx(trained.report.comparison.decision.difference.value, abs=1e-12)
    assert better.passed == trained.report.comparison.decision.wins


def test_held_out_leads_are_found_again_from_the_bundle(trained, project):
    frozen = load_bundle(project).facts["held_out"]
    _, table, rows, _ = load_training_rows(project, load_bundle(project).catalogue)
    split = project.config.split.model_validate(frozen)

    again = split_training(replace(project, config=project.config.model_copy(update={"split": split})), rows)

    held_out = rows.take(one_per_month(table, again.test))
    assert len(held_out.labels) == trained.report.comparison.rows
    assert int(held_out.labels.sum()) == trained.report.comparison.positives
    assert np.array_equal(again.test, split_training(project, rows).test)


@pytest.mark.parametrize(
    ("frozen", "why"),
    [({"grain": "hour"}, "`signals.grain` is day in .* and hour in"), ({"timezone": "Asia/Tokyo"}, "`signals.timezone` is UTC in")],
)
def test_a_champion_of_other_leads_is_no_comparison_and_says_so(project, frozen, why, save):
    bundle = load_bundle(project)
    reigning = save_bundle(project, replace(bundle, frozen=bundle.frozen | {"signals": bundle.frozen["signals"] | frozen}))
    crown(project, reigning)

    with pytest.raises(GateError, match=f"not better: not compared with the champion: {why}.*--accept better --accept same_reasons"):
        project.promote(save())


def test_a_champion_that_is_gone_is_no_comparison_but_can_be_replaced(project, save):
    crown(project, "m-gone")
    version = save()

    with pytest.raises(GateError, match="not compared with the champion: no model 'm-gone'"):
        project.promote(version)

    assert project.promote(version, accept=["better", "same_reasons"]).before == "m-gone"


def test_the_champion_is_promoted_again_without_any_change(project, save):
    version = save(gates=[{"name": "slope", "figure": 2.0, "limit": "x", "passed": False, "sentence": "off"}])
    project.promote(version, accept=["slope"])
    before = (project.models / "champion.json").read_bytes()

    promotion = project.promote(version)

    assert (promotion.version, promotion.before) == (version, version)
    assert f"champion: {version} (already)" in promotion.to_text()
    assert (project.models / "champion.json").read_bytes() == before


def test_rolling_back_goes_through_the_champions_before_one_by_one(project, save):
    versions = [save(note=number) for number in range(3)]
    crown(project, *reversed(versions))

    assert [project.roll_back().version for _ in range(2)] == [versions[1], versions[0]]
    assert read_pointer(project, "champion") == versions[0]
    with pytest.raises(BundleError, match=f"no champion before {versions[0]} in .*: promote a version by its name"):
        project.roll_back()


def test_a_champion_that_comes_back_is_in_the_history_once(project, save):
    first, second = save(note=1), save(note=2)
    crown(project, second, first)

    project.promote(first, accept=GATES)

    assert json.loads((project.models / "champion.json").read_text())["history"] == [second]
    assert project.roll_back().version == second


def test_rolling_back_to_a_damaged_model_changes_nothing(project, save):
    first, second = save(note=1), save(note=2)
    crown(project, second, first)
    (project.models / first / "facts.json").write_text("{}")

    with pytest.raises(BundleError, match="was changed after training"):
        project.roll_back()

    assert read_pointer(project, "champion") == second


def test_without_any_champion_there_is_nothing_to_roll_back(project):
    with pytest.raises(BundleError, match="no champion before the first one"):
        project.roll_back()


def test_a_failed_write_keeps_the_old_champion(project, monkeypatch, save):
    first, second = save(note=1), save(note=2)
    crown(project, first, second)
    monkeypatch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))

    with pytest.raises(OSError, match="No space left on device"):
        project.roll_back()

    assert read_pointer(project, "champion") == first
    assert not list(project.models.glob(".champion*"))
