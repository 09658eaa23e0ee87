"""Serves a thousand values over OPC UA, in a process of its own; whoever writes `Go` changes them all."""

import asyncio
import json
import sys
from typing import Any

from asyncua import Server, ua
from asyncua.common.callback import CallbackType

from plc.drivers.ua_session import node_id
from tests.plc.plants import port_of

COUNT = 1000
NAMESPACE = "urn:packline:values"


async def main() -> None:
    server = Server()
    await server.init()
    server.set_endpoint("opc.tcp://127.0.0.1:0/values")
    server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    index = await server.register_namespace(NAMESPACE)
    folder = await server.nodes.objects.add_object(index, "Values")
    nodes = [
        (await folder.add_variable(node_id(f"V{n}", index), f"{index}:V{n}", 0, ua.VariantType.UInt16)).nodeid
        for n in range(COUNT)
    ]
    go = await folder.add_variable(node_id("Go", index), f"{index}:Go", 0, ua.VariantType.UInt16)
    await go.set_writable()

    async def change(event: Any, _: Any = None) -> None:
        if not event.is_external:
            return
        value = event.request_params.NodesToWrite[0].Value.Value.Value
        for node in nodes:
            await server.write_attribute_value(node, ua.DataValue(ua.Variant(value, ua.VariantType.UInt16)))

    server.subscribe_server_callback(CallbackType.PostWrite, change)
    await server.start()
    port = port_of(server)
    print(json.dumps({"url": f"opc.tcp://127.0.0.1:{port}/values"}), flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await server.stop()


if __name__ == "__main__":
    asyncio.run(main())
