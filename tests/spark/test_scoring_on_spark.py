"""Scores and contributions on Spark are the local ones, however the rows are cut up."""

import shutil

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from scoring import SCORERS, differing, fetch, score_locally, send

from pls_ml.core.errors import BundleError, DataError
from pls_ml.workflows.spark import score_on_spark

pytestmark = pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning")


def column_of(model, category):
    return next(column.name for column in model.bundle.catalogue if column.signal.is_category is category)


@pytest.mark.parametrize("used", SCORERS)
def test_scores_and_contributions_are_the_local_ones_to_the_last_bit(spark, model, used):
    scored = fetch(score_on_spark(send(spark, model.signals), model.folder(used)))

    assert differing(scored, score_locally(model, used, model.signals)) == []
    assert scored["as_of"].nunique() == 1


def test_scores_are_those_of_the_night_that_was_written(spark, model):
    night = model.project.score(model.signals["as_of"].iloc[0].to_pydatetime())

    scored = fetch(score_on_spark(send(spark, model.signals), model.folder(night.used)))

    expected = night.scores.sort_values("lead_id", ignore_index=True)
    assert np.array_equal(scored["raw_score"], expected["raw_score"])
    assert np.array_equal(scored["score"], expected["score"])


@pytest.mark.parametrize("used", SCORERS)
def test_base_and_contributions_add_up_to_the_log_odds_of_the_score(spark, model, used):
    scored = fetch(score_on_spark(send(spark, model.signals.head(200)), model.folder(used)))

    parts = scored.filter(like="log_odds")
    assert len(parts.columns) == 1 + len(model.bundle.catalogue.signals)
    assert parts.sum(axis=1).to_numpy() == pytest.approx(np.log(scored["score"] / (1 - scored["score"])).to_numpy(), abs=1e-9)


@pytest.mark.parametrize("used", SCORERS)
def test_batches_of_one_row_and_empty_partitions_change_no_bit(spark, model, used):
    rows = model.signals.head(7)
    spread = send(spark, rows).repartition(12)
    assert {0, 1} <= set(spread.rdd.glom().map(len).collect())

    scored = fetch(score_on_spark(spread, model.folder(used)))

    assert differing(scored, score_locally(model, used, rows)) == []


def test_the_size_of_spark_s_batches_changes_no_bit(spark, model):
    rows = model.signals.head(900)
    size = "spark.sql.execution.arrow.maxRecordsPerBatch"
    spark.conf.set(size, "7")
    try:
        scored = fetch(score_on_spark(send(spark, rows).coalesce(1), model.folder("lightgbm")))
    finally:
        spark.conf.unset(size)

    assert differing(scored, score_locally(model, "lightgbm", rows)) == []


@pytest.mark.parametrize("used", SCORERS)
def test_a_table_without_rows_gives_one_with_the_same_columns(spark, model, used):
    scored = score_on_spark(send(spark, model.signals.head(0)), model.folder(used)).toArrow()

    assert scored.num_rows == 0
    assert scored.column_names == list(score_locally(model, used, model.signals.head(1)).columns)


@pytest.mark.parametrize("used", SCORERS)
def test_missing_values_and_texts_never_seen_count_as_they_do_locally(spark, model, used):
    rows = model.signals.head(60).copy()
    number, text = column_of(model, category=False), column_of(model, category=True)
    rows.loc[rows.index[::2], number] = np.nan
    rows.loc[rows.index[::3], text] = None
    rows.loc[rows.index[1::3], text] = 'never seen; it\'s \\ "odd" ${x}'

    scored = fetch(score_on_spark(send(spark, rows), model.folder(used)))

    assert differing(scored, score_locally(model, used, rows)) == []


def test_columns_that_hold_no_value_at_all_are_missing_values(spark, model):
    number, text = column_of(model, category=False), column_of(model, category=True)
    rows = model.signals.head(5).assign(**{number: np.nan, text: pd.Series([None] * 5, dtype="string")})
    nothing = {name: pa.nulls(5) for name in (number, text)}
    table = pa.table({name: nothing.get(name, rows[name]) for name in rows.columns})

    scored = fetch(score_on_spark(spark.createDataFrame(table), model.folder("logistic")))

    assert differing(scored, score_locally(model, "logistic", rows)) == []


def test_whole_numbers_and_decimals_are_numbers(spark, model):
    numbers = [column.name for column in model.bundle.catalogue if not column.signal.is_category][:2]
    rows = model.signals.head(50).assign(**{numbers[0]: np.arange(50), numbers[1]: np.arange(50) / 4})
    sent = send(spark, rows).selectExpr("*", f"CAST({numbers[1]} AS DECIMAL(20, 6)) AS exact").drop(numbers[1])
    sent = sent.withColumnRenamed("exact", numbers[1])
    assert [dict(sent.dtypes)[name] for name in numbers] == ["bigint", "decimal(20,6)"]

    scored = fetch(score_on_spark(sent, model.folder("lightgbm")))

    assert differing(scored, score_locally(model, "lightgbm", rows)) == []


def test_kept_columns_come_back_as_they_were(spark, model):
    odd = pa.array([{"day": 1}, None, {"day": 3}])
    table = pa.Table.from_pandas(model.signals.head(3), preserve_index=False).append_column("an `odd` name.1", odd)

    scored = score_on_spark(spark.createDataFrame(table), model.folder("rules"), ["an `odd` name.1", "lead_id", "account_id"]).toArrow()

    assert scored.column_names[:4] == ["an `odd` name.1", "lead_id", "account_id", "raw_score"]
    kept = {row["lead_id"]: row for row in scored.to_pylist()}
    expected = table.select(["an `odd` name.1", "lead_id", "account_id"]).to_pylist()
    assert [{name: kept[row["lead_id"]][name] for name in row} for row in expected] == expected


def test_workers_need_no_folder_in_common_with_the_driver(spark, model):
    folder = model.folder("lightgbm")
    scored = score_on_spark(send(spark, model.signals.head(9)), folder)
    shutil.rmtree(folder)

    assert fetch(scored)["score"].between(0, 1).all()


def test_a_signal_that_is_not_there_is_named_before_anything_runs(spark, model):
    name = column_of(model, category=False)
    sent = send(spark, model.signals.head(3).rename(columns={name: f"{name}s"}))

    with pytest.raises(BundleError, match=rf"signal '{name}' of model m-\w+ is missing \(did you mean '{name}s'\?\): build the signals"):
        score_on_spark(sent, model.folder("rules"))


@pytest.mark.parametrize(("category", "wrong", "expected"), [(False, "many", "string: .* expects double"), (True, 3, "bigint: .* string")])
def test_a_signal_of_another_type_is_refused_before_anything_runs(spark, model, category, wrong, expected):
    name = column_of(model, category)
    sent = send(spark, model.signals.head(3).assign(**{name: wrong}))

    with pytest.raises(DataError, match=f"signal '{name}' is of type {expected}"):
        score_on_spark(sent, model.folder("rules"))


def test_a_column_to_keep_that_is_not_there_is_refused_with_the_nearest_name(spark, model):
    sent = send(spark, model.signals.head(3))

    with pytest.raises(DataError, match=r"no column 'leadid' to keep \(did you mean 'lead_id'\?\)"):
        score_on_spark(sent, model.folder("rules"), ["leadid"])


def test_a_kept_column_may_not_be_named_like_a_result(spark, model):
    sent = send(spark, model.signals.head(3).assign(score=0.5))

    with pytest.raises(DataError, match=r"column 'score' cannot be kept: .* rename it"):
        score_on_spark(sent, model.folder("rules"), ["lead_id", "score"])


def test_a_changed_bundle_is_refused(spark, model, tmp_path):
    folder = tmp_path / "bundle"
    shutil.copytree(model.folder("rules"), folder)
    (folder / "facts.json").write_text("{}", encoding="utf-8")

    with pytest.raises(BundleError, match=r"facts\.json is missing or was changed after training"):
        score_on_spark(send(spark, model.signals.head(3)), folder)
