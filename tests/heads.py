"""Reads pages as machines do: parsed, never searched for text."""

import json
from dataclasses import dataclass, field
from html.parser import HTMLParser

from tests.shop import JSON

VOID = frozenset({"meta", "link", "input", "img", "br"})


@dataclass(frozen=True)
class Node:
    """An element with its attributes, and the text below it."""

    tag: str
    attributes: dict[str, str]
    inside: tuple[str, ...]
    said: list[str] = field(default_factory=list)

    def __getitem__(self, name: str) -> str:
        return self.attributes[name]

    def get(self, name: str) -> str | None:
        return self.attributes.get(name)

    @property
    def text(self) -> str:
        return " ".join("".join(self.said).split())


class ParsedPage(HTMLParser):
    """A page in parts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.nodes: list[Node] = []
        self._open: list[Node] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        node = Node(tag, {name: value or "" for name, value in attrs}, tuple(each.tag for each in self._open))
        self.nodes.append(node)
        if tag not in VOID:
            self._open.append(node)

    def handle_endtag(self, tag: str) -> None:
        assert self._open, f"nothing is open for </{tag}>"
        assert tag == self._open[-1].tag, f"</{tag}> ends a <{self._open[-1].tag}>"
        self._open.pop()

    def handle_data(self, data: str) -> None:
        for node in self._open:
            node.said.append(data)

    def all(self, tag: str, **attributes: str) -> list[Node]:
        """The elements of this name that have these attributes (`class_` is one of the classes)."""
        wanted = attributes.pop("class_", None)
        return [
            node
            for node in self.nodes
            if node.tag == tag
            and all(node.get(name.replace("_", "-")) == value for name, value in attributes.items())
            and (wanted is None or wanted in (node.get("class") or "").split())
        ]

    def one(self, tag: str, **attributes: str) -> Node:
        """The only one."""
        (node,) = self.all(tag, **attributes)
        return node

    def metas(self) -> dict[str, str]:
        """What the head says, by name or property; nothing is said twice."""
        said: dict[str, str] = {}
        for node in self.all("meta"):
            name = node.get("property") or node.get("name")
            if name is not None and name != "theme-color":
                assert name not in said, name
                said[name] = node["content"]
        return said

    def links(self, rel: str) -> list[Node]:
        return [node for node in self.all("link") if rel in node["rel"].split()]

    def canonical(self) -> str:
        (node,) = self.links("canonical")
        return node["href"]

    def json_ld(self) -> JSON:
        return dict(json.loads("".join(self.one("script", type="application/ld+json").said)))

    def form(self) -> dict[str, str]:
        """What the one form of the page would send as it stands."""
        fields = {node["name"]: node.get("value") or "" for node in self.all("input") if "name" in node.attributes}
        for option in self.all("option"):
            if "selected" in option.attributes:
                fields["variant"] = option["value"]
        return fields
