"""Which addresses Stripe takes. Pure."""

from urllib.parse import urlsplit

from app.demo.stripe.errors import StripeProblem


def check_url(url: str, param: str) -> None:
    """StripeProblem unless `url` is an absolute http(s) address of printable characters."""
    try:
        parts = urlsplit(url)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        valid = False
    if not valid or any(character.isspace() or not character.isprintable() for character in url):
        raise StripeProblem("Not a valid URL", code="url_invalid", param=param)
