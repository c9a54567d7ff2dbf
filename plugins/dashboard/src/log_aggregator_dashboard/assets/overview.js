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
import { t, textOr } from "./text.js";
import { asked, fitted, step } from "./times.js";
import { verdict } from "./verdict.js";
import { midnight } from "./zone.js";

const MOST_NEW = 1000;
const SHOWN = 8;
/** The last reading of the count of accepted logs: it outlasts a change of pages. */
let reading = null;

export function showOverview(main, { signal, again }) {
  const tiles = h("div", { class: "tiles" });
  const rate = panel(t("level.by"), "wide");
  const sources = panel(t("overview.sources")), errors = panel(t("overview.errors"));
  const fresh = panel(t("overview.fresh")), open = panel(t("overview.open"));
  const pipeline = panel(t("overview.pipeline"), "wide");
  main.append(h("h1", { class: "hidden" }, t("page.overview")), tiles,
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
    if (error.status !== 0) where.querySelector(".body").append(h("p", { class: "stale warn", role: "alert" }, t("api.not_refreshed", { why: error.message })));
  };
  const away = (error) => {
    shown.known([]);
    if (error instanceof Failure && error.status === 0) {
      tile("service", t("overview.away"), t("overview.unreachable"), "bad");
      tile("rate", "–", "");
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

/** The tiles in their order, each with its title. */
const TITLES = { logs: t("word.logs_title"), errors: t("word.errors_title"), rate: t("overview.rate"), fresh: t("overview.fresh"), open: t("overview.open"), service: t("overview.service") };
const TILES = Object.keys(TITLES);

function drawTile(name, value, note, kind) {
  return h("div", { class: `tile ${kind ?? ""}` }, h("span", { class: "name" }, TITLES[name]), h("b", {}, value), h("span", { class: "quiet" }, note ?? ""));
}

function panel(title, kind = "") {
  return h("section", { class: `panel ${kind}`, "aria-label": title }, h("h2", {}, title), h("div", { class: "body" }, h("p", { class: "quiet" }, t("word.loading"))));
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
  tile("logs", compact(total), t("overview.in_time"));
  tile("errors", compact(count), total ? t("overview.of_logs", { share: percent(count / total) }) : "", count ? "bad" : "");
  const others = answer.series.map((series) => series.name).filter((name) => !LEVELS.includes(name));
  // A chart that is being read or drawn upon stays.
  if (!where.querySelector(".chart.busy")) {
    put(where, total ? timeChart(answer, { names: [...[...LEVELS].reverse(), ...others], title: t("level.by"), share: true, marks, chosen: (start, end) => pick(start, end, again) })
      : noLogs(t("word.no_logs")));
  }
  await bySource(work, failing.map(({ name }) => name), sources, errors);
}

async function bySource({ signal }, failing, sources, errors) {
  const ask = (level) => get("series", { ...asked(), step: step(), split_by: "source", level }, signal);
  const [all, ...parts] = await Promise.all([ask(), ...failing.map(ask)]);
  const totals = new Map(all.series.map(({ name, total }) => [name, total]));
  const top = all.series.slice(0, SHOWN).map(({ name, total }) => [name, total, address("patterns", { source: name })]);
  put(sources, top.length ? ranking(top, () => "level-info", t("word.logs_by_source")) : h("p", { class: "quiet" }, t("word.no_logs_here")));
  const counts = {};
  for (const { series } of parts) for (const { name, total } of series) counts[name] = (counts[name] ?? 0) + total;
  const rows = byCount(counts).slice(0, SHOWN).map(([name, total]) => [name, total, address("patterns", { source: name, level: "errors" }), `${compact(total)} · ${percent(total / (totals.get(name) ?? total))}`]);
  put(errors, rows.length ? ranking(rows, () => "level-error", t("overview.errors")) : h("p", { class: all.series.length ? "good" : "quiet" }, t("overview.no_errors")));
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
    tile("fresh", `${exact(found.length)}${complete ? "" : "+"}`, t("overview.today"));
    if (!found.length) return put(where, h("p", { class: "quiet" }, t("overview.nothing_new")));
    found.sort((a, b) => (a.first_seen < b.first_seen ? 1 : -1));
    put(where, h("ul", { class: "news" }, found.slice(0, SHOWN).map((row) => h("li", {},
      h("a", { href: address("pattern", {}, row.pattern_id) }, patternText(row.pattern)),
      h("span", { class: "quiet" }, levelBadge(byCount(row.levels)[0]?.[0] ?? ""), " ", byCount(row.sources)[0]?.[0] ?? "", " · ", compact(row.count), " · ", moment(row.first_seen))))),
      found.length > SHOWN ? h("p", {}, h("a", { href: address("patterns", { sort: "first", since: new Date(today).toISOString() }) }, t("overview.all_today"))) : "");
  }
}

async function anomalies({ signal, tile }, where, plugins) {
  const [{ anomalies: found, learning }, names] = await Promise.all([get("anomalies", { state: "open", limit: 200 }, signal), plugins]);
  const told = found.filter((one) => one.tier === "notify").length;
  tile("open", found.length < 200 ? exact(found.length) : "200+", told ? t("overview.told", { n: told }) : learning ? t("overview.learning") : "", told ? "bad" : "");
  const state = verdict({ found, learning, watched: names.includes("trends") });
  if (found.length) return put(where, anomalyList(found.slice(0, 5)), state, h("p", {}, h("a", { href: address("anomalies") }, t("overview.all"))));
  put(where, state, h("p", { class: "quiet" }, h("a", { href: address("anomalies") }, t("overview.earlier"))));
}

async function service({ signal, tile }, where, shown) {
  const stats = await get("stats", {}, signal);
  // A second reading soon after the first one is for the rate alone.
  const health = shown.soon ? shown.health : await get("health", {}, signal);
  Object.assign(shown, { health, soon: false });
  shown.known(Object.keys(stats.plugins ?? {}));
  const accepted = stats.logs.accepted, now = performance.now();
  const known = reading && accepted >= reading.accepted && now - reading.at < 60_000 && now - reading.at > 500;
  const since = t("overview.since", { count: compact(accepted), span: duration(stats.uptime_seconds) });
  if (known) tile("rate", `${compact(Math.round((accepted - reading.accepted) / ((now - reading.at) / 1000)))}/s`, since);
  else if (!shown.tiles.rate) tile("rate", "–", since);
  if (!reading || known || accepted < reading.accepted || now - reading.at >= 60_000) reading = { accepted, at: now };
  const complaints = Object.values(health.checks ?? {}).filter((check) => !check.ok).length;
  tile("service", textOr(`health.${health.status}`, health.status), complaints ? t("overview.complaints", { n: complaints }) : t("overview.well"),
    health.status === "healthy" ? "" : health.status === "degraded" ? "warn" : "bad");
  put(where, pipelinePanel(stats, health));
  shown.soon = !known;
  return known ? 3 : 0.8;
}
