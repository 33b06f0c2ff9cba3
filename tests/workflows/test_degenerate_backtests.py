"""What too little or too simple data end in when a whole pipeline is tested on them: a sentence, never a table of nothing."""

import pytest
from test_degenerate_training import belong_to_one, draw_leads, open_leads, separate_jointly, win_at

from pls_ml.core.errors import DataError, LeakageError, TableError


def flat(leads):
    return leads.assign(visits=1.0, minutes=2.0, noise=0.0)


@pytest.mark.parametrize(
    ("leads", "error", "message"),
    [
        (win_at(), TableError, "no closed-won outcome was found"),
        (
            win_at(1500),
            DataError,
            r"0 of 5 folds could be fitted: .*fold 1 \(from row 241\) was left out: all 240 .*\(0 won\): expected both",
        ),
        (win_at(200, 900, 1500, 2000, 2300), DataError, r"won among [\d,]+ matured training rows are too few to fit and check forward"),
        (draw_leads().assign(converted=1), DataError, r"all 2,400 matured rows have the same outcome \(2,400 won\): expected both"),
        (flat(draw_leads()), DataError, r"each of the 3 signal columns has one and the same value in all 2,400 matured rows"),
        (belong_to_one(draw_leads(), 1.0), DataError, "all 2,400 matured rows belong to one account, 'big': expected at least 2"),
        (draw_leads(3), DataError, "moments are left to test for 5 folds|same outcome|no closed-won"),
        (separate_jointly(), LeakageError, r"a quick model on all signals has AUC"),
    ],
    ids=["nobody won", "one won", "a handful won", "everybody won", "constant signals", "one account", "three rows", "separation"],
)
def test_data_that_no_fold_can_be_made_of_are_refused_with_the_reason(tmp_path, leads, error, message):
    with pytest.raises(error, match=message):
        open_leads(tmp_path, leads).backtest()


@pytest.fixture(scope="module")
def dominated(tmp_path_factory):
    """Accounts are held out, and one of them has nine rows in ten."""
    return open_leads(
        tmp_path_factory.mktemp("big"), belong_to_one(draw_leads(), 0.9).assign(noise=3.0), split={"by_account": True}
    ).backtest()


def test_an_account_with_most_of_the_rows_and_a_constant_signal_are_named(dominated):
    assert any(note.startswith("account 'big' has 90% of the 2,400 matured rows") for note in dominated.notes)
    assert "the same value in every matured row, so nothing to learn from: noise" in dominated.notes


def test_folds_of_a_table_without_days_are_told_apart_by_their_first_row(dominated):
    starts = [fold.test_start for fold in dominated.folds]

    assert len(set(starts)) == len(starts) == len(dominated.pooled.periods)
    assert all(start.startswith("row ") for start in starts)
    assert dominated.pooled.decision.voting > 1
