"""The card that ships with the package, and helpers to ask it for points."""

import pytest

from pls_ml.core.builtin import find_builtin
from pls_ml.io.yaml import read_spec
from pls_ml.scores.card import Scorecard


@pytest.fixture(scope="session")
def card_a() -> Scorecard:
    return read_spec(find_builtin("scorecards/card_a.yaml"), Scorecard, "scorecard")
