"""Gets answers for guided files: from options, from a file of answers, from a person at the keyboard, or the default."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from packline.core.faults import Fault
from packline.core.files import FileFaults, near, read_toml

MOST_TRIES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked: its key in options and answers, the words, the default ("" must be answered), what may stand there."""

    key: str
    words: str
    default: str = ""
    choices: tuple[str, ...] = ()
    may_be_empty: bool = False

    def wrong(self, answer: str) -> str:
        """Say what an answer should have been; "" when it is one."""
        if not answer:
            return "" if self.may_be_empty else "an answer"
        return "" if not self.choices or answer in self.choices else f"one of {', '.join(self.choices)}"


@dataclass(slots=True, kw_only=True)
class Asker:
    """Answers questions. `given` are options and a file's answers; `ask` asks a person, None if there is nobody."""

    given: Mapping[str, Any] = field(default_factory=dict)
    ask: Callable[[str], str] | None = None

    def answer(self, question: Question) -> str:
        """Give a right answer; raises Fault 4201 if what was given is wrong, or nobody is there to ask."""
        said = self.given.get(question.key)
        if said is not None:
            return self._demand(question, str(said))
        if self.ask is None:
            return self._demand(question, question.default)
        for _ in range(MOST_TRIES):
            hint = f" ({' | '.join(question.choices)})" if question.choices else ""
            default = f" [{question.default}]" if question.default else ""
            answer = self.ask(f"{question.words}{hint}{default}: ").strip() or question.default
            if not (wrong := question.wrong(answer)):
                return answer
            self.ask(f"  That should be {wrong}. Enter to try again.")
        raise Fault(4201, where=question.words, seen="no right answer", expected=question.wrong(""))

    def _demand(self, question: Question, answer: str) -> str:
        if wrong := question.wrong(answer):
            remedy = f"Give it as --{question.key.replace('_', '-')}, or answer at a terminal."
            raise Fault(4201, where=question.words, seen=answer or "nothing", expected=wrong, remedy=remedy)
        return answer


def asker(options: Mapping[str, Any], answers: Path | None, known: Set[str], *, is_guided: bool) -> Asker:
    """Make the asker of a command: options before answers, and a person only at a terminal and where nothing says `--yes`.

    Raises FileFaults for an answer to what is not among the `known` questions; nobody would read it.
    """
    _demand_known(answers, known)
    given = {**(read_toml(answers) if answers else {}), **{k: v for k, v in options.items() if v not in (None, [])}}
    is_terminal = sys.stdin.isatty() and is_guided and answers is None
    return Asker(given=given, ask=input if is_terminal else None)


def _demand_known(answers: Path | None, known: Set[str]) -> None:
    unread = sorted(read_toml(answers).keys() - known) if answers else []
    if unread:
        raise FileFaults(
            [
                Fault(4202, where=f"{answers} [{key}]", seen=key, expected="a known key", remedy=near(key, set(known)))
                for key in unread
            ]
        )
