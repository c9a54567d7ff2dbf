// The overview: what the systems are saying now, and whether the service itself is well.

import { Failure, get, patternPages } from "./api.js";
import { timeChart } from "./chart.js";
import { h } from "./dom.js";
import { ERRORS, LEVELS, byCount, compact, duration, exact, percent } from "./format.js";
import { anomalyList } from "./incidents.js";
import { marksOf } from "./marks.js";
import { levelBadge, moment, noLogs, patternText, problem } from "./pieces.js";
import { pipelinePanel } from "./pipeline.js";
import { address } from "./place.js";
import { panels } from "./places.js";
import { pick } from "./range.js";
import { ranking } from "./ranking.js";
import { repeat } from "./refresh.js";
import { asked, fitted, step } from "./times.js";
import { verdict } from "./verdict.js";
import { midnight } from "./zone.js";

const MOST_NEW = 1000;
const SHOWN = 8;
/** The last reading of the count of accepted logs: it outlasts a change of pages. */
let reading = null;

export function showOverview(main, { signal, again }) {
  const tiles = h("div", { class: "tiles" });
  const rate = panel("Logs by level", "wide");
  const sources = panel("Top sources"), errors = panel("Errors by source");
  const fresh = panel("New patterns today"), open = panel("Open anomalies");
  const pipeline = panel("Pipeline", "wide");
  main.append(h("h1", { class: "hidden" }, "Overview"), tiles,
    h("div", { class: "panels" }, rate, sources, errors, fresh, open, pipeline, panels("overview", { signal, again })));
  const shown = { tiles: {} };
  const plugins = new Promise((resolve) => { shown.known = resolve; });
  const tile = (name, value, note, kind) => {
    shown.tiles[name] = [value, note, kind];
    tiles.replaceChildren(...TILES.filter((one) => one in shown.tiles).map((one) => drawTile(one, ...shown.tiles[one])));
  };
  const failed = (where) => (error) => {
    // What was shown stays: it is only older than it could be. The banner tells of an outage.
    if (!where.dataset.filled) return put(where, problem(error, again));
    where.querySelector(".stale")?.remove();
    if (error.status !== 0) where.querySelector(".body").append(h("p", { class: "stale warn", role: "alert" }, `Not refreshed: ${error.message}`));
  };
  const away = (error) => {
    shown.known([]);
    if (error instanceof Failure && error.status === 0) {
      tile("Service", "away", "out of reach", "bad");
      tile("Arriving now", "–", "");
    }
    failed(pipeline)(error);
  };
  const work = { signal, again, tile };
  const tasks = [
    repeat(() => levels(work, rate, sources, errors), 30, signal, (error) => [rate, sources, errors].forEach((one) => failed(one)(error))),
    repeat(() => newPatterns(work, fresh), 60, signal, failed(fresh)),
    repeat(() => anomalies(work, open, plugins), 30, signal, failed(open)),
    repeat(() => service(work, pipeline, shown), 3, signal, away),
  ];
  Promise.all(tasks).catch(() => {}); // each tells its own failures where they happened
}

const TILES = ["Logs", "Errors", "Arriving now", "New patterns today", "Open anomalies", "Service"];

function drawTile(name, value, note, kind) {
  return h("div", { class: `tile ${kind ?? ""}` }, h("span", { class: "name" }, name), h("b", {}, value), h("span", { class: "quiet" }, note ?? ""));
}

function panel(title, kind = "") {
  return h("section", { class: `panel ${kind}`, "aria-label": title }, h("h2", {}, title), h("div", { class: "body" }, h("p", { class: "quiet" }, "Loading…")));
}

function put(where, ...content) {
  const body = where.querySelector(".body");
  body.replaceChildren(...content);
  where.dataset.filled = body.querySelector(".problem") ? "" : "yes";
}

async function levels(work, where, sources, errors) {
  const { signal, again, tile } = work;
  const [answer, marks] = await Promise.all([fitted(step()) ?? get("series", { ...asked(), step: step(), split_by: "level" }, signal), marksOf(asked(), signal)]);
  const total = answer.series.reduce((sum, series) => sum + series.total, 0);
  const failing = answer.series.filter((series) => ERRORS.includes(series.name));
  const count = failing.reduce((sum, series) => sum + series.total, 0);
  tile("Logs", compact(total), "in this time");
  tile("Errors", compact(count), total ? `${percent(count / total)} of all logs` : "", count ? "bad" : "");
  const others = answer.series.map((series) => series.name).filter((name) => !LEVELS.includes(name));
  // A chart that is being read or drawn upon stays.
  if (!where.querySelector(".chart.busy")) {
    put(where, total ? timeChart(answer, { names: [...[...LEVELS].reverse(), ...others], title: "Logs by level", share: true, marks, chosen: (start, end) => pick(start, end, again) })
      : noLogs("No logs in this time"));
  }
  await bySource(work, failing.map(({ name }) => name), sources, errors);
}

async function bySource({ signal }, failing, sources, errors) {
  const ask = (level) => get("series", { ...asked(), step: step(), split_by: "source", level }, signal);
  const [all, ...parts] = await Promise.all([ask(), ...failing.map(ask)]);
  const totals = new Map(all.series.map(({ name, total }) => [name, total]));
  const top = all.series.slice(0, SHOWN).map(({ name, total }) => [name, total, address("patterns", { source: name })]);
  put(sources, top.length ? ranking(top, () => "level-info", "Logs by source") : h("p", { class: "quiet" }, "No logs in this time."));
  const counts = {};
  for (const { series } of parts) for (const { name, total } of series) counts[name] = (counts[name] ?? 0) + total;
  const rows = byCount(counts).slice(0, SHOWN).map(([name, total]) => [name, total, address("patterns", { source: name, level: "errors" }), `${compact(total)} · ${percent(total / (totals.get(name) ?? total))}`]);
  put(errors, rows.length ? ranking(rows, () => "level-error", "Errors by source") : h("p", { class: all.series.length ? "good" : "quiet" }, "No errors in this time."));
}

async function newPatterns({ signal, tile }, where) {
  const today = midnight();
  const found = [];
  let looked = 0;
  for await (const { patterns, last } of patternPages({ order: "newest" }, MOST_NEW, signal, 1000)) {
    looked += patterns.length;
    found.push(...patterns.filter((row) => Date.parse(row.first_seen) >= today));
    const done = last || Date.parse(patterns.at(-1)?.last_seen ?? 0) < today;
    draw(done && looked < MOST_NEW);
    if (done) break;
  }
  function draw(complete) {
    tile("New patterns today", `${exact(found.length)}${complete ? "" : "+"}`, "first seen today");
    if (!found.length) return put(where, h("p", { class: "quiet" }, "Nothing new since midnight."));
    found.sort((a, b) => (a.first_seen < b.first_seen ? 1 : -1));
    put(where, h("ul", { class: "news" }, found.slice(0, SHOWN).map((row) => h("li", {},
      h("a", { href: address("pattern", {}, row.pattern_id) }, patternText(row.pattern)),
      h("span", { class: "quiet" }, levelBadge(byCount(row.levels)[0]?.[0] ?? ""), " ", byCount(row.sources)[0]?.[0] ?? "", " · ", compact(row.count), " · ", moment(row.first_seen))))),
      found.length > SHOWN ? h("p", {}, h("a", { href: address("patterns", { sort: "first", since: new Date(today).toISOString() }) }, `All patterns of today`)) : "");
  }
}

async function anomalies({ signal, tile }, where, plugins) {
  const [{ anomalies: found, learning }, names] = await Promise.all([get("anomalies", { state: "open", limit: 200 }, signal), plugins]);
  const told = found.filter((one) => one.tier === "notify").length;
  tile("Open anomalies", found.length < 200 ? exact(found.length) : "200+", told ? `${told} notified` : learning ? "learning what is usual" : "", told ? "bad" : "");
  const state = verdict({ found, learning, watched: names.includes("trends") });
  if (found.length) return put(where, anomalyList(found.slice(0, 5)), state, h("p", {}, h("a", { href: address("anomalies") }, "All anomalies")));
  put(where, state, h("p", { class: "quiet" }, h("a", { href: address("anomalies") }, "Earlier ones")));
}

async function service({ signal, tile }, where, shown) {
  const stats = await get("stats", {}, signal);
  // A second reading soon after the first one is for the rate alone.
  const health = shown.soon ? shown.health : await get("health", {}, signal);
  Object.assign(shown, { health, soon: false });
  shown.known(Object.keys(stats.plugins ?? {}));
  const accepted = stats.logs.accepted, now = performance.now();
  const known = reading && accepted >= reading.accepted && now - reading.at < 60_000 && now - reading.at > 500;
  const since = `${compact(accepted)} in ${duration(stats.uptime_seconds)}`;
  if (known) tile("Arriving now", `${compact(Math.round((accepted - reading.accepted) / ((now - reading.at) / 1000)))}/s`, since);
  else if (!shown.tiles["Arriving now"]) tile("Arriving now", "–", since);
  if (!reading || known || accepted < reading.accepted || now - reading.at >= 60_000) reading = { accepted, at: now };
  const complaints = Object.values(health.checks ?? {}).filter((check) => !check.ok).length;
  tile("Service", health.status, complaints ? `${complaints} ${complaints === 1 ? "complaint" : "complaints"}, see below` : "all checks pass",
    health.status === "healthy" ? "" : health.status === "degraded" ? "warn" : "bad");
  put(where, pipelinePanel(stats, health));
  shown.soon = !known;
  return known ? 3 : 0.8;
}
