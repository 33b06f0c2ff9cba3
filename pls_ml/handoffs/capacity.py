"""How many leads sales can take."""

from pydantic import Field

from pls_ml.core.spec import Spec


class Capacity(Spec):
    """Handoffs that sales can work on per scored night; at most one per account (R-CAP)."""

    per_night: int = Field(default=20, ge=1)
    require_suppressions: bool = True
    """Without a suppression list nobody is handed over, unless this is false."""
