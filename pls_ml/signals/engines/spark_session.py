"""One Spark session: the one that is active, or a quiet local one started on demand."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path
from typing import IO, TYPE_CHECKING

from pls_ml.core.errors import MissingExtraError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

JAVA = 17
"""The oldest Java that Spark 4 runs on."""
SETTINGS = {"spark.sql.session.timeZone": "UTC", "spark.sql.variable.substitute": "false", "spark.sql.ansi.enabled": "true"}
"""What the generated SQL relies on: naive times are UTC, `${…}` in a text is text, and a number that does not fit is an error."""


def open_session(threads: int) -> SparkSession:
    """Takes how many threads a local session may use; returns a session of its own on the active one's cluster, else a local one.

    Nothing of an active session is changed. Refuses a machine without pyspark, or, where Spark must be started, without Java.
    """
    try:
        from pyspark.errors import PySparkRuntimeError
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise MissingExtraError(
            f'Spark needs pyspark, which is not installed ({error}): run `pip install "pls-ml[spark]"`, or choose another engine'
        ) from error
    _quieten()
    try:
        base = SparkSession.active()
    except PySparkRuntimeError:
        base = _start_locally(threads)
    return set_apart(base)


def set_apart(base: SparkSession) -> SparkSession:
    """Takes a session; returns another on its cluster with the settings that the generated SQL relies on."""
    session = base.newSession()
    for name, value in SETTINGS.items():
        session.conf.set(name, value)
    return session


def require_java() -> None:
    """Takes nothing; returns nothing; refuses a machine without Java, and one whose Java is too old for Spark."""
    home = os.environ.get("JAVA_HOME")
    command = str(Path(home) / "bin" / "java") if home else shutil.which("java")
    found = _read_version(command) if command else None
    if found is None:
        where = f"there is none in JAVA_HOME ({home})" if home else "no `java` was found on the PATH"
        raise MissingExtraError(f"Spark needs Java {JAVA} or later, and {where}: install a JDK, or point JAVA_HOME to one")
    if found < JAVA:
        raise MissingExtraError(f"Spark needs Java {JAVA} or later, and {command} is Java {found}: point JAVA_HOME to a newer one")


def _read_version(command: str) -> int | None:
    try:
        said = subprocess.run([command, "-version"], capture_output=True, text=True, check=False)  # noqa: S603  # the user's own Java
    except OSError:
        return None
    version = re.search(r'version "(\d+)', said.stderr + said.stdout)
    return int(version[1]) if version else None


def _start_locally(threads: int) -> SparkSession:
    from pyspark import SparkConf, SparkContext
    from pyspark.java_gateway import launch_gateway
    from pyspark.sql import SparkSession

    require_java()
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)  # else workers are whatever `python3` is
    settings = {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.host": "127.0.0.1",  # a host name that does not resolve would stop the start
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.sql.shuffle.partitions": str(threads),
        "spark.sql.warehouse.dir": str(Path(tempfile.gettempdir()) / "spark-warehouse"),  # else a folder in the working directory
    }
    conf = SparkConf().setMaster(f"local[{threads}]").setAppName("pls-ml").setAll(list(settings.items()))
    with tempfile.TemporaryFile() as log:  # Java keeps it open; errors reach Python as exceptions
        try:
            context = SparkContext(conf=conf, gateway=launch_gateway(conf, {"stderr": log}))
        except Exception as error:
            last = _read_end(log)
            raise MissingExtraError(f"Spark did not start ({error}): {last}; check the Java of JAVA_HOME or of the PATH") from error
    context.setLogLevel("OFF")
    return SparkSession(context)


def _read_end(log: IO[bytes]) -> str:
    log.seek(0)
    lines = log.read().decode(errors="replace").strip().splitlines()
    return " / ".join(lines[-3:]) or "it said nothing"


def _quieten() -> None:
    from pyspark.logger import PySparkLogger

    for name in ("SQLQueryContextLogger", "DataFrameQueryContextLogger"):  # they print each exception a second time, as JSON
        PySparkLogger.getLogger(name).disabled = True
    warnings.filterwarnings("ignore", message="PySpark does not yet fully support pandas", category=FutureWarning)
