"""Where a contract table comes from, as the project file says it."""

from pls_ml.core.spec import Spec


class TableSource(Spec):
    """One table: a file (or a registered object) and how its columns translate to the contract's names."""

    path: str | None = None
    columns: dict[str, str] = {}
    """Contract name (or a new attribute name) → column of the source; `properties.plan` reaches into a struct or JSON text."""
    constants: dict[str, str] = {}
    """Contract name → one value for all rows, where the source has no such column."""
    missing: tuple[str, ...] = ()
    """Texts that mean 'no value', such as 'Select' or 'n/a'."""
    timezone: str = "UTC"
    """The zone of time stamps that carry none."""
