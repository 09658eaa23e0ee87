"""Textbook cases of batches: worked on together, packed together, let in together."""

from __future__ import annotations

from simulation.validation import theory_queues
from simulation.validation import theory_together as book
from simulation.validation.case import Case, arrivals, exp, machine, one_desk, server

EVEN = {"kind": "source", "next": "a"}


def batches() -> list[Case]:
    """Give the cases: what is worked on, packed or let in together."""
    waiting = book.bulk_service_waiting(1.5, 1, 2, 5)
    alone = book.bulk_service_waiting_closed(2.5, 1, 4)
    lost, number = book.together_with_loss(0.5, 1, (0, 0.5, 0, 0.5), 6)
    return [
        Case(
            name="M/M[2,5]/1: batches of two to five",
            source="Neuts 1967; chain",
            blocks=one_desk(1.5, exp(1), batch=5, batch_least=2),
            truth={"desk.queue": waiting, "desk.number": waiting + 1.5, "desk.sojourn": waiting / 1.5 + 1},
            horizon_s=1800.0,
            warmup_s=100.0,
        ),
        Case(
            name="M/M[1,4]/1: batches of up to four",
            source="Bailey 1954; Medhi 2003, 6.4",
            blocks=one_desk(2.5, exp(1), batch=4),
            truth={"desk.queue": alone, "desk.wait": alone / 2.5},
            horizon_s=1400.0,
            warmup_s=100.0,
        ),
        Case(
            name="M/M[4]/1: batches of up to four that are open while they are worked on",
            source="Gross & Harris 2008, 3.2 (partial batches)",
            blocks=one_desk(2.5, exp(1), batch=4, batch_open=True),
            truth={"desk.number": book.open_batch_number(2.5, 1, 4)},
            horizon_s=1400.0,
            warmup_s=100.0,
        ),
        Case(
            name="M/M[3,3]/1: full batches only",
            source="Gross & Harris 2008, 3.2 (full batches); chain",
            blocks=one_desk(1.5, exp(1), batch=3, batch_least=3),
            truth={"desk.number": book.bulk_service_waiting(1.5, 1, 3, 3) + 1.5},
            horizon_s=1400.0,
            warmup_s=100.0,
        ),
        Case(
            name="saturated oven that is filled one by one",
            source="Buzacott & Shanthikumar 1993, 5; chain",
            blocks={"in": EVEN, "a": machine(exp(1), "b"), "b": machine(exp(2), queue=2, batch=3, batch_least=3)},
            truth={"throughput": book.oven_rate((1, 0.5), 3, 2)},
            horizon_s=3000.0,
            warmup_s=100.0,
        ),
        Case(
            name="M^[X]/M/1/6, who come together come in together or are lost",
            source="Manfield & Tran-Gia 1982; chain",
            blocks={
                "in": arrivals(
                    0.5, "desk", size={"kind": "empirical", "values": [2, 4]}, blocked="lose", together=True
                ),
                "desk": server(exp(1), queue=5),
            },
            truth={"in.lost_share": lost, "desk.number": number},
            warmup_s=100.0,
        ),
        Case(
            name="pieces packed by three, then a server: E3/M/1",
            source="Kendall 1953; Kleinrock 1975, 6.4",
            blocks={
                "in": arrivals(2.1, "pack"),
                "pack": {"kind": "pack", "pieces": 3, "next": "desk"},
                "desk": server(exp(1), "apart"),
                "apart": {"kind": "unpack", "next": "out"},
            },
            truth={
                "pack.sojourn": 1 / 2.1,
                "desk.wait": theory_queues.gim1_wait(lambda s: (2.1 / (2.1 + s)) ** 3, 1),
                "flow": 1 / 2.1 + theory_queues.gim1_wait(lambda s: (2.1 / (2.1 + s)) ** 3, 1) + 1,
            },
            horizon_s=2000.0,
            warmup_s=200.0,
        ),
        Case(
            name="cartons opened into three pieces: M^[3]/M/1",
            source="Gross & Harris 2008, 3.1",
            blocks={
                "in": arrivals(0.2, "open"),
                "open": {"kind": "unpack", "pieces": 3, "next": "desk"},
                "desk": server(exp(1)),
            },
            truth={"desk.number": theory_queues.bulk_number(0.2, 1, 3, 9)},
            horizon_s=4000.0,
        ),
    ]
