"""A friendly "no": whatever goes wrong while people wait for a page or a frame ends in a refusal that has words."""

import logging
from collections.abc import Awaitable, Callable

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnection

from app.kernel.errors import AppError, NotFound, Unavailable
from app.kernel.ids import Malformed
from app.storefront.answers import Answer

log = logging.getLogger(__name__)


async def friendly(answering: Awaitable[Answer], no: Callable[[AppError], Answer]) -> Answer:
    """The answer, or what `no` says where there is none. Raises nothing but what `no` does."""
    try:
        return await answering
    except AppError as refusal:
        return no(refusal)
    except Malformed:
        return no(NotFound())
    except (DBAPIError, NoConnection) as error:
        log.warning("the database is away: %s", error)
        return no(Unavailable())
    except Exception:
        log.exception("a page could not be made")
        return no(AppError())
