"""How people are forgotten: every domain's part, in the order in which they hang on each other. Decides nothing."""

from functools import partial

from sqlalchemy import select

from app.attribution import erasing as attribution
from app.delivery import erasing as delivery
from app.kernel import outbox
from app.kernel.clock import from_micros
from app.kernel.database import Database, table_of
from app.kernel.http import idempotency
from app.kernel.outbox import Worker
from app.kernel.rekeying import Step, rename_in_json
from app.kernel.runtime import Runtime
from app.orders import erasing as orders
from app.orders.held import of_visitor as held_of_orders
from app.privacy.erasure import TOPIC, Domain, Erasure, Forgetting, forget_consents, forget_told
from app.privacy.erasure import named as who_consented
from app.privacy.held import of_choices
from app.privacy.models import Leaver
from app.referrals import erasing as referrals
from app.referrals.held import of_visitor as held_of_referrals
from app.reports import erasing as reports
from app.trust.models import Doubt


def erasure_of(here: Runtime) -> Erasure:
    """What forgets people in this process. Who earned and who bought is found by who is whom: that goes last."""
    buyers = orders.Forgetter(here.signer)
    domains = (
        Domain(at_once=attribution.forget),
        Domain(
            at_once=buyers.forget,
            last=buyers.look_for,
            naming=orders.named,
            known_by=buyers.known_by,
            held=held_of_orders,
        ),
        Domain(
            at_once=referrals.forget,
            last=referrals.look_for,
            naming=referrals.named,
            behind=referrals.all_behind,
            held=held_of_referrals,
        ),
        Domain(at_once=forget_consents, naming=who_consented, held=partial(of_choices, signer=here.signer)),
        Domain(walk=_forget_doubts),
        Domain(last=delivery.look_for),
        Domain(walk=_forget_promises),
        Domain(last=reports.add_up),
    )
    return Erasure(here.database, here.clock, here.signer, here.outbox, domains)


def erase_all_again(here: Runtime) -> int:
    """Forget at once, to the end, whoever is on the list of those who were erased and is named nevertheless; how many
    names that were."""
    forgets = erasure_of(here)
    with here.database.reading() as session:
        merchants = session.scalars(select(Leaver.merchant_id).where(Leaver.erased_at.is_not(None)).distinct()).all()
    for merchant_id in merchants:  # an old backup tells of those who left long before it, too
        forget_told(here.database, merchant_id, here.clock.now(), since=from_micros(0))
    back = sum(forgets.erase_again(merchant_id) for merchant_id in merchants)
    if back:
        Worker(here.database, here.clock, here.outbox, {TOPIC: forgets.run}).run_due()
    return back


def _forget_doubts(database: Database, whom: Forgetting, step: Step) -> None:
    doubts = table_of(Doubt).c
    rename_in_json(database, doubts.doubt_id, doubts.evidence, whom.merchant_id, whom.names, step)


def _forget_promises(database: Database, whom: Forgetting, step: Step) -> None:
    outbox.rename(database, whom.merchant_id, whom.names, step)
    idempotency.forget_of(database, whom.merchant_id, whom.names)
