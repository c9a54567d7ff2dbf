// The live tail: logs as they come, with pause and filter.

import { events, setting } from "./api.js";
import { choice, h, settled } from "./dom.js";
import { LEVELS, exact, instant, levelClass, when } from "./format.js";
import { noLogs, problem } from "./pieces.js";
import { address, adjust, here } from "./place.js";
import { pause } from "./refresh.js";

const KEPT = 500;

export function showTail(main, { place, signal, again }) {
  const { q = "", level = "", source = "" } = place.parameters;
  const state = { paused: false, waiting: [], missed: 0, seen: 0 };
  const status = h("span", { class: "quiet", role: "status" }, "Connecting…");
  const lines = h("ol", { class: "tail", tabindex: "0", "aria-label": "Logs, newest first" });
  const button = h("button", { type: "button", class: "main", "aria-pressed": "false", onclick: () => toggle() }, "Pause");
  const reconnect = settled((changes) => { adjust(changes); again(); }, 400);
  const search = h("input", { type: "search", placeholder: "Messages with…   /", "aria-label": "Only messages with", value: q, spellcheck: "false",
    onkeydown: (event) => { if (event.key === "Enter") again(); }, oninput: () => adjust({ q: search.value.trim() }), onchange: () => again() });
  const from = h("input", { type: "text", placeholder: "Source", "aria-label": "Only this source", value: source, spellcheck: "false", onchange: () => reconnect({ source: from.value.trim() }) });
  main.append(h("h1", { class: "hidden" }, "Live tail"),
    h("div", { class: "toolbar" }, button, search, choice("Level", [["", "All levels"], ...LEVELS.map((name) => [name, name])], level, (value) => { adjust({ level: value }); again(); }), from,
      h("button", { type: "button", onclick: () => { lines.replaceChildren(); state.seen = 0; tell(); } }, "Clear"), status),
    h("p", { class: "note", hidden: setting("workers") === "1" }, "This service has several workers. A tail shows the logs of the one worker that it is connected to."),
    lines, hint(lines));
  const tell = (text) => {
    const left = state.missed ? ` · ${exact(state.missed)} left out: more came than can be shown` : "";
    status.textContent = text ?? (state.paused ? `Paused · ${exact(state.waiting.length)} waiting${left}` : `Live · ${exact(state.seen)} logs${left}`);
  };
  const toggle = () => {
    state.paused = !state.paused;
    button.textContent = state.paused ? "Resume" : "Pause";
    button.setAttribute("aria-pressed", state.paused);
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
  follow({ q, level, source }, signal, receive, tell, (error) => lines.before(problem(error, again)));
  return { key: (event) => {
    if (event.key !== " " || event.target.closest("button")) return false;
    toggle();
    return true;
  } };
}

async function follow(filters, signal, receive, tell, failed) {
  for (let wait = 500; !signal.aborted; wait = Math.min(wait * 2, 10000)) {
    try {
      for await (const event of events("dashboard/tail", filters, signal, () => { wait = 500; tell(); })) receive(event);
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

function hint(lines) {
  const box = noLogs(Object.keys(here().parameters).some((name) => ["q", "level", "source"].includes(name)) ? "No log that matches has come yet" : "Waiting for logs",
    "The live tail shows what comes from now on, at once.");
  new MutationObserver(() => { box.hidden = lines.childElementCount > 0; }).observe(lines, { childList: true });
  return box;
}
