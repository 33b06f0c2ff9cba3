"""Which events a week start sees: the edges of the window, late rows, rows of nobody."""

import numpy as np
import pytest

from pls_ml.core.windows import DAY_US
from pls_ml.synthetic.trailing import count_trailing, sum_rows
from pls_ml.synthetic.world_spec import Span

SPAN = Span(0, 70 * DAY_US)
HOUR_US = DAY_US // 24


@pytest.mark.parametrize(
    ("event_us", "known_us", "weeks"),
    [
        pytest.param(8 * DAY_US, 8 * DAY_US, [2, 3, 4, 5], id="inside"),
        pytest.param(14 * DAY_US, 14 * DAY_US, [3, 4, 5, 6], id="at a week start: not seen by that one"),
        pytest.param(14 * DAY_US - 1, 14 * DAY_US - 1, [2, 3, 4, 5, 6], id="just before a week start"),
        pytest.param(12 * DAY_US, 12 * DAY_US, [2, 3, 4, 5, 6], id="at the far edge of week 6: still seen"),
        pytest.param(12 * DAY_US - 1, 12 * DAY_US - 1, [2, 3, 4, 5], id="beyond the far edge of week 6"),
        pytest.param(13 * DAY_US, 14 * DAY_US, [3, 4, 5, 6], id="late: known at a week start"),
        pytest.param(13 * DAY_US, 14 * DAY_US - 1, [2, 3, 4, 5, 6], id="late: known just before"),
        pytest.param(65 * DAY_US, 65 * DAY_US, [10], id="only the end of the log sees it"),
    ],
)
def test_an_event_counts_where_it_is_known_and_not_too_old(event_us: int, known_us: int, weeks: list[int]) -> None:
    counts = count_trailing(np.array([0]), (np.array([event_us]), np.array([known_us])), 30 * DAY_US, 1, SPAN)

    assert np.flatnonzero(counts[0]).tolist() == weeks
    assert counts.max() == 1


def test_counts_equal_those_of_a_loop() -> None:
    rng = np.random.default_rng(0)
    group = rng.integers(-1, 4, 300)
    event_us = rng.integers(0, 70 * DAY_US, 300)
    known_us = event_us + rng.integers(0, 3 * DAY_US, 300) * (rng.random(300) < 0.5)

    counts = count_trailing(group, (event_us, known_us), 30 * DAY_US, 4, SPAN)

    for row in range(4):
        for week, start in enumerate(SPAN.week_starts_us):
            seen = (group == row) & (event_us >= start - 30 * DAY_US) & (event_us < start) & (known_us < start)
            assert counts[row, week] == seen.sum()


def test_rows_are_summed_by_group_and_nobody_is_left_out() -> None:
    counts = np.array([[1, 2], [3, 4], [5, 6], [7, 8]])

    total = sum_rows(counts, np.array([2, 0, -1, 2]), 3)

    assert total.tolist() == [[3, 4], [0, 0], [8, 10]]
