"""The attribution engine: `(what happened, policy, as_of) -> credit lines`, exactly as attribution.md says.

Pure: no database, no clock, no HTTP, no framework; of the rest of Grapevine it knows `app.kernel.money` and
`app.kernel.codes` only. Start with `settle`; its facts come in through `Facts.of`, its result is a `Settlement`.
"""

from app.attribution.engine.aggregate import Coalitions, Path, divide, shapley
from app.attribution.engine.bars import NONE_BARRED, Bar, Bars, Doubted
from app.attribution.engine.facts import (
    Coupon,
    Facts,
    Order,
    Referral,
    Refund,
    Touch,
    TouchType,
)
from app.attribution.engine.identity import Identity
from app.attribution.engine.lines import (
    Amounts,
    Line,
    LineKey,
    Settlement,
    Source,
    Taking,
    Verdict,
    difference,
)
from app.attribution.engine.markov import ORDERS, Markov, TooManyStates, Transitions, markov
from app.attribution.engine.policy import (
    REWARDABLE,
    FieldError,
    InvalidPolicy,
    Model,
    Policy,
    SelfReferral,
    TypePriority,
    Upline,
    UplineMode,
    Windows,
)
from app.attribution.engine.reasons import DOUBTED, Reason
from app.attribution.engine.settle import DIRECT_NETWORK, UNKNOWN_NETWORK, settle, settle_all
from app.attribution.engine.times import microseconds, whole_seconds
from app.attribution.engine.totals import Tally, Totals
from app.attribution.engine.upline import HOUSE, NONE
from app.attribution.engine.wire import policy_from_wire, policy_to_wire

__all__ = [
    "DIRECT_NETWORK",
    "DOUBTED",
    "HOUSE",
    "NONE",
    "NONE_BARRED",
    "ORDERS",
    "REWARDABLE",
    "UNKNOWN_NETWORK",
    "Amounts",
    "Bar",
    "Bars",
    "Coalitions",
    "Coupon",
    "Doubted",
    "Facts",
    "FieldError",
    "Identity",
    "InvalidPolicy",
    "Line",
    "LineKey",
    "Markov",
    "Model",
    "Order",
    "Path",
    "Policy",
    "Reason",
    "Referral",
    "Refund",
    "SelfReferral",
    "Settlement",
    "Source",
    "Taking",
    "Tally",
    "TooManyStates",
    "Totals",
    "Touch",
    "TouchType",
    "Transitions",
    "TypePriority",
    "Upline",
    "UplineMode",
    "Verdict",
    "Windows",
    "difference",
    "divide",
    "markov",
    "microseconds",
    "policy_from_wire",
    "policy_to_wire",
    "settle",
    "settle_all",
    "shapley",
    "whole_seconds",
]
