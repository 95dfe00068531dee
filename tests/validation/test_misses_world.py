"""The section on who misses the next payment runs, and the chances of `due` say more than the bucket does."""

from __future__ import annotations

import re

from validation import misses_world


def test_chances_rank_better_than_the_bucket_alone() -> None:
    text = misses_world.main(smoke=True)
    areas = dict(re.findall(r"\| (.*?) \| (0\.\d+) \[", text))
    assert float(areas["p_miss of `due`, all"]) > float(areas["bucket alone, all"])
    assert float(areas["p_miss of `due`, current loans"]) > 0.55
