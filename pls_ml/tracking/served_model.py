"""The code that MLflow runs when it loads a logged model: no pickle, only text and JSON that this package reads.

MLflow stores this file beside the bundle; nothing here imports it. Which function scores stands in the model's configuration, as
'module:name'.
"""

import pkgutil
from typing import Any

import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel


class ServedModel(PythonModel):  # type: ignore[misc]
    """Signals in, scores out."""

    def load_context(self, context: Any) -> None:
        """Takes MLflow's context; opens the bundle."""
        self._score = pkgutil.resolve_name(context.model_config["scorer"])(context.artifacts["bundle"])

    def predict(self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """Takes n × m signal columns; returns n rows of scores."""
        scores: pd.DataFrame = self._score(model_input)
        return scores


set_model(ServedModel())
