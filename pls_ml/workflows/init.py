"""`pls-ml init`: a commented project file to start from."""

from pathlib import Path

from pls_ml.core.builtin import find_builtin
from pls_ml.core.errors import ConfigError
from pls_ml.core.files import write_bytes


def init(path: Path) -> Path:
    """Takes where the project file goes; writes the commented template; refuses to overwrite one."""
    if path.exists():
        raise ConfigError(f"{path} exists already: edit it, or give another path")
    return write_bytes(path, find_builtin("project.yaml").read_bytes())
