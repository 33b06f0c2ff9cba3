"""The logged model: no pickle in it, and the bundle's own scores out of it, in this process and from a server."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from projects import open_variant

from pls_ml.core.errors import BundleError
from pls_ml.workflows.bundle import load_bundle
from pls_ml.workflows.served import open_scorer
from pls_ml.workflows.tracking import track_training

PICKLES = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05", b"PK\x03\x04")


@pytest.fixture(scope="module")
def logged(trained, tmp_path_factory):
    """The trained project, tracked and promoted, and the folder of its logged model."""
    project = open_variant(trained, tmp_path_factory.mktemp("served"), {"tracking": {"kind": "mlflow"}})
    track_training(project, trained.report)
    (described,) = project.output.rglob("MLmodel")
    return project, described.parent


@pytest.fixture(scope="module")
def bundle(trained):
    return load_bundle(trained.project, trained.report.version)


@pytest.fixture(scope="module")
def signals(trained, bundle) -> pd.DataFrame:
    """The signal columns of the night."""
    return trained.project.signals(trained.night.as_of).to_frame()[[column.name for column in bundle.catalogue]]


@pytest.fixture
def model(logged, monkeypatch):
    """The logged model, loaded where pickle is forbidden."""
    import mlflow

    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
    return mlflow.pyfunc.load_model(str(logged[1]))


def expect(bundle, signals) -> pd.DataFrame:
    raw = bundle.scorers[bundle.used].raw_score(signals)
    return pd.DataFrame({"raw_score": raw, "score": bundle.calibrators[bundle.used].transform(raw)}, index=signals.index)


def test_the_model_holds_text_and_json_only(logged, bundle):
    files = {path.relative_to(logged[1]).as_posix(): path.read_bytes() for path in logged[1].rglob("*") if path.is_file()}

    assert not [name for name, content in files.items() if content.startswith(PICKLES)]
    assert {Path(name).suffix for name in files} == {"", ".py", ".json", ".txt", ".yaml"}
    assert f"artifacts/{bundle.version}/trees_lightgbm_0.txt" in files
    assert files["requirements.txt"].decode().split("\n")[1].startswith("pls-ml==")


def test_the_model_predicts_the_bundle_s_own_scores(model, bundle, signals):
    pd.testing.assert_frame_equal(model.predict(signals), expect(bundle, signals), check_exact=True)


def test_scores_are_those_of_the_written_night(model, trained, signals):
    night = trained.night.scores.set_index("lead_id")
    leads = trained.project.signals(trained.night.as_of).to_frame()["lead_id"]

    found = model.predict(signals).set_index(leads)

    assert np.array_equal(found.loc[night.index, "raw_score"], night["raw_score"])
    assert found.loc[night.index, "score"].to_numpy() == pytest.approx(night["score"].to_numpy(), rel=1e-12)  # there, receipts add it up


def test_the_signature_names_every_signal_as_an_optional_double_or_string(model, bundle):
    inputs = {column.name: (str(column.type), column.required) for column in model.metadata.signature.inputs}

    kinds = {True: "DataType.string", False: "DataType.double"}
    assert inputs == {column.name: (kinds[column.signal.is_category], False) for column in bundle.catalogue}
    assert [column.name for column in model.metadata.signature.outputs] == ["raw_score", "score"]


def test_columns_in_another_order_and_missing_values_score_as_in_the_bundle(model, bundle, signals):
    empty = signals.head(20).copy()
    for column in bundle.catalogue:
        empty[column.name] = None if column.signal.is_category else np.nan

    pd.testing.assert_frame_equal(model.predict(signals[signals.columns[::-1]]), expect(bundle, signals), check_exact=True)
    pd.testing.assert_frame_equal(model.predict(empty), expect(bundle, empty), check_exact=True)


def test_a_signal_that_is_not_there_is_refused_and_never_guessed(model, signals):
    name = signals.columns[0]

    with pytest.raises(BundleError, match=f"signal '{name}' is missing.*the model needs {len(signals.columns)} columns"):
        model.predict(signals.drop(columns=name))


def test_no_row_gives_no_score(model, signals):
    assert model.predict(signals.head(0)).shape == (0, 2)


def test_a_bundle_that_was_changed_is_not_served(logged, tmp_path, bundle):
    folder = shutil.copytree(logged[1] / "artifacts" / bundle.version, tmp_path / bundle.version)
    text = folder / "trees_lightgbm_0.txt"
    text.write_text(text.read_text()[:-50])

    with pytest.raises(BundleError, match=r"trees_lightgbm_0.txt is missing or was changed after training"):
        open_scorer(folder)


def test_the_model_is_found_by_its_alias(logged, bundle, signals, monkeypatch):
    import mlflow

    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{logged[0].output}/mlflow.db")

    found = mlflow.pyfunc.load_model("models:/demo@challenger").predict(signals.head(5))

    pd.testing.assert_frame_equal(found, expect(bundle, signals.head(5)), check_exact=True)


@pytest.mark.slow
def test_a_server_gives_the_bundle_s_own_scores(logged, bundle, signals, tmp_path):
    rows = signals.head(7)
    question = json.dumps({"dataframe_split": json.loads(rows.to_json(orient="split", double_precision=15))}).encode()
    with start_server(logged[1], tmp_path / "server.log") as (server, address):
        wait_until_up(server, address, tmp_path / "server.log")
        request = urllib.request.Request(f"{address}/invocations", question, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            found = pd.DataFrame(json.loads(answer.read())["predictions"])

    pd.testing.assert_frame_equal(found, expect(bundle, rows).reset_index(drop=True), rtol=1e-9)


@contextmanager
def start_server(model: Path, log: Path):
    """`mlflow models serve` on a free port, with pickle forbidden; ended with its workers by its process group."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = ["serve", "--model-uri", str(model), "--env-manager", "local", "--host", "127.0.0.1", "--port", str(port)]
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"  # where uvicorn is
    wanted = {"MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false", "MLFLOW_DISABLE_TELEMETRY": "true", "PATH": path}
    environment = os.environ | wanted | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    arguments = [sys.executable, "-m", "mlflow", "models", *command]
    with log.open("wb") as out:
        server = subprocess.Popen(arguments, env=environment, stdout=out, stderr=subprocess.STDOUT, start_new_session=True)
        try:
            yield server, f"http://127.0.0.1:{port}"
        finally:
            end(server)


def end(server: subprocess.Popen) -> None:
    for sign in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(server.pid, sign)
        with suppress(subprocess.TimeoutExpired):
            server.wait(20)
            return


def wait_until_up(server, address: str, log: Path) -> None:
    for _ in range(240):
        if server.poll() is not None:
            pytest.fail(f"the server ended: {log.read_text()[-2000:]}")
        try:
            with urllib.request.urlopen(f"{address}/ping", timeout=5):
                return
        except OSError:
            time.sleep(0.5)
    pytest.fail(f"the server did not come up: {log.read_text()[-2000:]}")
