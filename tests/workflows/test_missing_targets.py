"""The targets themselves, on a hand-made card: the next band with its gate, and tonight's list with the card's leave to call."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from pls_ml.accounts.rules import AccountRules
from pls_ml.core.builtin import find_builtin
from pls_ml.core.catalogue import Catalogue
from pls_ml.io.yaml import read_spec
from pls_ml.scores import ScorecardClassifier
from pls_ml.scores.card import Scorecard
from pls_ml.workflows.bundle import Bundle
from pls_ml.workflows.missing import LIST, Subjects, Tonight, list_missing, miss_band, miss_list

RULES = read_spec(find_builtin("accounts/default.yaml"), AccountRules, "account rules")


def declare(name, measure, windows=(), **more):
    return {"id": name, "family": "f", "label": name, "measure": measure, "windows": list(windows), "direction": "up"} | more


CATALOGUE = Catalogue.model_validate({"signals": [
    declare("invites", {"kind": "count", "events": ["invite_sent"]}, ["lifetime"], label="team members invited"),
    declare("views", {"kind": "count", "events": ["pricing_viewed"]}, ["30d"]),
    declare("team", {"kind": "active_users"}, ["30d"], scope="account"),
    declare("employees", {"kind": "attribute", "table": "accounts", "column": "employee_count"}, actionable=False),
    declare("sales_contacts", {"kind": "count", "events": ["contact_sales"]}, ["30d"], actionable=False),
]})  # fmt: skip
COLUMNS = [column.name for column in CATALOGUE]
CARD = Scorecard.model_validate({
    "id": "small", "bands": [{"name": "Hot", "gte": 80}, {"name": "Warm", "gte": 50}, {"name": "Emerging", "gte": 30}], "below": "None",
    "outreach_families": 2, "gate": {"families": ["collaboration", "intent"], "highest_without": "Emerging"},
    "rows": [
        {"id": "invited", "family": "collaboration", "signal": "invites_lifetime",
         "rungs": [{"gte": 1, "points": 10}, {"gte": 3, "points": 20}]},
        {"id": "viewed", "family": "intent", "signal": "views_30d", "rungs": [{"gte": 2, "points": 15}]},
        {"id": "busy", "family": "collaboration", "scope": "account", "signal": "team_30d", "rungs": [{"gte": 3, "points": 40}]},
        {"id": "size", "family": "fit", "scope": "account", "signal": "employees", "rungs": [{"gte": 50, "points": 60}]},
    ],
})  # fmt: skip
KNOTS = [[float(value), 5.0 * value, 5.0 * value + 5] for value in range(20)]


@dataclass(frozen=True)
class Plain:
    """A calibrator that changes nothing but the scale."""

    def transform(self, margins):
        return 1 / (1 + np.exp(-np.asarray(margins)))


def make_bundle(**facts):
    card = ScorecardClassifier(CARD).fit(pd.DataFrame([[0.0] * 5, [3.0, 2.0, 5.0, 100.0, 0.0]] * 5, columns=COLUMNS), [0, 1] * 5)
    facts = facts or {"peers": {"smb": dict.fromkeys(COLUMNS, KNOTS)}}
    return Bundle("m-1", "rules", {"rules": card}, {"rules": Plain()}, {}, CATALOGUE, {}, facts)


def make_subjects(bundle, rows, **facts):
    values = pd.DataFrame(rows, columns=COLUMNS, dtype="float64")
    ids = [f"u{place}" for place in range(len(values))]
    found = {
        "lead_id": ids, "account_key": ids, "raw_score": bundle.card.raw_score(values), "points": bundle.card.points(values),
        "band": bundle.card.bands(values), "segment": "smb", "blocked": None, "open": True,
    }  # fmt: skip
    return Subjects(pd.DataFrame(found | facts), values)


def say(missing):
    return {one.lead_id: one.to_text() for one in missing}


def test_the_next_band_is_reached_by_single_signals_the_least_rare_first():
    bundle = make_bundle()

    found = miss_band(bundle, make_subjects(bundle, [[1, 0, 3, 0, 0], [0, 0, 0, 0, 0]]))

    assert say(found)["u0"].splitlines() == [
        "what is missing for Hot (80 points; now 50 points): nothing realistic reaches it"
    ]  # fmt: skip
    assert say(found)["u1"].splitlines() == [
        "what is missing for Emerging (30 points; now 0 points): would have 40 points with 3 more team (3 instead of 0 in the last 30 days)"
    ]


def test_a_lead_with_points_enough_that_the_gate_holds_is_told_what_opens_it():
    bundle = make_bundle()

    (found,) = miss_band(bundle, make_subjects(bundle, [[0, 0, 3, 100, 0]]))

    assert found.head.held
    assert found.to_text().splitlines() == [
        "what is missing for Warm (50 points; now 100 points, held back for lack of use that the card asks for): "
        "would have 110 points with 1 more team member invited (1 instead of 0 since signup)",
        "    or: would have 115 points with 2 more views (2 instead of 0 in the last 30 days)",
    ]


def test_pairs_are_looked_for_where_no_single_signal_is_enough():
    bundle = make_bundle(peers={"smb": dict.fromkeys(COLUMNS, KNOTS) | {"team_30d": KNOTS[:2]}})

    (found,) = miss_band(bundle, make_subjects(bundle, [[0, 0, 0, 0, 0]]))

    assert found.to_text().splitlines() == [
        "what is missing for Emerging (30 points; now 0 points): would have 35 points with "
        "3 more team members invited (3 instead of 0 since signup) and 2 more views (2 instead of 0 in the last 30 days)"
    ]


def test_the_list_asks_for_its_lowest_score_and_for_the_cards_leave_to_call():
    bundle = make_bundle()
    subjects = make_subjects(bundle, [[0, 0, 0, 60, 0], [0, 0, 0, 0, 0], [3, 2, 5, 60, 0]], blocked=["too few families", None, None])
    lowest = float(bundle.card.raw_score(pd.DataFrame([[0, 2, 3, 0, 0.0]], columns=COLUMNS))[0])

    found = {one.lead_id: one for one in miss_list(bundle, subjects, Tonight(lowest, frozenset({"u2"})), RULES)}
    steps = {lead: [[step["signal"] for step in way.steps] for way in one.ways] for lead, one in found.items()}

    assert steps == {"u0": [["invites"], ["views"], ["team"]], "u1": [["views", "team"]]}  # two rows of one family are not two families
    assert (found["u0"].head.held, found["u1"].head.held) == (True, False)
    assert all(way.reaches >= one.head.goal for one in found.values() for way in one.ways)


@pytest.mark.parametrize("tonight", [None, Tonight(-99.0, frozenset()), Tonight(99.0, frozenset({"u0"}))])
def test_there_is_no_list_for_leads_above_it_or_of_its_accounts_or_where_nobody_is_handed_over(tonight):
    bundle = make_bundle()

    assert miss_list(bundle, make_subjects(bundle, [[1, 0, 0, 0, 0]]), tonight, RULES) == []


def test_nobody_is_told_how_to_come_on_a_list_that_bars_it():
    bundle = make_bundle()
    subjects = make_subjects(bundle, [[1, 0, 0, 0, 0]], open=False)

    assert miss_list(bundle, subjects, Tonight(99.0, frozenset()), RULES) == []
    assert len(miss_band(bundle, subjects)) == 1


def test_a_model_that_kept_no_peers_says_nothing():
    bundle = make_bundle(comparison={})
    subjects = make_subjects(bundle, [[1, 0, 0, 0, 0]])

    assert miss_band(bundle, subjects) == []
    assert list_missing(bundle, subjects, Tonight(99.0, frozenset()), RULES).empty


def test_the_table_has_a_row_per_step_and_one_where_nothing_reaches():
    bundle = make_bundle()
    subjects = make_subjects(bundle, [[0, 0, 0, 0, 0], [1, 0, 3, 0, 0]])

    table = list_missing(bundle, subjects, None, RULES)

    assert table[table["lead_id"] == "u0"].to_dict("records") == [
        {"lead_id": "u0", "scorer": "rules", "target": "Emerging", "option": 1, "step": 1, "signal": "team", "column": "team_30d",
         "before": "0 in the last 30 days", "after": "3 in the last 30 days",
         "words": "3 more team (3 instead of 0 in the last 30 days)", "reaches": 40.0},
    ]  # fmt: skip
    assert table[table["lead_id"] == "u1"][["option", "step", "words"]].to_numpy().tolist() == [[0, 0, "nothing realistic reaches it"]]
    assert LIST not in set(table["target"])
