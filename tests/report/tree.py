"""A page of HTML as a tree, to be asked what is in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = ("meta", "link", "line", "rect", "path", "br")


@dataclass
class Node:
    """An element with its attributes, and what is in it."""

    tag: str
    attributes: dict[str, str]
    inside: list[Node | str] = field(default_factory=list)

    def all(self, tag: str = "", name: str = "") -> Iterator[Node]:
        """Give each element below that has a tag and a class."""
        for one in self.inside:
            if isinstance(one, Node):
                if tag in ("", one.tag) and (not name or name in one.attributes.get("class", "").split()):
                    yield one
                yield from one.all(tag, name)

    def one(self, tag: str = "", name: str = "", **attributes: str) -> Node:
        """Return the only element that has them all."""
        found = [n for n in self.all(tag, name) if all(n.attributes.get(key) == v for key, v in attributes.items())]
        assert len(found) == 1, (tag, name, attributes, len(found))
        return found[0]

    @property
    def text(self) -> str:
        """What is read of it."""
        parts = (one if isinstance(one, str) else f" {one.text} " for one in self.inside)
        return " ".join("".join(parts).split())


class Parser(HTMLParser):
    """Makes a tree of a page, and refuses one whose elements are not closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Node("", {})
        self._path = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        node = Node(tag, {name: value or "" for name, value in attrs})
        self._path[-1].inside.append(node)
        if tag not in VOID:
            self._path.append(node)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._path[-1].inside.append(Node(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self._path[-1].tag == tag, f"</{tag}> ends <{self._path[-1].tag}>"
        self._path.pop()

    def handle_data(self, data: str) -> None:
        self._path[-1].inside.append(data)


def tree_of(text: str) -> Node:
    """Return a page as a tree."""
    parser = Parser()
    parser.feed(text)
    parser.close()
    assert parser._path == [parser.root]
    return parser.root


def columns(table: Node) -> list[list[str]]:
    """Return the texts of the rows of a table's body."""
    return [[cell.text for cell in row.inside if isinstance(cell, Node)] for row in table.one("tbody").all("tr")]
