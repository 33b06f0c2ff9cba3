"""`pls-ml backtest` as a person runs it."""

from commands import plain_json, refusal, run


def test_a_backtest_prints_its_rule_its_folds_and_its_decision_and_saves_no_model(world, tmp_path):
    found = plain_json(run("backtest", "--project", world, "--output", tmp_path / "out", "--json"))

    assert found["rule"].startswith("chosen beats rules if the lower end")
    assert len(found["folds"]) == 5
    assert found["decision"] == found["comparison"]["decision"]["sentence"]
    assert found["contact"] is None
    assert (tmp_path / "out" / "backtest.json").exists()
    assert not (tmp_path / "out" / "models").exists()


def test_too_many_folds_for_the_data_are_refused_in_one_sentence(world, tmp_path):
    project = tmp_path / "pls.yaml"
    project.write_text(world.read_text().replace("every_days: 14", "every_days: 56") + "backtest: {folds: 8}\n")

    sentence = refusal(run("backtest", "--project", project, "--data", world.parent), 4)

    assert "moments are left to test for 8 folds" in sentence
    assert "use fewer folds" in sentence
