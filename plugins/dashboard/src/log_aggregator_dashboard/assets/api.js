// Asking the service: paths, the API key, and what its errors say.

import { askForKey, forgetKey, keptKey } from "./key.js";
import { answered, missing } from "./outage.js";
import { t } from "./text.js";

const ROOT = new URL(document.querySelector("meta[name=root]").content, document.baseURI);

/** What the service answered instead of data: `status` is 0 when it is out of reach. */
export class Failure extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

export const origin = () => ROOT.href.replace(/\/$/, "");

function url(path, parameters) {
  const target = new URL(path, ROOT);
  for (const [name, value] of Object.entries(parameters ?? {})) {
    if (value !== undefined && value !== null && value !== "") target.searchParams.set(name, value);
  }
  return target;
}

/** An answer that was asked for before this module was here; each is taken once. */
function early(target, method, key) {
  const answer = method === "GET" && !key ? globalThis.earlyAnswers?.get(target.href) : undefined;
  globalThis.earlyAnswers?.delete(target.href);
  return answer;
}

/** The answer, whatever its type. Asks for an API key when one is needed. */
async function open(target, signal, { method = "GET", body } = {}) {
  for (;;) {
    const key = keptKey();
    const headers = { ...(key ? { Authorization: `Bearer ${key}` } : {}), ...(body ? { "Content-Type": "application/json" } : {}) };
    let answer;
    try {
      answer = await (early(target, method, key) ?? fetch(target, { method, signal, headers, body: body && JSON.stringify(body), credentials: "omit" }));
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new Failure(0, t("api.away"));
    }
    if (answer.status !== 401 && answer.status !== 403) return answer;
    const detail = await detailOf(answer);
    if (key === keptKey()) {
      forgetKey();
      await askForKey(detail, signal);
    }
  }
}

async function detailOf(answer) {
  try {
    return (await answer.json()).detail ?? answer.statusText;
  } catch {
    return t("api.status", { status: String(answer.status) });
  }
}

/** The JSON that the service answers to a GET. Throws `Failure`; an outage is told on every page. */
export async function get(path, parameters, signal) {
  const again = (other) => get(path, parameters, other);
  let answer;
  try {
    answer = await open(url(path, parameters), signal);
  } catch (error) {
    if (error instanceof Failure) missing("away", error.message, again);
    throw error;
  }
  // A proxy answers for a service that is away; /health answers 503 with a report when no logs can be taken.
  if (answer.status === 502 || answer.status === 504) {
    missing("away", "", again);
    throw new Failure(0, t("api.away"));
  }
  if (answer.ok || path === "health") {
    const document = await answer.json();
    answered(path);
    return document;
  }
  const detail = await detailOf(answer);
  if (answer.status === 503 && answer.headers.has("Retry-After")) missing("store", detail, again);
  else answered("");
  throw new Failure(answer.status, detail);
}

/** The JSON that the service answers to a call that changes something. Throws `Failure`. */
export async function send(method, path, body, signal) {
  const answer = await open(url(path), signal, { method, body });
  if (!answer.ok) throw new Failure(answer.status, await detailOf(answer));
  return answer.status === 204 ? null : answer.json();
}

/** Pages of patterns, as an async generator: `most` patterns at most, `first` on the first page. The last one has `more` when there are others. */
export async function* patternPages(parameters, most, signal, first = 100) {
  let cursor, taken = 0;
  do {
    const limit = Math.min(taken ? 1000 : first, most - taken);
    const page = await get("patterns", { ...parameters, limit, cursor }, signal);
    taken += page.patterns.length;
    cursor = page.cursor;
    yield { patterns: page.patterns, more: Boolean(cursor), last: !cursor || taken >= most };
  } while (cursor && taken < most);
}

/** Events of a stream of server-sent events, as an async generator of parsed JSON. */
export async function* events(path, parameters, signal, opened) {
  const answer = await open(new URL(url(path, parameters), document.baseURI), signal);
  if (!answer.ok) throw new Failure(answer.status, await detailOf(answer));
  opened();
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const parts = (text + value).split("\n\n");
    text = parts.pop();
    for (const part of parts) {
      if (part.startsWith("data: ")) yield JSON.parse(part.slice(6));
    }
  }
}

export const setting = (name) => document.querySelector(`meta[name=${name}]`).content;

const calls = new Set(setting("calls").split(","));

/** Whether this service has a call, such as "GET /compare". */
export const offers = (call) => calls.has(call);
