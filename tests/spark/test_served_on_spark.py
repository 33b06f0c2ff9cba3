"""The logged model as a Spark UDF gives the bundle's own scores."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scoring import send

from pls_ml.tracking.models import write_model
from pls_ml.workflows.served import serve_bundle

pytestmark = pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning")


@pytest.mark.parametrize("used", ["rules", "lightgbm"])
def test_the_logged_model_scores_on_spark_as_the_bundle_does(spark, model, used, tmp_path, monkeypatch):
    import mlflow

    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
    bundle, rows = replace(model.bundle, used=used), model.signals.head(300)
    write_model(serve_bundle(bundle, model.folder(used)), tmp_path / "model")
    columns = [column.name for column in bundle.catalogue]
    table = send(spark, rows[["lead_id", *columns]])

    score = mlflow.pyfunc.spark_udf(spark, str(tmp_path / "model"), env_manager="local")
    scored = (
        table.select("lead_id", score(*columns).alias("found")).select("lead_id", "found.raw_score", "found.score").toArrow().to_pandas()
    )

    raw = bundle.scorers[used].raw_score(rows[columns])
    expected = pd.DataFrame({"lead_id": rows["lead_id"], "raw_score": raw, "score": bundle.calibrators[used].transform(raw)})
    both = expected.merge(scored, on="lead_id", validate="one_to_one", suffixes=("", "_found"))
    assert len(both) == len(rows)
    assert np.array_equal(both["raw_score"], both["raw_score_found"])
    assert np.array_equal(both["score"], both["score_found"])
