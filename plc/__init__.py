"""Talks to machines over Modbus TCP and OPC UA: machine files, tags, polling, handshake, PackML, watchdog."""
