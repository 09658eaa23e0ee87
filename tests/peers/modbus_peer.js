// Two foreign Modbus TCP libraries as client and server, told what to do by lines of JSON on standard input.
//
//   node modbus_peer.js LIBRARY client PORT [TLS]  {"read": [address, count]} | {"write": [address, [words]]}
//   node modbus_peer.js LIBRARY serve - [TLS]      256 items of each kind, word n holds n; says its port; {"heard": null}: bytes
//
// LIBRARY is modbus-serial or jsmodbus; each line is answered by one. TLS (jsmodbus only) is JSON: certificate, key, trusts (files),
// version (TLSv1.2, TLSv1.3): Modbus/TCP Security by Node.js's own TLS, certificates at both ends.
"use strict";

const { EventEmitter } = require("node:events");
const fs = require("node:fs");
const net = require("node:net");
const tls = require("node:tls");
const readline = require("node:readline");

const freePort = require("./free_port.js");

const ITEMS = 256;
const say = (facts) => process.stdout.write(JSON.stringify(facts) + "\n");

let heard = 0;

function sides({ certificate, key, trusts, version }) {
  const own = certificate ? { cert: fs.readFileSync(certificate), key: fs.readFileSync(key) } : {};
  return { ...own, ca: trusts.map((file) => fs.readFileSync(file)), minVersion: version, maxVersion: version };
}

const clients = {
  async "modbus-serial"(port) {
    const Modbus = require("modbus-serial");
    const client = new Modbus();
    await client.connectTCP("127.0.0.1", { port });
    client.setID(1);
    client.setTimeout(5000);
    return {
      read: async (address, count) => (await client.readHoldingRegisters(address, count)).data,
      write: (address, words) => client.writeRegisters(address, words),
    };
  },

  async jsmodbus(port, secured) {
    const { ModbusTCPClient } = require("jsmodbus");
    const place = { host: "127.0.0.1", port };
    const socket = secured ? tls.connect({ ...place, ...sides(secured) }) : net.connect(place);
    const client = new ModbusTCPClient(socket, 1, 5000);
    await new Promise((done, failed) => socket.once(secured ? "secureConnect" : "connect", done).once("error", failed));
    return {
      read: async (address, count) => {
        const answer = await client.readHoldingRegisters(address, count);
        return Array.from(answer.response.body.valuesAsArray);
      },
      write: (address, words) => client.writeMultipleRegisters(address, words),
    };
  },
};

const servers = {
  async "modbus-serial"() {
    const { ServerTCP } = require("modbus-serial");
    const holding = Uint16Array.from({ length: ITEMS }, (_, place) => place);
    const coils = Array.from({ length: ITEMS }, (_, place) => place % 3 === 0);
    const within = (store, address) => {
      if (address < store.length) return store;
      throw { modbusErrorCode: 2, msg: "no such address" };
    };
    const vector = {
      getHoldingRegister: (address) => within(holding, address)[address],
      getInputRegister: (address) => within(holding, address) && address,
      getCoil: (address) => within(coils, address)[address],
      getDiscreteInput: (address) => within(coils, address) && address % 3 === 0,
      setRegister: (address, word) => { within(holding, address)[address] = word; },
      setCoil: (address, bit) => { within(coils, address)[address] = bit; },
    };
    const port = await freePort(); // it takes 0 for 502
    const server = new ServerTCP(vector, { host: "127.0.0.1", port, unitID: 1 });
    await new Promise((done) => server.on("initialized", done));
    return port;
  },

  async jsmodbus(secured) {
    const { ModbusTCPServer } = require("jsmodbus");
    const words = Buffer.alloc(2 * ITEMS);
    const bits = Buffer.alloc(ITEMS / 8);
    for (let place = 0; place < ITEMS; place++) {
      words.writeUInt16BE(place, 2 * place);
      if (place % 3 === 0) bits[place >> 3] |= 1 << (place & 7);
    }
    const ready = new EventEmitter(); // of a TLS server jsmodbus would take the connection before it is secured
    const take = (connection) => {
      connection.on("data", (bytes) => { heard += bytes.length; }).on("error", () => {});
      ready.emit("connection", connection);
    };
    const socket = secured
      ? tls.createServer({ ...sides(secured), requestCert: true, rejectUnauthorized: true }, take)
      : net.createServer(take);
    new ModbusTCPServer(ready, {
      holding: Buffer.from(words), input: Buffer.from(words), coils: Buffer.from(bits), discrete: Buffer.from(bits),
    });
    await new Promise((done) => socket.listen(0, "127.0.0.1", done));
    return socket.address().port;
  },
};

async function obey(client, order) {
  if ("heard" in order) return { bytes: heard };
  if (order.read) return { words: await client.read(...order.read) };
  await client.write(...order.write);
  return { words: [] };
}

async function main() {
  const [library, role, place, options] = process.argv.slice(2);
  const secured = options && JSON.parse(options);
  const port = role === "serve" ? await servers[library](secured) : Number(place);
  const client = role === "serve" ? null : await clients[library](port, secured);
  say({ ready: true, port });
  for await (const line of readline.createInterface({ input: process.stdin })) {
    try {
      say(await obey(client, JSON.parse(line)));
    } catch (error) {
      say({ error: String((error && (error.message || error.err)) || error) });
    }
  }
  process.exit(0);
}

main().catch((error) => { say({ error: String(error) }); process.exit(1); });
