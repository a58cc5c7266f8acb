"""Reading pictures: the groups of an SVG, its words and its tooltips."""

from collections.abc import Callable
from typing import NamedTuple
from xml.etree import ElementTree

import pytest

SVG = "{http://www.w3.org/2000/svg}"


class Seen(NamedTuple):
    """A node, edge or cluster of an SVG."""

    what: str
    kind: str
    words: list[str]
    tip: str

    @property
    def name(self) -> str:
        return self.words[0] if self.words else ""


class Page(NamedTuple):
    root: ElementTree.Element
    parts: list[Seen]

    def of(self, what: str, kind: str | None = None) -> list[Seen]:
        found = [part for part in self.parts if part.what == what and part.kind != "legend"]
        return [part for part in found if kind in (None, part.kind)]

    @property
    def nodes(self) -> list[Seen]:
        return self.of("node")

    @property
    def edges(self) -> list[Seen]:
        return self.of("edge")

    @property
    def clusters(self) -> list[Seen]:
        return self.of("cluster")

    @property
    def names(self) -> list[str]:
        return sorted(node.name for node in self.nodes)

    @property
    def words(self) -> list[str]:
        return [word for part in self.parts for word in part.words]


def _seen(group: ElementTree.Element) -> Seen:
    what, kind = group.get("class", "").split()
    words = ["".join(text.itertext()) for text in group.iter(f"{SVG}text")]
    return Seen(what, kind, words, group.findtext(f"{SVG}title", ""))


@pytest.fixture
def read() -> Callable[[str], Page]:
    """A function that takes an SVG apart."""

    def take_apart(svg: str) -> Page:
        root = ElementTree.fromstring(svg)
        return Page(root, [_seen(group) for group in root.iter(f"{SVG}g") if group.get("class")])

    return take_apart
