"""What the double remembers of disputes and of the balance. No behaviour beyond sums, no shape of a Stripe object."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class BalanceTransaction:
    """Money that comes (positive) or goes. `fee` is taken besides: the balance changes by `amount - fee`."""

    id: str
    account: str | None
    created: int
    amount: int
    fee: int
    currency: str
    kind: str
    category: str
    source: str
    description: str


@dataclass
class Dispute:
    """A payment that its buyer's bank takes back, or (an inquiry) asks about."""

    id: str
    account: str | None
    created: int
    amount: int
    currency: str
    charge: str
    payment_intent: str | None
    brand: str
    reason: str
    inquiry: bool
    status: str
    due_by: int
    evidence: dict[str, str] = field(default_factory=dict)
    submissions: int = 0
    moves: list[BalanceTransaction] = field(default_factory=list)
    metadata: dict[str, str] = field(default_factory=dict)

    @property
    def closed(self) -> bool:
        return self.status in ("won", "lost", "warning_closed")

    @property
    def withdrawn(self) -> bool:
        """Whether the bank has the money now."""
        return sum(move.amount for move in self.moves) < 0


@dataclass
class Account:
    """A merchant's own account, connected to the platform's. Its objects are told from the platform's by its id."""

    id: str
    created: int
    metadata: dict[str, str] = field(default_factory=dict)
    account: None = None  # it is seen by the platform


@dataclass
class Transfer:
    """Money that the platform gives to a connected account."""

    id: str
    account: str | None
    created: int
    amount: int
    currency: str
    destination: str
    description: str | None
    source_transaction: str | None
    transfer_group: str | None
    move: BalanceTransaction
    reversals: "list[Reversal]" = field(default_factory=list)
    metadata: dict[str, str] = field(default_factory=dict)

    @property
    def reversed(self) -> int:
        return sum(reversal.amount for reversal in self.reversals)


@dataclass
class Reversal:
    """What the platform takes back of a transfer."""

    id: str
    account: str | None
    created: int
    amount: int
    currency: str
    transfer: str
    move: BalanceTransaction
    metadata: dict[str, str] = field(default_factory=dict)
