// The overview: what the systems are saying now, and whether the service itself is well.

import { Failure, get, patternPages } from "./api.js";
import { ranking, timeChart } from "./chart.js";
import { h } from "./dom.js";
import { ERRORS, LEVELS, byCount, compact, exact, percent } from "./format.js";
import { anomalyList, levelBadge, moment, noLogs, patternText, problem } from "./pieces.js";
import { pipelinePanel } from "./pipeline.js";
import { address } from "./place.js";
import { asked, pick, step } from "./range.js";
import { repeat } from "./refresh.js";

const MOST_NEW = 5000;
const SHOWN = 8;

export function showOverview(main, { signal, again }) {
  const tiles = h("div", { class: "tiles" });
  const rate = panel("Logs by level", "wide");
  const sources = panel("Top sources"), errors = panel("Errors by source");
  const fresh = panel("New patterns today"), open = panel("Open anomalies");
  const pipeline = panel("Pipeline", "wide");
  main.append(h("h1", { class: "hidden" }, "Overview"), tiles,
    h("div", { class: "panels" }, rate, sources, errors, fresh, open, pipeline));
  const shown = { tiles: {} };
  const tile = (name, value, note, kind) => {
    shown.tiles[name] = [value, note, kind];
    tiles.replaceChildren(...TILES.filter((one) => one in shown.tiles).map((one) => drawTile(one, ...shown.tiles[one])));
  };
  const failed = (where) => (error) => {
    // What was shown stays: it is only older than it could be.
    if (!where.dataset.filled) return put(where, problem(error, again));
    where.querySelector(".stale")?.remove();
    where.querySelector(".body").append(h("p", { class: "stale warn", role: "alert" }, `Not refreshed: ${error.message}`));
  };
  const away = (error) => {
    if (error instanceof Failure && error.status === 0) {
      tile("Service", "away", "out of reach", "bad");
      tile("Arriving now", "–", "");
    }
    failed(pipeline)(error);
  };
  const work = { signal, again, tile };
  const tasks = [
    repeat(() => levels(work, rate), 30, signal, failed(rate)),
    repeat(() => bySource(work, sources, errors), 30, signal, failed(sources)),
    repeat(() => newPatterns(work, fresh), 60, signal, failed(fresh)),
    repeat(() => anomalies(work, open), 30, signal, failed(open)),
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
  where.dataset.filled = body.querySelector("[role=alert]") ? "" : "yes";
}

async function levels({ signal, again, tile }, where) {
  const answer = await get("series", { ...asked(), step: step(), split_by: "level" }, signal);
  const total = answer.series.reduce((sum, series) => sum + series.total, 0);
  const failing = answer.series.filter((series) => ERRORS.includes(series.name)).reduce((sum, series) => sum + series.total, 0);
  tile("Logs", compact(total), "in this time");
  tile("Errors", compact(failing), total ? `${percent(failing / total)} of all logs` : "", failing ? "bad" : "");
  if (!total) return put(where, noLogs("No logs in this time"));
  const others = answer.series.map((series) => series.name).filter((name) => !LEVELS.includes(name));
  put(where, timeChart(answer, { names: [...LEVELS, ...others], title: "Logs by level", chosen: (start, end) => pick(start, end, again) }));
}

async function bySource({ signal }, sources, errors) {
  const ask = (level) => get("series", { ...asked(), step: step(), split_by: "source", level }, signal);
  const [all, ...failing] = await Promise.all([ask(), ...ERRORS.map(ask)]);
  const top = all.series.slice(0, SHOWN).map(({ name, total }) => [name, total, address("patterns", { source: name })]);
  put(sources, top.length ? ranking(top, () => "level-info", "Logs by source") : h("p", { class: "quiet" }, "No logs in this time."));
  const counts = {};
  for (const { series } of failing) for (const { name, total } of series) counts[name] = (counts[name] ?? 0) + total;
  const worstFirst = byCount(counts).slice(0, SHOWN).map(([name, total]) => [name, total, address("patterns", { source: name, level: "errors" })]);
  put(errors, worstFirst.length ? ranking(worstFirst, () => "level-error", "Errors by source") : h("p", { class: "good" }, "No errors in this time."));
}

async function newPatterns({ signal, tile }, where) {
  const today = new Date().setHours(0, 0, 0, 0);
  const found = [];
  let complete = true;
  for await (const { patterns, more } of patternPages({ order: "newest" }, MOST_NEW, signal)) {
    found.push(...patterns.filter((row) => Date.parse(row.first_seen) >= today));
    if (patterns.length && Date.parse(patterns.at(-1).last_seen) < today) break;
    complete = !more;
  }
  const count = complete || found.length < MOST_NEW ? exact(found.length) : `${exact(found.length)}+`;
  tile("New patterns today", count, "first seen today");
  if (!found.length) return put(where, h("p", { class: "quiet" }, "Nothing new since midnight."));
  found.sort((a, b) => (a.first_seen < b.first_seen ? 1 : -1));
  put(where, h("ul", { class: "news" }, found.slice(0, SHOWN).map((row) => h("li", {},
    h("a", { href: address("pattern", {}, row.pattern_id) }, patternText(row.pattern)),
    h("span", { class: "quiet" }, levelBadge(byCount(row.levels)[0]?.[0] ?? ""), " ", byCount(row.sources)[0]?.[0] ?? "", " · ", compact(row.count), " · ", moment(row.first_seen))))),
    found.length > SHOWN ? h("p", {}, h("a", { href: address("patterns", { sort: "first", since: new Date(today).toISOString() }) }, `All patterns of today`)) : "");
}

async function anomalies({ signal, tile }, where) {
  const { anomalies: found } = await get("anomalies", { state: "open", limit: 200 }, signal);
  const told = found.filter((one) => one.tier === "notify").length;
  tile("Open anomalies", found.length < 200 ? exact(found.length) : "200+", told ? `${told} notified` : "", told ? "bad" : "");
  if (found.length) return put(where, anomalyList(found.slice(0, 5)), h("p", {}, h("a", { href: address("anomalies") }, "All anomalies")));
  put(where, h("p", { class: "good" }, "Nothing unusual is going on."), h("p", { class: "quiet" }, h("a", { href: address("anomalies") }, "Earlier ones")));
}

async function service({ signal, tile }, where, shown) {
  const [stats, health] = await Promise.all([get("stats", {}, signal), get("health", {}, signal)]);
  const accepted = stats.logs.accepted, now = performance.now();
  if (shown.accepted !== undefined && accepted >= shown.accepted) {
    tile("Arriving now", `${compact(Math.round((accepted - shown.accepted) / ((now - shown.at) / 1000)))}/s`, `${compact(accepted)} since the start`);
  } else {
    tile("Arriving now", "…", `${compact(accepted)} since the start`);
  }
  [shown.accepted, shown.at] = [accepted, now];
  const complaints = Object.values(health.checks ?? {}).filter((check) => !check.ok).length;
  tile("Service", health.status, complaints ? `${complaints} ${complaints === 1 ? "complaint" : "complaints"}, see below` : "all checks pass",
    health.status === "healthy" ? "" : health.status === "degraded" ? "warn" : "bad");
  put(where, pipelinePanel(stats, health));
}
