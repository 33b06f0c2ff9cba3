"""Signals that a project's card looks at: an unknown one is refused with its line, one that is known but not there is not."""

import pytest
from projects import open_config, read_demo

from pls_ml.core.errors import ConfigError

CARD = """\
id: mine
bands: [{{name: Hot, gte: 5}}]
below: Cold
multiplier: [{{name: large, times: 1.5, all: [{{signal: {size}, gt: 1000}}]}}]
rows:
  - {{id: week, family: usage, signal: events_7d, rungs: [{{gte: 1, points: 5}}]}}
  - id: prices
    family: intent
    signal: {prices}
    rungs:
      - {{gte: 1, points: 5}}
      - {{signal: {more}, gte: 1, points: 7}}
"""
RIGHT = {"size": "employees", "prices": "pricing_views_30d", "more": "plans_compared_30d"}


def read_card(folder, **changes):
    """The card of the demo's project, with other signals or another catalogue."""
    (folder / "card.yaml").write_text(CARD.format(**RIGHT | changes.pop("names", {})), encoding="utf-8")
    return open_config(read_demo(**{"scorecard": "card.yaml"} | changes), folder).card()


def test_a_card_on_declared_signals_is_taken(tmp_path):
    assert read_card(tmp_path).signals == ("events_7d", "pricing_views_30d", "plans_compared_30d", "employees")


@pytest.mark.parametrize(
    ("place", "name", "problem"),
    [
        ("prices", "pricing_view_30d", "line 9: no signal 'pricing_view_30d' is declared (did you mean 'pricing_views_30d'?)"),
        ("prices", "pricing_views", "line 9: no signal 'pricing_views' is declared (did you mean 'pricing_views_7d'?)"),
        ("more", "plans_compared_7d", "line 12: no signal 'plans_compared_7d' is declared (did you mean 'plans_compared_30d'?)"),
        ("size", "employes", "line 4: no signal 'employes' is declared (did you mean 'employees'?)"),
        ("size", "zzz", "line 4: no signal 'zzz' is declared"),
    ],
)
def test_an_unknown_signal_is_refused_with_its_line_and_the_nearest_name(tmp_path, place, name, problem):
    with pytest.raises(ConfigError) as caught:
        read_card(tmp_path, names={place: name})

    head, *lines = str(caught.value).splitlines()
    assert head == (
        f"{tmp_path / 'card.yaml'} has 1 problem; name declared ones, declare them under `signals.define`, or leave their rows out:"
    )
    assert lines == [f"  {problem}"]


def test_every_unknown_signal_is_told_at_once(tmp_path):
    with pytest.raises(
        ConfigError, match=r"has 2 problems; (.|\n)*line 4: no signal 'a' is declared\n  line 9: no signal 'b' is declared$"
    ):
        read_card(tmp_path, names={"size": "a", "prices": "b"})


def test_a_signal_that_is_leak_prone_or_dropped_is_known_all_the_same(tmp_path):
    card = read_card(tmp_path, names={"prices": "invoice_downloads_30d"}, signals={"drop": ["employees", "target_industry", "icp_match"]})

    assert "invoice_downloads_30d" in card.signals
    assert "employees" in card.signals


SEEN = {"id": "seen", "family": "usage", "label": "seen", "measure": {"kind": "count", "events": ["seen"]}, "windows": ["7d"]}


def test_signals_that_the_project_defines_are_known_whether_they_can_be_computed_or_not(tmp_path):
    assert "seen_7d" in read_card(tmp_path, names={"prices": "seen_7d"}, signals={"define": [SEEN]}).signals
    with pytest.raises(ConfigError, match=r"line 9: no signal 'seen_30d' is declared \(did you mean 'seen_7d'\?\)"):
        read_card(tmp_path, names={"prices": "seen_30d"}, signals={"define": [SEEN]})


def test_a_signal_that_the_project_defines_otherwise_has_only_its_new_columns(tmp_path):
    changed = SEEN | {"id": "pricing_views", "windows": ["7d"]}

    with pytest.raises(ConfigError, match=r"line 9: no signal 'pricing_views_30d' is declared \(did you mean 'pricing_views_7d'\?\)"):
        read_card(tmp_path, signals={"define": [changed]})


def test_without_a_catalogue_only_the_projects_own_signals_are_known(tmp_path):
    with pytest.raises(ConfigError, match="line 6: no signal 'events_7d' is declared"):
        read_card(tmp_path, signals={"catalogue": None, "define": [SEEN]})


def test_where_signals_are_found_in_the_log_a_card_may_name_any(tmp_path):
    card = read_card(tmp_path, names={"prices": "viewed_prices_count_30d"}, signals={"catalogue": "discover"})

    assert "viewed_prices_count_30d" in card.signals


@pytest.mark.parametrize("name", ["card_a", "card_a_literal", "card_b", "card_b_literal"])
def test_a_shipped_card_looks_at_shipped_signals_only(tmp_path, name):
    assert open_config(read_demo(scorecard=name), tmp_path).card().id == name
