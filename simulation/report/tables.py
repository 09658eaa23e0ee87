"""Tables and legends of the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from simulation.report.markup import Child, Markup, tag


def table(
    heads: Sequence[Child],
    rows: Sequence[Sequence[Child]],
    *,
    texts: frozenset[int] | set[int] = frozenset(),
    none: str = "none",
) -> Markup:
    """Give a table whose first column says what a row is; `texts` are the numbers of columns with words in them."""
    if not rows:
        return tag("p", none, class_="soft")
    top = [tag("th", head, scope="col", class_="t" if n in texts else None) for n, head in enumerate(heads)]
    body = [
        tag("tr", [tag("td", cell, class_="t" if n in texts else None) for n, cell in enumerate(row)]) for row in rows
    ]
    return tag(
        "div",
        tag("table", tag("thead", tag("tr", top)), tag("tbody", body)),
        class_="table",
        tabindex="0",
        role="region",
        aria_label="table",
    )


def legend(kinds: Mapping[str, str]) -> Markup:
    """Say what colours mean: words by class."""
    return tag("div", [tag("span", _swatch(kind), words) for kind, words in kinds.items()], class_="legend")


def _swatch(kind: str) -> Markup:
    return tag("svg", tag("rect", width="12", height="12", rx="2", class_=kind), aria_hidden="true")
