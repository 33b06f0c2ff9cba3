import pytest
from kept_logs import keep

from pls_ml.events.mapping import EventSource

LOG = """
    user_id | event          | event_time
    u       | Viewed Pricing | 2024-01-01
    u       | export         | 2024-01-02
"""
TWICE = EventSource(names={"Viewed Pricing": ("pricing_viewed", "plans_compared")}, max_quarantine_share=1)


def names(log: str, source: EventSource) -> list[str]:
    return [row[1] for row in keep(log, source=source).clean]


def test_a_name_may_mean_several_canonical_events():
    assert names(LOG, TWICE) == ["export", "plans_compared", "pricing_viewed"]


@pytest.mark.parametrize(
    ("measure", "expected"),
    [
        ({"kind": "count", "where": {}}, 2),
        ({"kind": "count", "events": ["pricing_viewed"]}, 1),
        ({"kind": "count", "events": ["plans_compared"]}, 1),
        ({"kind": "count", "events": ["Viewed Pricing"]}, None),
        ({"kind": "sessions"}, 2),
        ({"kind": "sum", "of": "value"}, 5_000_000),
        ({"kind": "sum", "of": "value", "events": ["plans_compared"]}, 2_000_000),
    ],
)
def test_an_event_with_two_names_counts_once_where_any_will_do_and_under_each_of_them(measure, expected):
    log = "user_id | event | event_time | value\nu | Viewed Pricing | 2024-01-01 | 2\nu | export | 2024-01-02 | 3"

    kept = keep(log, [measure], source=TWICE)

    assert kept.value(0 if measure["kind"] == "count" and "events" not in measure else 3) == expected
    assert kept.counts.kept == 2
    assert kept.state.manifest.count("names") == {"export": 1, "plans_compared": 1, "pricing_viewed": 1}


def test_names_that_are_not_listed_stay_as_they_are():
    assert names(LOG, EventSource(names={"other": "signup"})) == ["Viewed Pricing", "export"]


def test_several_names_may_mean_the_same_event():
    assert names(LOG, EventSource(names={"Viewed Pricing": "seen", "export": "seen"})) == ["seen", "seen"]


def test_names_with_quotes_are_text_and_not_sql():
    log = """
        user_id | event      | event_time
        u       | it's "x"   | 2024-01-01
        u       | gone'; --  | 2024-01-01
    """
    source = EventSource(names={'it\'s "x"': "what's up"}, exclude=("gone'; --",))

    kept = keep(log, [{"kind": "count", "events": ["what's up"]}], source=source)

    assert [row[1] for row in kept.clean] == ["what's up"]
    assert kept.value() == 1
    assert kept.counts.excluded == {"excluded by name": 1}


def test_names_are_told_apart_by_case():
    assert "export" in names(LOG, EventSource(names={"Export": "exported"}))


def test_the_values_of_the_names_themselves_may_be_told_apart():
    kept = keep(LOG + "    u | export | 2024-01-02\n", [{"kind": "distinct", "of": "event"}], source=TWICE)

    assert set(kept.state.manifest.codes["event"]) == {"export", "plans_compared", "pricing_viewed"}
    assert kept.value().bit_count() == 2  # where any name will do, an event goes by its first one
