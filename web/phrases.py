"""Says the house's English phrases in another language: what was seen and what was expected, as faults carry them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

MOST_DEEP = 3
"""A phrase may stand in the place of a phrase, and so on, this often."""
MOST_KEPT = 2000
_HOLE = re.compile(r"\{(\w+)(?:\|([\w,]+))?\}")

Word = Callable[[str, str], str | None]
"""Gives the word of a family for a name; None where there is none."""


@dataclass(frozen=True, slots=True)
class _Phrase:
    """`families` tells for a hole which words of the catalogue may stand there."""

    pattern: re.Pattern[str]
    families: Mapping[str, tuple[str, ...]]
    said: str


class Phrases:
    """A book of phrases; `{name}` is a hole for what changes, `{name|family}` one for a word of the catalogue, nothing else."""

    def __init__(self, book: Mapping[str, str], word: Word) -> None:
        self._word = word
        self._plain = {english: said for english, said in book.items() if not _HOLE.search(english)}
        holed = [english for english in book if english not in self._plain]
        self._phrases = [_compiled(english, book[english]) for english in sorted(holed, key=_fixed, reverse=True)]
        self.say = lru_cache(MOST_KEPT)(self._say)

    def _say(self, text: str, deep: int = 0) -> str:
        """Give `text` in the other language; what is in no phrase (a number, a name) stays as it is."""
        if text in self._plain or deep > MOST_DEEP:
            return self._plain.get(text, text)
        for phrase in self._phrases:
            if found := phrase.pattern.fullmatch(text):
                parts = {name: self._part(phrase, name, part, deep) for name, part in found.groupdict().items()}
                if None not in parts.values():
                    return phrase.said.format_map(parts)
        return text

    def _part(self, phrase: _Phrase, name: str, part: str, deep: int) -> str | None:
        """Say what stands in a hole; None where a word of the catalogue should stand and none does."""
        families = phrase.families.get(name)
        if families is None:
            return self._say(part, deep + 1)
        said = next((word for family in families if (word := self._word(family, part)) is not None), None)
        return None if said is None else said[:1].lower() + said[1:]


def load(code: str, folder: Path) -> dict[str, str]:
    """Read the book of a language; empty for one that has none, as English."""
    path = folder / f"phrases.{code}.json"
    book: dict[str, str] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return book


def _fixed(english: str) -> int:
    """The more of a phrase is fixed, the surer it is meant."""
    return len(_HOLE.sub("", english))


def _compiled(english: str, said: str) -> _Phrase:
    families = {found[1]: tuple(found[2].split(",")) for found in _HOLE.finditer(english) if found[2]}
    pieces = _HOLE.split(english)
    pattern = "".join(
        re.escape(piece) if n % 3 == 0 else f"(?P<{piece}>.+?)" if n % 3 == 1 else "" for n, piece in enumerate(pieces)
    )
    return _Phrase(re.compile(pattern, re.DOTALL), families, said)
