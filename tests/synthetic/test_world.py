"""The tables of a world: their shape, their size, and that nothing in them contradicts itself."""

import dataclasses

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from pls_ml.core.columns import TABLES
from pls_ml.core.errors import ConfigError
from pls_ml.synthetic import World, WorldSpec, generate_world

Frames = dict[str, pd.DataFrame]

EVENT_COLUMNS = (
    "event_id event_time known_at user_id session_id event feature tier resource topic tag external status step value duration_s"
)
CANONICAL_EVENTS = """signup activated session_start session_end feature_used api_call api_key_created integration_connected
limit_reached invite_sent invite_accepted content_shared exported data_imported setup_step_completed pricing_viewed plans_compared
upgrade_clicked upgrade_started upgrade_completed invoice_downloaded contact_sales enterprise_requested terms_viewed
support_ticket"""
ARROW_TYPE = {
    "id": pa.string(),
    "text": pa.string(),
    "time": pa.timestamp("us", tz="UTC"),
    "number": pa.float64(),
    "flag": pa.bool_(),
}
TINY = WorldSpec(accounts=60, days=130, seed=5)


def test_the_same_spec_gives_identical_tables() -> None:
    first, second = generate_world(TINY), generate_world(TINY)

    assert all(first.tables[name].equals(second.tables[name]) for name in first.tables)
    assert np.array_equal(first.truth.hazard, second.truth.hazard)


def test_another_seed_gives_another_log() -> None:
    other = dataclasses.replace(TINY, seed=6)

    assert not generate_world(TINY).tables["events"].equals(generate_world(other).tables["events"])


def test_the_number_of_threads_does_not_matter() -> None:
    many = generate_world(TINY).tables
    threads = pa.cpu_count()
    pa.set_cpu_count(1)
    try:
        one = generate_world(TINY).tables
    finally:
        pa.set_cpu_count(threads)

    assert all(one[name].equals(many[name]) for name in many)


@pytest.mark.parametrize("name", ["users", "accounts", "opportunities", "subscriptions", "suppressions"])
def test_a_table_has_only_columns_of_the_contract_with_their_types(small_world: World, name: str) -> None:
    table, contract = small_world.tables[name], TABLES[name]

    assert {field.name: field.type for field in table.schema} == {
        column: ARROW_TYPE[contract.columns[column]] for column in table.column_names
    }
    assert set(contract.required) <= set(table.column_names)


def test_the_log_is_flat_and_uses_exactly_the_canonical_names(small_world: World) -> None:
    events = small_world.tables["events"]

    assert events.column_names == EVENT_COLUMNS.split()
    assert set(events["event"].unique().to_pylist()) == set(CANONICAL_EVENTS.split())
    assert events.schema.field("event_time").type == pa.timestamp("us", tz="UTC")
    assert not any(pa.types.is_dictionary(field.type) for field in events.schema)


@pytest.mark.parametrize(
    ("event", "column", "values"),
    [
        ("feature_used", "tier", {"free", "premium"}),
        ("limit_reached", "resource", {"storage", "projects", "seats", "api_quota"}),
        ("enterprise_requested", "tag", {"sso", "scim", "audit_log"}),
        ("support_ticket", "topic", {"billing", "plans", "how_to", "bug"}),
        ("content_shared", "external", {True, False}),
        ("data_imported", "status", {"full", "partial", "failed"}),
    ],
)
def test_a_property_is_given_for_its_event_only(small_frames: Frames, event: str, column: str, values: set[object]) -> None:
    events = small_frames["events"]
    with_it = events[events[column].notna()]

    assert set(with_it["event"]) == {event}
    assert set(with_it[column]) == values
    assert events.loc[events["event"] == event, column].notna().all()


def test_the_default_world_has_the_promised_size(default_world: World) -> None:
    assert default_world.tables["accounts"].num_rows == 2000
    assert 10_000 <= default_world.tables["users"].num_rows <= 14_000
    assert 2_000_000 <= default_world.tables["events"].num_rows <= 3_000_000


def test_more_events_come_with_a_larger_scale() -> None:
    twice = dataclasses.replace(TINY, events_per_user_scale=2.0)

    ratio = generate_world(twice).tables["events"].num_rows / generate_world(TINY).tables["events"].num_rows

    assert 1.4 < ratio < 2.6


def test_a_world_without_ramps_shows_less_intent() -> None:
    flat, ramped = (
        generate_world(WorldSpec(accounts=200, days=200, ramping_share=share)).tables["events"].to_pandas() for share in (0.0, 1.0)
    )

    assert (flat["event"] == "pricing_viewed").mean() < 0.5 * (ramped["event"] == "pricing_viewed").mean()


@pytest.mark.parametrize(
    ("knob", "value"),
    [
        ("accounts", 9),
        ("days", 119),
        ("seed", -1),
        ("events_per_user_scale", 0.0),
        ("ramping_share", 1.1),
        ("conversion_intercept", float("nan")),
        ("flaw_scale", -0.1),
    ],
)
def test_a_knob_out_of_range_is_refused_by_name(knob: str, value: float) -> None:
    with pytest.raises(ConfigError, match=rf"{knob} is {value}, expected a number from .* change `{knob}`"):
        dataclasses.replace(WorldSpec(), **{knob: value})


def test_the_smallest_world_works() -> None:
    world = generate_world(WorldSpec(accounts=10, days=120, flaw_scale=0))

    assert world.tables["accounts"].num_rows == 10
    assert world.truth.score(["a00000"], world.truth.week_starts[-1]).shape == (1,)


def test_the_log_is_ordered_by_known_time_and_id(small_world: World) -> None:
    events = small_world.tables["events"].select(["known_at", "event_id"]).to_pandas()

    assert events.equals(events.sort_values(["known_at", "event_id"], kind="stable"))


def test_nobody_does_anything_before_signing_up(small_frames: Frames) -> None:
    events = small_frames["events"]

    assert (events["event_time"] >= events["signup_at"]).all()
    assert (events["known_at"] >= events["event_time"]).all()
    assert events.groupby("user_id")["event_time"].min().eq(events.groupby("user_id")["signup_at"].first()).mean() > 0.95


def test_the_log_ends_with_its_span(small_world: World, small_frames: Frames) -> None:
    end = pd.Timestamp(small_world.spec.start, tz="UTC") + pd.Timedelta(days=small_world.spec.days)

    assert small_frames["events"]["known_at"].max() < end
    assert small_frames["opportunities"][["created_at", "closed_at"]].max().max() < end
    assert small_frames["users"]["signup_at"].max() < end


def test_a_session_belongs_to_one_user_and_ends_once(small_frames: Frames) -> None:
    inside = small_frames["events"].dropna(subset="session_id")
    bounds = inside[inside["event"].isin(["session_start", "session_end"])]

    assert inside.groupby("session_id")["user_id"].nunique().eq(1).all()
    assert bounds.groupby(["session_id", "event"]).size().eq(1).all()
    times = bounds.pivot(index="session_id", columns="event", values="event_time").dropna()
    seconds = bounds[bounds["event"] == "session_end"].set_index("session_id")["duration_s"].reindex(times.index)
    assert np.allclose((times["session_end"] - times["session_start"]).dt.total_seconds(), seconds, atol=1e-5)


def test_nobody_calls_the_api_without_a_key(small_frames: Frames) -> None:
    events = small_frames["events"]
    first = {name: events[events["event"] == name].groupby("user_id")["event_time"].min() for name in ("api_call", "api_key_created")}
    keys = first["api_key_created"].reindex(first["api_call"].index)

    # A key whose row has not arrived by the end of the log is missing.
    assert keys.notna().mean() > 0.97
    assert (keys.dropna() <= first["api_call"][keys.notna()]).all()


def test_invited_colleagues_were_invited_by_somebody_of_their_account_before(small_frames: Frames) -> None:
    users = small_frames["users"]
    invited = users[users["invited_by"].notna()].merge(users, left_on="invited_by", right_on="user_id", suffixes=("", "_of_host"))

    assert 0.3 < len(invited) / users["account_id"].notna().sum() < 0.6
    assert invited["account_id"].eq(invited["account_id_of_host"]).all()
    assert (invited["signup_at_of_host"] < invited["signup_at"]).all()
    assert set(invited["source"]) == {"invite"}


def test_the_founder_makes_the_account(small_frames: Frames) -> None:
    first = small_frames["users"].groupby("account_id")["signup_at"].min()
    created = small_frames["accounts"].set_index("account_id")["created_at"]

    assert first.reindex(created.index).equals(created.rename("signup_at"))


def test_mail_addresses_are_distinct_and_nobodys(small_frames: Frames) -> None:
    users = small_frames["users"]
    domain = users["email"].str.split("@").str[1]
    own = users["account_id"].map(small_frames["accounts"].set_index("account_id")["domain"])
    alone = users["account_id"].isna() & ~users["is_internal"]

    assert users["email"].is_unique
    assert domain[own.notna()].eq(own.dropna()).all()
    assert domain[own.notna()].str.endswith(".example").all()
    assert users.loc[alone, "email"].str.fullmatch(r"synthetic\.u\d{6}@gmail\.com").all()
    assert 0.07 < alone.mean() < 0.13


def test_people_and_accounts_are_as_mixed_as_promised(default_world: World) -> None:
    users, accounts = (default_world.tables[name].to_pandas() for name in ("users", "accounts"))

    assert 0.015 < users["no_contact"].mean() < 0.025
    assert 0 < users["is_internal"].mean() < 0.005
    assert users.loc[users["is_internal"], "account_id"].isna().all()
    assert 0.09 < accounts["employee_count"].isna().mean() < 0.15
    assert accounts["industry"].nunique() == 8
    assert accounts["domain"].is_unique


@pytest.mark.parametrize("part", ["'", "&", "<b>", "=", '"', "Ø|ø"])
def test_some_names_are_awkward(small_frames: Frames, part: str) -> None:
    assert small_frames["accounts"]["name"].str.contains(part).any()


def test_suppressions_name_known_people_and_domains(small_frames: Frames) -> None:
    rows, users, accounts = (small_frames[name] for name in ("suppressions", "users", "accounts"))

    assert rows[["lead_id", "email", "domain"]].notna().sum(axis=1).eq(1).all()
    assert rows["lead_id"].dropna().isin(users["user_id"]).all()
    assert rows["email"].dropna().isin(users["email"]).all()
    assert rows["domain"].dropna().isin(accounts["domain"]).all()
    assert 0.007 < rows["domain"].isna().sum() / len(users) < 0.013
