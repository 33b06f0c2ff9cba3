"""Product-Led Sales propensity scoring: usage logs in, calibrated leads with exact receipts out."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pls_ml.workflows.api import OpenProject, open_project
    from pls_ml.workflows.classifier import ConversionClassifier

__all__ = ["ConversionClassifier", "OpenProject", "open_project"]


def __getattr__(name: str) -> Any:
    """Takes a public name; imports it when first used, so that the command line answers at once."""
    if name in __all__:
        from importlib import import_module

        return getattr(import_module("pls_ml.workflows.classifier" if name == "ConversionClassifier" else "pls_ml.workflows.api"), name)
    raise AttributeError(f"module 'pls_ml' has no attribute '{name}'")
