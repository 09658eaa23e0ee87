"""Mounts one machine file in memory or on a loopback Modbus or OPC UA server."""
