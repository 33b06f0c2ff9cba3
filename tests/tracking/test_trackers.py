"""What every registered tracker does."""

import os
import subprocess
import sys

import pytest

from pls_ml.core.errors import ConfigError
from pls_ml.core.records import RunRecord
from pls_ml.tracking import TRACKERS, open_tracker

KINDS = [tracker.kind for tracker in TRACKERS]


@pytest.fixture
def run(bundle):
    return RunRecord("acme", "train", "v1", {"seed": "7"}, {"auc": 0.8}, {"config_digest": "c1"}, {"report.json": b"{}"}, bundle)


def run_python(code: str, folder, **environment: str) -> subprocess.CompletedProcess[str]:
    # MLflow switches its telemetry off by itself where it sees a test or a build server.
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("CI", "PYTEST", "MLFLOW", "GITHUB"))}
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=folder, env=ours | environment, timeout=60
    )


def test_every_kind_is_registered_once():
    assert sorted(KINDS) == ["mlflow", "none"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_tracker_opens_by_its_kind_without_creating_anything(kind, tmp_path):
    tracker = open_tracker(kind, None, tmp_path / "out")

    assert tracker.kind == kind
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_and_a_champion_come_back_as_one_line_each(kind, folder, run):
    tracker = open_tracker(kind, None, folder)

    lines = [tracker.log_run(run).line, tracker.set_champion("v1")]

    assert all(isinstance(line, str) and line and "\n" not in line for line in lines)
    assert str(folder) in lines[0]


@pytest.mark.parametrize("kind", KINDS)
def test_a_record_is_left_as_it_was(kind, folder, run, bundle):
    before = (dict(run.tags), dict(run.parameters), sorted(path.name for path in bundle.folder.rglob("*")))

    open_tracker(kind, None, folder).log_run(run)

    assert (run.tags, run.parameters, sorted(path.name for path in bundle.folder.rglob("*"))) == before


def test_an_unknown_kind_is_refused_with_the_nearest_one(tmp_path):
    with pytest.raises(ConfigError, match=r"'mlfow' is unknown.*did you mean 'mlflow'"):
        open_tracker("mlfow", None, tmp_path)


def test_the_null_tracker_writes_nothing_and_says_so(tmp_path, run):
    tracker = open_tracker("none", None, tmp_path / "out")

    lines = [tracker.log_run(run).line, tracker.set_champion(None)]

    assert all("nothing was written" in line for line in lines)
    assert not (tmp_path / "out").exists()


def test_the_null_tracker_has_no_runs_and_says_how_to_keep_them(tmp_path):
    tracker = open_tracker("none", None, tmp_path / "out")

    with pytest.raises(ConfigError, match=r"switched off .*set `tracking\.kind: mlflow` and run `pls-ml train --track`"):
        tracker.list_runs("acme")
    with pytest.raises(ConfigError, match="switched off"):
        tracker.read_report("abc")


def test_the_null_tracker_prints_no_password(tmp_path, run):
    tracker = open_tracker("none", "https://ann:s3cret@host/", tmp_path)

    assert "s3cret" not in tracker.log_run(run).line + tracker.set_champion(None)


def test_importing_the_package_does_not_import_mlflow(tmp_path):
    code = "import sys, pls_ml.tracking; print([name for name in ('mlflow', 'sqlalchemy') if name in sys.modules])"

    done = run_python(code, tmp_path, PYTHONPATH=os.pathsep.join(sys.path))

    assert (done.stdout.strip(), done.returncode) == ("[]", 0), done.stderr


NIGHT = """
import os, socket
from pathlib import Path
asked = []
def refuse(*arguments, **_):
    asked.append(arguments)
    raise OSError("no network here")
socket.socket.connect = socket.getaddrinfo = refuse
before = dict(os.environ)
from pls_ml.core.records import RunRecord, ServedBundle
from pls_ml.tracking import open_tracker
bundle = ServedBundle(Path("bundle"), "nowhere:open_scorer", {"events": False}, ("score",), ("pls-ml==0.1.0",))
run = RunRecord("acme", "train", "v1", {"seed": "7"}, {"auc": 0.8}, {}, {}, bundle)
tracker = open_tracker("mlflow", None, Path("out"))
tracker.log_run(run)
tracker.set_champion(None)
tracker.list_runs("acme")
import mlflow
assert mlflow.telemetry.get_telemetry_client() is None, "telemetry is on"
assert not asked, asked
assert dict(os.environ) == before, set(os.environ.items()) ^ set(before.items())
assert mlflow.active_run() is None
assert sorted(os.listdir(".")) == ["bundle", "out"], os.listdir(".")
assert sorted(os.listdir("out")) == ["mlartifacts", "mlflow.db"], os.listdir("out")
"""


def test_a_first_run_is_silent_offline_and_leaves_the_process_as_it_was(bundle, tmp_path):
    done = run_python(NIGHT, tmp_path, PYTHONPATH=os.pathsep.join(sys.path))

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
