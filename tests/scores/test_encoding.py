"""Signal columns as one matrix of numbers."""

import json

import numpy as np
import pandas as pd
import pytest

from pls_ml.core.errors import BundleError, DataError
from pls_ml.scores.encoding import MAX_CATEGORIES, Encoding

TRAINING = pd.DataFrame({"uses": [1.0, 2.0, 3.0, 4.0], "plan": ["free", "team", "free", None], "flag": [True, False, True, True]})


def test_text_becomes_its_place_by_frequency_and_numbers_stay():
    encoding = Encoding.learn(TRAINING)

    assert encoding.columns == ("uses", "plan", "flag")
    assert encoding.categories == {"plan": ("free", "team")}
    assert encoding.encode(TRAINING).tolist()[:3] == [[1.0, 0.0, 1.0], [2.0, 1.0, 0.0], [3.0, 0.0, 1.0]]


def test_no_value_and_text_never_seen_become_nan():
    matrix = Encoding.learn(TRAINING).encode(pd.DataFrame({"uses": [np.nan], "plan": ["gold"], "flag": [None]}))

    assert np.isnan(matrix).all()
    assert np.isnan(Encoding.learn(TRAINING).encode(TRAINING)[3, 1])


def test_equally_frequent_values_are_ordered_by_name():
    assert Encoding.learn(pd.DataFrame({"plan": ["b", "c", "a", "c", "b", "a"]})).categories["plan"] == ("a", "b", "c")


def test_the_rarest_of_too_many_values_count_as_never_seen():
    values = [f"value {n:03}" for n in range(MAX_CATEGORIES + 5)]
    column = pd.DataFrame({"plan": [*values, *values[5:]]})

    encoding = Encoding.learn(column)

    assert len(encoding.categories["plan"]) == MAX_CATEGORIES
    assert np.isnan(encoding.encode(column)[:5]).all()
    assert not np.isnan(encoding.encode(column)[5 : len(values)]).any()


def test_an_encoding_survives_json():
    encoding = Encoding.learn(TRAINING)

    assert Encoding.from_dict(json.loads(json.dumps(encoding.to_dict()))) == encoding


@pytest.mark.parametrize("kind", ["Int64", "Float64", "object", "float32", "int8"])
def test_numbers_of_any_type_become_doubles(kind):
    values = pd.Series([1, 2, 3, 4], dtype=kind)

    assert Encoding.learn(TRAINING).encode(TRAINING.assign(uses=values))[:, 0].tolist() == [1.0, 2.0, 3.0, 4.0]


def test_what_does_not_fit_is_refused():
    encoding = Encoding.learn(TRAINING)

    with pytest.raises(BundleError, match=r"signal 'plan' is missing \(did you mean 'plans'\?\): the scorer needs 3 columns"):
        encoding.encode(TRAINING.rename(columns={"plan": "plans"}))
    with pytest.raises(DataError, match="signal 'uses' has infinite values"):
        encoding.encode(TRAINING.assign(uses=np.inf))
    with pytest.raises(DataError, match="signal 'uses' holds str values: expected numbers or missing"):
        encoding.encode(TRAINING.assign(uses=pd.Series(["many"] * 4, dtype="str")))
