"""Which events of an unknown log become signals, and how they are measured."""

from datetime import datetime, timedelta

import pytest
from discovery_logs import START, discover, log_of, open_database, people, shuffled

from pls_ml.core.errors import ConfigError
from pls_ml.core.windows import Grain
from pls_ml.signals.discovery import discover_signals, fit_windows

NOBODY = {"user_id": "stranger"}


def test_a_frequent_event_is_counted_dated_and_timed():
    found = discover(log_of("report_opened"))

    assert found["report_opened_count"].windows == ("7d", "30d", "90d")
    assert found["report_opened_count"].measure.events == ("report_opened",)
    assert {"report_opened_days_since_last", "report_opened_seconds_to_first"} <= found.keys()


def test_at_most_twenty_events_are_used_the_most_widespread_first():
    many = [row for n in range(40) for row in log_of(f"step{n:02}", users=50 - n)]

    counts = [name for name in discover(many) if name.endswith("_count")]

    assert counts == [f"step{n:02}_count" for n in range(20)]


def test_events_that_as_many_users_have_come_in_alphabetical_order():
    counts = [name for name in discover(log_of("b", "c", "a")) if name.endswith("_count")]

    assert counts == ["a_count", "b_count", "c_count"]


@pytest.mark.parametrize(("having", "used"), [(2, True), (1, False)])
def test_an_event_needs_one_user_in_a_hundred(having, used):
    found = discover([*log_of("common", users=200), *log_of("rare", users=having)])

    assert ("rare_count" in found) is used


def test_how_often_one_user_did_it_does_not_make_an_event_frequent():
    often = [row | {"event_time": START + timedelta(minutes=n)} for n in range(500) for row in log_of("obsession", users=1)]

    assert "obsession_count" not in discover([*log_of("common", users=200), *often])


def test_users_that_are_not_known_or_internal_count_for_nothing():
    events = [*log_of("common", users=5), *(row | NOBODY for row in log_of("unknown", users=1))]
    events += [row | {"user_id": "staff"} for row in log_of("tested", users=1)]

    found = discover(events, [*people(5), {"user_id": "staff", "is_internal": True}])

    assert [name for name in found if name.endswith("_count")] == ["common_count"]


def test_the_outcome_is_no_signal_neither_as_logged_nor_as_mapped():
    database = open_database(log_of("opened", "deal_done", "other_name"))
    database.execute("CREATE TABLE event_names AS SELECT 'RAW_DEAL' AS raw, 'other_name' AS canonical")

    found = discover_signals(database, ("7d",), exclude=("deal_done", "RAW_DEAL"))

    assert [signal.id for signal in found if signal.id.endswith("_count")] == ["opened_count"]
    assert "latest_event" not in [signal.id for signal in found]


@pytest.mark.parametrize(
    "name", ["invoice_downloaded", "Subscription Started", "upgrade_completed", "paymentFailed", "plan-changed", "renewal", "gender_given"]
)
def test_what_follows_a_purchase_or_is_protected_is_refused(name):
    assert [found for found in discover(log_of("opened", name)) if found.endswith("_count")] == ["opened_count"]


@pytest.mark.parametrize(
    "name", ["pricing_viewed", "customer_created", "page_viewed", "plans_compared", "upgrade_clicked", "document signed"]
)
def test_ordinary_product_events_are_not_taken_for_leaks(name):
    assert len([found for found in discover(log_of("opened", name)) if found.endswith("_count")]) == 2


def test_all_activity_is_measured_without_looking_at_names():
    found = discover(log_of("a", "b"))

    assert found["events"].windows == ("7d", "30d", "90d", "first_7d")
    assert found["events"].measure.events == ()
    assert found["activity_growth"].windows == ("7d", "30d", "90d")
    assert found["latest_event"].measure.among == ("a", "b")
    assert {"days_since_first", "days_since_last", "recent_part", "growth_change", "active_days", "streak", "weeks_rising"} <= found.keys()
    assert {"weeks_falling", "visits", "visit_minutes", "events_per_active_day", "age_days"} <= found.keys()


def test_a_single_event_name_has_no_latest():
    assert "latest_event" not in discover(log_of("login"))


def test_a_log_of_days_without_times_of_day_has_no_visits():
    daily = [row | {"event_time": datetime(2024, 3, 4) + timedelta(days=n)} for n, row in enumerate(log_of("login"))]

    found = discover(daily)

    assert "visits" not in found
    assert "visit_minutes" not in found
    assert "active_days" in found


@pytest.mark.parametrize(
    ("windows", "absent"),
    [
        (("2d", "7d", "lifetime"), {"weeks_rising", "weeks_falling"}),
        (("3h", "12h", "lifetime"), {"weeks_rising", "weeks_falling", "streak", "active_days", "events_per_active_day"}),
        (("7d", "lifetime"), {"growth_change", "weeks_rising"}),
        (("lifetime",), {"activity_growth", "growth_change", "recent_part", "streak"}),
    ],
)
def test_short_lives_have_no_signals_that_need_long_ones(windows, absent):
    found = discover(log_of("a", "b"), people(account_id=["acme"]), windows=windows)

    assert not absent & found.keys()
    assert found["a_count"].windows == windows


def test_windows_may_come_in_any_order():
    assert discover(log_of("a", "b"), windows=("lifetime", "30d", "7d")) == discover(log_of("a", "b"), windows=("7d", "30d", "lifetime"))


def test_accounts_with_several_users_give_signals_of_the_team():
    found = discover(log_of("a"), people(account_id=["acme", "bolt"]))

    assert found["account_events"].scope == "account"
    assert found["colleague_events"].scope == "colleagues"
    assert found["account_new_users"].windows == ("7d", "30d", "90d")
    assert (found["a_of_team"].scope, found["a_of_team"].windows) == ("account", ("90d",))
    assert {"account_users", "account_active_users", "account_growth", "account_days_since_last", "own_part"} <= found.keys()


def test_users_without_colleagues_give_no_signals_of_a_team():
    alone = [user | {"account_id": user["user_id"]} for user in people()]

    assert not [name for name in discover(log_of("a"), alone) if any(word in name for word in ("account", "colleague", "team"))]


def test_nothing_found_is_outreach_safe_and_every_family_and_label_is_there():
    found = discover(log_of("a", "b", tier=["x", "y"]), people(account_id=["acme"], source=["web", "ad"]))

    assert not any(signal.outreach_safe for signal in found.values())
    assert all(signal.family and signal.label for signal in found.values())


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_order_of_rows_changes_nothing(seed):
    events = log_of("a", "b", "c", users=30, tier=["x", "y", "z", None], seconds=[1.5, 2.5, 70.0])
    users = people(30, account_id=["acme", "bolt", None], source=["web", "ad"])

    assert list(discover(shuffled(events, seed), shuffled(users, seed)).values()) == list(discover(events, users).values())


def test_of_a_large_log_the_same_share_of_users_is_looked_at_every_time(monkeypatch):
    monkeypatch.setattr("pls_ml.signals.discovery.LARGEST_LOG", 100)
    monkeypatch.setattr("pls_ml.signals.discovery.FEWEST_USERS", 50)
    events = log_of("a", "b", "c", users=400, tier=["x", "y"])

    found = discover(events)

    assert {"a_count", "b_count", "c_count", "tier_values"} <= found.keys()
    assert list(found.values()) == list(discover(shuffled(events, 5)).values())


def test_nothing_is_left_behind_in_the_database():
    database = open_database(log_of("a"))

    discover_signals(database, ("7d",))

    assert not database.has("known_events")


def test_data_without_anything_to_find_are_refused():
    with pytest.raises(ConfigError, match=r"`signals\.catalogue: discover` found nothing to make signals of"):
        discover(None, people())


@pytest.mark.parametrize(
    ("age", "grain", "windows"),
    [
        (None, "day", ("7d", "30d", "90d")),
        ("14d", "day", ("2d", "7d", "lifetime")),
        ("2w", "minute", ("2d", "7d", "lifetime")),
        ("30d", "hour", ("4d", "15d", "lifetime")),
        ("4d", "day", ("1d", "2d", "lifetime")),
        ("24h", "minute", ("3h", "12h", "lifetime")),
        ("24h", "hour", ("3h", "12h", "lifetime")),
        ("1d", "day", ("lifetime",)),
        ("90m", "minute", ("13m", "45m", "lifetime")),
        ("3m", "minute", ("lifetime",)),
    ],
)
def test_windows_cut_the_life_that_is_there_and_fit_the_grain(age, grain, windows):
    found = fit_windows(age, Grain(grain))

    assert found == windows
    assert discover(log_of("a"), windows=found)
