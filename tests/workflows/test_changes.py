"""What moved since an earlier night: the night's table, one lead asked about alone, and other models on either side."""

import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from projects import merge, open_config, open_variant

from pls_ml.core.errors import BundleError, ConfigError, TableError, UnknownLeadError
from pls_ml.core.files import digest_file
from pls_ml.labels.spine import AgeSpine
from pls_ml.workflows.bundle import load_bundle, save_bundle
from pls_ml.workflows.changes import LeadsNow, compare_with_night_before
from pls_ml.workflows.progress import Progress

DAY = timedelta(days=1)
COLUMNS = ["lead_id", "part", "signal", "log_odds", "probability", "before", "after"]


class Notes(Progress):
    """Keeps what is noted."""

    def __init__(self):
        self.said = []

    def note(self, sentence):
        self.said.append(sentence)


@pytest.fixture(scope="module")
def then(trained):
    return trained.night.as_of - 7 * DAY


@pytest.fixture(scope="module")
def project(trained, then, tmp_path_factory):
    """The trained project with the night of a week earlier."""
    project = open_variant(trained, tmp_path_factory.mktemp("changes"))
    project.score(then)
    return project


@pytest.fixture(scope="module")
def night(trained, project):
    return project.score(trained.night.as_of)


@pytest.fixture
def copy(trained, project, night, retrained, tmp_path):
    """The project elsewhere, with its models and its nights; what it notes is kept."""
    made = open_variant(trained, tmp_path, progress=Notes())
    copy_nights(project, made)
    return made


@pytest.fixture(scope="module")
def earlier(project, then):
    return pd.read_parquet(project.output / "nights" / f"as_of={then:%Y-%m-%d}" / "scores.parquet").set_index("lead_id")


@pytest.fixture(scope="module")
def recalibrated(project):
    """The same scorers with other maps."""
    bundle = load_bundle(project)
    maps = {
        name: type(made).from_dict(made.to_dict() | {"parameters": made.shift_parameters(0.5)}) for name, made in bundle.calibrators.items()
    }
    return save_bundle(project, replace(bundle, version="", calibrators=maps))


@pytest.fixture(scope="module")
def retrained(trained, project, night, tmp_path_factory):
    """Another model: rules on a catalogue that lacks two signals and defines one in another way."""
    own = {
        "id": "exports_lately", "family": "usage", "label": "exports lately", "unit": "times",
        "measure": {"kind": "count", "events": ["exported"]}, "windows": ["14d"],
    }  # fmt: skip
    changes = {"signals": {"drop": ["account_days_since_last"], "define": [own]}, "model": {"use": "logistic"}}
    other = open_config(merge(trained.config, changes), tmp_path_factory.mktemp("other"), data=trained.folder)
    version = other.train().version
    shutil.copytree(other.models / version, project.models / version)
    return version


def read(night):
    return pd.read_parquet(night.folder / "changes.parquet")


def read_manifest(night):
    return json.loads((night.folder / "manifest.json").read_text(encoding="utf-8"))


def copy_nights(project, made):
    shutil.copytree(project.output / "nights", made.output / "nights")
    shutil.copytree(project.models, made.models, dirs_exist_ok=True)


def test_the_changes_of_every_lead_sum_to_the_difference_of_the_two_nights_scores(night, earlier):
    scores = night.scores.set_index("lead_id")["score"]
    shared = scores.index.intersection(earlier.index)
    sums = read(night).groupby("lead_id")[["probability", "log_odds"]].sum().reindex(shared, fill_value=0.0)

    assert list(read(night).columns) == COLUMNS
    assert sums["probability"].to_numpy() == pytest.approx((scores[shared] - earlier["score"][shared]).to_numpy(), abs=1e-9)
    odds = [np.log(p) - np.log1p(-p) for p in (scores[shared], earlier["score"][shared])]
    assert sums["log_odds"].to_numpy() == pytest.approx((odds[0] - odds[1]).to_numpy(), abs=1e-9)
    assert set(read(night)["lead_id"]) <= set(shared)
    assert (sums["probability"].abs() > 0.01).sum() > 20


def test_the_manifest_and_the_summary_say_since_when(night, then, earlier):
    now = night.scores.set_index("lead_id")
    shared = now.index.intersection(earlier.index)
    moved, came, left = (now["band"][shared] != earlier["band"][shared]).sum(), len(now) - len(shared), len(earlier) - len(shared)

    assert read_manifest(night)["since"] == {"as_of": then.isoformat(), "version": night.version}
    assert "changes.parquet" in read_manifest(night)["files"]
    counts = {"moved_band": moved, "entered": came, "left": left}
    assert night.to_dict()["since"] == {"as_of": then.isoformat(), "version": night.version} | counts
    said = (
        f"since the night on {then:%Y-%m-%d} by {night.version}: {moved:,} leads in another band, {came:,} new, {left:,} no longer scored"
    )
    assert said in night.to_text().splitlines()
    assert min(moved, came, left) > 0


def test_a_first_night_has_nothing_to_compare_with(trained):
    assert trained.night.since is None
    assert trained.night.to_dict()["since"] is None
    assert read_manifest(trained.night)["since"] is None
    assert not (trained.night.folder / "changes.parquet").exists()


def test_leads_that_are_scored_once_in_their_life_have_no_night_before(project, night):
    once = replace(project, config=project.config.model_copy(update={"spine": AgeSpine(kind="age")}))
    bands = night.scores.set_index("lead_id")["band"]

    found = compare_with_night_before(LeadsNow(once, load_bundle(project), None, night.as_of, None), bands)

    assert found is None


def test_a_night_without_a_lead_of_the_one_before_has_an_empty_table(copy, night, then):
    folder = copy.output / "nights" / f"as_of={then:%Y-%m-%d}"
    manifest = read_manifest(replace(night, folder=folder))
    for name in ("scores.parquet", "signals.parquet"):
        table = pd.read_parquet(folder / name)
        table.assign(lead_id="was-" + table["lead_id"]).to_parquet(folder / name)
        manifest["files"][name] = digest_file(folder / name)
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")

    found = copy.score(night.as_of)

    assert (found.since.moved, found.since.entered) == (0, len(found.scores))
    assert pq.read_table(found.folder / "changes.parquet").num_rows == 0
    assert pq.read_schema(found.folder / "changes.parquet") == pq.read_schema(night.folder / "changes.parquet")


def test_one_lead_alone_gets_the_change_of_the_night(project, night, then):
    table = read(night)
    leads = table.groupby("lead_id")["probability"].apply(lambda shares: shares.abs().sum()).sort_values().index
    for lead in leads[[0, len(leads) // 2, -2, -1]]:
        change = project.explain(lead, night.as_of, since=then).change
        mine = table[table["lead_id"] == lead].set_index("signal")

        assert (change.then.as_of, change.now.as_of) == (then, night.as_of)
        shown = [line for line in change.shown if line.part == "data"]
        assert {line.signal for line in shown} == set(mine.index)
        for line in shown:
            assert (line.log_odds, line.probability) == pytest.approx(
                (mine.loc[line.signal, "log_odds"], mine.loc[line.signal, "probability"]), abs=1e-9
            )
            assert (line.before, line.after) == (mine.loc[line.signal, "before"], mine.loc[line.signal, "after"])


def test_a_night_that_is_gone_is_computed_again_to_the_same_change(trained, project, night, then, tmp_path):
    lead = read(night)["lead_id"].iloc[0]
    kept = project.explain(lead, night.as_of, since=then).change

    again = open_variant(trained, tmp_path).explain(lead, night.as_of, since=then).change

    assert again.to_dict() == kept.to_dict()


def test_the_same_nights_give_the_same_bytes(trained, night, then, tmp_path):
    again = open_variant(trained, tmp_path, {"resources": {"threads": 2}})
    again.score(then)

    folder = again.score(night.as_of).folder

    for name in ("changes.parquet", "signals.parquet", "manifest.json"):
        assert (folder / name).read_bytes() == (night.folder / name).read_bytes()


def test_a_value_overwritten_since_counts_as_a_change_of_the_night_that_saw_the_old_one(trained, project, night, then, tmp_path):
    accounts = trained.world.tables["accounts"].to_pandas()
    lead = night.scores.dropna(subset=["account_id"]).iloc[0]
    accounts.loc[accounts["account_id"] == lead["account_id"], "employee_count"] = 4321.0
    given = open_variant(trained, tmp_path, tables=trained.world.tables | {"accounts": accounts})
    copy_nights(project, given)

    change = given.explain(lead["lead_id"], night.as_of, since=then).change

    found = {line.signal: line for line in change.lines if line.part == "data"}
    assert found["employees"].after == "4,321 people"
    assert found["employees"].before != found["employees"].after
    assert given.score(night.as_of).scores.set_index("lead_id").loc[lead["lead_id"], "score"] == pytest.approx(change.after, abs=1e-9)


def test_recalibrating_alone_moves_a_score_by_the_calibrator_alone(project, night, recalibrated):
    lead = night.scores["lead_id"].iloc[0]

    change = project.explain(lead, night.as_of, recalibrated, since=night.as_of, since_version=night.version).change

    assert [(line.part, line.log_odds) for line in change.lines] == [("calibrator", pytest.approx(0.5, abs=1e-9))]
    assert change.after - change.before == pytest.approx(change.lines[0].probability, abs=1e-12)
    assert "calibrated anew" in change.to_text()


def test_a_night_of_a_recalibrated_model_has_data_and_calibrator_lines(copy, night, recalibrated, earlier):
    found = copy.score(night.as_of, recalibrated)
    table, scores = read(found), found.scores.set_index("lead_id")["score"]
    shared = scores.index.intersection(earlier.index)

    assert set(table["part"]) == {"data", "calibrator"}
    sums = table.groupby("lead_id")["probability"].sum().reindex(shared, fill_value=0.0)
    assert sums.to_numpy() == pytest.approx((scores[shared] - earlier["score"][shared]).to_numpy(), abs=1e-9)


def test_at_the_same_moment_the_night_says_which_model_is_compared_with(project, night, retrained):
    lead = night.scores["lead_id"].iloc[0]

    change = project.explain(lead, night.as_of, retrained, since=night.as_of).change

    assert (change.then.version, change.now.version) == (night.version, retrained)
    assert "data" not in {line.part for line in change.lines}


def test_retraining_alone_moves_no_data(project, night, retrained):
    lead = night.scores["lead_id"].iloc[0]

    change = project.explain(lead, night.as_of, retrained, since_version=night.version).change

    assert "data" not in {line.part for line in change.lines}
    assert sum(line.probability for line in change.lines) == pytest.approx(change.after - change.before, abs=1e-9)
    found = {line.signal: line for line in change.lines if line.part == "model"}
    gone, new = found["account_days_since_last"], found["exports_lately"]
    assert (gone.after, new.before) == ("no longer looked at", "not looked at then")


@pytest.mark.parametrize("swap", [False, True])
def test_a_night_of_another_model_says_what_of_it_was_data_and_what_the_model(copy, night, retrained, earlier, swap):
    then = night.since.moment.as_of
    if swap:
        earlier = copy.score(then, retrained).scores.set_index("lead_id")
    found = copy.score(night.as_of, night.version if swap else retrained)
    table, scores = read(found), found.scores.set_index("lead_id")["score"]
    shared = scores.index.intersection(earlier.index)

    assert {"data", "model", "calibrator"} == set(table["part"])
    sums = table.groupby("lead_id")["probability"].sum().reindex(shared, fill_value=0.0)
    assert sums.to_numpy() == pytest.approx((scores[shared] - earlier["score"][shared]).to_numpy(), abs=1e-9)
    assert ("exports_lately" in set(table["signal"])) == swap
    lead = table["lead_id"].iloc[0]
    change = copy.explain(lead, night.as_of, found.version, since=then).change
    parts = table[table["lead_id"] == lead].groupby("part")["probability"].sum()
    for part, total in change.to_dict()["parts"].items():
        assert total["probability"] == pytest.approx(parts.get(part, 0.0), abs=1e-9)


@pytest.mark.parametrize("damage", ["model gone", "model damaged", "signals damaged", "signals gone", "manifest damaged"])
def test_an_earlier_night_that_cannot_be_used_is_said_and_changes_nothing_else(copy, night, retrained, then, damage):
    folder, model = copy.output / "nights" / f"as_of={then:%Y-%m-%d}", copy.models / night.version
    if damage == "model gone":
        shutil.rmtree(model)
    elif damage == "model damaged":
        (model / "scorers.json").write_text("{}", encoding="utf-8")
    elif damage == "signals damaged":
        (folder / "signals.parquet").write_bytes(b"PAR1")
    elif damage == "signals gone":
        (folder / "signals.parquet").unlink()
    else:
        manifest = read_manifest(replace(night, folder=folder))
        (folder / "manifest.json").write_text(json.dumps(manifest | {"files": {}}), encoding="utf-8")

    found = copy.score(night.as_of, retrained)

    assert found.since is None
    assert read_manifest(found)["since"] is None
    assert not (found.folder / "changes.parquet").exists()  # the copied night had one
    assert len(found.scores) == len(night.scores)
    assert [note.startswith(f"nothing is said of what changed since {then:%Y-%m-%d}: ") for note in copy.progress.said] == [True]


def test_a_moment_after_the_one_explained_is_refused(project, night):
    lead = night.scores["lead_id"].iloc[0]

    with pytest.raises(ConfigError, match=r"`since` 2024-10-28 00:00 lies after the moment that is explained \(2024-10-27 00:00\)"):
        project.explain(lead, night.as_of, since=night.as_of + DAY)


def test_a_moment_before_the_data_or_between_two_days_is_refused(project, night):
    lead = night.scores["lead_id"].iloc[0]

    with pytest.raises(TableError, match="as_of 2019-01-01 lies before the first event"):
        project.explain(lead, night.as_of, since=datetime(2019, 1, 1))
    with pytest.raises(ConfigError, match="as_of 2024-10-19 13:00 is no whole day"):
        project.explain(lead, night.as_of, since=datetime(2024, 10, 19, 13))


def test_a_lead_that_was_not_scored_then_is_refused_with_the_reason(trained, project, night, then, earlier):
    users = trained.world.tables["users"].to_pandas().set_index("user_id")
    signup = users["signup_at"].dt.tz_localize(None)
    new = signup[signup.index.isin(night.scores["lead_id"]) & ~signup.index.isin(earlier.index)]
    young, absent = new[(new < then) & (new > then - 5 * DAY)].index[0], night.scores["lead_id"].iloc[0]

    with pytest.raises(UnknownLeadError, match=f"lead '{young}' is not scored at 2024-10-20: too young; choose another moment"):
        project.explain(young, night.as_of, since=then)
    with pytest.raises(UnknownLeadError, match=f"lead '{absent}' is not scored at 2024-01-10: it had not signed up"):
        project.explain(absent, night.as_of, since=datetime(2024, 1, 10))


def test_an_unknown_model_to_compare_with_is_refused(project, night):
    with pytest.raises(BundleError, match="no model 'm-0': expected one of"):
        project.explain(night.scores["lead_id"].iloc[0], night.as_of, since_version="m-0")


def test_a_moment_with_a_zone_is_the_same_moment(project, night, then):
    lead = read(night)["lead_id"].iloc[0]

    assert (
        project.explain(lead, night.as_of, since=then.replace(tzinfo=UTC)).to_dict()
        == project.explain(lead, night.as_of, since=then).to_dict()
    )


def test_without_since_nothing_is_said_of_a_change(project, night):
    found = project.explain(night.scores["lead_id"].iloc[0], night.as_of)

    assert found.change is None
    assert found.to_dict()["change"] is None
    assert "why the score moved" not in found.to_text()
