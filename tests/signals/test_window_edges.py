"""Windows are [as_of - w, as_of): both edges of every window of every signal, to the microsecond."""

import pytest
from fakes.catalogues import columns_on_events, full_catalogue
from fakes.tables import SignalPath
from signals.window_edges import edge_cases, wrong_edges

GRAINS = ["day", "hour", "minute"]


@pytest.mark.parametrize("grain", GRAINS)
def test_a_window_includes_its_start_and_excludes_its_end(grain):
    assert wrong_edges(SignalPath(full_catalogue(grain), grain)) == []


@pytest.mark.parametrize("grain", GRAINS)
def test_every_windowed_column_is_tested_at_eight_edges_or_more(grain):
    catalogue = full_catalogue(grain)
    tested = [column.name for column, _ in edge_cases(catalogue)]
    assert {column.name for column in columns_on_events(catalogue)} == {c.name for c in catalogue if c.signal.windows}
    assert all(tested.count(column.name) >= 8 for column in columns_on_events(catalogue))
