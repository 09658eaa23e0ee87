"""The handshake between controller and machine (map version 2): frames, the machine's rules, the controller's rules."""
