"""HTML and SVG as values: what is no markup is escaped, always."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

VOID = frozenset({"meta", "br", "hr", "col", "rect", "line", "circle", "polyline", "path"})


class Markup(str):
    """Text that is markup already; made by `tag` only."""

    __slots__ = ()


Child = Markup | str | int | float | None | Iterable["Child"]


def tag(name: str, /, *children: Child, **attributes: str | float | bool | None) -> Markup:
    """Give an element. `class_` is class, other underlines are dashes; None and False leave an attribute out."""
    words = "".join(_attribute(key, value) for key, value in attributes.items())
    inside = together(children)
    if name in VOID and not inside:
        return Markup(f"<{name}{words}>" if name in ("meta", "br", "hr", "col") else f"<{name}{words}/>")
    return Markup(f"<{name}{words}>{inside}</{name}>")


def together(*children: Child) -> Markup:
    """Give children one after the other, escaping what is no markup."""
    return Markup("".join(_text(child) for child in children))


def trusted(text: str) -> Markup:
    """Take a text of this package's own (its style sheet) as it is."""
    return Markup(text)


def _text(child: Child) -> str:
    if child is None:
        return ""
    if isinstance(child, Markup):
        return child
    if isinstance(child, str | int | float):
        return escape(str(child))
    return "".join(_text(one) for one in child)


def _attribute(key: str, value: str | float | bool | None) -> str:
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-").replace("viewbox", "viewBox")
    name = name.replace("preserveaspectratio", "preserveAspectRatio")
    if value is True:
        return f" {name}"
    shown = f"{value:g}" if isinstance(value, float) else str(value)
    return f' {name}="{escape(shown)}"'
