"""Addresses: where MLflow writes by default, what is refused, and what is never printed."""

import shutil
import traceback
from pathlib import Path

import pytest

from pls_ml.core.errors import ConfigError
from pls_ml.core.records import RunRecord
from pls_ml.tracking import MlflowTracker
from pls_ml.tracking.addresses import redact, resolve_address


def test_the_default_is_a_database_in_the_folder_with_artifacts_beside_it(tmp_path):
    address = resolve_address(None, tmp_path / "out")

    assert address.uri == f"sqlite:///{(tmp_path / 'out').as_posix()}/mlflow.db"
    assert address.artifacts == (tmp_path / "out" / "mlartifacts").as_uri()


def test_a_relative_folder_becomes_a_full_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    assert resolve_address(None, Path("out")) == resolve_address(None, tmp_path / "out")


def test_a_server_decides_where_its_artifacts_go(tmp_path):
    assert resolve_address("https://host:5000", tmp_path).artifacts is None


@pytest.mark.parametrize("name", ["with space", "ünï", "hash#mark", "at@colon:x"])
def test_a_folder_with_unusual_signs_holds_database_and_artifacts(tmp_path, bundle, empty_database, name):
    run = RunRecord("acme", "train", "v1", {}, {}, {}, {}, bundle)
    (tmp_path / name).mkdir()
    shutil.copy(empty_database, tmp_path / name / "mlflow.db")

    MlflowTracker(None, tmp_path / name).log_run(run)

    assert sorted(path.name for path in (tmp_path / name).iterdir()) == ["mlartifacts", "mlflow.db"]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["bundle", name])


@pytest.mark.parametrize("name", ["what?", "100%25"])
def test_a_folder_that_mlflow_would_misread_is_refused(tmp_path, name):
    with pytest.raises(ConfigError, match="read as address syntax; choose another `output`"):
        resolve_address(None, tmp_path / name)


@pytest.mark.parametrize(
    ("uri", "expected"),
    [("./mlruns", "no address"), ("file:///x", "no address"), ("databricks", "no address"), ("htps://host", r"did you mean 'https'")],
)
def test_an_address_of_another_scheme_is_refused(tmp_path, uri, expected):
    with pytest.raises(ConfigError, match=f"'{uri}'.*{expected}"):
        resolve_address(uri, tmp_path)


def test_a_wrong_address_is_refused_without_its_password(tmp_path):
    with pytest.raises(ConfigError) as caught:
        resolve_address("mongo://ann:s3cret@host", tmp_path)

    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("postgresql://ann:s3cret@host/db", "postgresql://***@host/db"),
        ("postgresql+psycopg2://ann:s3@cr/et@host/db", "postgresql+psycopg2://***@host/db"),
        ("https://t0ken@host", "https://***@host"),
        ("mysql://host/db?user=a&password=s3cret&ssl=1", "mysql://host/db?user=a&password=***&ssl=1"),
        ("request to http://a:b@host/x failed, then http://c:d@host/y", "request to http://***@host/x failed, then http://***@host/y"),
        ("sqlite:////home/ann@work/mlflow.db", "sqlite:////home/ann@work/mlflow.db"),
        ("https://host:5000/#/x", "https://host:5000/#/x"),
        ("write to ann@example.org", "write to ann@example.org"),
    ],
)
def test_user_parts_and_secret_arguments_are_replaced_and_nothing_else(text, expected):
    assert redact(text) == expected


def test_where_to_look_on_a_server_is_the_page_of_the_run(tmp_path):
    address = resolve_address("https://ann:s3cret@host:5000/", tmp_path)

    assert address.describe_view("4", "abc") == "open https://***@host:5000/#/experiments/4/runs/abc"


def test_where_to_look_in_a_database_is_a_command_a_shell_understands(tmp_path):
    address = resolve_address(None, tmp_path / "my out")

    assert address.describe_view("4", "abc").endswith(f"'sqlite:///{tmp_path}/my out/mlflow.db'")


def test_an_unreachable_server_is_one_sentence_without_the_password(tmp_path, bundle, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    run = RunRecord("acme", "train", "v1", {}, {}, {}, {}, bundle)
    tracker = MlflowTracker("http://ann:{}@127.0.0.1:9/".format("s3cret"), tmp_path)  # in parts: a traceback quotes source lines

    with pytest.raises(ConfigError, match=r"server cannot be reached .*set `tracking\.kind: none`") as caught:
        tracker.log_run(run)

    printed = "".join(traceback.format_exception(caught.value))
    assert "s3cret" not in printed
    assert "\n" not in str(caught.value)
