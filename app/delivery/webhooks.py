"""What each process that works in the background does for webhooks. Decides nothing."""

from app.delivery.making_out import MakingOut
from app.delivery.sending import Sending
from app.delivery.vault import Vault
from app.kernel.outgoing import Guard
from app.kernel.repeated import Repeated
from app.kernel.runtime import Runtime


def beside(here: Runtime) -> list[Repeated]:
    """Who makes out what is to be told, and who sends it; each wakes the next."""
    guard, vault = Guard(here.settings.outgoing_allow), Vault.of(here.signer)
    sending = Sending(here.database, here.clock, guard, vault, dated=here.watch.corrected)
    making_out = MakingOut(here.database, here.clock, sending.wake_for_new)

    def look(_: frozenset[int]) -> None:
        making_out.wake()
        sending.wake_for_new()

    here.wakeups.hear("events", lambda _: making_out.wake())
    here.wakeups.hear("webhooks", look)
    return [making_out, sending]
