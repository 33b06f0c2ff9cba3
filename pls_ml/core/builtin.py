"""The configuration files that ship with the package."""

from pathlib import Path

from pls_ml.core.errors import ConfigError, suggest

_PACKAGE = Path(__file__).resolve().parent.parent


def find_builtin(name: str) -> Path:
    """Takes a path below `configs/`; returns the file, from the installed package or a source checkout."""
    for folder in (_PACKAGE / "configs", _PACKAGE.parent / "configs"):
        if (folder / name).is_file():
            return folder / name
    known = [str(p.relative_to(folder)) for p in sorted(folder.rglob("*")) if p.is_file()] if folder.is_dir() else []
    raise ConfigError(f"no shipped configuration '{name}'{suggest(name, known)}")
