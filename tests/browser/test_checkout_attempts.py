"""A press of "Buy" that got no answer is the same attempt when it is repeated; with another quantity it is another."""

from playwright.sync_api import Page, Route, expect

from tests.browser import foreign
from tests.browser.foreign import Elsewhere
from tests.browser.journeys import ON_ONE_DATABASE, NewPerson
from tests.shop import JSON

pytestmark = ON_ONE_DATABASE


def press(page: Page, quantity: int) -> tuple[str, JSON]:
    """Buy so many: the key of the attempt, and what was sent."""
    page.get_by_role("spinbutton").fill(str(quantity))
    with page.expect_request("**/v1/checkouts") as asked:
        page.get_by_role("button", name="Buy").click()
    expect(page.get_by_role("button", name="Buy")).to_have_attribute("aria-busy", "false")
    return asked.value.headers["idempotency-key"], dict(asked.value.post_data_json or {})


def test_an_attempt_without_an_answer_is_repeated_and_another_quantity_is_another(
    elsewhere: Elsewhere, mug: JSON, person: NewPerson
) -> None:
    page = person().new_page()
    answers: list[int | None] = [None, None, None, None, 409, 409]

    def answer(route: Route) -> None:
        status = answers.pop(0)
        if status is None:
            route.abort()
        else:
            allowed = {"access-control-allow-origin": elsewhere.origin}
            route.fulfill(status=status, json={"code": "out_of_stock"}, headers=allowed)

    page.route("**/v1/checkouts", answer)
    page.goto(elsewhere.write(foreign.product(mug["id"])))
    first, again, three, first_again = press(page, 1), press(page, 1), press(page, 3), press(page, 1)
    assert first == again == first_again
    assert (1, 3) == (first[1]["items"][0]["quantity"], three[1]["items"][0]["quantity"])
    assert first[0] != three[0]
    refused, after = press(page, 1), press(page, 1)  # a "no" is an answer: what follows is a new attempt
    assert first[0] == refused[0]
    assert refused[0] != after[0]
