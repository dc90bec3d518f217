"""The part about the attribution engine by itself."""

from tests.bench import engine
from tests.bench.figures import Figure, spread, table, three_digits
from tests.bench.ground import Ground


def section(ground: Ground) -> str:
    """Orders that it divides in a second, under each policy."""
    ground.say("the attribution engine")
    speeds: dict[str, list[float]] = {name: [] for name in engine.POLICIES}
    with ground.cores.on(ground.cores.server):
        for _ in range(ground.scale.rounds):
            for name, policy in engine.POLICIES.items():
                speeds[name].append(engine.settled_in_a_second(policy))
    figures = {name: Figure(tuple(values)) for name, values in speeds.items()}
    first = next(iter(figures.values()))
    rows = [
        [name, spread(speed, three_digits), f"{speed.median / first.median:.2f}"] for name, speed in figures.items()
    ]
    return table(["policy", "orders a second", "of the first"], rows)
