// The live tail: logs as they come, held while they are read, filtered and downloaded.

import { events, get, setting } from "./api.js";
import { choice, h } from "./dom.js";
import { LEVELS } from "./format.js";
import { noLogs, problem } from "./pieces.js";
import { adjust } from "./place.js";
import { pause, renewed } from "./refresh.js";
import { save } from "./saving.js";
import { TailRows } from "./tail_rows.js";
import { t } from "./text.js";

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
    const left = state.missed ? t("tail.missed", { n: state.missed }) : "";
    status.textContent = text ?? (state.paused ? `${t(state.held ? "tail.held" : "tail.paused")} · ${t("tail.waiting", { n: state.waiting.length })}${left}` : t("tail.live", { n: state.seen }) + left);
    empty.hidden = state.logs.length > 0;
    rows.element.hidden = !state.logs.length;
    if (!empty.hidden) other.textContent = state.passed ? t("tail.passed", { n: state.passed }) : "";
  };
  const hold = (paused, held = false) => {
    Object.assign(state, { paused, held });
    button.textContent = t(paused ? "tail.resume" : "tail.pause");
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
    tell(t("tail.off"));
  };
  const connect = () => {
    Object.assign(state, { waiting: [], missed: 0, seen: 0, passed: 0 });
    hold(false);
    trouble.replaceChildren();
    rows.set(state.logs);
    tell(t("tail.connecting"));
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
    const lead = t(filtered ? "tail.no_match" : "tail.none");
    empty.replaceChildren(h("div", { class: "empty" }, h("h3", {}, lead), h("p", { class: "quiet" }, t("tail.from_now")), other));
    const stats = filtered ? null : await get("stats", {}, signal).catch(() => null);
    if (stats && !stats.logs.accepted && !state.logs.length && !signal.aborted) empty.replaceChildren(noLogs(lead, t("tail.from_now")), other);
    else if (stats && !filtered) empty.querySelector("h3").after(h("p", {}, t("tail.came", { n: stats.logs.accepted })));
  };
  const search = h("input", { type: "search", placeholder: t("tail.hint"), "aria-label": t("tail.with"), value: q, spellcheck: "false", onchange: () => narrow({ q: search.value.trim() }) });
  const list = h("datalist", { id: "sources" });
  const offer = () => list.replaceChildren(...[...state.sources].sort().map((name) => h("option", { value: name })));
  const from = h("input", { type: "text", placeholder: t("tail.sources"), list: "sources", "aria-label": t("tail.only"), value: source, spellcheck: "false", onchange: () => narrow({ source: from.value.trim() }) });
  const levels = choice(t("word.level"), [["", t("word.all_levels")], ...LEVELS.map((name) => [name, name])], level, (value) => narrow({ level: value }));
  const clear = h("button", { type: "button", onclick: () => { state.seen = 0; state.logs = []; take([]); tell(); } }, t("tail.clear"));
  const save = h("button", { type: "button", title: t("tail.download_title"), onclick: () => download(state.logs) }, t("tail.download"));
  main.append(h("h1", { class: "hidden" }, t("page.tail")), h("div", { class: "toolbar tailhead" }, h("div", { class: "tailbar" }, button, search, levels, from, list, clear, save), status),
    h("p", { class: "note", hidden: setting("workers") === "1" }, t("tail.workers")),
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
    tell(t("tail.again"));
    await pause(wait, signal);
  }
}

/** Save logs as a file, oldest first. */
function download(logs) {
  const lines = [...logs].reverse().map((log) => JSON.stringify({ ...log, time: new Date(log.time).toISOString() }));
  save(`${lines.join("\n")}\n`, "application/x-ndjson", "ndjson", "logs");
}
