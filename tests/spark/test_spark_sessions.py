"""A session is found or started without noise, and what Spark needs is named when it is missing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pls_ml.core.errors import MissingExtraError
from pls_ml.signals.engines.spark_session import open_session, require_java


def write_java(folder: Path, says: str) -> str:
    """A program called java that says what it is told, on stderr as Java does; returns the JAVA_HOME it is in."""
    program = folder / "jdk" / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\necho '{says}' >&2\n", encoding="utf-8")
    program.chmod(0o755)
    return str(folder / "jdk")


def run_python(code: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    ours = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)} | environment
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=folder, env=ours, timeout=120)


def test_a_local_session_prints_nothing_even_where_a_query_fails_and_leaves_no_files(spark_is_here, tmp_path):
    code = """
from pls_ml.signals.engines.spark_session import open_session
session = open_session(1)
try:
    session.sql("SELECT 1 / 0").collect()
except Exception as error:
    print(error.getCondition())
"""

    done = run_python(code, tmp_path)

    assert (done.stdout, done.stderr) == ("DIVIDE_BY_ZERO\n", "")
    assert list(tmp_path.iterdir()) == []


def test_a_second_session_is_on_the_cluster_of_the_active_one_and_leaves_its_settings_alone(spark):
    spark.conf.set("spark.sql.session.timeZone", "America/New_York")
    try:
        other = open_session(7)

        assert other.sparkContext.applicationId == spark.sparkContext.applicationId
        assert other.conf.get("spark.sql.session.timeZone") == "UTC"
        assert spark.conf.get("spark.sql.session.timeZone") == "America/New_York"
    finally:
        spark.conf.set("spark.sql.session.timeZone", "UTC")


def test_dollar_signs_in_a_text_stay_there(spark):
    assert spark.sql("SELECT '${a} $b' AS text").collect()[0].text == "${a} $b"


def test_workers_run_the_same_python(spark):
    found = spark.sparkContext.parallelize([0], 1).map(lambda _: sys.executable).collect()

    assert found == [sys.executable]


def test_without_pyspark_the_extra_to_install_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)

    with pytest.raises(MissingExtraError, match=r'run `pip install "pls-ml\[spark\]"`'):
        open_session(1)


def test_a_java_that_is_new_enough_is_accepted(monkeypatch, tmp_path):
    monkeypatch.setenv("JAVA_HOME", write_java(tmp_path, 'Picked up JAVA_TOOL_OPTIONS\nopenjdk version "21.0.2" 2024-01-16'))

    assert require_java() is None


@pytest.mark.parametrize(("says", "found"), [('openjdk version "11.0.22" 2024-01-16', "11"), ('java version "1.8.0_401"', "1")])
def test_a_java_that_is_too_old_is_named_with_its_version(monkeypatch, tmp_path, says, found):
    monkeypatch.setenv("JAVA_HOME", write_java(tmp_path, says))

    with pytest.raises(MissingExtraError, match=rf"needs Java 17 or later, and .*java is Java {found}: point JAVA_HOME to a newer one"):
        require_java()


@pytest.mark.parametrize("says", [None, "Unable to locate a Java Runtime."])
def test_a_java_home_without_java_is_named(monkeypatch, tmp_path, says):
    home = str(tmp_path / "none") if says is None else write_java(tmp_path, says)
    monkeypatch.setenv("JAVA_HOME", home)

    with pytest.raises(MissingExtraError, match=r"needs Java 17 or later, and there is none in JAVA_HOME \(.*\): install a JDK"):
        require_java()


def test_without_java_on_the_path_java_is_asked_for(monkeypatch, tmp_path):
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(MissingExtraError, match=r"needs Java 17 or later, and no `java` was found on the PATH"):
        require_java()


def test_what_java_said_is_shown_when_spark_does_not_start(spark_is_here, tmp_path):
    home = write_java(tmp_path, 'openjdk version "17.0.1", on strike')
    code = "from pls_ml.signals.engines.spark_session import open_session; open_session(1)"

    done = run_python(code, tmp_path, JAVA_HOME=home)

    last = done.stderr.splitlines()[-1]
    assert "MissingExtraError: Spark did not start (" in last
    assert 'openjdk version "17.0.1", on strike' in last
