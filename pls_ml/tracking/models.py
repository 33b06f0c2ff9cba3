"""A bundle as a model that MLflow can serve: a pyfunc from code with the bundle's text and JSON beside it."""

import warnings
from pathlib import Path

from pls_ml.core.records import ServedBundle

FOLDER = "model"
"""Where a run keeps its model."""
BUNDLE = "bundle"
CODE = Path(__file__).with_name("served_model.py")


def write_model(bundle: ServedBundle, folder: Path) -> None:
    """Takes a bundle and a folder that is not there yet; writes the model into it, the bundle below its `artifacts`.

    Numbers are optional doubles and categories optional strings; signature and requirements are given, as MLflow would need many
    seconds to guess them.
    """
    from mlflow import pyfunc
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    inputs = [ColSpec("string" if text else "double", name, required=False) for name, text in bundle.inputs.items()]
    outputs = [ColSpec("double", name) for name in bundle.outputs]
    with warnings.catch_warnings(action="ignore"):  # an example of the input would be rows of somebody's leads
        pyfunc.save_model(
            folder,
            python_model=str(CODE),
            artifacts={BUNDLE: str(bundle.folder)},
            signature=ModelSignature(Schema(inputs), Schema(outputs)),
            pip_requirements=list(bundle.requirements),
            model_config={"scorer": bundle.scorer},
        )
