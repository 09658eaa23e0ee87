"""All generated pages of the reference, by file name."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping

from controller.reference.command_line import command_line, recorded
from controller.reference.fault_page import fault_page
from controller.reference.file_pages import Needs, machine_page, machine_schema, site_page, site_schema
from controller.reference.handshake_page import handshake_page
from controller.reference.lifecycle_page import lifecycle_page, pictures
from controller.reference.machine_page import machines_page
from controller.reference.message_pages import messages_in_page, tracking_page
from controller.reference.screen_page import screen_page
from controller.reference.web_page import web_page

Arguments = Callable[[argparse.ArgumentParser], None]


def pages(verbs: Mapping[str, tuple[str, Arguments]], needs: Needs) -> dict[str, str]:
    """Give every page, schema and picture by its name under the reference folder.

    `verbs` says of each verb what it does and how its arguments are declared; `needs` what a kind of station needs of its machine.
    """
    return {
        "command-line.md": command_line({name: (text, recorded(declare)) for name, (text, declare) in verbs.items()}),
        "faults.md": fault_page(),
        "handshake.md": handshake_page(),
        "http-api.md": web_page(),
        "instructions.md": screen_page(),
        "lifecycles.md": lifecycle_page(),
        "machine-file.md": machine_page(needs),
        "machines.md": machines_page(),
        "machine.schema.json": machine_schema().as_json("Packline machine file"),
        "messages-in.md": messages_in_page(),
        "site-file.md": site_page(),
        "site.schema.json": site_schema().as_json("Packline site file"),
        "tracking-events.md": tracking_page(),
        **pictures(),
    }
