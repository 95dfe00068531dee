"""Random streams that are named, not consumed: the same seed and name give the same numbers in any order of use."""

from __future__ import annotations

import hashlib

import numpy as np


def generator(seed: int, *key: str | int) -> np.random.Generator:
    """A stream of its own for `key` under `seed` (Philox, counter-based).

    Work cut into blocks names its streams by the block, so that neither the number of threads nor the order of the
    blocks changes a draw.
    """
    name = "\x1f".join([str(seed), *(f"{type(part).__name__}:{part}" for part in key)])
    digest = hashlib.sha256(name.encode()).digest()
    words = np.frombuffer(digest, dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=words[:2].copy(), counter=[0, 0, *words[2:]]))
