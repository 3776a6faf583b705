"""What a benchmark is asked for."""

from dataclasses import dataclass, replace
from typing import Literal, get_args

Scenario = Literal[
    "life-cycle", "create", "read", "capture", "list", "mixed", "hot-order", "accounts", "long-orders", "lists", "yardsticks"
]
SCENARIOS: tuple[Scenario, ...] = get_args(Scenario)
MOST_CLIENTS = 128
THROWAWAY = "sqlite"
"""Names a database that is made for the benchmark, and gone after it: a file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Options of a benchmark. ``seconds`` are of one measurement."""

    scenarios: tuple[Scenario, ...] = SCENARIOS
    clients: tuple[int, ...] = (1, 8, 32, 128)
    rounds: int = 3
    seconds: float = 0.5
    lines: int = 4
    """Of an order."""
    accounts: int = 64
    facts: tuple[int, ...] = (10, 100, 1_000, 10_000)
    """Lengths of long orders."""
    orders: tuple[int, ...] = (1_000, 5_000, 25_000)
    """Sizes of accounts whose lists are measured."""
    generators: int = 1
    workers: int = 1
    among_others: bool = False

    @property
    def warm(self) -> float:
        """How many seconds of load come before those that count."""
        return self.seconds / 4

    @property
    def middle(self) -> int:
        """How many clients there are where only one number of them is measured: 32, or the nearest to it."""
        return min(self.clients, key=lambda number: abs(number - 32))

    def quick(self) -> "Options":
        """Return them cut to about 15 seconds for a database: to see that it runs, not to compare."""
        return replace(self, clients=(1, 32), rounds=1, seconds=0.4, facts=(10, 1_000), orders=(500, 2_000))
