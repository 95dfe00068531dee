"""What Numba may run on several threads: the loops that say so, and nothing else."""

from __future__ import annotations


def marked_loops() -> dict[str, bool]:
    """Value of `parallel=` for `prange` alone.

    With `True`, Numba also wakes its threads for every array expression of a kernel, were it eight numbers long, which
    costs more than the kernel's work on a small book and leaves sums of arrays to the number of threads.
    """
    off = ("comprehension", "reduction", "inplace_binop", "setitem", "numpy", "stencil", "fusion")
    return dict.fromkeys(off, False) | {"prange": True}
