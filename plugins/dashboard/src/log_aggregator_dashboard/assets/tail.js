// The live tail: logs as they come, with pause and filter.

import { events, setting } from "./api.js";
import { choice, h } from "./dom.js";
import { LEVELS, exact, instant, levelClass, when } from "./format.js";
import { noLogs, problem } from "./pieces.js";
import { address, adjust } from "./place.js";
import { pause, renewed } from "./refresh.js";

const KEPT = 500;

export function showTail(main, { place, signal }) {
  const { q = "", level = "", source = "" } = place.parameters;
  const filters = { q, level, source };
  const renew = renewed(signal);
  const state = { paused: false, waiting: [], missed: 0, seen: 0 };
  const status = h("span", { class: "quiet", role: "status" });
  const trouble = h("div");
  const lines = h("ol", { class: "tail", tabindex: "0", "aria-label": "Logs, newest first" });
  const empty = h("div");
  const button = h("button", { type: "button", class: "main", onclick: () => toggle() });
  const tell = (text) => {
    const left = state.missed ? ` · ${exact(state.missed)} left out: more came than can be shown` : "";
    status.textContent = text ?? (state.paused ? `Paused · ${exact(state.waiting.length)} waiting${left}` : `Live · ${exact(state.seen)} logs${left}`);
    empty.hidden = lines.childElementCount > 0;
  };
  const hold = (paused) => {
    state.paused = paused;
    button.textContent = paused ? "Resume" : "Pause";
    button.setAttribute("aria-pressed", paused);
  };
  const toggle = () => {
    hold(!state.paused);
    if (!state.paused) add(lines, state.waiting.splice(0));
    tell();
  };
  const receive = ({ logs, missed }) => {
    state.missed += missed;
    state.seen += logs.length;
    if (state.paused) {
      state.waiting.push(...logs);
      state.missed += state.waiting.splice(0, Math.max(0, state.waiting.length - KEPT)).length;
    } else {
      add(lines, logs);
    }
    tell();
  };
  const failed = (error) => {
    trouble.replaceChildren(problem(error, connect));
    tell("Not connected.");
  };
  const connect = () => {
    Object.assign(state, { waiting: [], missed: 0, seen: 0 });
    hold(false);
    trouble.replaceChildren();
    lines.replaceChildren();
    empty.replaceChildren(hint(filters));
    tell("Connecting…");
    follow(filters, renew(), receive, tell, failed);
  };
  // The controls stay where they are: what is typed, the focus and the caret outlast a new connection.
  const narrow = (changes) => {
    Object.assign(filters, changes);
    adjust(changes);
    connect();
  };
  const search = h("input", { type: "search", placeholder: "Messages with…   /", "aria-label": "Only messages with", value: q, spellcheck: "false", onchange: () => narrow({ q: search.value.trim() }) });
  const from = h("input", { type: "text", placeholder: "Source", "aria-label": "Only this source", value: source, spellcheck: "false", onchange: () => narrow({ source: from.value.trim() }) });
  const levels = choice("Level", [["", "All levels"], ...LEVELS.map((name) => [name, name])], level, (value) => narrow({ level: value }));
  const clear = h("button", { type: "button", onclick: () => { lines.replaceChildren(); state.seen = 0; tell(); } }, "Clear");
  main.append(h("h1", { class: "hidden" }, "Live tail"), h("div", { class: "toolbar" }, button, search, levels, from, clear, status),
    h("p", { class: "note", hidden: setting("workers") === "1" }, "This service has several workers. A tail shows the logs of the one worker that it is connected to."),
    trouble, lines, empty);
  connect();
  return { key: (event) => {
    if (event.key !== " " || event.target.closest("button")) return false;
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

function add(lines, logs) {
  const made = logs.slice(-KEPT).reverse().map((log) => h("li", { class: levelClass(log.level) },
    h("time", { datetime: new Date(log.time).toISOString(), title: when(log.time) }, instant(log.time)),
    h("span", { class: `badge ${levelClass(log.level)}` }, log.level),
    h("span", { class: "source" }, log.source),
    h("a", { href: address("pattern", { q: "", level: "", source: "" }, log.pattern_id), title: "Its pattern" }, log.message)));
  lines.prepend(...made);
  while (lines.childElementCount > KEPT) lines.lastElementChild.remove();
}

function hint(filters) {
  return noLogs(Object.values(filters).some(Boolean) ? "No log that matches has come yet" : "Waiting for logs",
    "The live tail shows what comes from now on, at once.");
}
