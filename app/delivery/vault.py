"""Keeps the secrets with which we sign what endpoints are told. Knows no HTTP."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from app.delivery import signing
from app.delivery.models import WebhookEndpoint
from app.kernel.sealing import Sealer, Unsealable
from app.kernel.signing import Signer

_MOST: Final = 3
"""Secrets that sign along."""


@dataclass(frozen=True)
class Vault:
    """Seals each secret for its endpoint."""

    sealer: Sealer

    @classmethod
    def of(cls, signer: Signer) -> "Vault":
        return cls(Sealer(signer, "webhooks"))

    def give(self, endpoint: WebhookEndpoint) -> str:
        """A first secret, in clear; sealed in the endpoint."""
        secret = signing.new_secret()
        endpoint.secret = self.sealer.seal(secret, endpoint.endpoint_id)
        endpoint.former_secret = endpoint.former_until = None
        return secret

    def exchange(self, endpoint: WebhookEndpoint, overlap: timedelta, now: datetime) -> str:
        """Another secret, in clear. The one before signs along for as long as `overlap`, and so do those whose own
        overlap is not over yet: nobody knows which of them the receiver has, if an answer of ours was lost. Without
        an overlap nothing signs any more but the new one."""
        former = [endpoint.secret, *self._former(endpoint, now)][:_MOST]
        secret = self.give(endpoint)
        if overlap > timedelta():
            endpoint.former_secret, endpoint.former_until = " ".join(former), now + overlap
        return secret

    def signing(self, endpoint: WebhookEndpoint, now: datetime) -> list[str]:
        """The secrets that sign now, in clear, the newest first. Raises `sealing.Unsealable` where that cannot be
        read; one before it is left out then."""
        signing_now = [self.sealer.open(endpoint.secret, endpoint.endpoint_id)]
        for former in self._former(endpoint, now):
            with suppress(Unsealable):
                signing_now.append(self.sealer.open(former, endpoint.endpoint_id))
        return signing_now

    @staticmethod
    def _former(endpoint: WebhookEndpoint, now: datetime) -> list[str]:
        """Those that sign along now, sealed, the newest first."""
        if endpoint.former_secret is None or endpoint.former_until is None or now >= endpoint.former_until:
            return []
        return endpoint.former_secret.split()
