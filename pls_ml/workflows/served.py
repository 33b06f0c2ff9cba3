"""A bundle as something another system can serve: a folder in, a function from signals to scores out."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from pls_ml.core.errors import BundleError, suggest
from pls_ml.core.records import ServedBundle
from pls_ml.io.bundles import read_bundle
from pls_ml.workflows.bundle import Bundle, assemble_bundle

if TYPE_CHECKING:
    import pandas as pd

OUTPUTS = ("raw_score", "score")
"""Margin in log-odds, and calibrated probability."""
REQUIREMENTS = ("pls-ml", "lightgbm", "numpy", "pandas", "pydantic", "scikit-learn")
"""What opening a bundle and scoring with it needs, each at the version that is installed now; MLflow adds itself."""


def open_scorer(folder: str | Path) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """Takes a bundle's folder; returns a function of n × m signal columns, in any order, that gives their scores; refuses a damaged one."""
    parts, texts = read_bundle(Path(folder))
    bundle = assemble_bundle(Path(folder).name, parts, texts)
    columns = [column.name for column in bundle.catalogue]

    def score(signals: pd.DataFrame) -> pd.DataFrame:
        import pandas as pd

        given = [str(name) for name in signals.columns]
        for name in columns:
            if name not in given:
                raise BundleError(f"signal '{name}' is missing{suggest(name, given)}: the model needs {len(columns)} columns")
        raw = bundle.scorers[bundle.used].raw_score(signals[columns])
        scores = (raw, bundle.calibrators[bundle.used].transform(raw))
        return pd.DataFrame(dict(zip(OUTPUTS, scores, strict=True)), index=signals.index)

    return score


def serve_bundle(bundle: Bundle, folder: Path) -> ServedBundle:
    """Takes a bundle and its folder; returns what it takes to serve it."""
    inputs = {column.name: column.signal.is_category for column in bundle.catalogue}
    installed = tuple(f"{name}=={version(name)}" for name in REQUIREMENTS)
    return ServedBundle(folder, f"{__name__}:{open_scorer.__name__}", inputs, OUTPUTS, installed)
