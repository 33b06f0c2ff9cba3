"""YAML is read strictly: plain data only, every problem at once, each with its line and the nearest valid name."""

from pathlib import Path
from textwrap import dedent

import pytest

from pls_ml.core.builtin import find_builtin
from pls_ml.core.catalogue import Catalogue
from pls_ml.core.errors import ConfigError
from pls_ml.io.yaml import MAX_BYTES, read_spec, read_yaml
from pls_ml.workflows.config import ProjectConfig

DATA = "data: {users: {path: users.csv}}\n"


@pytest.fixture
def read(tmp_path: Path):
    def read(text: str | bytes, model=ProjectConfig):
        path = tmp_path / "pls.yaml"
        path.write_bytes(text if isinstance(text, bytes) else dedent(text).encode())
        return read_spec(path, model, "project file")

    return read


def problems(read, text: str, model=ProjectConfig) -> list[str]:
    """The lines of the refusal, without its first."""
    with pytest.raises(ConfigError) as found:
        read(text, model)
    return [line.strip() for line in str(found.value).splitlines()[1:]]


def test_an_unknown_key_is_refused_with_its_line_and_the_nearest_name(read):
    assert problems(read, f"project: x\n{DATA}\nscorcard: card_a\n") == ["line 4: unknown key `scorcard` (did you mean 'scorecard'?)"]


def test_an_unknown_key_without_a_near_name_gets_no_guess(read):
    assert problems(read, f"project: x\n{DATA}zzz: 1\n") == ["line 3: unknown key `zzz`"]


def test_an_unknown_key_deep_inside_is_refused_with_its_own_line(read):
    text = """
        project: x
        data:
          users:
            path: users.csv
            colums: {}
    """

    assert problems(read, text) == ["line 6: unknown key `data.users.colums` (did you mean 'columns'?)"]


def test_an_unknown_key_in_a_union_is_compared_with_the_keys_of_its_kind(read):
    text = f"project: x\n{DATA}outcome:\n  kind: activity\n  days: 3\n  within_dys: 7\n"

    found = problems(read, text)

    assert any("line 6: unknown key" in line and "(did you mean 'within_days'?)" in line for line in found)
    assert any("within_days` is missing" in line for line in found)


def test_an_unknown_key_in_a_union_inside_a_list_is_refused_with_its_line(read):
    text = f"""
project: x
{DATA}signals:
  define:
    - {{id: a, family: f, label: l, measure: {{kind: age_days}}}}
    - id: b
      family: f
      label: l
      windows: [7d]
      measure:
        kind: count
        evnts: [view]
"""

    [line] = problems(read, text)

    assert line.startswith("line 13: unknown key `signals.define.1.measure")
    assert line.endswith("(did you mean 'events'?)")


def test_an_unknown_kind_is_refused_with_the_known_ones(read):
    assert problems(read, f"project: x\n{DATA}outcome: {{kind: activty}}\n") == [
        "line 3: `outcome.kind` is 'activty' (did you mean 'activity'?): expected one of opportunities, events, activity, column"
    ]


def test_a_union_without_a_kind_is_refused(read):
    assert problems(read, f"project: x\n{DATA}outcome: {{days: 3}}\n") == ["line 3: `outcome.kind` is missing"]


def test_all_problems_are_told_at_once_in_the_order_of_the_declaration(read):
    text = f"project: Bad Name\n{DATA}horizon: {{horizon_days: 0}}\nmodel:\n  seeds: 99\n  use: magic\nsplit: 5\n"

    found = problems(read, text)

    assert [line.split(":")[0] for line in found] == ["line 1", "line 3", "line 7", "line 6", "line 5"]
    assert "`horizon.horizon_days`: input should be greater than or equal to 1, got 0" in found[1]


def test_the_number_of_problems_is_said_first(read):
    with pytest.raises(ConfigError, match=r"pls\.yaml has 2 problems:\n  line 1: `project` is missing"):
        read("data: {users: {path: users.csv}}\nscorcard: x\n")


def test_a_missing_value_is_called_that(read):
    assert problems(read, f"project: x\n{DATA}tracking: {{kind: null}}\n") == [
        "line 3: `tracking.kind`: input should be 'mlflow' or 'none', got no value"
    ]


@pytest.mark.parametrize("text", ["no", "off", "yes", "on", "n", "y"])
def test_words_that_other_readers_take_for_flags_stay_words(read, text):
    config = read(f"project: {text}\ndata: {{users: {{path: {text}}}}}\nscorecard: {text}\n")

    assert (config.project, config.data.users.path, config.scorecard) == (text, text, text)


@pytest.mark.parametrize("value", ["5", "1.5", "true", "2024-01-01", "[a]", "{a: b}"])
def test_something_that_is_no_text_is_not_made_one(read, value):
    [line] = problems(read, f"project: {value}\n{DATA}")

    assert line.startswith("line 1: `project`: input should be a valid string")


@pytest.mark.parametrize(
    "text",
    [
        f"project: x\n{DATA}project: y\n",
        "project: x\ndata:\n  users: {path: a,\n    path: b}\n",
    ],
)
def test_a_repeated_key_is_refused_with_its_line(read, text):
    with pytest.raises(ConfigError, match=r"pls\.yaml line [34]: found duplicate key \"(project|path)\"$"):
        read(text)


@pytest.mark.parametrize(
    "text",
    [
        "project: &name x\ndata: {users: {path: users.csv}}\n",
        "project: x\ndata: {users: &u {path: users.csv}}\n",
        "base: &b {path: users.csv}\nproject: x\ndata: {users: *b}\n",
        "project: !name x\ndata: {users: {path: users.csv}}\n",
        "project: !!str 5\ndata: {users: {path: users.csv}}\n",
        "project: x\ndata: !!python/dict {users: {path: users.csv}}\n",
        "project: x\ndata: {users: {path: !!python/object/apply:os.getcwd []}}\n",
        "project: x\ndata: {users: !!omap [path: users.csv]}\n",
    ],
    ids=["anchor on text", "anchor on mapping", "alias", "own tag", "text tag", "python mapping", "python call", "ordered mapping"],
)
def test_anchors_aliases_and_tags_are_refused_with_their_line(read, text):
    with pytest.raises(ConfigError, match=r"pls\.yaml line [12]: anchors, aliases and tags are not read; write the value out"):
        read(text)


def test_a_file_that_is_too_big_is_refused_before_it_is_parsed(read):
    with pytest.raises(ConfigError, match=r"pls\.yaml has 1,000,009 bytes: expected at most 1,000,000"):
        read(b"project: " + b"[" * MAX_BYTES)


@pytest.mark.parametrize("text", ["project: " + "[" * 5000, "{a: " * 3000 + "}" * 3000, "- " * 3000])
def test_a_file_that_is_nested_without_end_is_refused(read, text):
    with pytest.raises(ConfigError, match=r"pls\.yaml line 1: nested more than 50 levels deep; write it flatter"):
        read(text)


@pytest.mark.parametrize("text", ["", "# a comment\n", "- a\n- b\n", "hello\n", "5\n"])
def test_a_file_that_is_no_mapping_is_refused(read, text):
    with pytest.raises(ConfigError, match=r"pls\.yaml is not a mapping of keys to values"):
        read(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("project: x\n data: y\n", "line 2: mapping values are not allowed here"),
        ("project: [a\n", "line 2: "),
        ("project: x\ndata:\n\tusers: y\n", "line 3: "),
        ("project: x\n---\nproject: y\n", "line 2: "),
        (b"project: \xe9\n", "unacceptable character"),
        (b"project: a\0b\n", "unacceptable character"),
    ],
)
def test_text_that_is_no_yaml_is_refused_in_one_line(read, text, message):
    with pytest.raises(ConfigError, match=message) as found:
        read(text)
    assert "\n" not in str(found.value)


@pytest.mark.parametrize("here", [False, True])
def test_a_project_file_that_is_not_there_is_refused_with_the_command_that_writes_one(tmp_path, here):
    path = tmp_path if here else tmp_path / "pls.yaml"

    with pytest.raises(ConfigError, match=r"no project file at .*: run `pls-ml init` to write one, or give its path"):
        read_yaml(path, "project file")


def test_another_file_that_is_not_there_is_refused_without_that_command(tmp_path):
    with pytest.raises(ConfigError, match=r"no scorecard at .*card\.yaml: give its path$"):
        read_yaml(tmp_path / "card.yaml", "scorecard")


def test_a_reason_that_a_declaration_gives_is_told(read):
    text = """
        signals:
          - {id: a, family: f, label: l, measure: {kind: count}}
          - {id: b, family: f, label: l, measure: {kind: age_days}, windows: [7d]}
          - {id: c, family: f, label: l, measure: {kind: age_days}}
    """

    assert problems(read, text, Catalogue) == [
        "line 3: `signals.0`: signal 'a' needs `windows`, for example [30d] or [lifetime] (measure 'count')",
        "line 4: `signals.1`: signal 'b' takes no `windows` (measure 'age_days')",
    ]


def test_the_shipped_catalogue_is_valid():
    catalogue = read_spec(find_builtin("signals/default.yaml"), Catalogue, "catalogue")

    assert len(list(catalogue)) > 40


@pytest.mark.parametrize("name", ["project.yaml", "demo.yaml", "relax.yaml", "bpi2012.yaml"])
def test_the_shipped_project_files_are_valid(name):
    assert read_spec(find_builtin(name), ProjectConfig, "project file").data.events is not None


def test_a_shipped_file_that_does_not_exist_is_refused_with_the_nearest_one():
    with pytest.raises(
        ConfigError, match=r"no shipped configuration 'scorecards/cart_b\.yaml' \(did you mean 'scorecards/card_b\.yaml'\?\)"
    ):
        find_builtin("scorecards/cart_b.yaml")
