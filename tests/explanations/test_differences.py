"""What sets two receipts of a lead apart, on hand-made lines."""

import numpy as np
import pandas as pd
import pytest

from pls_ml.core.catalogue import Catalogue
from pls_ml.explanations.differences import PairedLines, find_differences

NAMES = ("seats", "visits", "region", "secret", "idle")


def pair(rules, model, **values) -> PairedLines:
    """Lines of one or more leads over five signals; the fourth is not for reps."""
    rules, model = np.atleast_2d(np.array(rules, float)), np.atleast_2d(np.array(model, float))
    declared = [
        {
            "id": name, "family": "use", "label": name, "rep_visible": name != "secret",
            "measure": {"kind": "attribute", "table": "users", "column": name},
        }
        for name in NAMES
    ]  # fmt: skip
    signals = Catalogue.model_validate({"signals": declared}).signals
    frame = pd.DataFrame({name: values.get(name, [3.0] * len(rules)) for name in NAMES})
    return PairedLines(signals, frame, rules, model)


def test_the_three_largest_differences_towards_the_side_that_takes_the_lead_are_told():
    lines = pair([0.0, 0.5, 0.2, 0.0, 0.0], [0.9, 0.6, -0.9, 0.0, 0.4])

    found = find_differences(lines, [True])

    assert found[["row", "signal", "value"]].to_numpy().tolist() == [[0, "seats", "3"], [0, "idle", "3"]]
    assert found["difference"].tolist() == pytest.approx([0.9, 0.4])
    assert found[["rules", "model"]].to_numpy().tolist() == [[0.0, 0.9], [0.0, 0.4]]


def test_for_a_lead_of_the_rules_the_signals_are_those_that_the_model_counts_for_less():
    lines = pair([0.6, 0.6, 0.6, 0.0, 0.6], [0.5, 0.0, -0.5, 0.0, 0.2])

    found = find_differences(lines, [False])

    assert found["signal"].tolist() == ["region", "visits", "idle"]
    assert found["difference"].tolist() == pytest.approx([-1.1, -0.6, -0.4])


def test_what_reps_may_not_see_or_nobody_knows_or_hardly_differs_is_left_out():
    lines = pair([0.0] * 5, [0.9, 0.09, 0.0, 2.0, 0.3], seats=[np.nan])

    assert find_differences(lines, [True])["signal"].tolist() == ["idle"]


def test_leads_without_a_difference_have_no_row_and_the_others_keep_their_place():
    lines = pair([[0.0] * 5, [0.0] * 5, [0.5] * 5], [[0.0] * 5, [0.0, 0.3, 0.0, 0.0, 0.0], [0.0, 0.5, 0.5, 0.5, 0.5]])

    found = find_differences(lines, [True, True, False])

    assert found[["row", "signal"]].to_numpy().tolist() == [[1, "visits"], [2, "seats"]]


def test_nobody_in_dispute_is_an_empty_table_with_its_types():
    nobody = np.zeros((0, 5))

    found = find_differences(PairedLines(pair([0.0] * 5, [0.0] * 5).signals, pd.DataFrame(columns=list(NAMES)), nobody, nobody), [])

    assert found.dtypes.astype(str).to_dict() == {
        "row": "int64", "signal": "string", "value": "string", "difference": "float64", "rules": "float64", "model": "float64",
    }  # fmt: skip
