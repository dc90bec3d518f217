"""What is said of amounts: of each line of credit, of what each refund took, and of an order as a whole. Pure."""

from collections import Counter
from collections.abc import Iterator
from datetime import date

from app.attribution.engine import HOUSE, NONE, Line, Settlement, Taking
from app.attribution.explanation import by_coupon
from app.attribution.sentences.speech import Count, Part, Said, Value, Word, listed, rounded, say, together
from app.kernel.money import Money

_MOST_PEOPLE = 3
_DROPPED = {"refund": "refund.failed", "chargeback": "refund.won", "cancellation": "refund.undone"}
_WORDS = {HOUSE: Word("house"), NONE: Word("nobody")}


def of_line(line: Line, settlement: Settlement) -> Said:
    """The arithmetic of one line: its source's part of the order, its level's part of that, what was taken back."""
    currency = settlement.order.currency
    taken = _taken("line", line.gross, line.reversed, currency)
    gross = Money(line.gross, currency)
    if line.reason is not None:
        return together(say("line.nobody", amount=gross), say(f"order.{line.reason}"), *taken)
    return together(*_source(line, settlement), *_level(line, gross), *taken)


def of_taking(taking: Taking, kind: str, currency: str) -> Said:
    """What one refund (`kind` refund, chargeback or cancellation) took back, or why it took less than its amount."""
    amount = Money(taking.refund.amount, currency)
    if taking.dropped:
        return say(_DROPPED[kind], amount=amount)
    key = "refund.took" if taking.taken == taking.refund.amount else "refund.cut"
    return say(key, this=Word(f"this.{kind}"), amount=amount, taken=Money(taking.taken, currency))


def of_order(settlement: Settlement) -> Said:
    """The whole order in two or three sentences: why it was credited so, what was taken back, who has what is left."""
    order = settlement.order
    taken = _taken("summary", order.net, settlement.refunded, order.currency)
    return together(*_why(settlement), *taken, *_credited(settlement))


def of_closed() -> Said:
    """That an order is closed: what was credited of it stands."""
    return say("closed.order")


def of_gone(before: date | None) -> Said | None:
    """That an answer is reckoned from visits of which those of before that day are gone; None: they are all there."""
    return None if before is None else say("closed.some", day=before.isoformat())


def _source(line: Line, settlement: Settlement) -> Iterator[Said]:
    currency, net = settlement.order.currency, settlement.order.net
    amount = Money(line.source_gross, currency)
    if line.source_weight == 1:
        yield say("line.source_whole", amount=amount)
    else:
        yield say("line.source", part=Part(line.source_weight), amount=amount, whole=Money(net, currency))
        yield from rounded(line.source_gross - net * line.source_weight)


def _level(line: Line, gross: Money) -> Iterator[Said]:
    if line.sharer == NONE:
        yield say("line.no_person")
    elif line.level_weight == 1:
        yield say("line.all", sharer=_name(line.sharer))
    else:
        key = "line.house" if line.level is None else "line.level"
        yield say(key, part=Part(line.level_weight), sharer=line.sharer, level=line.level or 0, amount=gross)
        yield from rounded(line.rounding)


def _taken(what: str, gross: int, taken: int, currency: str) -> Iterator[Said]:
    if taken:
        key = f"{what}.taken" if taken < gross else f"{what}.taken_all"
        yield say(key, taken=Money(taken, currency), left=Money(gross - taken, currency))


def _why(settlement: Settlement) -> Iterator[Said]:
    net = Money(settlement.order.net, settlement.order.currency)
    touches = Count("touches", len(settlement.verdicts))
    counted = sum(verdict.counted for verdict in settlement.verdicts)
    if settlement.reason is not None:
        yield say("summary.nobody", net=net)
        yield say(f"order.{settlement.reason}")
    elif (referral := by_coupon(settlement)) is not None:
        yield say("summary.coupon", net=net, code=settlement.order.coupon or "", referral=referral)
    elif not settlement.verdicts:  # credited, and by no touch that is known: closed
        yield say("summary.closed", net=net)
    elif counted == len(settlement.verdicts):
        yield say("summary.only" if counted == 1 else "summary.every", net=net, touches=touches)
    else:
        yield say("summary.one" if counted == 1 else "summary.some", net=net, touches=touches, count=counted)


def _credited(settlement: Settlement) -> Iterator[Said]:
    """Who has what is left: the first three, largest first, and the others together."""
    sums: Counter[str] = Counter()
    for line in settlement.lines:
        sums[line.sharer] += line.net
    people = sorted(((sharer, net) for sharer, net in sums.items() if net), key=lambda each: (-each[1], each[0]))
    if settlement.reason is not None or not people:
        return
    currency = settlement.order.currency
    shown = [
        say("summary.person", sharer=_name(sharer), amount=Money(net, currency))
        for sharer, net in people[:_MOST_PEOPLE]
    ]
    if rest := sum(net for _, net in people[_MOST_PEOPLE:]):
        shown.append(say("summary.others", amount=Money(rest, currency)))
    yield say("summary.credit", people=listed(shown))


def _name(sharer: str) -> Value:
    return _WORDS.get(sharer, sharer)
