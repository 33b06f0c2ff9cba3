"""How many parameters the positives carry, and how many the data ask for."""

import numpy as np
import pytest

from pls_ml.calibration import choose_calibrator, fit_calibrator
from pls_ml.core.errors import ConfigError, DataError


def draw_rows(n, true_log_odds, centre=-2.0, seed=0):
    rng = np.random.default_rng(seed)
    margins = rng.normal(centre, 1.3, n)
    return margins, (rng.random(n) < 1 / (1 + np.exp(-true_log_odds(margins)))).astype(np.int8)


@pytest.mark.parametrize(
    ("positives", "kind"),
    [(1, "intercept"), (29, "intercept"), (30, "sigmoid"), (99, "sigmoid"), (100, "beta"), (1999, "beta"), (2000, "isotonic")],
)
def test_positives_decide_how_complex_a_calibrator_may_be(positives, kind):
    assert choose_calibrator(positives).kind == kind


def test_few_positives_get_the_intercept_however_wrong_the_slope():
    margins, labels = draw_rows(100, lambda m: 0.3 * m - 1)
    assert labels.sum() < 30

    assert fit_calibrator(margins, labels).kind == "intercept"


def test_margins_that_are_right_but_for_their_mean_get_the_intercept():
    margins, labels = draw_rows(5000, lambda m: m + 0.5)

    assert fit_calibrator(margins, labels).kind == "intercept"


def test_overconfident_margins_get_the_sigmoid():
    margins, labels = draw_rows(5000, lambda m: 0.5 * m)

    assert fit_calibrator(margins, labels).kind == "sigmoid"


def test_margins_bent_in_one_tail_get_beta():
    margins, labels = draw_rows(4000, lambda m: 2 * np.minimum(m, 0) + 0.2 * m, centre=0.0)
    assert 100 < labels.sum() < 2000

    assert fit_calibrator(margins, labels).kind == "beta"


def jump(margins):
    return np.where(margins > -1.5, 1.0, -3.0) + 0.2 * margins


def test_a_jump_that_no_smooth_map_can_follow_gets_isotonic_steps_once_there_are_two_thousand_positives():
    many, few = draw_rows(12000, jump), draw_rows(3000, jump)
    assert few[1].sum() < 2000 < many[1].sum()

    assert fit_calibrator(*many).kind == "isotonic"
    assert fit_calibrator(*few).kind == "beta"


def test_steps_are_not_chosen_where_they_only_follow_noise():
    margins, labels = draw_rows(20000, lambda m: 0.7 * m)
    assert labels.sum() > 2000

    assert fit_calibrator(margins, labels).kind == "sigmoid"


def test_repeated_rows_of_an_account_are_no_evidence_for_bends():
    margins, labels = draw_rows(300, lambda m: m, centre=-1.0)
    again = [np.repeat(part, 30) for part in (margins, labels)]
    accounts = np.repeat([f"a{number}" for number in range(300)], 30)
    assert again[1].sum() > 2000

    assert fit_calibrator(*again).kind == "isotonic"
    assert fit_calibrator(*again, groups=accounts).kind == "intercept"


def test_groups_leave_the_choice_alone_where_every_row_is_one():
    margins, labels = draw_rows(2000, lambda m: 0.5 * m)
    weights = np.random.default_rng(1).integers(0, 3, 2000).astype(float)

    alone = fit_calibrator(margins, labels, weights)

    assert fit_calibrator(margins, labels, weights, groups=np.arange(2000)).to_dict() == alone.to_dict()


def test_groups_of_another_length_are_refused():
    with pytest.raises(DataError, match=r"groups \(3,\) for 2000 margins: expected one id per row"):
        fit_calibrator(*draw_rows(2000, lambda m: m), groups=np.arange(3))


def test_buyers_in_every_fifth_row_do_not_all_fall_into_one_fold():
    margins, labels = draw_rows(2000, lambda m: 0.5 * m)
    buyers, others = np.flatnonzero(labels == 1)[:200], np.flatnonzero(labels == 0)[:800]
    order = np.column_stack([buyers, others.reshape(200, 4)]).ravel()

    fitted = fit_calibrator(margins[order], labels[order])

    assert fitted.kind == fit_calibrator(margins[np.sort(order)], labels[np.sort(order)]).kind == "sigmoid"


def test_the_order_of_the_rows_does_not_change_the_choice():
    margins, labels = draw_rows(2000, lambda m: 0.9 * m)
    order = np.random.default_rng(1).permutation(2000)

    straight, shuffled = fit_calibrator(margins, labels), fit_calibrator(margins[order], labels[order])

    assert shuffled.kind == straight.kind
    assert shuffled.parameters_ == pytest.approx(straight.parameters_, abs=1e-9)


def test_a_kind_that_is_asked_for_is_fitted():
    margins, labels = draw_rows(3000, lambda m: m)

    assert fit_calibrator(margins, labels, kind="beta").kind == "beta"


def test_an_unknown_kind_in_the_project_file_is_refused_with_a_suggestion():
    with pytest.raises(ConfigError, match=r"'intercep' is unknown \(did you mean 'intercept'\?\)"):
        fit_calibrator(*draw_rows(3000, lambda m: m), kind="intercep")


def test_one_class_is_refused_before_anything_is_chosen():
    with pytest.raises(DataError, match="all 5 rows have label 0"):
        fit_calibrator(np.arange(5.0), np.zeros(5, np.int8))
