"""Worlds with a known truth: do intervals cover it, do weights take contact bias off, do young rows bias, and which choice is better?

Run: .venv/bin/python experiments/0007_model/worlds.py
"""

import json
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd

from pls_ml.calibration import fit_calibrator
from pls_ml.core.catalogue import Catalogue
from pls_ml.core.database import Database
from pls_ml.core.windows import Horizon
from pls_ml.evaluation import CandidateScores, ComparisonOptions, compare_candidates
from pls_ml.evaluation.contact import weigh_contacts
from pls_ml.evaluation.ranking import average_precision, group_by_score, roc_auc, sort_scores
from pls_ml.labels.horizon import label_spine
from pls_ml.scores import LogisticScorer
from pls_ml.scores.learned_card import find_simplest
from pls_ml.workflows.candidates import TrainingRows, choose_candidate, fit_candidates
from pls_ml.workflows.config import ModelConfig

HERE = Path(__file__).resolve().parent
JUDGED = ("roc_auc", "average_precision", "precision_at_capacity", "log_loss", "brier", "observed_expected", "calibration_slope")
COVERAGE_WORLDS, RESAMPLES, LEADS = 1000, 400, 5
CONTACT_WORLDS = 200
YOUNG_WORLDS, LEADS_IN_TIME = 20, 20_000
CHOICE_WORLDS, CHOICE_ROWS, FRESH = 12, 3_000, 60_000


def logistic(odds):
    return 1 / (1 + np.exp(-odds))


# --- intervals ---------------------------------------------------------------------------------------------------
def draw_world(rng, n_accounts):
    """Colleagues share signals and fate; rules see one cause of two in whole points, the model both."""
    account = np.repeat(np.arange(n_accounts), LEADS)
    first, second = rng.normal(0, 0.8, (2, n_accounts))[:, account] + rng.normal(0, 0.6, (2, account.size))
    fate = rng.normal(0, 0.7, n_accounts)[account]
    labels = (rng.random(account.size) < logistic(-1.4 + first + 0.7 * second + fate)).astype(np.int8)
    margin = 0.9 * (-1.4 + first + 0.7 * second)
    return labels, {"rules": CandidateScores(np.round(2 * first)), "model": CandidateScores(margin, logistic(margin))}, account


def measure_world(rng, n_accounts, seed, resamples):
    labels, scores, account = draw_world(rng, n_accounts)
    found = compare_candidates(labels, scores, account, ComparisonOptions(0.2, "rules", "model", resamples, seed))
    return {f: found.metrics["model"][f] for f in JUDGED} | {f"difference of {f}": found.differences[f] for f in JUDGED[:3]}


def run_coverage():
    rng = np.random.default_rng(11)
    truth = {figure: found.value for figure, found in measure_world(rng, 100_000, 0, 2).items()}
    shares = {}
    for accounts in (100, 200, 400):
        covered = dict.fromkeys(truth, 0)
        for world in range(COVERAGE_WORLDS):
            for figure, found in measure_world(rng, accounts, world, RESAMPLES).items():
                covered[figure] += found.low <= truth[figure] <= found.high
        shares[accounts] = {figure: count / COVERAGE_WORLDS for figure, count in covered.items()}
        print("coverage", accounts, shares[accounts], flush=True)
    return {"worlds": COVERAGE_WORLDS, "resamples": RESAMPLES, "share": shares}


# --- contacts ----------------------------------------------------------------------------------------------------
def run_contacts():
    """Rules pick, sales calls the best 15 % of them, a call adds 1.6 to the log-odds, and a fifth of the picked is held out by chance."""
    rows = []
    for seed in range(CONTACT_WORLDS):
        rng = np.random.default_rng(seed)
        account = np.repeat(np.arange(4000), 2)
        rules, other = rng.normal(size=(2, 4000))[:, account] * 0.8 + rng.normal(size=(2, account.size)) * 0.6
        base, picked = -3.2 + 0.65 * rules + 0.6 * other, rules > np.quantile(rules, 0.85)
        treated, draw = picked & (rng.random(4000) >= 0.2)[account], rng.random(account.size)
        labels = (draw < logistic(base + 1.6 * treated)).astype(np.int8)
        scores = {"rules": rules, "model": 0.65 * rules + 0.6 * other}
        weights = weigh_contacts(treated, picked, treated, np.where(picked, 0.2, 1.0))
        kept = weights.weight > 0
        pair = {name: CandidateScores(score[kept]) for name, score in scores.items()}
        options = ComparisonOptions(0.1, "rules", "model", 200, seed, weight=weights.weight[kept])
        weighted = compare_candidates(labels[kept], pair, account[kept], options)
        rows.append({"truth": rank(draw < logistic(base), rules), "all": rank(labels, rules),
                     "uncontacted": rank(labels[~treated], rules[~treated]),
                     "weighted": weighted.metrics["rules"]["roc_auc"], "gain": weighted.differences["roc_auc"],
                     "true gain": rank(draw < logistic(base), scores["model"]) - rank(draw < logistic(base), rules),
                     "gain on all": rank(labels, scores["model"]) - rank(labels, rules)})  # fmt: skip
    truth, gain = (float(np.mean([row[name] for row in rows])) for name in ("truth", "true gain"))
    found = {"worlds": CONTACT_WORLDS, "true AUC of the rules": truth, "true gain of the model": gain}
    found |= {f"bias of {name}": float(np.mean([row[name] for row in rows])) - truth for name in ("all", "uncontacted")}
    found["bias of weighted"] = float(np.mean([row["weighted"].value for row in rows])) - truth
    found["weighted interval covers"] = float(np.mean([row["weighted"].low <= truth <= row["weighted"].high for row in rows]))
    found["bias of the gain, all"] = float(np.mean([row["gain on all"] for row in rows])) - gain
    found["bias of the gain, weighted"] = float(np.mean([row["gain"].value for row in rows])) - gain
    found["interval of the weighted gain covers"] = float(np.mean([row["gain"].low <= gain <= row["gain"].high for row in rows]))
    print("contacts", found, flush=True)
    return found


def rank(labels, scores):
    return float(roc_auc(group_by_score(sort_scores(scores), labels))[0])


# --- young rows --------------------------------------------------------------------------------------------------
def run_young():
    """Weekly rows of leads that win at a rate of their own: labelled as the product does, and with young rows taken for negatives."""
    found = {"product": [], "young rows as negatives": []}
    slope = {name: [] for name in found}
    for seed in range(YOUNG_WORLDS):
        signals, truth, labels, matured, naive = draw_young(seed)
        for name, (part, known) in {"product": (matured, labels), "young rows as negatives": naive}.items():
            margin = LogisticScorer(7).fit(signals.iloc[part], known).raw_score(signals)
            promised = fit_calibrator(margin[part], known).transform(margin)
            found[name].append(promised.mean() / truth.mean() - 1)
            odds = [np.log(p / (1 - p)) for p in (promised, truth)]
            slope[name].append(float(np.polyfit(*odds, 1)[0]))
    result = {name: {"bias of the mean": float(np.mean(x)), "standard error": float(np.std(x) / np.sqrt(YOUNG_WORLDS)),
                     "slope against the truth": float(np.mean(slope[name]))} for name, x in found.items()}  # fmt: skip
    print("young", result, flush=True)
    return {"worlds": YOUNG_WORLDS} | result


def draw_young(seed):
    rng, start, end = np.random.default_rng(seed), np.datetime64("2024-01-01", "us"), 300
    use = rng.normal(size=LEADS_IN_TIME)
    rate = np.exp(-6.2 + 0.8 * use)
    signed = rng.integers(0, 250, LEADS_IN_TIME)
    won = signed + rng.exponential(1 / rate)
    lead, week = np.meshgrid(np.arange(LEADS_IN_TIME), np.arange(43), indexing="ij")
    lead, day = lead.ravel(), 7 * week.ravel()
    at_risk = (day > signed[lead]) & (day < won[lead])
    lead, day = lead[at_risk], day[at_risk]
    database = Database([], threads=1, memory_limit="500MB")
    known = won < end
    closed = start + (won[known] * 86_400_000_000).astype("timedelta64[us]")
    tables = {
        "spine": pd.DataFrame({"row": np.arange(lead.size), "lead_key": lead.astype(str), "as_of": start + day * np.timedelta64(1, "D")}),
        "outcomes": pd.DataFrame({"lead_key": np.flatnonzero(known).astype(str), "closed_at": closed, "is_won": True}),
    }
    for name, table in tables.items():
        database.register(f"given_{name}", table)
        database.execute(f"CREATE TABLE {name} AS SELECT * FROM given_{name}")
    label_spine(database, Horizon(90, 1, 0), datetime(2024, 10, 27))
    labels = database.frame('SELECT * FROM labels ORDER BY "row"')
    gap = won[lead] < day + 1
    naive = np.flatnonzero(~gap)
    so_far = (won[lead] < np.minimum(day + 91, end))[naive].astype(np.int8)
    signals = pd.DataFrame({"use": use[lead], "noise": rng.normal(size=lead.size)})
    truth = 1 - np.exp(-90 * rate[lead])
    return signals, truth, labels["label"].to_numpy(np.int8), labels["row"].to_numpy(), (naive, so_far)


# --- the choice --------------------------------------------------------------------------------------------------
SIGNALS = [f"signal_{n}" for n in range(12)]


def odds_of(kind, signals):
    """Three truths: a few steps as a card has them, a smooth sum, and effects that need one another."""
    x = signals.to_numpy()
    if kind == "steps":
        return -3.2 + 1.1 * (x[:, 0] > 2) + 0.9 * (x[:, 1] > 1) + 0.7 * (x[:, 2] > 4) + 0.6 * (x[:, 3] > 0)
    if kind == "smooth":
        return -4.2 + np.log1p(x[:, :8]) @ np.array([0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.3, 0.2])
    return -3.4 + 1.5 * (x[:, 0] > 2) * (x[:, 1] > 1) + 0.5 * np.log1p(x[:, 2]) * (x[:, 3] > 1) + 0.5 * np.log1p(x[:, 4])


def draw_leads(kind, rows, rng):
    """Three leads to an account, over a year; an account's leads share what is not observed."""
    signals = pd.DataFrame(np.floor(rng.exponential(2.0, (rows, len(SIGNALS)))), columns=SIGNALS)
    account = np.arange(rows) // 3
    chance = logistic(odds_of(kind, signals) + rng.normal(0, 0.5, account.max() + 1)[account])
    labels = (rng.random(rows) < chance).astype(np.int8)
    days = rng.integers(0, 365, account.max() + 1)[account]
    times = np.datetime64("2024-01-01", "us") + days * np.timedelta64(1, "D")
    return TrainingRows(signals, labels, np.ones(rows), account.astype(str).astype(object), times), chance


def run_choice():
    catalogue = Catalogue.model_validate({"signals": [
        {"id": name, "family": "use", "label": name, "measure": {"kind": "attribute", "table": "users", "column": name}} for name in SIGNALS
    ]})  # fmt: skip
    result = {}
    for kind in ("steps", "smooth", "interactions"):
        worlds = [judge_choices(kind, catalogue, seed) for seed in range(CHOICE_WORLDS)]
        frame = pd.DataFrame(worlds)
        gain = frame["average precision"] - frame["average precision, log loss alone"]
        loss = frame["log loss"] - frame["log loss, log loss alone"]
        result[kind] = {
            "chosen": frame["chosen"].value_counts().to_dict(), "by log loss alone": frame["by log loss alone"].value_counts().to_dict(),
            "changed": int((frame["chosen"] != frame["by log loss alone"]).sum()), "worlds": CHOICE_WORLDS,
            "average precision": float(frame["average precision"].mean()),
            "best candidate's": float(frame["best average precision"].mean()),
            "gain in average precision": float(gain.mean()), "its standard error": float(gain.std(ddof=1) / np.sqrt(CHOICE_WORLDS)),
            "change of the log loss": float(loss.mean()), "standard error of that": float(loss.std(ddof=1) / np.sqrt(CHOICE_WORLDS)),
        }  # fmt: skip
        print("choice", kind, result[kind], flush=True)
    return result


def judge_choices(kind, catalogue, seed):
    rng = np.random.default_rng([seed, len(kind)])
    rows, _ = draw_leads(kind, CHOICE_ROWS, rng)
    fresh, chance = draw_leads(kind, FRESH, rng)
    candidates, _ = fit_candidates(rows, None, catalogue, ModelConfig(seeds=1), 1)
    first = next(iter(candidates.values()))
    losses = np.array([one.unseen_losses for one in candidates.values()])
    chosen = {
        "": choose_candidate(candidates, rows),
        ", log loss alone": list(candidates)[find_simplest(losses, rows.accounts[first.unseen_rows])],
    }
    figures = {}
    for name, one in candidates.items():
        margin = one.scorer.raw_score(fresh.signals)
        told = one.calibrator.transform(margin)
        precision = float(average_precision(group_by_score(sort_scores(margin), fresh.labels))[0])
        figures[name] = precision, float(-np.mean(chance * np.log(told) + (1 - chance) * np.log1p(-told)))
    found = {
        f"{figure}{how}": figures[name][n] for how, name in chosen.items() for n, figure in enumerate(("average precision", "log loss"))
    }
    best = max(figures[name][0] for name in candidates)
    return found | {"chosen": chosen[""], "by log loss alone": chosen[", log loss alone"], "best average precision": best}


if __name__ == "__main__":
    results = {"coverage": run_coverage(), "contacts": run_contacts(), "young rows": run_young(), "choice": run_choice()}
    (HERE / "worlds.json").write_text(json.dumps(results, indent=1, sort_keys=True) + "\n", encoding="utf-8")
