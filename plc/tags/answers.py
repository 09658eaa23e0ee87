"""Turns the answers to one request into what is kept of its tags; only what has changed is worked out anew. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain, compress
from operator import ne

from plc.tags.codec import decoder
from plc.tags.plan import Request
from plc.tags.values import Bad, Outcome

UNREAD = Bad("never read")


class Answers:
    """Remembers the last answer to a request, and its outcomes in the order of the request's tags.

    Most answers say nothing new, and in most others a few registers have changed.
    """

    def __init__(self, request: Request) -> None:
        self._decoders = [decoder(tag, tag.start - request.start) for tag in request.tags]
        self._readers: list[list[int]] = [[] for _ in range(request.count)]  # which tags lie in each register
        for number, tag in enumerate(request.tags):
            for at in range(tag.start, tag.end):
                self._readers[at - request.start].append(number)
        self._words: tuple[int, ...] = ()
        self._outcomes: tuple[Outcome, ...] = (UNREAD,) * len(request.tags)

    def outcomes(self, answer: Sequence[int]) -> Sequence[Outcome]:
        """Give what an answer says of each tag; the very same object as long as nothing changes.

        It must be as long as the request asked, or longer where bits are padded.
        """
        words = tuple(answer)
        if words != self._words:
            self._outcomes = self._anew(words)
            self._words = words
        return self._outcomes

    def _anew(self, words: tuple[int, ...]) -> tuple[Outcome, ...]:
        outcomes, decoders = list(self._outcomes), self._decoders
        for number in self._changed(words):
            try:
                outcomes[number] = decoders[number](words)
            except ValueError as error:
                outcomes[number] = Bad(str(error))
        return tuple(outcomes)

    def _changed(self, words: tuple[int, ...]) -> Iterable[int]:
        """Give the tags some of whose registers have changed."""
        if not self._words:
            return range(len(self._decoders))
        # padding lies behind the last reader
        return set(chain.from_iterable(compress(self._readers, map(ne, words, self._words))))
