from typing import Any

import numba
import numpy as np

from pls_ml.core.compiled import compile_loop


def add_up(numbers: np.ndarray) -> float:
    total = 0.0
    for number in numbers:
        total += number
    return total


def test_a_loop_is_compiled_once():
    assert compile_loop(add_up) is compile_loop(add_up)
    assert compile_loop(add_up)(np.array([1.0, 2.5])) == 3.5


def test_a_loop_is_compiled_where_there_is_no_place_to_keep_it(monkeypatch):
    original = numba.njit

    def njit(cache: bool = False, **given: Any) -> Any:
        if cache:
            raise RuntimeError("cannot cache function 'add_up': no locator available")
        return original(**given)

    monkeypatch.setattr(numba, "njit", njit)
    compile_loop.cache_clear()
    try:
        assert compile_loop(add_up)(np.array([5.0, 7.0])) == 12.0
    finally:
        compile_loop.cache_clear()
