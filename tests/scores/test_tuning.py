"""A search for settings: what it tries first, what it gives up, and that it goes on where it stopped."""

import sys
from dataclasses import dataclass, replace

import numpy as np
import pytest

from pls_ml.core.errors import ConfigError, MissingExtraError, WriteError
from pls_ml.scores.growth import TreeSettings
from pls_ml.scores.tuning import SPACE, Search, best_trial, search_settings

FIRST = TreeSettings()


@dataclass(frozen=True)
class Fold:
    """A fold on which a hundred rows lose what was told."""

    level: float
    weight: np.ndarray = None

    def __post_init__(self):
        object.__setattr__(self, "weight", np.ones(100))


@dataclass(frozen=True)
class Told:
    """Trees whose loss falls to that of their settings at the third count."""

    mean: float

    def loss(self, place):
        return 100 * (self.mean + 0.01 * abs(place - 2))


FOLDS = [Fold(level) for level in (0.10, 0.30, 0.20, 0.15, 0.25)]


def grow(fold, settings):
    """The smaller the step, and the nearer to twenty leaves, the smaller the loss."""
    return Told(fold.level + settings.learning_rate + abs(settings.num_leaves - 20) / 500)


def make_search(folder, **changes):
    return replace(Search(folder / "tuning.db", "rows-1", 7, 12, 10.0), **changes)


@pytest.fixture(scope="module")
def trials(tmp_path_factory):
    """Thirty finished trials."""
    return search_settings(FOLDS, grow, FIRST, make_search(tmp_path_factory.mktemp("search"), trials=30))


def test_the_configured_settings_are_tried_first_and_the_best_is_no_worse(trials):
    assert [trial.number for trial in trials] == list(range(1, 31))
    assert (trials[0].settings, trials[0].folds, trials[0].trees) == (FIRST.model_dump(), 5, 60)
    assert trials[0].loss == pytest.approx(0.2 + 0.03 + 5 / 500, abs=1e-12)
    assert best_trial(trials).loss < trials[0].loss
    assert best_trial(trials).loss == min(trial.loss for trial in trials if not trial.pruned)


def test_settings_stay_within_the_space_and_can_be_written_down(trials):
    for trial in trials:
        assert all(SPACE[name][0] <= value <= SPACE[name][1] for name, value in trial.settings.items())
        assert all(value == float(f"{value:.4g}") for value in trial.settings.values())
        assert TreeSettings.model_validate(trial.settings).model_dump() == trial.settings


def test_configured_settings_outside_the_space_are_tried_all_the_same(tmp_path):
    first = TreeSettings(learning_rate=0.5, num_leaves=2, lambda_l2=0.0, bagging_fraction=0.1)

    trials = search_settings(FOLDS, grow, first, make_search(tmp_path, trials=3))

    assert trials[0].settings == first.model_dump()


def test_settings_worse_than_most_are_given_up_after_three_folds_and_never_chosen(trials):
    early = [trial for trial in trials if trial.pruned]
    assert early
    assert {trial.folds for trial in early} <= {3, 4}
    assert all(trial.folds == 5 for trial in trials if not trial.pruned)
    assert best_trial(trials) not in early


def test_the_same_number_of_trials_gives_the_same_settings_and_another_seed_others(tmp_path):
    first, again, other = (
        search_settings(FOLDS, grow, FIRST, make_search(tmp_path / name, seed=seed)) for name, seed in (("a", 7), ("b", 7), ("c", 8))
    )

    assert first == again
    assert [trial.settings for trial in other[1:]] != [trial.settings for trial in first[1:]]


def test_a_search_that_was_stopped_in_a_trial_goes_on_as_if_it_had_not_been(tmp_path):
    asked = []

    def stop(fold, settings):
        asked.append(settings)
        if len(asked) == 18:
            raise KeyboardInterrupt
        return grow(fold, settings)

    with pytest.raises(KeyboardInterrupt):
        search_settings(FOLDS, stop, FIRST, make_search(tmp_path / "stopped"))

    assert search_settings(FOLDS, grow, FIRST, make_search(tmp_path / "stopped")) == search_settings(
        FOLDS, grow, FIRST, make_search(tmp_path / "whole")
    )


def test_a_finished_search_tries_nothing_more_and_a_longer_one_only_what_is_missing(tmp_path):
    done, tried = search_settings(FOLDS, grow, FIRST, make_search(tmp_path)), []

    def count(fold, settings):
        tried.append(settings)
        return grow(fold, settings)

    assert search_settings(FOLDS, count, FIRST, make_search(tmp_path)) == done
    assert tried == []
    assert search_settings(FOLDS, count, FIRST, make_search(tmp_path, trials=14))[:12] == done
    assert 6 <= len(tried) <= 10


def test_another_key_in_the_same_file_is_another_search(tmp_path):
    search_settings(FOLDS, grow, FIRST, make_search(tmp_path))

    other = search_settings(FOLDS, grow, FIRST, make_search(tmp_path, key="rows-2", trials=2))

    assert len(other) == 2
    assert len(search_settings(FOLDS, grow, FIRST, make_search(tmp_path))) == 12


@pytest.mark.parametrize(("minutes", "finished"), [(0.05, 0), (0.5, 2), (100, 12)])
def test_no_trial_begins_after_the_time_is_over_and_one_that_is_cut_short_does_not_count(tmp_path, minutes, finished):
    passed = [0.0]

    def take_three_seconds(fold, settings):
        passed[0] += 3.0
        return grow(fold, settings)

    trials = search_settings(FOLDS, take_three_seconds, FIRST, make_search(tmp_path, minutes=minutes), lambda: passed[0])

    assert len(trials) == finished
    assert passed[0] <= 60 * minutes + 3


def test_where_every_setting_loses_the_same_the_configured_one_stays(tmp_path):
    trials = search_settings(FOLDS, lambda fold, _: Told(fold.level), FIRST, make_search(tmp_path))

    assert best_trial(trials).number == 1
    assert not any(trial.pruned for trial in trials)


def test_a_file_that_is_no_search_or_cannot_be_written_is_refused(tmp_path):
    (tmp_path / "tuning.db").write_text("no database at all, but longer than a header would be " * 20, encoding="utf-8")
    (tmp_path / "file").write_text("", encoding="utf-8")

    with pytest.raises(WriteError, match=r"cannot keep the search for settings in .*tuning.db: .*not a database; .*begin anew"):
        search_settings(FOLDS, grow, FIRST, make_search(tmp_path))
    with pytest.raises(WriteError, match="cannot keep the search for settings in"):
        search_settings(FOLDS, grow, FIRST, make_search(tmp_path / "file"))
    with pytest.raises(ConfigError, match=r"'\?' and '%' are read as address syntax; choose another `output`"):
        search_settings(FOLDS, grow, FIRST, make_search(tmp_path / "what?"))


def test_without_optuna_a_search_ends_in_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)

    with pytest.raises(MissingExtraError, match=r"`model\.tune` needs optuna, which is not installed"):
        search_settings(FOLDS, grow, FIRST, make_search(tmp_path))


def test_a_search_says_nothing_itself_and_leaves_optunas_log_as_it_was(tmp_path, capfd):
    import optuna

    before = optuna.logging.get_verbosity()

    search_settings(FOLDS, grow, FIRST, make_search(tmp_path, trials=2))

    assert optuna.logging.get_verbosity() == before
    assert capfd.readouterr() == ("", "")
