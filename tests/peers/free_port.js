"use strict";

// Gives a port of the loopback on which nobody listens just now.

const net = require("node:net");

module.exports = async function freePort() {
  const probe = net.createServer();
  await new Promise((done) => probe.listen(0, "127.0.0.1", done));
  const { port } = probe.address();
  await new Promise((done) => probe.close(done));
  return port;
};
