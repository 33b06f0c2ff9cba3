"""What a competent analyst writes in an hour: features of the same leads at the same moments, from the raw files in pandas.

Each function takes a data set's folder and the leads (columns `lead_id`, `as_of`); returns one row of features per lead, in their order.
Nothing at or after `as_of` is read. Text columns stay text.
"""

from pathlib import Path

import pandas as pd

FINAL_STATES = ["A_APPROVED", "A_REGISTERED", "A_ACTIVATED", "A_DECLINED", "A_CANCELLED", "O_ACCEPTED", "O_DECLINED"]
FILLED_IN_BY_REPS = [
    "Tags", "Lead Quality", "Lead Profile", "Last Activity", "Last Notable Activity",
    "Asymmetrique Activity Index", "Asymmetrique Profile Index", "Asymmetrique Activity Score", "Asymmetrique Profile Score",
]  # fmt: skip
HOUR, DAY = pd.Timedelta(hours=1), pd.Timedelta(days=1)
COMMON_DOMAINS = 6


def bpi2012(folder: Path, leads: pd.DataFrame) -> pd.DataFrame:
    cases = pd.read_parquet(folder / "cases.parquet").set_index("concept:name").reindex(leads["lead_id"])
    log = _read_log(folder, leads)
    by_lead = log.groupby("lead_id")
    submitted = pd.to_datetime(cases["REG_DATE"], utc=True, format="ISO8601").dt.tz_convert("Europe/Amsterdam")

    features = pd.DataFrame({"amount": cases["AMOUNT_REQ"].astype(float), "hour": submitted.dt.hour, "weekday": submitted.dt.weekday})
    features["events"] = by_lead.size()
    for hours in (6, 12):
        features[f"events_last_{hours}h"] = log[log["hours_ago"] <= hours].groupby("lead_id").size()
    features["resources"] = by_lead["resource"].nunique()
    features["activities"] = by_lead["activity"].nunique()
    started = log[log["transition"] == "START"]
    features = features.join(pd.crosstab(log["lead_id"], log["activity"]).add_prefix("n_"))
    features = features.join(pd.crosstab(started["lead_id"], started["activity"]).add_prefix("started_")).fillna(0)
    features["hours_since_last"] = by_lead["hours_ago"].min()
    features["latest"] = by_lead["activity"].last()
    return features.reset_index(drop=True)


def _read_log(folder: Path, leads: pd.DataFrame) -> pd.DataFrame:
    log = pd.read_parquet(folder / "events.parquet")
    log.columns = ["resource", "transition", "activity", "time", "lead_id"]
    log["time"] = log["time"].dt.tz_convert(None)
    log = log.merge(leads[["lead_id", "as_of"]], on="lead_id")
    log = log[(log["time"] < log["as_of"]) & ~log["activity"].isin(FINAL_STATES)].sort_values("time", kind="stable")
    return log.assign(hours_ago=(log["as_of"] - log["time"]) / HOUR)


def relax(folder: Path, leads: pd.DataFrame) -> pd.DataFrame:
    users = pd.read_parquet(folder / "users.parquet")
    users.index = users["user_id"].astype(str)
    about = users.reindex(leads["lead_id"])
    logins = pd.read_parquet(folder / "user_engagement.parquet")
    logins["lead_id"] = logins["user_id"].astype(str)
    logins = logins.merge(leads[["lead_id", "as_of"]], on="lead_id")
    logins = logins[logins["time_stamp"] < logins["as_of"]]
    logins["days_ago"] = (logins["as_of"] - logins["time_stamp"]) / DAY

    features = pd.DataFrame(index=about.index)
    features["logins"] = logins.groupby("lead_id").size()
    features["logins_last_week"] = logins[logins["days_ago"] <= 7].groupby("lead_id").size()
    features = features.fillna(0)
    features["days_since_last"] = logins.groupby("lead_id")["days_ago"].min().reindex(features.index).fillna(15)
    features["source"] = about["creation_source"]
    features["opted_in"] = about["opted_in_to_mailing_list"]
    features["drip"] = about["enabled_for_marketing_drip"]
    features["invited"] = about["invited_by_user_id"].notna().astype(int)
    common = users["email_domain"].value_counts().index[:COMMON_DOMAINS]
    features["domain"] = about["email_domain"].where(about["email_domain"].isin(common), "other")
    signups = {org: here["creation_time"] for org, here in users.groupby("org_id")}
    moments = zip(about["org_id"], leads["as_of"], strict=True)
    features["org_users"] = [int((signups[org] < as_of).sum()) for org, as_of in moments]
    return features.reset_index(drop=True)


def xeducation(folder: Path, leads: pd.DataFrame) -> pd.DataFrame:
    table = pd.read_parquet(folder / "leads.parquet").set_index("Prospect ID").reindex(leads["lead_id"])
    table = table.drop(columns=["Lead Number", "Converted", *FILLED_IN_BY_REPS]).replace("Select", None)
    return table.loc[:, table.nunique(dropna=False) > 1].reset_index(drop=True)
