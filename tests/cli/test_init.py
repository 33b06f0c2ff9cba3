import pytest
from commands import refusal, run

from pls_ml.io.yaml import read_spec
from pls_ml.workflows.config import ProjectConfig


def test_the_file_that_init_writes_is_valid(tmp_path):
    path = tmp_path / "new" / "pls.yaml"

    result = run("init", path)

    assert result.exit_code == 0
    assert result.stdout == f"wrote {path}: fill in `data`, then run `pls-ml check`\n"
    config = read_spec(path, ProjectConfig, "project file")
    assert config.data.events.columns["event_time"] == "timestamp"


def test_init_writes_pls_yaml_where_it_is_called(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run("init").exit_code == 0

    again, checked = run("init"), run("check")

    assert refusal(again, 3) == "pls.yaml exists already: edit it, or give another path"
    assert "events.parquet: expected a Parquet or CSV file; the folder has pls.yaml" in refusal(checked, 4)


def test_a_file_that_is_there_is_not_touched(tmp_path):
    path = tmp_path / "pls.yaml"
    path.write_text("mine")

    refusal(run("init", path), 3)

    assert path.read_text() == "mine"


@pytest.mark.parametrize("where", ["file/pls.yaml", "file/deeper/pls.yaml"])
def test_a_place_that_cannot_be_written_is_named(tmp_path, where):
    (tmp_path / "file").write_text("")

    assert refusal(run("init", tmp_path / where), 73).startswith(f"cannot write {tmp_path / where}: ")
