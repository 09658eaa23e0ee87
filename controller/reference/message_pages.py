"""The page of messages: orders and deliveries that come in, tracking events that go out."""

from __future__ import annotations

import json
from collections.abc import Mapping

from pydantic import BaseModel

from controller.reference import words
from controller.reference.markdown import block, code, page, table
from controller.reference.schema import Explained
from packline.core.identity import Lpn, Sscc
from packline.core.ids import encode_ulid
from packline.feeds.circuit import OPEN_AFTER_FAILURES, PROBE_S
from packline.feeds.courier import DeliveredMessage
from packline.feeds.http import ANSWER_S
from packline.feeds.intake import FOREIGN
from packline.feeds.marketplace import OrderMessage
from packline.feeds.push import GIVE_UP, LADDER_S, MOST_AT_ONCE
from packline.feeds.sending import CONTENT_TYPE
from packline.feeds.signing import ID_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER, TOLERANCE_S
from packline.orders.tracking import AUDIENCE, TRACKING

SIGNING = f"""
Messages in both directions are signed by Standard Webhooks 1.0. Three headers come with the body:

| header | what |
| --- | --- |
| `{ID_HEADER}` | Name of the message, the same for every try of it; at most 128 printable characters. |
| `{TIMESTAMP_HEADER}` | When this try was sent, in seconds since 1970. More than {TOLERANCE_S} s off is refused. |
| `{SIGNATURE_HEADER}` | One or several signatures, separated by blanks: `v1,` and base64 of HMAC-SHA256. |

The signed text is `<id>.<timestamp>.<body>`, byte for byte; the key is what follows `whsec_` in the secret, decoded from base64.
Several secrets may be valid at once while one is being replaced.
"""

ORDERS = """
POST to `/intake/<feed>`, the feed's name from the site file. The body is one order as a whole: every change is the whole order again, with a
higher `version`. Unknown keys, keys that stand twice, and numbers as text are refused.
"""
STATUSES = (
    ("202", 'Kept, and not seen before. `{"id": ...}`'),
    ("200", "The same message was kept before; nothing more is done."),
    ("400", "Malformed: no usable id, not UTF-8, cut short (4001)."),
    ("401", "No valid signature (4002), or too old or from the future (4003)."),
    ("404", "No such feed or courier in the site file."),
    ("409", "This id was used before for another body."),
    ("413", "More than 1 MiB (4004)."),
    ("503", "The books cannot be written now; `Retry-After` says when to try again."),
)
AFTER = """
A 202 means *kept*, not *understood*: the message is read afterwards. What is genuine but cannot be taken (not JSON, unknown keys, unknown SKU,
a sum that does not add up, a change that comes too late) waits in the quarantine with its reason; a supervisor replays it from there, or
dismisses it with a note. A later version of the order that can be taken ends the wait by itself. Messages of one sender that cannot be read at
all are one exception with a count.
"""
RECONCILE = f"""
With a `reconcile_url` the controller asks the host for its open orders: `GET <url>?after=<n>` with `Authorization: Bearer <first secret of the
feed>`. It expects `{{"orders": [{{"data": <order as above>, "fulfilment": "none" | "in_progress" | "shipped"}}], "next": <n> | null}}` and follows
`next`. Orders that it lacks are taken in; an order that the host saw further than the books are kept from work with exception {FOREIGN}.
"""
EVENTS = f"""
Every event goes to every subscriber whose role hears it, as a CloudEvent 1.0 in structured mode (`{CONTENT_TYPE.partition(";")[0]}`), signed as
above with the subscriber's secret; `{ID_HEADER}` is the event's id. The body says the whole state of what changed, so nothing must be remembered.

- **At least once.** The same event may come twice, under the same id. Keep the ids that you have seen.
- **In order** within one order; events of different orders may overtake each other. `sequence` is the number in the journal.
- Any 2xx means taken. A redirect is a failure. 410 parks what waits and what comes, until a person retries it or the controller starts again. 429 and 503 with `Retry-After` are obeyed.
- No answer within {ANSWER_S:.0f} s is a failure. Tries follow after {", ".join(f"{s:g}" for s in LADDER_S)} s, each give or take a quarter,
  then every {LADDER_S[-1]:g} s, until the event is {GIVE_UP.days} days old; then it is parked, and exception 1008 asks a person.
- After {OPEN_AFTER_FAILURES} failures in a row alarm 1007 is raised and one try goes out every {PROBE_S:.0f} s. At most {MOST_AT_ONCE} requests to
  one subscriber run at a time.
"""

ENVELOPE = (
    ("specversion", "`1.0`"),
    ("id", "Id of the event (ULID)."),
    ("source", "`urn:packline:<site>`"),
    ("type", "`packline.` and the name from the table above."),
    ("subject", "Plate, piece or order that it is about."),
    ("time", "When it happened, UTC."),
    ("datacontenttype", "`application/json`"),
    ("sequence", "Number in the journal, 12 digits; grows."),
    ("partitionkey", "The house's order id: `<feed>-<host's number>`."),
    ("data", "As below."),
)
DATA = (
    ("order_id", "The house's order id."),
    ("channel", "The feed."),
    ("external_id", "The host's number of the order."),
    ("merchant", "The merchant's id."),
    ("order_state", "State of the order."),
    ("state", "State of the subject after the event."),
    ("lpn", "Plate of the carton, or empty."),
    ("sscc", "Number of its label, or empty."),
    ("generation", "How many labels the parcel has had."),
    ("approval", "The buyer's answer: empty, `asked`, `approved`, `rejected`, `expired`."),
    ("unit", "The piece, or empty."),
    ("sku", "Its SKU, or empty."),
    ("station", "Where it happened, or empty."),
    ("reason", "Why, as a key, or empty."),
    ("until", "Until when the buyer may answer, or null."),
    ("proof", "The courier's proof of a delivery, or empty."),
    ("link", "Only for role `buyer`: the buyer's page of this order."),
)


def messages_in_page() -> str:
    """Give the page of messages that come in."""
    return page(
        "Messages in",
        SIGNING.replace("Messages in both directions", "Messages from hosts and couriers"),
        "## Answers",
        table(["status", "means"], STATUSES),
        AFTER,
        "## Orders",
        ORDERS,
        *_tables(OrderMessage, words.ORDER),
        "## Deliveries",
        "POST to `/intake/couriers/<courier>`.",
        *_tables(DeliveredMessage, words.COURIER),
        "## Reconciliation",
        RECONCILE,
    )


def tracking_page() -> str:
    """Give the page of tracking events."""
    rows = (
        (code(f"packline.{name}"), code(kind), ", ".join(role for role, heard in AUDIENCE.items() if name in heard))
        for kind, name in TRACKING.items()
    )
    return page(
        "Tracking events",
        EVENTS,
        table(["type", "journal event", "heard by"], rows),
        "## Envelope",
        table(["attribute", "what"], ((code(name), text) for name, text in ENVELOPE)),
        "## Data",
        table(["key", "what"], ((code(name), text) for name, text in DATA)),
        "## Signature",
        SIGNING,
        "## Example",
        block(_example(), "json"),
    )


def _tables(model: type[BaseModel], meanings: Mapping[str, str]) -> list[str]:
    """Give a table for each definition of a message, the whole one first."""
    explained = Explained(model, meanings)
    names = [name for name, node in explained.definitions.items() if "properties" in node]
    return [f"### {name}\n\n{explained.rows(name)}" for name in names]


def _example() -> str:
    lpn, sscc = Lpn.number(1).text, Sscc.build(3, "9521321", 1).text
    order = {"order_id": "marketplace-HM-10023", "channel": "marketplace", "external_id": "HM-10023"}
    data: dict[str, object] = {
        **dict.fromkeys((name for name, _ in DATA if name != "link"), ""),
        **order,
        "merchant": "yunshan-tea",
    }
    data |= {
        "order_state": "released",
        "state": "verified",
        "lpn": lpn,
        "sscc": sscc,
        "generation": 1,
        "station": "label-1",
    }
    event = {
        "specversion": "1.0",
        "id": encode_ulid(1_795_253_412_345, 1),
        "source": "urn:packline:demo",
        "type": "packline.parcel.verified",
        "subject": lpn,
        "time": "2026-11-21T09:30:12.345000Z",
        "datacontenttype": "application/json",
        "sequence": "000000000123",
        "partitionkey": "marketplace-HM-10023",
        "data": {**data, "until": None},
    }
    return json.dumps(event, indent=2)
