"""What an account's points are made of: whose count, how often, and from which threshold on."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pls_ml.accounts.bounds import Bounds
from pls_ml.accounts.points import grant_points, sum_points
from pls_ml.core.errors import TableError

OWN, WHOLE = ("clicks", "visits", "silence"), ("size", "colleagues")
POINTS = st.integers(-40, 40)
PERSON = st.tuples(st.sampled_from("abc"), st.booleans(), POINTS, POINTS, POINTS)
OF_ACCOUNT = st.fixed_dictionaries({name: st.tuples(POINTS, POINTS) for name in "abc"})
PEOPLE = st.lists(PERSON, min_size=1, max_size=12)


def score_people(people, of_account):
    """Lines by account of people written as (account, active, points of the own rows); account rows say the same of all in it."""
    frame = pd.DataFrame(people, columns=["account_id", "is_active", *OWN])
    whole = pd.DataFrame([of_account[account] for account in frame["account_id"]], columns=list(WHOLE))
    return sum_points(frame, frame[list(OWN)].join(whole), WHOLE)


def test_active_users_add_up_floored_at_nothing_each_and_rows_on_the_account_count_once():
    people = [("a", True, 10, 20, -5), ("a", True, 10, 0, -30), ("a", False, 40, 40, 40), ("b", False, 10, 0, 0)]

    lines = score_people(people, {"a": (20, 15), "b": (10, 0)})

    assert lines.to_dict("index") == {
        "a": {"points_users": 25, "points_card_size": 20, "points_card_colleagues": 15},
        "b": {"points_users": 0, "points_card_size": 10, "points_card_colleagues": 0},
    }


@given(PEOPLE, OF_ACCOUNT, st.tuples(POINTS, POINTS, POINTS))
def test_an_idle_user_changes_nothing(people, of_account, points):
    before = score_people(people, of_account)

    after = score_people([*people, (people[0][0], False, *points)], of_account)

    pd.testing.assert_frame_equal(after, before)


@given(PEOPLE, OF_ACCOUNT, st.tuples(POINTS, POINTS, POINTS))
def test_an_active_user_takes_nothing_away(people, of_account, points):
    before = score_people(people, of_account)

    after = score_people([*people, (people[0][0], True, *points)], of_account)

    assert (after.sum(axis=1) >= before.sum(axis=1)).all()
    assert after.loc[people[0][0], "points_users"] == before.loc[people[0][0], "points_users"] + max(0, sum(points))


@given(PEOPLE, OF_ACCOUNT)
def test_rows_on_the_account_count_once_however_many_users_it_has(people, of_account):
    once, twice = score_people(people, of_account), score_people(people * 2, of_account)

    names = ["points_card_size", "points_card_colleagues"]
    pd.testing.assert_frame_equal(twice[names], once[names])
    assert [tuple(row) for row in once[names].itertuples(index=False)] == [of_account[name] for name in once.index]
    assert (twice["points_users"] == 2 * once["points_users"]).all()


@given(PEOPLE, OF_ACCOUNT, st.randoms())
def test_the_order_of_people_does_not_matter(people, of_account, random):
    shuffled = random.sample(people, len(people))

    pd.testing.assert_frame_equal(score_people(shuffled, of_account), score_people(people, of_account))


def test_without_rows_on_the_account_there_is_one_line():
    people = pd.DataFrame({"account_id": ["a"], "is_active": [True]})

    assert sum_points(people, pd.DataFrame({"clicks": [7]}), ()).to_dict("index") == {"a": {"points_users": 7}}
    assert sum_points(people, pd.DataFrame(index=people.index), ()).to_dict("index") == {"a": {"points_users": 0}}


def test_nobody_has_no_account():
    people = pd.DataFrame({"account_id": [], "is_active": []})

    lines = sum_points(people, pd.DataFrame({"clicks": [], "size": []}), ("size",))

    assert lines.columns.tolist() == ["points_users", "points_card_size"]
    assert lines.empty


@pytest.mark.parametrize(
    ("people", "message"),
    [
        ({"account_id": ["a"]}, "account points need the column is_active"),
        ({"account_id": ["a", "a"], "is_active": [True, True]}, "2 people have 1 rows of points"),
        ({"account_id": [None], "is_active": [True]}, "account_id is missing in 1 of 1 people"),
    ],
)
def test_people_that_do_not_fit_are_refused(people, message):
    with pytest.raises(TableError, match=message):
        sum_points(pd.DataFrame(people), pd.DataFrame({"clicks": [1]}), ())


@pytest.mark.parametrize(
    ("signals", "line", "points"),
    [
        ({"account_active_users_30d": 4}, "active_users", 0),
        ({"account_active_users_30d": 5}, "active_users", 20),
        ({"account_active_users_30d": 6}, "active_users", 20),
        ({"account_departments_30d": 1}, "departments", 0),
        ({"account_departments_30d": 2}, "departments", 20),
        ({"account_workspaces_lifetime": 1}, "workspaces", 0),
        ({"account_workspaces_lifetime": 2}, "workspaces", 20),
        ({"account_executives_30d": 0}, "executives", 0),
        ({"account_executives_30d": 1}, "executives", 10),
        ({"net_users_30d": 2, "net_growth_30d": 0.25}, "growing", 20),
        ({"net_users_30d": 2, "net_growth_30d": 0.2499}, "growing", 0),
        ({"net_users_30d": 1, "net_growth_30d": 1.0}, "growing", 0),
        ({"net_users_30d": 100, "net_growth_30d": 0.1, "net_users_7d": 5}, "growing", 20),
        ({"net_users_7d": 5}, "growing", 20),
        ({"net_users_7d": 4}, "growing", 0),
        ({"net_users_30d": None, "net_growth_30d": None, "net_users_7d": None}, "growing", 0),
    ],
)
def test_a_signal_of_the_account_earns_its_points_from_its_threshold_on(rules, signals, line, points):
    granted = grant_points(pd.DataFrame([signals]), rules.signals)

    assert granted.loc[0, f"points_account_{line}"] == points
    assert granted.drop(columns=f"points_account_{line}").to_numpy().sum() == 0


def test_every_signal_of_the_account_at_once_is_ninety_points(rules):
    everything = dict.fromkeys((*rules.signal_columns, *rules.growth.columns), 1000)

    granted = grant_points(pd.DataFrame([everything, {}]), rules.signals)

    assert granted.sum(axis=1).tolist() == [90, 0]


@given(st.lists(st.one_of(st.none(), st.floats(0, 50)), min_size=6, max_size=6), st.integers(0, 5), st.floats(0, 20))
def test_more_of_anything_never_earns_less(rules, values, place, more):
    names = ["account_active_users_30d", "account_departments_30d", "account_workspaces_lifetime", "net_users_7d", "net_users_30d"]
    before = dict(zip([*names, "net_growth_30d"], values, strict=True))
    raised = list(before)[place]
    after = before | {raised: (before[raised] or 0) + more}

    granted = grant_points(pd.DataFrame([before, after]).astype("float64"), rules.signals).sum(axis=1)

    assert granted[1] >= granted[0]


def test_a_bound_on_text_is_refused():
    with pytest.raises(TableError, match="column 'industry' holds text such as 'software': expected numbers"):
        Bounds(at_least={"industry": 1}).met(pd.DataFrame({"industry": ["software"]}))
