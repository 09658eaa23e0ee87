"""Says which station parcels go to from which, as the site file has it: what the picture of the line is drawn by."""

from __future__ import annotations

from collections.abc import Iterator

from controller.site import Site, StationPart, places_of

BY_KIND = {"turntable": ("pack", "bench"), "pack": ("label",), "hold": ("gate",)}
"""Where a kind of station passes parcels on to, if nothing else is said; the words of `controller.site.SERVES`."""


def ways_of(site: Site) -> dict[str, list[str]]:
    """Give for each station the stations it passes parcels on to; clarification and the last gate have none."""
    places = places_of(site)
    return {
        name: [to for to in dict.fromkeys(_next(part, places)) if to != name] for name, part in site.stations.items()
    }


def _next(part: StationPart, places: dict[str, str]) -> Iterator[str]:
    """Go by the lanes of an applicator, by what a packer feeds, and else by the kind; only to what there is."""
    if part.kind == "pack" and part.feeds:
        yield part.feeds
        return
    if part.kind == "bench":  # from a bench everything is carried: to the rack, where there is one
        yield from [places[kind] for kind in ("hold", "gate") if kind in places][:1]
        return
    wanted = tuple(part.lanes) or BY_KIND.get(part.kind, ())
    yield from (places[kind] for kind in wanted if kind in places)
