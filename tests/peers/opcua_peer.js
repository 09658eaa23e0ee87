// node-opcua as client and server, told what to do by lines of JSON on standard input; each is answered by one line.
//
//   node opcua_peer.js client FOLDER OPTIONS   {"read": [namespace, id]} | {"write": [namespace, id, [words]]}
//                                              | {"watch": [namespace, id]} | {"seen": null}
//   node opcua_peer.js serve FOLDER OPTIONS    four arrays of a machine; says its port; {"put": [id, [words]]} | {"get": [id]}
//
// FOLDER holds the peer's certificates. OPTIONS is JSON: endpoint (client), mode and policy (None, Sign..., Basic256Sha256...),
// user and password, certificate and key (files), uri (as in that certificate; server), trusts (files).
"use strict";

const { X509Certificate } = require("node:crypto");
const fs = require("node:fs");
const path = require("node:path");
const readline = require("node:readline");

const freePort = require("./free_port.js");

const NAMESPACE = "urn:packline:machine";
const ARRAYS = { CMD: 16, HB: 3, STATE: 6, STATUS: 40 };
const say = (facts) => process.stdout.write(JSON.stringify(facts) + "\n");

async function manager(folder, options) {
  const { OPCUACertificateManager } = require("node-opcua-certificate-manager");
  const made = new OPCUACertificateManager({ rootFolder: path.join(folder, "pki"), automaticallyAcceptUnknownCertificate: false });
  await made.initialize();
  for (const file of options.trusts || []) await made.trustCertificate(new X509Certificate(fs.readFileSync(file)).raw);
  return made;
}

const own = (options) => (options.certificate ? { certificateFile: options.certificate, privateKeyFile: options.key } : {});

async function client(folder, options) {
  const { OPCUAClient, MessageSecurityMode, UserTokenType, AttributeIds, ClientSubscription } =
    require("node-opcua-client");
  const { ClientMonitoredItem, TimestampsToReturn, DataType, VariantArrayType } = require("node-opcua-client");
  const connection = OPCUAClient.create({
    applicationName: "foreign",
    clientCertificateManager: await manager(folder, options),
    connectionStrategy: { maxRetry: 0 },
    endpointMustExist: false,
    securityMode: MessageSecurityMode[options.mode || "None"],
    securityPolicy: options.policy || "None",
    ...own(options),
  });
  await connection.connect(options.endpoint);
  const user = options.user && { type: UserTokenType.UserName, userName: options.user, password: options.password };
  const session = await connection.createSession(user || undefined);
  const subscription = ClientSubscription.create(session, {
    requestedPublishingInterval: 50, requestedLifetimeCount: 100, requestedMaxKeepAliveCount: 10, publishingEnabled: true,
  });
  const seen = [];
  const names = await session.readNamespaceArray();
  const nodeId = (namespace, id) => `ns=${names.indexOf(namespace)};s=${id}`;
  const good = (status) => {
    if (!status.isGood()) throw new Error(status.name);
  };
  return {
    async read([namespace, id]) {
      const answer = await session.read({ nodeId: nodeId(namespace, id), attributeId: AttributeIds.Value });
      good(answer.statusCode);
      return { words: Array.from(answer.value.value) };
    },
    async write([namespace, id, words]) {
      const value = { dataType: DataType.UInt16, arrayType: VariantArrayType.Array, value: Uint16Array.from(words) };
      good(await session.write({ nodeId: nodeId(namespace, id), attributeId: AttributeIds.Value, value: { value } }));
      return { words: [] };
    },
    async watch([namespace, id]) {
      const item = { nodeId: nodeId(namespace, id), attributeId: AttributeIds.Value };
      const how = { samplingInterval: 20, queueSize: 100, discardOldest: true };
      const watched = ClientMonitoredItem.create(subscription, item, how, TimestampsToReturn.Both);
      watched.on("changed", (value) => seen.push(Array.from(value.value.value)));
      await new Promise((done, failed) => watched.on("initialized", done).on("err", failed));
      return { words: [] };
    },
    async seen() {
      return { seen: seen.splice(0) };
    },
  };
}

async function serve(folder, options) {
  const { OPCUAServer } = require("node-opcua-server");
  const { MessageSecurityMode } = require("node-opcua-types");
  const { Variant, DataType, VariantArrayType } = require("node-opcua-variant");
  const port = await freePort();
  const server = new OPCUAServer({
    port,
    host: "127.0.0.1",
    hostname: "127.0.0.1",
    alternateHostname: ["localhost"],
    nodeset_filename: [require("node-opcua-nodesets").nodesets.standard],
    serverCertificateManager: await manager(folder, options),
    ...(options.uri ? { serverInfo: { applicationUri: options.uri } } : {}),
    securityModes: [MessageSecurityMode[options.mode || "None"]],
    securityPolicies: [options.policy || "None"],
    allowAnonymous: !options.user,
    userManager: { isValidUser: (user, password) => user === options.user && password === options.password },
    ...own(options),
  });
  await server.initialize();
  const space = server.engine.addressSpace;
  const namespace = space.registerNamespace(NAMESPACE);
  const machine = namespace.addObject({ organizedBy: space.rootFolder.objects, browseName: "Machine", nodeId: "s=Machine" });
  const value = (words) => new Variant({ dataType: DataType.UInt16, arrayType: VariantArrayType.Array, value: Uint16Array.from(words) });
  const arrays = {};
  for (const [name, size] of Object.entries(ARRAYS)) {
    arrays[name] = namespace.addVariable({
      componentOf: machine, browseName: name, nodeId: `s=Machine.${name}`, dataType: "UInt16", valueRank: 1, arrayDimensions: [size],
      accessLevel: name === "STATUS" ? "CurrentRead" : "CurrentRead | CurrentWrite",
      value: value(new Array(size).fill(0)),
    });
  }
  await server.start();
  return {
    port,
    async put([name, words]) {
      arrays[name].setValueFromSource(value(words));
      return { words: [] };
    },
    async get([name]) {
      return { words: Array.from(arrays[name].readValue().value.value) };
    },
  };
}

async function main() {
  const [role, folder, options] = process.argv.slice(2);
  const made = await (role === "serve" ? serve : client)(folder, JSON.parse(options || "{}"));
  say({ ready: true, port: made.port });
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const [[verb, words]] = Object.entries(JSON.parse(line));
    try {
      say(await made[verb](words));
    } catch (error) {
      say({ error: String((error && error.message) || error) });
    }
  }
  process.exit(0);
}

// node-opcua tells its news on standard output, where only answers belong
for (const name of ["log", "warn", "info", "error"]) console[name] = () => {};
main().catch((error) => { say({ error: String(error) }); process.exit(1); });
