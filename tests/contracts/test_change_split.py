"""What a change promises, whichever scorers and calibrators gave the two scores."""

import json
import re
from dataclasses import replace
from datetime import datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pls_ml.calibration import CALIBRATORS
from pls_ml.core.catalogue import Catalogue
from pls_ml.core.errors import UnknownLeadError
from pls_ml.explanations.change_receipt import Moment
from pls_ml.explanations.changes import COLUMNS, GONE, NEW, Scoring, build_changes, name_no_change
from pls_ml.explanations.receipts import build_receipts
from pls_ml.scores import LogisticScorer

THEN, NOW = Moment(datetime(2025, 2, 10), "m-then"), Moment(datetime(2025, 2, 17), "m-now")


def to_log_odds(probability):
    return np.log(probability) - np.log1p(-probability)


def fit_map(kind, seed):
    rng = np.random.default_rng(seed)
    margins = rng.normal(-1, 2, 900)
    labels = (rng.random(900) < 1 / (1 + np.exp(-(0.8 * margins - 0.2)))).astype(np.int8)
    return next(made for made in CALIBRATORS if made.kind == kind)().fit(margins, labels)


@pytest.fixture(scope="session")
def narrow(catalogue):
    """A catalogue that lacks the employees, and knows of seats instead."""
    seats = {
        "id": "seats",
        "family": "fit",
        "label": "seats",
        "unit": "seats",
        "measure": {"kind": "attribute", "table": "accounts", "column": "s"},
    }
    kept = [signal for signal in catalogue.signals if signal.id != "employees"]
    return Catalogue.model_validate({"signals": [*(signal.model_dump() for signal in kept), seats]})


@pytest.fixture(scope="session")
def other(training, narrow):
    """Leads scored by a model of that catalogue."""
    signals, labels, weight = training
    scorer = LogisticScorer().fit(see_narrow(signals), labels, weight)
    return lambda moment, calibrator, values: Scoring(moment, scorer, calibrator, narrow, see_narrow(values))


@pytest.fixture(scope="session")
def own(scorer, catalogue):
    """Leads scored by each of the scorers."""
    return lambda moment, calibrator, values: Scoring(moment, scorer, calibrator, catalogue, values)


def see_narrow(signals):
    return signals.drop(columns="employees").assign(seats=signals["sessions_7d"] * 2 + 1)


@pytest.fixture(scope="session")
def moved(draw, leads):
    """The leads a week later: every third is as it was."""
    later = draw(77, len(leads))
    later.iloc[::3] = leads.iloc[::3]
    return later


@pytest.fixture(scope="session")
def there(own, other, calibrator, leads, moved):
    """From each scorer on each map to a model of another catalogue on another map."""
    return build_changes(own(THEN, calibrator, leads), other(NOW, fit_map("isotonic", 3), moved), moved, name_leads(leads))


@pytest.fixture(scope="session")
def back(own, other, calibrator, leads, moved):
    """The same the other way round."""
    then = other(THEN, fit_map("isotonic", 3), leads)
    return build_changes(then, own(NOW, calibrator, moved), see_narrow(moved), name_leads(leads))


@pytest.fixture(scope="session", params=["there", "back"])
def changes(request, there, back):
    return there if request.param == "there" else back


def name_leads(leads):
    return [f"lead-{row:03}" for row in range(len(leads))]


def test_the_three_parts_sum_to_the_difference_of_the_scores(changes):
    for scale, difference in (
        ("probability", changes.after - changes.before),
        ("log_odds", to_log_odds(changes.after) - to_log_odds(changes.before)),
    ):
        sums = sum(getattr(part, scale).sum(axis=1) for part in (changes.data, changes.model, changes.calibrator))
        assert sums == pytest.approx(difference, abs=1e-9)


def test_the_ends_are_the_scores_of_the_receipts(changes):
    for scoring, score in ((changes.then, changes.before), (changes.now, changes.after)):
        found = build_receipts(scoring.scorer, scoring.calibrator, scoring.values, changes.lead_ids, scoring.catalogue)
        assert score == pytest.approx(found.score, abs=1e-9)


def test_each_step_ends_where_the_next_begins(changes):
    old = changes.then
    middle = old.calibrator.transform(old.scorer.raw_score(changes.again))
    before_map = old.calibrator.transform(changes.now.scorer.raw_score(changes.now.values))

    assert changes.before + changes.data.probability.sum(axis=1) == pytest.approx(middle, abs=1e-9)
    assert middle + changes.model.probability.sum(axis=1) == pytest.approx(before_map, abs=1e-9)
    assert before_map + changes.calibrator.probability[:, 0] == pytest.approx(changes.after, abs=1e-9)


def test_a_lead_whose_signals_stayed_has_no_data_lines(changes):
    assert not changes.data.present[::3].any()
    assert changes.data.present.any()
    data = changes.to_frame().query("part == 'data'")
    assert not set(data["lead_id"]) & set(changes.lead_ids[::3])


def test_a_signal_that_one_model_alone_looks_at_is_a_whole_line_and_says_so(changes):
    found = [line for lead in changes.lead_ids for line in changes.one(lead).lines if line.part == "model"]
    narrow_first = changes.now.values.columns.isin(["employees"]).any()
    old, new = ("seats", "employees") if narrow_first else ("employees", "seats")

    assert {line.before for line in found if line.signal == new} == {NEW}
    assert {line.after for line in found if line.signal == old} == {GONE}
    assert not [line for line in found if NEW in line.before and line.signal != new]
    assert any("not looked at then → " in line.to_text() for line in found)


def test_the_table_has_its_columns_a_total_order_and_exact_sums(changes):
    frame = changes.to_frame()

    assert tuple(frame.columns) == COLUMNS
    assert not frame.duplicated(["lead_id", "part", "signal"]).any()
    place = frame["lead_id"].map({lead: n for n, lead in enumerate(changes.lead_ids)}) * 10
    assert (place + frame["part"].map({"data": 0, "model": 1, "calibrator": 2})).is_monotonic_increasing
    assert set(frame.loc[frame["part"] != "data", "signal"]) == {""}
    assert set(frame.loc[frame["part"] == "data", "signal"]) <= {"other", "sessions", "idle", "industry", "employees", "seats"}
    sums = frame.groupby("lead_id")[["probability", "log_odds"]].sum().reindex(changes.lead_ids, fill_value=0.0)
    assert sums["probability"].to_numpy() == pytest.approx(changes.after - changes.before, abs=1e-9)
    assert sums["log_odds"].to_numpy() == pytest.approx(to_log_odds(changes.after) - to_log_odds(changes.before), abs=1e-9)


def test_the_table_says_what_the_single_change_says(changes):
    frame = changes.to_frame()

    for lead in changes.lead_ids[:12]:
        receipt, mine = changes.one(lead), frame[frame["lead_id"] == lead]
        data = {(x.signal, x.log_odds, x.probability, x.before, x.after) for x in receipt.shown if x.part == "data"}
        table = mine[mine["part"] == "data"].drop(columns=["lead_id", "part"])
        assert {row[:1] + row[3:] for row in table.itertuples(index=False, name=None)} == {row[:1] + row[3:] for row in data}
        assert sorted(table["probability"]) == pytest.approx(sorted(row[2] for row in data), abs=1e-12)
        for part in ("model", "calibrator"):
            total = receipt.to_dict()["parts"][part]
            assert mine.loc[mine["part"] == part, ["log_odds", "probability"]].sum().to_dict() == pytest.approx(total, abs=1e-12)


def test_one_lead_alone_changes_as_among_others(changes):
    for row in (1, 2, 4):
        sides = [
            Scoring(x.moment, x.scorer, x.calibrator, x.catalogue, x.values.iloc[[row]].reset_index(drop=True))
            for x in (changes.then, changes.now)
        ]
        alone = build_changes(*sides, changes.again.iloc[[row]].reset_index(drop=True), [changes.lead_ids[row]])

        for scale in ("log_odds", "probability"):
            for part in ("data", "model", "calibrator"):
                mine, ours = getattr(getattr(alone, part), scale)[0], getattr(getattr(changes, part), scale)[row]
                assert mine == pytest.approx(ours, abs=1e-9)


def test_what_people_see_sums_and_never_names_a_hidden_signal(changes):
    for lead in changes.lead_ids[:20]:
        receipt = changes.one(lead)
        shown = receipt.to_dict()

        assert json.loads(json.dumps(shown, allow_nan=False)) == shown
        for scale in ("probability", "log_odds"):
            assert sum(line[scale] for line in shown["lines"]) == pytest.approx(shown["change"][scale], abs=1e-9)
            assert sum(part[scale] for part in shown["parts"].values()) == pytest.approx(shown["change"][scale], abs=1e-9)
        for view in (json.dumps(shown), receipt.to_text(), receipt.to_text(None), receipt._repr_html_()):
            assert not re.search(r"secret|credit|disputes|classified|quarrel", view, re.IGNORECASE)
        for most in (None, 2):
            figures = [float(line.rsplit(None, 1)[1].rstrip("%")) for line in receipt.to_text(most).splitlines() if line.endswith("%")]
            assert sum(figures[:-1]) == pytest.approx(figures[-1], abs=0.005 * len(figures))


def test_the_same_model_on_another_map_shows_the_calibrator_alone(own, calibrator, leads):
    then, now = own(THEN, calibrator, leads), own(NOW, fit_map("beta", 5), leads.copy())
    now = replace(now, scorer=type(now.scorer).from_dict(now.scorer.to_dict()))

    found = build_changes(then, now, leads, name_leads(leads))

    assert set(found.to_frame()["part"]) == {"calibrator"}
    assert found.calibrator.probability[:, 0] == pytest.approx(found.after - found.before, abs=1e-12)


def test_another_model_on_the_same_signals_and_map_shows_the_model_alone(own, other, leads):
    same = fit_map("sigmoid", 1)

    found = build_changes(other(THEN, same, leads), own(NOW, same, leads), see_narrow(leads), name_leads(leads))

    assert set(found.to_frame()["part"]) == {"model"}
    assert found.model.probability.sum(axis=1) == pytest.approx(found.after - found.before, abs=1e-9)


def test_nothing_changed_is_an_empty_table_of_the_same_types(own, calibrator, leads, there):
    same = own(THEN, calibrator, leads)

    found = build_changes(same, same, leads, name_leads(leads))

    assert found.to_frame().empty
    assert found.to_frame().dtypes.astype(str).to_dict() == there.to_frame().dtypes.astype(str).to_dict()
    assert name_no_change().dtypes.astype(str).to_dict() == there.to_frame().dtypes.astype(str).to_dict()
    assert found.one("lead-000").to_text().splitlines()[0] == "  nothing changed"


@pytest.mark.parametrize("kind", [made.kind for made in CALIBRATORS])
@settings(deadline=None, max_examples=25)
@given(case=st.tuples(*[st.integers(0, 2**32 - 1)] * 2, st.integers(1, 5), st.sampled_from([0.0, 1.0, 1e6])))
def test_every_change_of_any_lead_is_exact(kind, own, other, draw, case):
    first, second, n, extreme = case
    before, after = draw(first, n), draw(second, n)
    after.loc[0, ["sessions_7d", "disputes_90d"]] += extreme

    found = build_changes(own(THEN, fit_map(kind, 1), before), other(NOW, fit_map("sigmoid", 2), after), after, name_leads(after))

    for scale, difference in (
        ("probability", found.after - found.before),
        ("log_odds", to_log_odds(found.after) - to_log_odds(found.before)),
    ):
        sums = sum(getattr(part, scale).sum(axis=1) for part in (found.data, found.model, found.calibrator))
        assert sums == pytest.approx(difference, abs=1e-9)


def test_an_unknown_lead_has_no_change(changes):
    with pytest.raises(UnknownLeadError, match="no change for lead 'nobody': 120 leads were scored at both moments"):
        changes.one("nobody")


def test_html_escapes_text_from_the_data(own, calibrator, leads):
    hostile = "<script>alert(1)</script>"
    before = leads.head(1).assign(industry="software")
    after = leads.head(1).assign(industry=hostile, sessions_7d=40.0, employees=9000.0)

    html = build_changes(own(THEN, calibrator, before), own(NOW, calibrator, after), after, [hostile]).one(hostile)._repr_html_()

    assert set(re.findall(r"<(/?\w+)", html)) == {"table", "/table", "caption", "/caption", "tr", "/tr", "td", "/td"}
    assert "&lt;script&gt;" in html
