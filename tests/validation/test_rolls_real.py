"""The section on roll rates runs on the real histories, and its forecasts and outcomes are those of the counts."""

from __future__ import annotations

import numpy as np
import pytest

from validation import rolls_real


def test_instalments_behind_by_hand() -> None:
    loan = np.array([1, 1, 1, 1, 1, 2])
    share = np.array([1.0, 0.0, 0.0, 2.0, 5.0, 0.97])
    assert rolls_real._behind(loan, share).tolist() == [0, 1, 2, 1, 0, 0]
    ahead = rolls_real._behind(np.ones(7, dtype=int), np.array([9.0, 0, 0, 0, 0, 0, 0]))
    assert ahead.tolist() == [0, 0, 0, 0, 1, 2, 3], "at most three months ahead count"


def test_without_real_loans_it_says_so(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("ARREARS_REAL", str(tmp_path))
    assert "Not measured" in rolls_real.main(smoke=True)


@pytest.mark.real
def test_it_runs_on_the_real_histories(real_data) -> None:
    text = rolls_real.main(smoke=True)
    assert text.count("**") == 6
    assert "nan" not in text
    assert "current: falls behind" in text
