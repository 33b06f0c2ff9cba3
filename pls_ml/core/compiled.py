"""Loops that are compiled; the only import of numba."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any


@cache
def compile_loop(loop: Callable[..., Any]) -> Callable[..., Any]:
    """Takes a function over numbers and arrays; returns it compiled, kept on disk for later runs where there is a place for it."""
    import numba

    try:
        return numba.njit(cache=True, nogil=True)(loop)
    except RuntimeError:  # no folder to keep it in
        return numba.njit(nogil=True)(loop)
