"""What can go wrong between Stripe and us, in the application's words.

Unavailable 503
└── CheckoutUnavailable   no key is set, or Stripe cannot be reached or is in trouble
    └── AccountRefused    Stripe refuses our key, or its use for this account: asking again is of no use
CheckoutRefused 422       Stripe refuses what was asked: too little, too much, an address it does not take
BadSignature 400          a webhook that is not Stripe's, or too old
KeySpent                  not for callers: the request's Idempotency-Key is of no more use, take another
"""

from app.kernel.errors import AppError, BadRequest, Unavailable


class CheckoutUnavailable(Unavailable):
    code, title = "checkout_unavailable", "Checkout is not available at the moment"


class AccountRefused(CheckoutUnavailable):
    """For callers by HTTP as unavailable as anything else of Stripe's."""


class CheckoutRefused(AppError):
    status, code, title = 422, "checkout_refused", "This cannot be paid through Stripe"


class BadSignature(BadRequest):
    code, title = "bad_signature", "This message is not signed by Stripe, or is too old"


class KeySpent(Exception):
    """Stripe keeps a failure under this Idempotency-Key, or other parameters: asking again cannot succeed."""
