"""What may be said to whom: signals hidden from an audience, words that no reason says, and attributes that no score reads."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from string import Formatter
from typing import Literal

import numpy as np
import pandas as pd
from pydantic import Field, model_validator

from pls_ml.core.catalogue import Catalogue, Signal
from pls_ml.core.errors import ConfigError, suggest
from pls_ml.core.spec import Spec

Audience = Literal["rep", "outreach"]
"""Who reads: people of the own company, or the lead itself."""
OTHER, OTHER_LABEL = "other", "other signals"
"""The one line of a receipt that stands for all that an audience may not see."""
SUMMED = ("log_odds", "learned", "probability", "points")


class Hidden(Spec):
    """What an audience may not see, in addition to what the catalogue declares."""

    hide: tuple[str, ...] = ()
    hide_families: tuple[str, ...] = ()

    def covers(self, signal: Signal) -> bool:
        """Takes a signal; returns whether it is among what is hidden."""
        return signal.id in self.hide or signal.family in self.hide_families


class Policy(Spec):
    """The project's rules for what is said: per audience, and for every label and sentence of the catalogue."""

    audiences: dict[Audience, Hidden] = {}
    forbidden: dict[str, tuple[str, ...]] = {}
    """Why → words and phrases that no label and no sentence may have, in any case."""
    protected: tuple[str, ...] = ()
    """Protected attributes: forbidden words too, and no score reads a column or property with one in its name."""
    longest_sentence: int = Field(default=160, ge=20, le=1000)

    @model_validator(mode="after")
    def _says_something(self) -> Policy:
        for word in (*self.protected, *(word for words in self.forbidden.values() for word in words)):
            if not _split(word):
                raise ValueError(f"the forbidden phrase '{word}' has no word in it: leave it out")
        return self

    def restrict(self, catalogue: Catalogue) -> Catalogue:
        """Takes a catalogue; returns it with the flags of its signals as this policy has them: from here on, the flags say it all.

        What reps may not see is never told to the lead either.
        """
        rep, outreach = (self.audiences.get(name, Hidden()) for name in ("rep", "outreach"))
        signals = []
        for signal in catalogue.signals:
            visible = signal.rep_visible and not rep.covers(signal)
            safe = visible and signal.outreach_safe and not outreach.covers(signal)
            signals.append(signal.model_copy(update={"rep_visible": visible, "outreach_safe": safe}))
        return Catalogue(signals=tuple(signals), unit=catalogue.unit)

    def find_fault(self, signal: Signal) -> str | None:
        """Takes a signal; returns what its label or a sentence of it says and must not, or None."""
        texts = {"label": signal.label} | {f"sentence '{kind}'": text for kind, text in signal.sentences.items()}
        for what, text in texts.items():
            words = _split("".join(part[0] for part in Formatter().parse(text)) if what != "label" else text)
            for why, phrases in (*self.forbidden.items(), ("protected attribute", self.protected)):
                said = next((phrase for phrase in phrases if _holds(words, _split(phrase))), None)
                if said:
                    return f"its {what} '{text}' says '{said}' ({why.replace('_', ' ')})"
            if len(text) > self.longest_sentence:
                return f"its {what} has {len(text)} characters, and `longest_sentence` allows {self.longest_sentence}"
        return None

    def find_protected(self, words: Iterable[str]) -> str | None:
        """Takes the words of a column's or property's name, in lower case; returns the protected attribute it names, or None."""
        named = list(words)
        return next((one for one in self.protected if _holds(named, _split(one))), None)

    def refuse_unknown(self, signals: Iterable[Signal]) -> None:
        """Takes every declared signal; returns nothing; refuses a policy that hides what nobody declared: a slip would show it to all."""
        declared = list(signals)
        for audience, hidden in self.audiences.items():
            for key, names, known in (
                ("hide", hidden.hide, [signal.id for signal in declared]),
                ("hide_families", hidden.hide_families, sorted({signal.family for signal in declared})),
            ):
                for name in (name for name in names if name not in known):
                    raise ConfigError(
                        f"the policy's `audiences.{audience}.{key}` names '{name}', which no declared signal has"
                        f"{suggest(name, known)}: correct it, or leave it out"
                    )


def find_visible(signals: Iterable[Signal], audience: Audience = "rep") -> set[str]:
    """Takes signals under the policy, and who looks; returns the ids of those they may see."""
    return {signal.id for signal in signals if signal.rep_visible and (audience == "rep" or signal.outreach_safe)}


def show_lines(lines: pd.DataFrame, visible: Collection[str]) -> pd.DataFrame:
    """Takes receipt lines (lead_id, signal, numbers, texts) and the ids that may be seen; returns what may be shown of them.

    What is hidden becomes one line per lead, after all others, without a value or anything else that tells it apart: only its numbers
    are summed, so that every total stays true.
    """
    hidden = ~lines["signal"].isin(list(visible)).to_numpy(np.bool_)
    if not hidden.any():
        return lines
    sums = [name for name in SUMMED if name in lines.columns]
    folded = lines[hidden].groupby("lead_id", as_index=False, sort=False)[sums].sum(min_count=1)
    texts = {"signal": OTHER, "label": OTHER_LABEL, "family": OTHER, "value": "", "sentence": ""}
    folded = folded.assign(**{name: text for name, text in texts.items() if name in lines.columns})
    return pd.concat([lines[~hidden], folded], ignore_index=True).reindex(columns=lines.columns)


def _split(text: str) -> list[str]:
    return re.findall(r"[^\W_]+(?:['’][^\W_]+)*", text.casefold())


def _holds(words: list[str], phrase: list[str]) -> bool:
    return any(words[place : place + len(phrase)] == phrase for place in range(len(words) - len(phrase) + 1))
