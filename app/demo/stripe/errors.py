"""Errors in the shape in which Stripe's API answers them. Knows no HTTP server.

StripeProblem
└── NotSimulated    a valid request that the double cannot act on: refused rather than half obeyed
"""

from app.demo.stripe.parameters.values import JsonObject


class StripeProblem(Exception):
    """A refusal with Stripe's `type`, `code`, `message`, `param` and the HTTP status it comes with."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        kind: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        **more: str,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.kind = kind
        self.code = code
        self.param = param
        self.more = more

    def body(self) -> JsonObject:
        """The error object as sent: `{"error": {...}}`, without the fields that have no value."""
        fields = {"code": self.code, "message": self.message, "param": self.param, "type": self.kind, **self.more}
        return {"error": {name: value for name, value in fields.items() if value is not None}}


class NotSimulated(StripeProblem):
    """Stripe might do it, the double does not: better a loud refusal than a wrong simulation."""

    def __init__(self, what: str, param: str | None = None) -> None:
        super().__init__(f"The simulated Stripe does not do this: {what}", param=param)


def missing(param: str) -> StripeProblem:
    """A required parameter was left out."""
    return StripeProblem(f"Missing required param: {param}.", code="parameter_missing", param=param)


def no_such(noun: str, identifier: str, param: str, status: int = 404) -> StripeProblem:
    """There is no object of this id for this account."""
    return StripeProblem(f"No such {noun}: '{identifier}'", status=status, code="resource_missing", param=param)
