"""What is kept of the headers of a message that is taken, and what is answered to one that is not."""

from __future__ import annotations

from packline.feeds.signing import ID_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER

KEPT_HEADERS = (ID_HEADER, TIMESTAMP_HEADER, SIGNATURE_HEADER, "content-type")
STATUS = {4001: 400, 4002: 401, 4003: 401, 4004: 413, 5002: 503}
"""HTTP status by the code of the fault."""
