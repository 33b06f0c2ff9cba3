from clean_logs import clean_log, clean_rows

from pls_ml.events.mapping import EventSource

LOG = """
    user_id | event          | event_time
    u       | Viewed Pricing | 2024-01-01
    u       | export         | 2024-01-02
"""


def test_a_name_may_mean_several_canonical_events():
    source = EventSource(names={"Viewed Pricing": ("pricing_viewed", "plans_compared")}, max_quarantine_share=1)

    database, counts = clean_log(LOG, source=source)

    assert [row[1] for row in clean_rows(database)] == ["export", "plans_compared", "pricing_viewed"]
    assert counts.kept == 2


def test_names_that_are_not_listed_stay_as_they_are():
    database, _ = clean_log(LOG, source=EventSource(names={"other": "signup"}, max_quarantine_share=1))

    assert [row[1] for row in clean_rows(database)] == ["Viewed Pricing", "export"]


def test_several_names_may_mean_the_same_event():
    source = EventSource(names={"Viewed Pricing": "seen", "export": "seen"}, max_quarantine_share=1)

    database, _ = clean_log(LOG, source=source)

    assert [row[1] for row in clean_rows(database)] == ["seen", "seen"]


def test_names_with_quotes_are_text_and_not_sql():
    log = """
        user_id | event      | event_time
        u       | it's "x"   | 2024-01-01
        u       | gone'; --  | 2024-01-01
    """
    source = EventSource(names={'it\'s "x"': "what's up"}, exclude=("gone'; --",), max_quarantine_share=1)

    database, counts = clean_log(log, source=source)

    assert [row[1] for row in clean_rows(database)] == ["what's up"]
    assert counts.excluded == {"excluded by name": 1}


def test_names_are_told_apart_by_case():
    database, _ = clean_log(LOG, source=EventSource(names={"Export": "exported"}, max_quarantine_share=1))

    assert "export" in [row[1] for row in clean_rows(database)]
