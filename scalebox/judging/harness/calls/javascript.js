// Inside the sandbox: call the submission's function, and write what each call returns.
//
// The lines of standard input and the records on descriptor 5 are those of the harness for Python
// (`harness/call.py`), and values are written as in `harness/common.py`; the header names besides
// what the submission's comments or types say is a TreeNode or a ListNode.  The submission is a
// script whose top-level names are global, as on sites that call functions, or a module.
"use strict";

const fs = require("fs");
const vm = require("vm");
const { pathToFileURL } = require("url");

const CANDIDATE = "candidate.js";
const MODULE = "candidate.mjs";
const LOADING = -1;
const MOST_DEPTH = 200;
const MOST_NODES = 1000000;
// A submission may replace what others find under these names.
const writeSync = fs.writeSync;
const exit = process.exit;
const stringify = JSON.stringify;
const { isArray } = Array;
const { is, keys, getPrototypeOf, fromEntries, prototype: plain } = Object;

class Unserialisable extends Error {}

if (typeof globalThis.TreeNode === "undefined") {
  globalThis.TreeNode = function TreeNode(val, left, right) {
    this.val = val === undefined ? 0 : val;
    this.left = left === undefined ? null : left;
    this.right = right === undefined ? null : right;
  };
  globalThis.ListNode = function ListNode(val, next) {
    this.val = val === undefined ? 0 : val;
    this.next = next === undefined ? null : next;
  };
}

// --- values that come in ---------------------------------------------------------------------

function parse(line) {
  // What a number cannot hold exactly is a BigInt; the pattern passes texts over.
  if (/\d{16}/.test(line)) {
    const pattern = /"(?:[^"\\]|\\.)*"|(?<![\d.eE+-])-?\d{16,}(?![\d.eE])/g;
    line = line.replace(pattern, (token) => {
      if (token[0] === '"' || Number.isSafeInteger(Number(token))) return token;
      return '{"i":"' + BigInt(token).toString(16) + '"}';
    });
  }
  return JSON.parse(line);
}

function decode(tree) {
  if (tree === null || typeof tree !== "object") return tree;
  if (isArray(tree)) return tree.map(decode);
  const [tag] = keys(tree);
  const body = tree[tag];
  switch (tag) {
    case "m":
      return fromEntries(keys(body).map((key) => [key, decode(body[key])]));
    case "d":
      return new Map(body.map(decode));
    case "t":
      return body.map(decode);
    case "i":
      return body[0] === "-" ? -BigInt("0x" + body.slice(1)) : BigInt("0x" + body);
    case "f":
      return { nan: NaN, inf: Infinity, "-inf": -Infinity }[body];
    default:
      throw new TypeError("an argument that JavaScript has no value for");
  }
}

function makeList(values, ListNode) {
  let head = null;
  for (let at = values.length - 1; at >= 0; at--) {
    const node = new ListNode(values[at]);
    node.next = head;
    head = node;
  }
  return head;
}

function makeTree(values, TreeNode) {
  if (!values.length || values[0] === null) return null;
  const root = new TreeNode(values[0]);
  root.left = root.right = null;
  const waiting = [root];
  for (let at = 1, turn = 0; at < values.length; at += 2, turn++) {
    if (turn === waiting.length) throw new TypeError("a tree with values below no node");
    for (const [side, place] of [["left", at], ["right", at + 1]]) {
      if (place >= values.length || values[place] === null) continue;
      const node = new TreeNode(values[place]);
      node.left = node.right = null;
      waiting[turn][side] = node;
      waiting.push(node);
    }
  }
  return root;
}

// `shape` is "TreeNode", "ListNode", one of these with "[]" for each level of arrays, or empty.
function shaped(value, shape) {
  if (!shape || !isArray(value)) return value;
  if (shape.endsWith("[]")) return value.map((item) => shaped(item, shape.slice(0, -2)));
  const make = shape === "TreeNode" ? makeTree : makeList;
  return make(value, find(shape));
}

// --- values that go out ----------------------------------------------------------------------

function quoted(text) {
  return stringify(text).replace(
    /[\u007f-\uffff]/g,
    (unit) => "\\u" + unit.charCodeAt(0).toString(16).padStart(4, "0")
  );
}

function write(value, depth) {
  switch (typeof value) {
    case "undefined":
      return "null";
    case "boolean":
      return value ? "true" : "false";
    case "number":
      if (Number.isSafeInteger(value)) return is(value, -0) ? "-0.0" : String(value);
      // The digits of a large one are the double's, and no integer's.
      if (Number.isInteger(value)) return String(value) + (Math.abs(value) < 1e21 ? ".0" : "");
      if (Number.isFinite(value)) return String(value);
      return '{"f":"' + (value !== value ? "nan" : value > 0 ? "inf" : "-inf") + '"}';
    case "bigint":
      if (value === BigInt.asIntN(64, value)) return value.toString();
      return '{"i":"' + value.toString(16) + '"}';
    case "string":
      return quoted(value);
    case "object":
      return value === null ? "null" : writeObject(value, depth);
    default:
      throw new Unserialisable("a " + typeof value);
  }
}

function writeObject(value, depth) {
  if (depth >= MOST_DEPTH) throw new Unserialisable("nested more than 200 deep");
  const items = (values) => "[" + Array.from(values, (item) => write(item, depth + 1)) + "]";
  if (isArray(value)) return items(value);
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) return items(value);
  if (value instanceof Map) return writeMap(value, depth);
  if (value instanceof Set) return '{"s":' + items(value) + "}";
  if (value instanceof Number || value instanceof String || value instanceof Boolean) {
    return write(value.valueOf(), depth);
  }
  const proto = getPrototypeOf(value);
  if (proto === plain || proto === null) {
    const pairs = keys(value).map((key) => quoted(key) + ":" + write(value[key], depth + 1));
    return '{"m":{' + pairs + "}}";
  }
  const kind = proto.constructor && proto.constructor.name;
  if (kind === "TreeNode" || kind === "ListNode") return writeNodes(value, kind, depth);
  throw new Unserialisable("an object of " + String(kind || "an unnamed class").slice(0, 100));
}

function writeMap(value, depth) {
  const names = [...value.keys()];
  if (names.every((name) => typeof name === "string")) {
    const pairs = names.map((name) => quoted(name) + ":" + write(value.get(name), depth + 1));
    return '{"m":{' + pairs + "}}";
  }
  const pairs = names.map(
    (name) => "[" + write(name, depth + 2) + "," + write(value.get(name), depth + 2) + "]"
  );
  return '{"d":[' + pairs + "]}";
}

function writeNodes(node, kind, depth) {
  const values = [];
  const note = (value) => {
    if (values.push(value) > MOST_NODES) {
      throw new Unserialisable("more than a million nodes, or nodes in a circle");
    }
  };
  if (kind === "ListNode") {
    for (let at = node; at; at = at.next) note(at.val);
    return write(values, depth);
  }
  const waiting = [node];
  for (let turn = 0; turn < waiting.length; turn++) {
    const at = waiting[turn];
    note(at ? at.val : null);
    if (at) waiting.push(at.left || null, at.right || null);
  }
  // Of what is missing only what has something after it is told.
  let end = waiting.length;
  while (end && !waiting[end - 1]) end--;
  return write(values.slice(0, end), depth);
}

function writeShaped(value, shape) {
  if (!shape) return write(value, 0);
  if (shape.endsWith("[]")) {
    if (!isArray(value)) return write(value, 0);
    return "[" + value.map((item) => writeShaped(item, shape.slice(0, -2))) + "]";
  }
  if (value === null || value === undefined) return "[]";
  const isNode = typeof value === "object" && !isArray(value) && "val" in value;
  return isNode ? writeNodes(value, shape, 0) : write(value, 0);
}

function describe(error) {
  try {
    if (error === null || typeof error !== "object" || !("message" in error)) {
      return ("thrown: " + String(error)).slice(0, 300);
    }
    const words = String(error.name || "Error") + ": " + String(error.message);
    const line = /candidate\.m?js:(\d+)/.exec(String(error.stack));
    return words.slice(0, 300) + (line ? " (" + CANDIDATE + ", line " + line[1] + ")" : "");
  } catch {
    return "an exception that cannot be shown";
  }
}

// --- the run ---------------------------------------------------------------------------------

function put(text) {
  const bytes = Buffer.from(text + "\n", "latin1");
  for (let at = 0; at < bytes.length; ) at += writeSync(5, bytes, at);
}

function record(index, kind, text) {
  put('{"i":' + index + ',"' + kind + '":' + text + "}");
}

let exported = {};
// What a compiled submission says of its own names.
let compiled = {};

function find(name) {
  if (compiled && compiled[name] !== undefined) return compiled[name];
  const found = vm.runInThisContext("typeof " + name + ' === "undefined" ? undefined : ' + name);
  if (found !== undefined) return found;
  for (const place of [exported, exported && exported.default]) {
    const isPlace = place && (typeof place === "object" || typeof place === "function");
    if (isPlace && place[name] !== undefined) return place[name];
  }
  return undefined;
}

// What is to be called, with a fresh object for each call: one must not prepare the next.
function caller(name) {
  const called = find(name);
  if (typeof called === "function") return called;
  const Solution = find("Solution");
  if (typeof Solution === "function") {
    if (Solution.prototype && typeof Solution.prototype[name] === "function") {
      return (...args) => new Solution()[name](...args);
    }
    if (typeof Solution[name] === "function") return Solution[name].bind(Solution);
  }
  throw new ReferenceError(
    "the submission defines no function " + name + " and no class Solution with such a method"
  );
}

async function load() {
  const text = fs.readFileSync(CANDIDATE, "utf8").replace(/^\ufeff/, "");
  const isModule = /^[ \t]*(?:export\b|import\b(?![ \t]*\())/m.test(text);
  if (isModule) {
    fs.writeFileSync(MODULE, text);
    exported = await import(pathToFileURL(MODULE).href);
    return;
  }
  const { createRequire } = require("module");
  globalThis.module = { exports: {} };
  globalThis.exports = globalThis.module.exports;
  globalThis.require = createRequire(process.cwd() + "/" + CANDIDATE);
  globalThis.__filename = process.cwd() + "/" + CANDIDATE;
  globalThis.__dirname = process.cwd();
  let script;
  try {
    script = new vm.Script(text, { filename: CANDIDATE });
  } catch (error) {
    throw Object.assign(new SyntaxError(describe(error)), { uncompilable: true });
  }
  script.runInThisContext();
  exported = globalThis.module.exports;
  compiled = globalThis.scaleboxNames;
}

async function called(call, line, shapes, result) {
  const [index, args] = parse(line);
  let value;
  try {
    const given = args.map((arg, at) => shaped(decode(arg), shapes[at]));
    value = await call(...given);
  } catch (error) {
    record(index, "e", quoted(describe(error)));
    return;
  }
  let text;
  try {
    text = writeShaped(value, result);
  } catch (error) {
    record(index, "u", quoted(error instanceof Unserialisable ? error.message : describe(error)));
    return;
  }
  record(index, "v", text);
}

async function main() {
  const [header, ...lines] = fs.readFileSync(0, "latin1").split("\n").filter(Boolean);
  const { function: name, args: shapes = [], result = "" } = JSON.parse(header);
  let call;
  try {
    await load();
    call = caller(name);
  } catch (error) {
    const isUncompilable = error instanceof SyntaxError && error.uncompilable;
    const words = isUncompilable ? error.message.slice(0, 500) : describe(error);
    record(LOADING, isUncompilable ? "c" : "e", quoted(words));
    exit(0);
  }
  record(LOADING, "v", "null");
  for (const line of lines) await called(call, line, shapes, result);
  // What the submission left running has no say any more.
  exit(0);
}

main();
