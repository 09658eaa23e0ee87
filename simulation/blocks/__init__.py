"""Building blocks of lines and queues in SimPy, each usable alone: sources, queues, machines, conveyors, people.

They model time and places only. Nothing of the controller runs on them; the machines of `simulation.machines` do that.
A `[model]` file is the short way to them; in Python it goes like this:

    floor = Floor(seed="1")
    arrivals = Source(floor, "arrivals", Demand(every=Exponential(1.25)))
    desk = Server(floor, "desk", Conduct(service=Exponential(1.0), channels=1))
    arrivals.next = desk
    arrivals.start()
    floor.run(10_000, warmup_s=500)
    print(desk.figures()["wait"], floor.flow.percentile(95))

`Floor(env)` stands on an environment that is there already, for blocks beside other SimPy processes.
"""
