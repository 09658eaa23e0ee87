"""Says everything on the screen in the reader's language, from one catalogue a language."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from packline.core.faults import FAULTS
from packline.core.identity import Lpn
from web import phrases

log = logging.getLogger(__name__)

FOLDER = Path(__file__).parent / "words"
LANGUAGE_NAMES = {"en": "English", "zh": "中文"}
HTML_LANGS = {"en": "en", "zh": "zh-Hans"}

_HAN = "[\u4e00-\u9fff]"
_CHINESE = re.compile(_HAN)

# parameters of instructions that are words themselves, and the family of the catalogue that translates them
WORD_PARAMETERS = {"to": "place", "kind": "place", "step": "labelling", "why": "why", "by": "actor", "event": "event"}


class Words:
    """The catalogues. A key that is missing is shown as itself and logged: a screen must never fail for a word."""

    def __init__(self, languages: Sequence[str], folder: Path = FOLDER) -> None:
        self.languages = tuple(languages)
        self._texts = {code: load(code, folder) for code in languages}
        self._phrases = {
            code: phrases.Phrases(phrases.load(code, folder), partial(self._known, code)) for code in languages
        }

    def say(self, language: str, key: str, **params: Any) -> str:
        """Give the text of `key` with `params` filled in."""
        text = self._texts[language].get(key)
        if text is None:
            log.warning("no word for %s in %s", key, language)
            return key
        return _closed(text, params).format_map(_Blanks(params))

    def knows(self, language: str, key: str) -> bool:
        """Tell whether the catalogue has `key`."""
        return key in self._texts[language]

    def word(self, language: str, family: str, name: str) -> str:
        """Give the text of `family.name`, or `name` itself where the world has more words than we."""
        key = f"{family}.{name}"
        return self.say(language, key) if self.knows(language, key) else name

    def _known(self, language: str, family: str, name: str) -> str | None:
        key = f"{family}.{name}"
        return self.say(language, key) if self.knows(language, key) else None

    def choose(self, wanted: str | None, accepted: Sequence[str]) -> str:
        """Choose a language: the one wanted, else the browser's first that we speak, else the site's first."""
        for code in (wanted or "", *(tag.split("-")[0].lower() for tag in accepted)):
            if code in self.languages:
                return code
        return self.languages[0]

    def step(self, language: str, instruction: Mapping[str, Any]) -> str:
        """Say an instruction or a scan's result, `{"key", "params"}`, as one sentence."""
        key, params = str(instruction.get("key", "idle")), dict(instruction.get("params") or {})
        if key == "refused":
            return self._refused(language, params)
        if key in ("ask_person", "fault"):
            return self._asking(language, key, params)
        if key == "held" and params.get("by") == "software":
            return self.say(language, "step.held.software")
        full = f"step.{key}.any" if not params.get("lpn") and self.knows(language, f"step.{key}.any") else f"step.{key}"
        return self.say(language, full, **self._translated(language, params))

    def fault(self, language: str, fault: Mapping[str, Any]) -> dict[str, Any]:
        """Give a fault for the screen: code, severity, name, meaning, seen, expected, remedy, where."""
        code = _code(fault.get("code"))
        kind = FAULTS.get(code, FAULTS[5001])
        own = str(fault.get("remedy") or "")
        known = own in ("", kind.remedy)
        return {
            "code": code,
            "severity": kind.severity.value,
            "name": _sentence(self._of_fault(language, code, "name", str(fault.get("name") or kind.name))),
            "meaning": self._of_fault(language, code, "meaning", kind.meaning),
            "remedy": self._of_fault(language, code, "remedy", kind.remedy) if known else self.phrase(language, own),
            **{part: self.phrase(language, str(fault.get(part) or "")) for part in ("where", "seen", "expected")},
        }

    def phrase(self, language: str, text: str) -> str:
        """Say one of the house's English phrases; what is none of them is given as it is."""
        return self._phrases[language].say(text)

    def moment(self, language: str, at: datetime, now: datetime, zone: ZoneInfo) -> str:
        """Give a time as people say it: the time of day today, else day and time."""
        local, today = at.astimezone(zone), now.astimezone(zone).date()
        if local.date() == today:
            return f"{local:%H:%M:%S}"
        if language == "zh":
            return f"{local.month}月{local.day}日 {local:%H:%M}"
        return f"{local.day} {local:%b %H:%M}"

    def deadline(self, language: str, at: datetime, zone: ZoneInfo) -> str:
        """Give date, time and zone, for somebody in another part of the world: `21 Nov 2026, 18:00 (UTC+08:00)`."""
        local = at.astimezone(zone)
        date = f"{local.year}年{local.month}月{local.day}日 " if language == "zh" else f"{local.day} {local:%b %Y}, "
        hours, minutes = f"{local:%z}"[:3], f"{local:%z}"[3:5]
        return f"{date}{local:%H:%M} (UTC{hours}:{minutes})"

    def span(self, language: str, seconds: float) -> str:
        """Give a length of time in its two largest units at most."""
        whole = max(0, int(seconds))
        days, hours, minutes = whole // 86400, whole // 3600 % 24, whole // 60 % 60
        if days:
            return self.say(language, "span.days", days=days, hours=hours)
        if whole >= 3600:
            return self.say(language, "span.hours", hours=hours, minutes=minutes)
        if whole >= 60:
            return self.say(language, "span.minutes", minutes=minutes, seconds=whole % 60)
        return self.say(language, "span.seconds", seconds=whole)

    def _of_fault(self, language: str, code: int, part: str, fallback: str) -> str:
        # English is written once, in packline.core.faults; the catalogue has the other languages.
        key = f"fault.{code}.{part}"
        return self.say(language, key) if self.knows(language, key) else fallback

    def _refused(self, language: str, params: Mapping[str, Any]) -> str:
        fault = self.fault(language, params)
        return self.say(language, "step.refused", name=fault["name"], remedy=fault["remedy"])

    def _asking(self, language: str, key: str, params: Mapping[str, Any]) -> str:
        code = params.get("code")
        name = self.fault(language, {"code": code})["name"] if code else ""
        return self.say(language, f"step.{key}" if name else f"step.{key}.any", **{**params, "name": name})

    def _translated(self, language: str, params: Mapping[str, Any]) -> dict[str, Any]:
        return {name: self._parameter(language, name, value) for name, value in params.items()}

    def _parameter(self, language: str, name: str, value: Any) -> Any:
        if isinstance(value, (list, tuple)):
            between = "、" if language == "zh" else ", "
            return between.join(str(self._parameter(language, name, part)) for part in value)
        return self.word(language, WORD_PARAMETERS[name], str(value)) if name in WORD_PARAMETERS else value


def load(code: str, folder: Path = FOLDER) -> dict[str, str]:
    """Read one catalogue: nested families of texts in the file, `family.key` in memory."""
    raw = json.loads((folder / f"{code}.json").read_text("utf-8"))
    return {f"{family}.{key}": text for family, texts in raw.items() for key, text in texts.items()}


def _code(value: Any) -> int:
    """Give a fault's number; what is none counts as a software fault."""
    return value if isinstance(value, int) else int(value) if isinstance(value, str) and value.isdecimal() else 5001


def _closed(text: str, params: Mapping[str, Any]) -> str:
    """Take the blank out that parts a name or a number from Chinese, where the parameter is Chinese itself."""
    for name, value in params.items() if _CHINESE.search(text) else ():
        said = str(value)
        if _CHINESE.match(said):
            text = re.sub(rf"(?<={_HAN}) (?={{{name}}})", "", text)
        if _CHINESE.match(said[-1:]):
            text = re.sub(rf"(?<={{{name}}}) (?={_HAN})", "", text)
    return text


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def short(code: str) -> str:
    """Give what a person tells parcels apart by: the last five figures of an LPN."""
    return f"…{code[-5:]}" if Lpn.is_lpn(code) else code


class _Blanks(dict[str, Any]):
    """A parameter that nobody gave is an empty place, not an error on the screen."""

    def __missing__(self, key: str) -> str:
        return ""
