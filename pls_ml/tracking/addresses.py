"""Tracking addresses: the default one, how to look at it, and how to print it without its secrets."""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from pls_ml.core.errors import ConfigError, suggest

DATABASES = ("sqlite", "postgresql", "mysql", "mssql")
SERVERS = ("http", "https")

# Up to the last @ of the word, so that a password with / or @ in it is covered; sqlite:/// has no user part.
_USER_PART = re.compile(r"(?<=://)[^\s/'\"][^\s'\"]*@")
_SECRET_ARGUMENT = re.compile(r"(?<=[?&;])([\w.-]*(?:pass|pwd|secret|token|key|sig|credential)[\w.-]*=)[^&;\s'\"]*", re.IGNORECASE)


@dataclass(frozen=True)
class Address:
    """Where runs and models go: a database with an artifact folder beside it, or an MLflow server that keeps its own."""

    uri: str
    folder: Path
    database_file: Path | None

    @property
    def is_database(self) -> bool:
        """Takes nothing; returns whether MLflow talks to a database itself rather than to a server."""
        return _scheme(self.uri) in DATABASES

    @property
    def is_missing(self) -> bool:
        """Takes nothing; returns whether nothing was ever written there: looking must not leave an empty database behind."""
        return self.database_file is not None and not self.database_file.exists()

    @property
    def artifacts(self) -> str | None:
        """Takes nothing; returns the URI for artifacts of a new experiment, None where the server decides."""
        return (self.folder / "mlartifacts").as_uri() if self.is_database else None

    def __str__(self) -> str:
        """Takes nothing; returns the address without its secrets."""
        return redact(self.uri)

    def describe_view(self, experiment_id: str, run_id: str) -> str:
        """Takes an experiment's and a run's id; returns what a person types or opens to see that run."""
        if self.is_database:
            return f"mlflow ui --backend-store-uri {shlex.quote(str(self))}"
        return f"open {str(self).rstrip('/')}/#/experiments/{experiment_id}/runs/{run_id}"


def resolve_address(uri: str | None, folder: Path) -> Address:
    """Takes an address (None: `mlflow.db` in the folder) and an output folder; returns where to write.

    Refuses with `ConfigError` an address of another scheme, and a folder that MLflow would misread as part of an address.
    """
    folder = folder.resolve()
    if uri is not None:
        if _scheme(uri) not in DATABASES + SERVERS:
            raise ConfigError(_describe_unknown_scheme(uri))
        return Address(uri, folder, None)
    if set("?%") & set(str(folder)):
        raise ConfigError(f"MLflow cannot keep its database in {folder}: '?' and '%' are read as address syntax; choose another `output`")
    file = folder / "mlflow.db"
    return Address(f"sqlite:///{file.as_posix()}", folder, file)


def redact(text: str) -> str:
    """Takes any text; returns it with the user part and the secret arguments of every address in it replaced by ***."""
    return _SECRET_ARGUMENT.sub(r"\1***", _USER_PART.sub("***@", text))


def _scheme(uri: str) -> str:
    return urlsplit(uri).scheme.split("+")[0]


def _describe_unknown_scheme(uri: str) -> str:
    known = DATABASES + SERVERS
    near = suggest(_scheme(uri), known)
    return f"tracking uri '{redact(uri)}' is no address MLflow can use here{near}: expected one that starts with {', '.join(known)}"
