"""Makes the pages: asks the API, says what it answers in the reader's language. Knows no cookie.

What reads the database beside the API is no figure: titles and pictures of products, names that people gave themselves,
and whose a referral is.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from starlette.concurrency import run_in_threadpool

from app.catalog import service as catalog
from app.kernel.database import Database
from app.referrals import service as referrals
from app.report_page import orders, overview, people
from app.report_page.asking import JSON, Api
from app.report_page.choices import PRESETS, Choice
from app.report_page.overview import Faces
from app.report_page.pages import ReportPages
from app.report_page.session import Reader
from app.report_page.speech import NAMELESS, Speech
from app.reports import forest
from app.reports.people import Known
from app.storefront.addresses import web_address


@dataclass(frozen=True)
class Asking:
    """What one request is about: who asks, with what chosen, in which language."""

    reader: Reader
    api: Api
    query: Mapping[str, str]
    language: str
    now: datetime

    def choose(self, *also: str) -> Choice:
        """What is chosen, on a page that knows `also` these names. Raises `Invalid`."""
        return Choice.of(self.query, ZoneInfo(self.reader.timezone), self.now, also)


class Views:
    """Each method makes one page. Raises `Refused`, and what is not found."""

    def __init__(self, database: Database, pages: ReportPages) -> None:
        self._database = database
        self._pages = pages

    async def overview(self, asking: Asking) -> bytes:
        """Sums over time, by network, the funnel, what and who sold most."""
        asked = await overview.ask(asking.api, asking.reader, asking.choose("next"))
        faces = await self._faces(asking.reader, overview.products_of(asked))
        speech, words = self._speaking(asking)
        sharers = asked.rows("sharers") if "sharers" in asked.told else []
        return await self._page(
            asking,
            asked.choice,
            "overview.html",
            words["reports_title"],
            about=self._about(asked.told["time"], speech, asked.choice),
            asked=asked,
            tiles=overview.tiles(asked, speech, words),
            over=overview.over_time(asked, speech),
            networks=overview.networks(asked, speech),
            products=overview.products(asked, speech, faces),
            steps=overview.steps(asked, speech, words),
            people=people.rows(sharers, speech, asked.choice.address()),
        )

    async def sharers(self, asking: Asking) -> bytes:
        """People by what their word brought."""
        choice = asking.choose("cursor")
        call = people.list_call(choice, asking.query.get("cursor"))
        told = await asking.api.get(call)
        speech, words = self._speaking(asking)
        return await self._page(
            asking,
            choice,
            "sharers.html",
            words["reports_people"],
            about=self._about(told, speech, choice),
            rows=people.rows(told["data"], speech, choice.address()),
            call=call,
            next=told["next_cursor"] and choice.address(cursor=told["next_cursor"]),
        )

    async def sharer(self, asking: Asking, sharer: str) -> bytes:
        """One of them, and what became of their word."""
        choice = asking.choose()
        calls = people.one_call(sharer, choice), people.tree_call(sharer, choice)
        person, tree = await asking.api.all(calls)
        products = [*(row["product"] for row in person["by_product"]), *(node["product"] for node in tree["data"])]
        faces = await self._faces(asking.reader, products)
        speech, words = self._speaking(asking)
        sold = [*person["subtree_net"], *(total["currency"] for total in person["totals"])]
        currency = choice.currency_of(asking.reader.currency, sold)
        return await self._page(
            asking,
            choice,
            "sharer.html",
            speech.person(sharer, person["name"]),
            about=self._about(person, speech, choice),
            sharer=sharer,
            known=[speech.moment(person[name], choice.zone) for name in ("first_at", "last_at")],
            tiles=people.tiles(person, currency, speech, words),
            networks=people.activity(person, "network", speech, faces),
            products=people.activity(person, "product", speech, faces),
            tree=people.grown(tree, people.Telling(currency, speech, words, choice, faces)),
            totals=people.shape(tree, speech),
            calls=calls,
        )

    async def tree(self, asking: Asking, referral: str) -> bytes:
        """What became of one like or share."""
        choice = asking.choose()
        sharer = await run_in_threadpool(self._whose, asking.reader, referral, asking.now)
        call = people.tree_call(sharer, choice, referral)
        tree = await asking.api.get(call)
        faces = await self._faces(asking.reader, [node["product"] for node in tree["data"]])
        speech, words = self._speaking(asking)
        currency = choice.currency_of(asking.reader.currency, tree["totals"]["subtree_net"])
        return await self._page(
            asking,
            choice,
            "tree.html",
            words["reports_tree_title"],
            about=self._about(tree, speech, choice),
            tiles=people.tree_tiles(tree, currency, speech, words),
            tree=people.grown(tree, people.Telling(currency, speech, words, choice, faces)),
            totals=people.shape(tree, speech),
            calls=(call,),
        )

    async def orders(self, asking: Asking) -> bytes:
        """The orders behind the figures."""
        choice = asking.choose("cursor", *orders.FILTERS)
        call = orders.list_call(choice, asking.query, asking.query.get("cursor"))
        told = await asking.api.get(call)
        names = await self._names(asking, orders.people_of(told["data"]))
        filters = {name: asking.query[name] for name in orders.FILTERS if asking.query.get(name)}
        faces = await self._faces(asking.reader, [filters["product"]] if "product" in filters else [])
        speech, words = self._speaking(asking)
        return await self._page(
            asking,
            choice,
            "orders.html",
            words["reports_orders"],
            about=self._about(told, speech, choice),
            rows=orders.listed(told["data"], orders.Telling(speech, words, choice, names)),
            totals=orders.totals(told, speech),
            narrowed=orders.narrowed(filters, speech, faces),
            filters=filters,
            call=call,
            next=told["next_cursor"] and choice.address(**filters, cursor=told["next_cursor"]),
        )

    async def order(self, asking: Asking, order: str) -> bytes:
        """Why an order was credited as it was."""
        choice, call = asking.choose(), orders.one_call(order)
        told = await asking.api.get(call)
        names = await self._names(asking, orders.people_in(told))
        speech, words = self._speaking(asking)
        return await self._page(
            asking,
            choice,
            "order.html",
            words["reports_order"].replace("{order}", told["external_id"]),
            order=orders.explained(told, orders.Telling(speech, words, choice, names)),
            call=call,
        )

    def _speaking(self, asking: Asking) -> tuple[Speech, Mapping[str, str]]:
        return self._pages.speech(asking.language), self._pages.words(asking.language)

    def _about(self, told: JSON, speech: Speech, choice: Choice) -> dict[str, object]:
        """What is told with every report: of when it is, by which policy, of which orders."""
        return {
            "as_of": speech.moment(told["as_of"], choice.zone),
            "policy": told["policy_name"],
            "version": told["policy_version"],
            "livemode": told["livemode"],
            "days": speech.days(choice.since, choice.through),
        }

    async def _page(self, asking: Asking, choice: Choice, template: str, title: str, **context: object) -> bytes:
        return await run_in_threadpool(
            self._pages.render,
            template,
            asking.language,
            title,
            asking.reader,
            choice=choice,
            presets=PRESETS,
            **context,
        )

    async def _faces(self, reader: Reader, products: Collection[str | None]) -> Faces:
        wanted = {(reader.merchant_id, product) for product in products if product and product not in NAMELESS}
        return await run_in_threadpool(self._read_faces, wanted) if wanted else {}

    def _read_faces(self, wanted: Collection[tuple[int, str]]) -> Faces:
        with self._database.reading() as session:
            found = catalog.faces(session, wanted)
        return {product: (title, web_address(image)) for (_, product), (title, image) in found.items()}

    async def _names(self, asking: Asking, sharers: Collection[str]) -> Mapping[str, str]:
        """The names of those who gave one, the newest each, and did not take it back."""
        return await run_in_threadpool(self._read_names, asking, sharers) if sharers else {}

    def _read_names(self, asking: Asking, sharers: Collection[str]) -> Mapping[str, str]:
        with self._database.reading() as session:
            made = forest.made_by(session, Known(asking.reader.merchant_id, asking.now), sharers)
        return {node.sharer: about.name for node, about in made if about.name is not None}

    def _whose(self, reader: Reader, referral: str, now: datetime) -> str:
        with self._database.reading() as session:
            visitor = referrals.get(session, reader.merchant_id, referral).visitor_id
            return Known(reader.merchant_id, now).people(session, [visitor]).get(visitor, visitor)
