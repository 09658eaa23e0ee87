"""Reads the JSON that somebody sent: an object of texts that can be kept, or nothing."""

from __future__ import annotations

import json
from typing import Any

from flask import request


def json_body() -> dict[str, Any]:
    """Give the JSON object of a request; {} for anything else."""
    return json_object(request.get_data(as_text=True)) if request.is_json else {}


def json_object(text: str) -> dict[str, Any]:
    """Give the JSON object that `text` is; {} for anything else."""
    try:
        found = json.loads(text)
        # Half a character and a NUL are JSON, and nothing that every database keeps.
        json.dumps(found, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) and "\\u0000" not in text else {}
