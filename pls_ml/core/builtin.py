"""The configuration files that ship with the package."""

from pathlib import Path

from pls_ml.core.errors import ConfigError, suggest

_PACKAGE = Path(__file__).resolve().parent.parent


def find_builtin(name: str) -> Path:
    """Takes a path below `configs/`; returns the file, from the installed package or a source checkout."""
    folders = (_PACKAGE / "configs", _PACKAGE.parent / "configs")
    for folder in folders:
        if (folder / name).is_file():
            return folder / name
    known = [str(path.relative_to(folder)) for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()]
    raise ConfigError(f"no shipped configuration '{name}'{suggest(name, known)}: name a shipped one, or your own file ending in .yaml")
