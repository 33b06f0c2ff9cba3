"""Windows are [as_of - w, as_of): both edges of every window of every signal, to the microsecond."""

from collections import Counter

import pytest
from fakes.catalogues import full_catalogue
from fakes.paths import SignalPath
from fakes.random_worlds import GRAINS
from signals.reference import Reference
from signals.window_edges import edge_cases, wrong_edges


@pytest.mark.parametrize("grain", GRAINS, ids=str)
@pytest.mark.parametrize("way", [SignalPath, Reference])
def test_a_window_includes_its_start_and_excludes_its_end(way, grain):
    assert wrong_edges(way(full_catalogue(grain), grain)) == []


@pytest.mark.parametrize("grain", GRAINS, ids=str)
def test_every_windowed_column_is_tested_at_several_edges(grain):
    catalogue = full_catalogue(grain)
    tested = Counter(edge.column.name for edge in edge_cases(catalogue, grain))
    assert set(tested) == {column.name for column in catalogue if column.window is not None}
    assert min(tested.values()) >= 5
