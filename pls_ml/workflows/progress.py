"""What a person sees while something longer than two seconds runs: one line per step, on stderr."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pls_ml.core.clock import read_stopwatch


class Progress:
    """Silent: for notebooks, tests and anything that is no terminal session."""

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Takes what is being done; wraps it."""
        yield

    def note(self, sentence: str) -> None:
        """Takes a finding worth a line; keeps quiet."""


class PrintedProgress(Progress):
    """Prints each step with its duration to stderr; a spinner while it runs when stderr is a terminal."""

    def __init__(self) -> None:
        """Takes nothing."""
        from rich.console import Console
        from rich.markup import escape

        self._console = Console(stderr=True, highlight=False)
        self._escape = escape

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Takes what is being done; shows it, then how long it took."""
        start = read_stopwatch()
        with self._console.status(f"{self._escape(title)} …"):
            yield
        self._console.print(f"[green]✓[/] {self._escape(title)} [dim]{read_stopwatch() - start:.1f} s[/]")

    def note(self, sentence: str) -> None:
        """Takes a finding; prints it."""
        self._console.print(f"[yellow]![/] {self._escape(sentence)}", soft_wrap=True)
