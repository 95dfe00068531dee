"""Rows of the reference files, from the engine and from the plain reference alike."""

from __future__ import annotations

import numpy as np

from arrears.deals import kernels as k
from arrears.deals.engine import Run, run_deal
from arrears.deals.program import compiled

from .plain import Day, Debt


def engine_run(deal, scenarios: list[list[int]]) -> Run:
    """All slots of every date, and every movement."""
    program = compiled(deal)
    gross = np.array(scenarios, dtype=np.int64).T
    return run_deal(program, gross, keep=range(len(program.code.start)), moves=True)


def engine_rows(run: Run, scenario: int) -> list[dict[str, object]]:
    """What the engine says of each date of a scenario, as `plain_rows` says it."""
    program, rows = run.program, []

    for t in range(int(run.finals[scenario]) + 1):
        x = run.values[t, :, scenario]

        def line(ledger, t=t, x=x) -> dict[str, int]:
            due = int(x[ledger.due] + x[ledger.paid])
            return {"due": due, "paid": int(x[ledger.paid]), "left": int(x[ledger.due])}

        rows.append(
            {
                "t": t + 1,
                "final": bool(x[k.FINAL]),
                "mode": "post_enforcement" if x[k.MODE] else "normal",
                "credited": int(x[k.CREDITED]),
                "receivable": int(x[k.RECEIVABLE]),
                "cumulative": int(x[k.CUMULATIVE]),
                "call_price": int(x[k.CALL]),
                "available": int(x[k.AVAILABLE]),
                "reserve": [int(x[k.RESERVE_OPEN]), int(x[k.TARGET]), int(x[k.RESERVE])],
                "excess": int(x[k.EXCESS]),
                "debts": {name: line(one) for name, one in program.ledgers.items()},
                "over": {name: line(one) for name, one in program.over.items()},
                "classes": {
                    name: {
                        "balance": int(x[one.balance]),
                        "principal": int(x[one.principal]),
                        "current": int(x[one.current]),
                        "on_unpaid": int(x[one.on_unpaid]),
                        **line(one.interest),
                    }
                    for name, one in program.classes.items()
                },
                "takes": {name: int(x[slot]) for name, slot in program.takers.items() if x[slot]},
                "moves": [
                    (step.label, to, int(run.moves[t, column, scenario]))
                    for column, (_, step, to) in enumerate(program.moves)
                    if run.moves[t, column, scenario]
                ],
            }
        )
    return rows


def plain_rows(days: list[Day]) -> list[dict[str, object]]:
    """What the plain reference says of each date."""

    def line(debt: Debt) -> dict[str, int]:
        return {"due": debt.due, "paid": debt.paid, "left": debt.left}

    return [
        {
            "t": day.t,
            "final": day.final,
            "mode": day.mode,
            "credited": day.credited,
            "receivable": day.receivable_close,
            "cumulative": day.cumulative,
            "call_price": day.call_price,
            "available": day.available,
            "reserve": [day.reserve_open, day.target, day.reserve],
            "excess": day.excess,
            "debts": {name: line(one) for name, one in day.debts.items()},
            "over": {name: line(one) for name, one in day.over.items()},
            "classes": {
                name: {
                    "balance": one.balance,
                    "principal": one.principal,
                    "current": one.current,
                    "on_unpaid": one.on_unpaid,
                    **line(one.interest),
                }
                for name, one in day.classes.items()
            },
            "takes": {name: amount for name, amount in day.takes.items() if amount},
            "moves": [(step, to, amount) for step, to, amount in day.moves],
        }
        for day in days
    ]
