"""X Education's leads: what reps filled in is named, by its name or by what it knows; without it the audit stays quiet."""

import os
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from projects import FAST, merge, open_config
from ruamel.yaml import YAML

from pls_ml.core.errors import LeakageError
from pls_ml.workflows.leak_audit import find_leaks
from pls_ml.workflows.training_rows import load_training_rows, split_training

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("PLS_ML_DATA", ROOT.parent / "shared" / "data"))
FILLED_BY_REPS = (
    "Tags",
    "Lead Quality",
    "Lead Profile",
    "Last Activity",
    "Last Notable Activity",
    "Asymmetrique Activity Index",
    "Asymmetrique Profile Index",
)


def open_leads(folder, define=(), renamed=None):
    if not (DATA / "xeducation").is_dir():
        pytest.skip(f"the data set 'xeducation' is not in {DATA}: set PLS_ML_DATA to the folder that has it")
    file = ROOT / "experiments" / "0003_default_catalogue" / "xeducation.yaml"
    config = YAML(typ="safe", pure=True).load(file.read_text(encoding="utf-8"))
    leads = pq.read_table(DATA / "xeducation" / "leads.parquet").rename_columns(renamed or {})
    return open_config(merge(merge(config, FAST), {"signals": {"define": list(define)}}), folder, tables={"users": leads})


def read_column(name, column):
    return {
        "id": name,
        "family": "web",
        "label": name,
        "measure": {"kind": "attribute", "table": "users", "column": column, "type": "category"},
    }


def look_for_leaks(project):
    data, table, rows, _ = load_training_rows(project)
    return find_leaks(project, data, table, rows, split_training(project, rows))


def test_without_what_reps_filled_in_nothing_is_suspected(tmp_path):
    assert look_for_leaks(open_leads(tmp_path)).suspects == ()


def test_every_field_that_reps_filled_in_is_named_at_once(tmp_path):
    define = [read_column(f"field_{number}", column) for number, column in enumerate(FILLED_BY_REPS)]

    with pytest.raises(LeakageError) as stopped:
        open_leads(tmp_path, define).train()

    for number, column in enumerate(FILLED_BY_REPS):
        assert f"signal 'field_{number}' reads `users.{column}`, which is filled in or overwritten later" in str(stopped.value)


def test_tags_under_another_name_are_found_by_what_they_know(tmp_path):
    found = look_for_leaks(open_leads(tmp_path, renamed={"Tags": "remarked"}))

    assert [one.name for one in found.suspects] == ["remarked_of_user"]
    assert found.signals[0].auc > 0.9
