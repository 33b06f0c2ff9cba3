"""`pls-ml signals` as a data scientist meets it: the table, the list, one signal, coverage, and the query."""

import pandas as pd
import pytest
from commands import plain_json, refusal, run

CONFIGURATION, DATA = 3, 4
NEVER_LABELLED = "2024-09-20"
"""So late in the invented product's history that no outcome is known yet."""


def signals(project, *arguments):
    return run("signals", "--project", project, *arguments)


# --- the table ---------------------------------------------------------------------------------------------------


def test_one_moment_is_written_with_one_row_per_lead(world):
    found = plain_json(signals(world, "--as-of", "2024-08-01", "--json"))

    table = pd.read_parquet(found["path"])
    assert list(table.columns) == ["lead_id", "account_id", "account_key", "as_of", *found["columns"]]
    assert len(table) == found["rows"] > 0
    assert table["lead_id"].is_monotonic_increasing
    assert set(table["as_of"]) == {pd.Timestamp("2024-08-01")}
    assert found["labels"] is None


def test_the_training_set_has_labels_and_only_matured_rows(world):
    found = plain_json(signals(world, "--labels", "--json"))

    table = pd.read_parquet(found["path"])
    assert list(table.columns[:5]) == ["lead_id", "account_id", "account_key", "as_of", "label"]
    assert (len(table), int(table["label"].sum())) == (found["labels"]["rows"], found["labels"]["positives"])
    assert 0 < found["labels"]["positives"] < len(table)
    assert found["labels"]["immature"] > 0


def test_the_counts_of_the_labels_are_said_aloud(world):
    counts = plain_json(signals(world, "--labels", "--json"))["labels"]

    said = signals(world, "--labels").stdout

    expected = (
        f"labelled rows: {counts['rows']:,}, {counts['positives']:,} of them won; rows without a label: immature {counts['immature']:,}"
    )
    assert expected in said


def test_what_training_leaves_out_is_not_in_the_training_set(world):
    found = plain_json(signals(world, "--labels", "--json"))

    assert "invoice_downloads_30d" not in found["columns"]
    assert found["notes"] == [
        "signal 'invoice_downloads' is declared leak-prone: left out; `model.acknowledge_leaks` lets it take part",
    ]


def test_labels_of_a_moment_that_has_not_matured_are_refused(world):
    sentence = refusal(signals(world, "--labels", "--as-of", NEVER_LABELLED), DATA)

    assert sentence.startswith(f"no outcome is old enough: the first lead is scored at {NEVER_LABELLED}")


def test_a_moment_at_which_nobody_is_eligible_gives_an_empty_table(small):
    small.write_text(small.read_text().replace("min_events: 0", "min_events: 900"))

    found = plain_json(signals(small, "--as-of", "2024-01-20", "--json"))

    assert found["rows"] == len(pd.read_parquet(found["path"])) == 0
    assert found["removed"]["too few events"] == 5


def test_a_signal_under_the_name_of_a_key_is_refused(small):
    define = "signals: {define: [{id: lead_id, family: fit, label: id, measure: {kind: age_days}}]}\n"
    small.write_text(small.read_text() + define)

    assert "'lead_id' is the name of another column of the signal table: choose another `id`" in refusal(signals(small), CONFIGURATION)


# --- the list ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def listed(world):
    return plain_json(signals(world, "--list", "--json"))["signals"]


@pytest.fixture(scope="module")
def list_text(world):
    return signals(world, "--list").stdout


def test_the_list_groups_by_family_and_fits_a_terminal(listed, list_text):
    lines = list_text.splitlines()

    for family in {signal["family"] for signal in listed}:
        assert lines.count(family) == 1
    assert max(map(len, lines)) <= 120


def test_the_list_marks_what_can_be_computed_and_says_why_not(listed, list_text):
    absent = {signal["id"]: signal["not_computable"] for signal in listed if not signal["computable"]}

    assert {"limit_use", "account_workspaces"} <= set(absent)
    assert list_text.splitlines()[0].endswith(f"{len(absent)} cannot")
    for name, reason in absent.items():
        assert f"  – {name} " in list_text
        assert f"      cannot: {reason}" in list_text
    assert "  ✓ pricing_views " in list_text


def test_the_list_for_machines_has_the_whole_declaration(listed):
    pricing = next(signal for signal in listed if signal["id"] == "pricing_views")

    assert pricing["columns"] == ["pricing_views_7d", "pricing_views_30d"]
    assert (pricing["direction"], pricing["unit"], pricing["label"]) == ("up", "times", "pricing page views")
    assert {"rep_visible", "outreach_safe", "leak_risk", "missing", "scope", "measure", "windows", "definition"} <= set(pricing)
    assert pricing["leak"] is None


def test_the_list_names_leak_prone_signals(listed, list_text):
    assert {signal["id"]: signal["leak"] for signal in listed if signal["leak"]} == {"invoice_downloads": "is declared leak-prone"}
    assert "leak-prone: it is declared leak-prone" in list_text


# --- one signal --------------------------------------------------------------------------------------------------


def test_one_signal_is_shown_in_words_and_figures(world):
    said = signals(world, "--show", "pricing_views").stdout

    assert said.startswith(
        "pricing_views: pricing page views (times)\n"
        "Number of events 'pricing_viewed' by the lead in the last 7 days / in the last 30 days.\n"
    )
    for part in ("direction up", "event 'pricing_viewed'", "pricing_views_30d\n", "AUC alone 0.", "top tenth: ", "lift ", "base rate "):
        assert part in said
    assert max(map(len, said.splitlines())) <= 120


def test_one_signal_for_machines_has_one_profile_per_column(world):
    found = plain_json(signals(world, "--show", "pricing_views", "--json"))

    assert [column["name"] for column in found["columns"]] == ["pricing_views_7d", "pricing_views_30d"]
    for column in found["columns"]:
        assert sum(one["rows"] for one in column["distribution"]["bins"]) == column["distribution"]["rows"]
        assert column["strength"]["first"] == "higher"
        assert column["strength"]["auc"]["low"] <= column["strength"]["auc"]["value"] <= column["strength"]["auc"]["high"]


def test_a_derived_signal_shows_what_it_reads_down_to_the_log(world):
    lineage = plain_json(signals(world, "--show", "dau_mau", "--json"))["lineage"]

    assert list(lineage) == ["active_days", "age_days", "dau_mau"]
    assert lineage["dau_mau"]["signals"] == ["active_days_30d", "age_days"]
    assert "events.event_time" in lineage["active_days"]["columns"]
    assert lineage["age_days"]["columns"] == ["users.signup_at"]


def test_a_category_shows_its_most_frequent_values(world):
    found = plain_json(signals(world, "--show", "latest_step", "--json"))["columns"][0]

    assert found["strength"] is None
    assert 0.5 <= found["category_auc"] < 0.9
    assert found["distribution"]["quantiles"] == {}
    assert found["distribution"]["bins"][0]["values"] == "missing"
    assert "activated" in [one["values"] for one in found["distribution"]["bins"]]


def test_a_signal_that_cannot_be_computed_is_still_defined(world):
    said = signals(world, "--show", "limit_use").stdout

    assert "Largest share of a plan limit" in said
    assert said.rstrip().endswith("cannot be computed: there is no table 'usage_limits'; add `data.usage_limits`")


def test_rows_without_a_known_outcome_show_the_values_alone(world):
    said = signals(world, "--show", "pricing_views", "--as-of", NEVER_LABELLED).stdout

    assert "none with a known outcome" in said
    assert "not zero" in said
    assert "AUC" not in said
    assert "won" not in said


@pytest.mark.parametrize("wrong", ["pricing_vews", "Pricing_views"])
def test_an_unknown_signal_is_refused_with_the_nearest_one(world, wrong):
    sentence = refusal(signals(world, "--show", wrong), CONFIGURATION)

    assert sentence.startswith(f"no signal '{wrong}' (did you mean 'pricing_views'?): `pls-ml signals --list` lists all ")


def test_a_column_may_be_asked_for_in_place_of_its_signal(world):
    assert signals(world, "--show", "pricing_views_30d").stdout == signals(world, "--show", "pricing_views").stdout


# --- coverage ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def covered(world):
    return plain_json(signals(world, "--coverage", "--json"))


def test_coverage_is_of_the_newest_moment_with_known_outcomes(world, covered):
    table = pd.read_parquet(plain_json(signals(world, "--labels", "--json"))["path"])

    assert pd.Timestamp(covered["as_of"]) == table["as_of"].max()
    assert covered["rows"] == (table["as_of"] == table["as_of"].max()).sum()


def test_coverage_gives_the_shares_of_the_table(world, covered):
    table = pd.read_parquet(plain_json(signals(world, "--as-of", covered["as_of"][:10], "--json"))["path"])

    for column in covered["columns"]:
        values = table[column["name"]]
        assert column["filled"] == pytest.approx(values.notna().mean())
        if pd.api.types.is_numeric_dtype(values):
            assert column["nonzero"] == pytest.approx(((values != 0) & values.notna()).mean())


def test_coverage_marks_what_never_fires_and_what_has_no_history(world, covered):
    by_name = {column["name"]: column for column in covered["columns"]}

    assert by_name["enterprise_requests_90d"]["fires"] == "never"
    assert by_name["industry"]["without_history"]
    assert not by_name["events_30d"]["without_history"]
    said = signals(world, "--coverage").stdout
    assert "never fires" in said
    assert "no history: as of the extract" in said


def test_a_signal_that_is_the_same_for_everybody_is_marked(small):
    rule = "{id: here, family: fit, label: here, measure: {kind: rule, all: [{signal: age_days, gte: 0}]}}"
    small.write_text(f"{small.read_text()}signals: {{define: [{rule}]}}\n")

    columns = plain_json(signals(small, "--coverage", "--json"))["columns"]

    assert {column["name"]: column["fires"] for column in columns}["here"] == "always"


def test_coverage_names_the_events_that_no_signal_asks_for(world, covered):
    assert list(covered["unused_events"]) == ["signup"]
    assert "events that no signal asks for by name: 1\n  signup " in signals(world, "--coverage").stdout


def test_coverage_of_data_without_a_known_outcome_is_that_of_their_end(small):
    small.write_text(small.read_text().replace("horizon_days: 7", "horizon_days: 365"))

    assert plain_json(signals(small, "--coverage", "--json"))["as_of"] == "2024-02-01T00:00:00"


# --- the query ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dialect", ["duckdb", "snowflake", "bigquery", "postgres", "spark"])
def test_the_query_is_printed_in_a_dialect(small, dialect):
    found = plain_json(signals(small, "--sql", dialect, "--json"))

    assert found["dialect"] == dialect
    assert found["sql"].startswith("WITH ")
    assert "events_30d" in found["sql"]
    assert signals(small, "--sql", dialect).stdout.strip() == found["sql"].strip()


@pytest.mark.parametrize("dialect", ["snowflake", "postgres", "spark"])
def test_a_warehouse_gets_one_query_from_its_own_tables_to_the_columns(small, dialect):
    sql = plain_json(signals(small, "--sql", dialect, "--json"))["sql"].replace("`", '"')

    for table in ("spine", "events", "users", "accounts"):
        assert sql.count(f'FROM "pls"."{table}"') == 1
    assert '"t"."seniority"' not in sql  # nobody has one here


def test_a_prepared_table_has_no_query_for_a_warehouse(small):
    text = small.read_text().replace("  events: {path: events.csv}\n", "")
    define = "{id: number, family: fit, label: number, measure: {kind: attribute, table: users, column: number}}"
    prepared = "outcome: {kind: column, column: converted}\nspine: {kind: order, column: number}\nscorecard: null\n"
    small.write_text(f"{text}{prepared}signals: {{catalogue: null, define: [{define}]}}\n")

    sentence = refusal(signals(small, "--sql", "snowflake"), DATA)

    assert sentence == "there is no event log, and so no state that a warehouse would have to compute: add `data.events`"


def test_an_unknown_dialect_is_refused_with_the_nearest_one(small):
    assert refusal(signals(small, "--sql", "snowflak"), CONFIGURATION) == (
        "there is no SQL dialect 'snowflak' (did you mean 'snowflake'?): choose one of duckdb, spark, postgres, snowflake, bigquery"
    )


@pytest.mark.parametrize("two", [["--list", "--coverage"], ["--labels", "--list"], ["--show", "events", "--sql", "spark"]])
def test_two_views_at_once_are_a_usage_error(small, two):
    result = signals(small, *two)

    assert result.exit_code == 2
    assert "--labels, --list, --show, --coverage and --sql exclude each other: give one of them" in result.stderr
