"""A quiet MLflow client for the length of one call; its failures come out as this package's own errors."""

import logging
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from pls_ml.core.errors import ConfigError, MissingExtraError, PlsError, WriteError
from pls_ml.tracking.addresses import Address, redact

if TYPE_CHECKING:
    from mlflow import MlflowClient

# MLflow reads these at its import and again at every call, so they hold for the call only.
_FORCED = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}
# MLflow's own values let an unreachable server hold a training run for minutes; the environment may ask for more patience.
_UNLESS_SET = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2", "MLFLOW_HTTP_REQUEST_TIMEOUT": "30"}
_LONGEST_REASON = 300
_CLOSING = "\"')"


@contextmanager
def connect(address: Address) -> Iterator["MlflowClient"]:
    """Takes an address; gives a client of it, leaving MLflow's own addresses, environment and log levels as they were.

    Refuses with `WriteError` what cannot be written, with `MissingExtraError` a missing database driver and with
    `ConfigError` what MLflow cannot reach or does not accept.
    """
    with _set_environment(), _hush_logs():
        from mlflow import MlflowClient
        from mlflow.exceptions import MlflowException
        from sqlalchemy.exc import SQLAlchemyError

        try:
            with _create_fast(address):
                _try_database(address)
                client = MlflowClient(tracking_uri=address.uri, registry_uri=address.uri)
            yield client
        except PlsError:
            raise
        except (MlflowException, SQLAlchemyError, OSError, ModuleNotFoundError) as error:
            # The cause is not chained: its text may hold the address with the password.
            raise _translate(error, address) from None


def _try_database(address: Address) -> None:
    """Opens a database once before MLflow does, which would try for minutes; SQLite files are tried for writing."""
    if not address.is_database:
        return
    from sqlalchemy import create_engine
    from sqlalchemy.pool import NullPool

    if address.database_file:
        address.database_file.parent.mkdir(parents=True, exist_ok=True)
    with create_engine(address.uri, poolclass=NullPool).connect() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")


@contextmanager
def _create_fast(address: Address) -> Iterator[None]:
    """Lets a new SQLite file be made without waiting for the disk after each of MLflow's thousand small steps.

    Nothing is lost by it: the file holds no run yet, and every later write waits for the disk again, this file included.
    """
    if not address.is_missing:
        yield
        return
    from sqlalchemy import Engine, event

    opened: list[sqlite3.Connection] = []

    def hurry(connection: object, _record: object) -> None:
        if isinstance(connection, sqlite3.Connection) and _opens(connection, address):
            connection.execute("PRAGMA synchronous=OFF")
            opened.append(connection)

    event.listen(Engine, "connect", hurry)
    try:
        yield
    finally:
        event.remove(Engine, "connect", hurry)
        for connection in opened:
            with suppress(sqlite3.ProgrammingError):  # closed meanwhile
                connection.execute("PRAGMA synchronous=FULL")


def _opens(connection: sqlite3.Connection, address: Address) -> bool:
    return str(address.database_file) in {file for _, _, file in connection.execute("PRAGMA database_list")}


def _translate(error: Exception, address: Address) -> PlsError:
    from sqlalchemy.exc import OperationalError

    reason = _first_line(error)
    if isinstance(error, ModuleNotFoundError):
        return MissingExtraError(f"tracking at {address} needs a database driver ({reason}); install it, or leave `tracking.uri` out")
    operational = isinstance(error, OperationalError) or getattr(error, "error_code", "") == "TEMPORARILY_UNAVAILABLE"
    is_local = isinstance(error, OSError) and address.is_database
    if is_local or (operational and address.uri.startswith("sqlite")):
        return WriteError(f"cannot write the run to {address}: {reason}; free space or choose another `output` folder")
    return ConfigError(f"tracking at {address} failed: {reason}; check `tracking.uri`, or set `tracking.kind: none` to do without it")


def _first_line(error: Exception) -> str:
    """Takes a failure; returns its reason in one line without secrets; of an unreachable server, the last and plain part only."""
    line = redact(str(error)).strip().split("\n")[0].rstrip(". ")
    if "Max retries exceeded" in line:
        line = f"the server cannot be reached ({line.split(': ')[-1].rstrip(_CLOSING)})"
    return line if len(line) <= _LONGEST_REASON else f"{line[:_LONGEST_REASON]}…"


@contextmanager
def _set_environment() -> Iterator[None]:
    wanted = {name: os.environ.get(name, value) for name, value in _UNLESS_SET.items()} | _FORCED
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def _hush_logs() -> Iterator[None]:
    import mlflow  # noqa: F401  # its import sets up the handler that is filtered here

    handlers = logging.getLogger("mlflow").handlers[:]
    for handler in handlers:
        handler.addFilter(_is_worth_reading)
    try:
        yield
    finally:
        for handler in handlers:
            handler.removeFilter(_is_worth_reading)


def _is_worth_reading(record: logging.LogRecord) -> bool:
    """Warnings, yes; chatter and tracebacks of errors that are raised as well, no."""
    return record.levelno >= logging.WARNING and not record.exc_info
