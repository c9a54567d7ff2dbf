// The live tail: logs as they come, held while they are read, filtered and downloaded.

import { events, get, setting } from "./api.js";
import { choice, h } from "./dom.js";
import { LEVELS, exact } from "./format.js";
import { noLogs, problem } from "./pieces.js";
import { adjust } from "./place.js";
import { pause, renewed } from "./refresh.js";
import { save } from "./saving.js";
import { TailRows } from "./tail_rows.js";

const KEPT = 5000;
/** The logs of the last tail: Back from a pattern finds them again. */
let last = { filters: "", logs: [] };

export function showTail(main, { place, signal }) {
  const { q = "", level = "", source = "" } = place.parameters;
  const filters = { q, level, source };
  const renew = renewed(signal);
  const known = last.filters === JSON.stringify(filters) ? last.logs : [];
  const state = { paused: false, logs: known, waiting: [], missed: 0, seen: 0, passed: 0, sources: new Set() };
  const status = h("span", { class: "quiet", role: "status" });
  const trouble = h("div");
  const rows = new TailRows({ words: () => filters.q, reading: (yes) => { if (yes && !state.paused) hold(true, true); else if (!yes && state.held) toggle(); } });
  const empty = h("div");
  const button = h("button", { type: "button", class: "main", onclick: () => toggle() });
  const tell = (text) => {
    const left = state.missed ? ` · ${exact(state.missed)} left out: more came than can be shown` : "";
    status.textContent = text ?? (state.paused ? `${state.held ? "Held while you read" : "Paused"} · ${exact(state.waiting.length)} waiting${left}` : `Live · ${exact(state.seen)} logs${left}`);
    empty.hidden = state.logs.length > 0;
    rows.element.hidden = !state.logs.length;
    if (!empty.hidden) other.textContent = state.passed ? `${exact(state.passed)} other logs have come meanwhile.` : "";
  };
  const hold = (paused, held = false) => {
    Object.assign(state, { paused, held });
    button.textContent = paused ? "Resume" : "Pause";
    button.setAttribute("aria-pressed", paused);
    tell();
  };
  const take = (logs) => {
    state.logs = [...logs.slice(-KEPT).reverse(), ...state.logs].slice(0, KEPT);
    last = { filters: JSON.stringify(filters), logs: state.logs };
    rows.set(state.logs);
  };
  const toggle = () => {
    hold(!state.paused);
    if (!state.paused) {
      take(state.waiting.splice(0));
      rows.top();
    }
    tell();
  };
  const receive = ({ logs, missed, passed = 0 }) => {
    state.missed += missed;
    state.seen += logs.length;
    state.passed += passed;
    const before = state.sources.size;
    for (const log of logs) if (state.sources.size < 500) state.sources.add(log.source);
    if (state.sources.size > before) offer();
    if (state.paused) {
      state.waiting.push(...logs);
      state.missed += state.waiting.splice(0, Math.max(0, state.waiting.length - KEPT)).length;
    } else if (logs.length) {
      take(logs);
    }
    tell();
  };
  const failed = (error) => {
    trouble.replaceChildren(problem(error, connect));
    tell("Not connected.");
  };
  const connect = () => {
    Object.assign(state, { waiting: [], missed: 0, seen: 0, passed: 0 });
    hold(false);
    trouble.replaceChildren();
    rows.set(state.logs);
    tell("Connecting…");
    hint();
    follow(filters, renew(), receive, tell, failed);
  };
  // The controls stay where they are: what is typed, the focus and the caret outlast a new connection.
  const narrow = (changes) => {
    Object.assign(filters, changes);
    adjust(changes);
    state.logs = [];
    connect();
  };
  const other = h("p", { class: "quiet" });
  /** A service that has taken logs needs no example of one. */
  const hint = async () => {
    const filtered = Object.values(filters).some(Boolean);
    const lead = filtered ? "No log that matches has come yet" : "Waiting for logs";
    empty.replaceChildren(h("div", { class: "empty" }, h("h3", {}, lead), h("p", { class: "quiet" }, "The live tail shows what comes from now on, at once."), other));
    const stats = filtered ? null : await get("stats", {}, signal).catch(() => null);
    if (stats && !stats.logs.accepted && !state.logs.length && !signal.aborted) empty.replaceChildren(noLogs(lead, "The live tail shows what comes from now on, at once."), other);
    else if (stats && !filtered) empty.querySelector("h3").after(h("p", {}, `${exact(stats.logs.accepted)} logs have come since the service started; none since this page was opened.`));
  };
  const search = h("input", { type: "search", placeholder: "Messages with…   /", "aria-label": "Only messages with", value: q, spellcheck: "false", onchange: () => narrow({ q: search.value.trim() }) });
  const list = h("datalist", { id: "sources" });
  const offer = () => list.replaceChildren(...[...state.sources].sort().map((name) => h("option", { value: name })));
  const from = h("input", { type: "text", placeholder: "All sources", list: "sources", "aria-label": "Only this source", value: source, spellcheck: "false", onchange: () => narrow({ source: from.value.trim() }) });
  const levels = choice("Level", [["", "All levels"], ...LEVELS.map((name) => [name, name])], level, (value) => narrow({ level: value }));
  const clear = h("button", { type: "button", onclick: () => { state.seen = 0; state.logs = []; take([]); tell(); } }, "Clear");
  const save = h("button", { type: "button", title: "Download what is shown, a JSON object a line", onclick: () => download(state.logs) }, "Download");
  main.append(h("h1", { class: "hidden" }, "Live tail"), h("div", { class: "toolbar tailbar" }, button, search, levels, from, list, clear, save, status),
    h("p", { class: "note", hidden: setting("workers") === "1" }, "This service has several workers. A tail shows the logs of the one worker that it is connected to."),
    trouble, rows.element, empty);
  get("series", { since: "-24h", step: 3600, split_by: "source" }, signal)
    .then(({ series }) => { series.slice(0, 500).forEach(({ name }) => state.sources.add(name)); offer(); }, () => {});
  connect();
  return { key: (event) => {
    if (event.key !== " " || event.target.closest("button, a")) return rows.key(event);
    toggle();
    return true;
  } };
}

async function follow(filters, signal, receive, tell, failed) {
  for (let wait = 500; !signal.aborted; wait = Math.min(wait * 2, 10000)) {
    try {
      for await (const event of events("dashboard/tail", filters, signal, () => { wait = 500; tell(); })) if (!signal.aborted) receive(event);
    } catch (error) {
      if (signal.aborted) return;
      if (error.status >= 400 && error.status !== 503) return failed(error);
    }
    if (signal.aborted) return;
    tell("Not connected. Trying again…");
    await pause(wait, signal);
  }
}

/** Save logs as a file, oldest first. */
function download(logs) {
  const lines = [...logs].reverse().map((log) => JSON.stringify({ ...log, time: new Date(log.time).toISOString() }));
  save(`${lines.join("\n")}\n`, "application/x-ndjson", "ndjson", "logs");
}
