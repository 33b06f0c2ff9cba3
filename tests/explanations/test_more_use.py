"""What more use of one signal makes of a lead's other columns: what surely follows, and nothing else."""

import numpy as np
import pytest

from pls_ml.core.catalogue import Catalogue
from pls_ml.explanations.use import Moves

USED = {"kind": "count", "events": ["feature_used"]}
PREMIUM = {"events": ["feature_used"], "where": {"tier": ["premium"]}}


def declare(name, measure, windows=(), direction="up", **more):
    return {"id": name, "family": "use", "label": name, "measure": measure, "windows": list(windows), "direction": direction} | more


CATALOGUE = Catalogue.model_validate({"signals": [
    declare("uses", USED, ["7d", "30d", "lifetime", "first_14d"]),
    declare("premium_uses", {"kind": "count", **PREMIUM}, ["30d"]),
    declare("premium", {"kind": "distinct", "of": "feature", **PREMIUM}, ["30d"]),
    declare("features", {"kind": "distinct", "of": "feature", "events": ["feature_used"]}, ["30d"]),
    declare("steps", {"kind": "distinct", "of": "step", "events": ["feature_used"]}, ["30d"]),
    declare("team_premium", {"kind": "distinct", "of": "feature", **PREMIUM}, ["30d"], scope="account"),
    declare("team_uses", USED, ["30d"], scope="account"),
    declare("others_use", USED, ["30d"], scope="colleagues"),
    declare("events", {"kind": "count"}, ["7d", "30d"]),
    declare("invites", {"kind": "count", "events": ["invite_sent"]}, ["lifetime"]),
    declare("minutes", {"kind": "sum", "of": "duration_s", "events": ["session_end"]}, ["30d"]),
    declare("days", {"kind": "active_days"}, ["7d", "30d"]),
    declare("users", {"kind": "active_users"}, ["30d"], scope="account"),
    declare("all_users", {"kind": "account_users"}, direction="none"),
    declare("idle", {"kind": "days_since_last"}, direction="down"),
    declare("intent", {"kind": "days_since_last", "events": ["pricing_viewed"]}, direction="down"),
    declare("team_idle", {"kind": "days_since_last"}, scope="account", direction="down"),
    declare("age", {"kind": "age_days"}, direction="none"),
    declare("rising", {"kind": "rising"}),
    declare("share", {"kind": "ratio", "numerator": "premium_uses_30d", "denominator": "uses_30d"}),
    declare("free_only", {"kind": "rule", "all": [{"signal": "uses_30d", "gte": 1}, {"signal": "premium_30d", "eq": 0}]}, direction="down"),
]})  # fmt: skip
COLUMNS = [column.name for column in CATALOGUE]
LEAD = {
    "uses_7d": 2, "uses_30d": 8, "uses_lifetime": 20, "uses_first_14d": 6, "premium_uses_30d": 0, "premium_30d": 0, "features_30d": 1,
    "steps_30d": 0, "team_premium_30d": 1, "team_uses_30d": 30, "others_use_30d": 22, "events_7d": 5, "events_30d": 12,
    "invites_lifetime": 0, "minutes_30d": 40, "days_7d": 1, "days_30d": 3, "users_30d": 4, "all_users": 6, "idle": 3.4, "intent": np.nan,
    "team_idle": 0.5, "age": 60, "rising": 0, "share": 0, "free_only": 1,
}  # fmt: skip


def change(changes, **other):
    """What differs after so much more of some signals, of the lead with these other values."""
    moves = Moves(CATALOGUE, COLUMNS)
    number = {move.signal.id: place for place, move in enumerate(moves.all)}
    before = np.array([[float((LEAD | other)[name]) for name in COLUMNS]])
    after = before.copy()
    moves.change(after, {}, np.array([[number[name] for name in changes]]), np.array([list(changes.values())]))
    return {name: new for name, old, new in zip(COLUMNS, before[0], after[0], strict=True) if new != old and not np.isnan(new)}


def test_all_windows_of_a_signal_grow_by_the_same_amount_but_for_first_days_that_are_over():
    found = change({"uses": 3})

    assert {name: found[name] for name in ("uses_7d", "uses_30d", "uses_lifetime")} == {"uses_7d": 5, "uses_30d": 11, "uses_lifetime": 23}
    assert "uses_first_14d" not in found


def test_first_days_that_are_not_over_grow_as_well():
    assert change({"uses": 3}, age=9)["uses_first_14d"] == 9


def test_what_counts_the_same_events_and_others_grows_by_as_much():
    found = change({"uses": 3})

    assert (found["events_7d"], found["events_30d"], found["team_uses_30d"]) == (8, 15, 33)
    assert "others_use_30d" not in found
    assert "premium_uses_30d" not in found


def test_a_window_shorter_than_that_of_the_signal_does_not_surely_grow():
    found = change({"premium": 1})

    assert found["uses_30d"] == 9
    assert "uses_7d" not in found
    assert "events_7d" not in found


def test_what_is_counted_over_life_only_says_nothing_of_the_last_days():
    assert change({"invites": 2}) == {"invites_lifetime": 2}


def test_a_new_value_needs_an_event_and_is_among_the_values_of_everybody_and_of_wider_filters():
    found = change({"premium": 2})

    assert (found["premium_30d"], found["premium_uses_30d"], found["uses_30d"], found["events_30d"]) == (2, 2, 10, 14)
    assert (found["features_30d"], found["team_premium_30d"]) == (2, 2)
    assert "steps_30d" not in found


def test_values_that_may_be_old_ones_to_others_are_not_counted_twice():
    found = change({"premium": 1}, features_30d=5, team_premium_30d=3)

    assert "features_30d" not in found
    assert "team_premium_30d" not in found


def test_an_active_day_has_an_event_in_the_last_days():
    found = change({"days": 2}, idle=9.2)

    assert (found["days_7d"], found["days_30d"], found["events_7d"], found["idle"]) == (3, 5, 7, 7)


def test_an_event_makes_an_active_day_and_an_active_user_where_there_was_none():
    found = change({"events": 1}, days_7d=0, days_30d=0, users_30d=0)

    assert (found["days_7d"], found["days_30d"], found["users_30d"]) == (1, 1, 1)


def test_active_again_is_one_event_within_so_many_days():
    found = change({"idle": 15}, idle=20.7, events_7d=0, days_7d=0, team_idle=11)

    assert (found["idle"], found["team_idle"]) == (5, 5)
    assert (found["events_7d"], found["events_30d"], found["days_7d"]) == (1, 13, 1)
    assert "uses_7d" not in found


def test_active_again_ten_days_ago_is_not_within_a_week():
    found = change({"idle": 10}, idle=20.7, events_7d=0)

    assert found["idle"] == 10
    assert "events_7d" not in found


def test_more_minutes_need_no_other_event():
    assert change({"minutes": 15}) == {"minutes_30d": 55}


def test_more_active_users_than_there_are_users_are_new_ones():
    assert change({"users": 3}) == {"users_30d": 7, "all_users": 7}


def test_ratios_and_rules_follow_from_what_they_read():
    found = change({"premium_uses": 2})

    assert found["share"] == 2 / 10
    assert "free_only" not in found
    assert change({"premium": 1})["free_only"] == 0


def test_what_is_not_known_stays_unknown():
    found = change({"uses": 1}, team_uses_30d=np.nan, team_idle=np.nan, others_use_30d=np.nan)

    assert not {"team_uses_30d", "team_idle"} & set(found)


def test_two_changes_add_up():
    found = change({"premium": 1, "invites": 2})

    assert (found["premium_30d"], found["invites_lifetime"], found["events_30d"]) == (1, 2, 13)


def test_only_what_use_can_change_is_moved():
    moved = {move.signal.id for move in Moves(CATALOGUE, COLUMNS).all}

    assert not {"all_users", "age", "rising", "share", "free_only"} & moved
    assert {"uses", "premium", "days", "idle", "intent", "minutes", "users", "team_uses", "others_use"} <= moved


@pytest.mark.parametrize(
    "more",
    [
        {"actionable": False},
        {"rep_visible": False},
        {"direction": "down"},
        {"windows": ["first_14d"]},
        {"measure": USED | {"kind": "growth"}},
    ],
)
def test_what_is_hidden_not_actionable_or_unwelcome_is_not_moved(more):
    catalogue = Catalogue.model_validate({"signals": [declare("uses", USED, ["30d"]) | more]})

    assert Moves(catalogue, [column.name for column in catalogue]).all == ()
