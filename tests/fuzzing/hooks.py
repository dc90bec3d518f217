"""What schemathesis (tests/api/test_schemathesis.py) needs beyond the OpenAPI page: how lines are sent, and a check of
our own. Loaded by its command line."""

from typing import Any

import schemathesis
from schemathesis import Case, CheckContext, Response

schemathesis.serializer.alias("application/x-ndjson", "text/plain")


@schemathesis.check
def refusals_are_problems(ctx: CheckContext, response: Response, case: Case[Any]) -> None:
    """A refusal that no page tells is a problem document with our code, and one of a request that is not valid names
    what is wrong in it."""
    media_type = "".join(response.headers.get("content-type", [])).partition(";")[0]
    if response.status_code < 400 or media_type == "text/html" or not response.content:
        return
    assert media_type == "application/problem+json", media_type
    problem = response.json()
    assert problem["status"] == response.status_code
    assert problem["type"] == f"urn:grapevine:problem:{problem['code']}"
    if problem["code"] == "invalid_request":
        assert problem["errors"]
        assert all({"pointer", "detail"} == each.keys() and each["detail"] for each in problem["errors"]), problem
