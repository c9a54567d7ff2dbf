// The page of one incident: what was expected and seen by the minute, its series and logs, and what else moved then.

import { get, offers, origin, send } from "./api.js";
import { timeChart } from "./chart.js";
import { changeList } from "./changes.js";
import { h } from "./dom.js";
import { ERRORS, LEVELS, byCount, duration, exact, levelClass, when } from "./format.js";
import { anomalyList, kindOf, kindText, named, subject, why } from "./incidents.js";
import { marksOf } from "./marks.js";
import { copyable, levelBadge, moment, patternText, problem } from "./pieces.js";
import { address, go } from "./place.js";
import { copyButton, sampleList } from "./samples.js";
import { incidentTicket } from "./saving.js";
import { t } from "./text.js";
import { step } from "./times.js";
import { offersTriage } from "./triage.js";
import { zoneName } from "./zone.js";

const MINUTE = 60_000;
const BEFORE = 60 * MINUTE, AFTER = 10 * MINUTE, LONGEST = 12 * 60 * MINUTE;
const iso = (value) => new Date(value).toISOString();

export async function showIncident(main, { place, signal }) {
  const anomaly = await find(place, signal);
  if (!anomaly) {
    main.append(h("div", { class: "empty" }, h("h1", {}, t("incident.missing")), h("p", {}, t("pattern.missing_why")),
      h("p", {}, h("a", { href: address("anomalies") }, t("overview.all")))));
    return;
  }
  const start = Date.parse(anomaly.started);
  const end = Math.min(anomaly.resolved ? Date.parse(anomaly.resolved) : Date.now(), start + LONGEST);
  const range = { since: iso(start - BEFORE), until: iso(Math.min(Date.now(), end + AFTER)) };
  const series = (anomaly.details?.series ?? []).filter((one) => one.series || one.pattern);
  const chart = section(t("incident.minute"), "wide"), samples = section(t("word.logs_title"), "wide"), others = section(t("incident.moved"), "wide");
  main.append(h("div", { class: "incident" },
    h("header", { class: "subject" },
      h("p", { class: "quiet" }, h("a", { href: address("anomalies") }, t("page.anomalies")), " / ", h("code", {}, anomaly.id)),
      h("h1", {}, `${kindText(anomaly)}: `, subject(anomaly)),
      h("p", { class: "facts" }, kindOf(anomaly), anomaly.level && levelBadge(anomaly.level), h("span", {}, anomaly.source),
        h("span", {}, t("incident.since", { when: when(start), zone: zoneName(start), ago: moment(anomaly.started) })),
        h("b", {}, anomaly.resolved ? t("incident.over_after", { span: duration((Date.parse(anomaly.resolved) - start) / 1000) }) : t("incident.going_on")),
        anomaly.tier === "notify" && h("span", { class: "tier" }, t("incident.notified")))),
    actions(anomaly, range, signal),
    h("div", { class: "panels" }, chart.element, section(t("incident.series"), "wide", seriesList(series)).element, samples.element, others.element,
      section(t("incident.address"), "wide", copyable(`${origin()}/${location.hash}`)).element)));
  fill(chart, signal, () => drawChart(anomaly, series, range, signal));
  fill(samples, signal, () => logsOf(anomaly, range, signal));
  fill(others, signal, () => moved(anomaly, start, end, signal));
}

async function find({ id, parameters: { at } }, signal) {
  const start = Date.parse(at ?? "");
  const span = Number.isNaN(start) ? {} : { since: iso(start - 1000), until: iso(start + 2000) };
  const { anomalies } = await get("anomalies", { ...span, limit: 1000 }, signal);
  return anomalies.find((one) => one.id === id);
}

function section(title, kind, ...body) {
  const inner = h("div", { class: "body" }, body.length ? body : h("p", { class: "quiet" }, t("word.loading")));
  return { element: h("section", { class: `panel ${kind}`, "aria-label": title }, h("h2", {}, title), inner), inner };
}

async function fill({ inner }, signal, make) {
  try {
    const made = await make();
    if (!signal.aborted) inner.replaceChildren(...[made].flat());
  } catch (error) {
    if (!signal.aborted) inner.replaceChildren(problem(error));
  }
}

function actions(anomaly, range, signal) {
  const told = h("span", { class: "quiet", role: "status" });
  const ids = new Set([anomaly.pattern_id, ...(anomaly.details?.series ?? []).map(({ series }) => /^pattern:(.+)/.exec(series)?.[1])].filter(Boolean));
  const acknowledge = ids.size > 0 && offersTriage() && h("button", { type: "button", onclick: async () => {
    try {
      for (const id of ids) await send("POST", `patterns/${id}/triage`, { state: "acknowledged" }, signal);
      told.textContent = t("incident.acknowledged");
    } catch (error) {
      told.textContent = error.message;
    }
  } }, t("word.acknowledge"));
  return h("div", { class: "toolbar" }, acknowledge,
    h("button", { type: "button", onclick: () => go("patterns", { ...range, source: anomaly.source }) }, t("incident.then", { source: anomaly.source || t("word.all_sources") })),
    copyButton(t("word.copy_ticket"), () => ticket(anomaly)),
    anomaly.pattern_id && h("a", { href: address("pattern", range, anomaly.pattern_id) }, t("incident.pattern")), told);
}

function ticket(anomaly) {
  const lines = (anomaly.details?.series ?? []).map((one) => [why(one, named(one))].filter(Boolean).map((element) => element.textContent).join(""));
  return incidentTicket(anomaly, `${kindText(anomaly)}: ${[subject(anomaly)].flat().map((part) => part.textContent ?? part).join("")}`, lines);
}

function seriesList(series) {
  if (!series.length) return h("p", { class: "quiet" }, t("incident.no_details"));
  return h("ul", { class: "anomalies" }, series.map((one) => h("li", {}, why(one, named(one)))));
}

/** The question for the counts of a series of an incident. */
function question(name, anomaly) {
  const [kind, ...rest] = (name ?? "").split(":");
  if (kind === "rule") return { q: anomaly.details?.series?.[0]?.search };
  const subject = rest.join(":");
  if (kind === "pattern" || (!name && anomaly.pattern_id)) return { pattern_id: subject || anomaly.pattern_id };
  return { source: subject || anomaly.source, errors: kind === "errors" };
}

async function drawChart(anomaly, series, range, signal) {
  const main = series[0] ?? {};
  const { errors, ...asked } = question(main.series, anomaly);
  const seconds = step(240, [Date.parse(range.since), Date.parse(range.until)]);
  const [answer, marks] = await Promise.all([
    get("series", { ...range, ...asked, step: seconds, split_by: "level" }, signal), marksOf(range, signal)]);
  if (errors) answer.series = answer.series.filter(({ name }) => ERRORS.includes(name));
  const [low, high] = main.expected_range ?? [];
  const share = seconds / 60 / (main.window_minutes || 1);
  const band = high === undefined ? null : { low: low * share, high: high * share, from: Date.parse(anomaly.started) };
  const given = answer.series.map(({ name }) => name);
  return [h("p", { class: "quiet" }, main.series ? named(main) : "", band ? t("incident.band") : ""),
    timeChart(answer, { names: [...[...LEVELS].reverse(), ...given.filter((name) => !LEVELS.includes(name))], color: levelClass, title: t("incident.chart"), marks: [...marks, { at: anomaly.started, title: t("incident.start") }], band,
      chosen: (from, to) => go(anomaly.pattern_id ? "pattern" : "patterns", { since: from.toISOString(), until: to.toISOString(), source: anomaly.pattern_id ? "" : anomaly.source }, anomaly.pattern_id) })];
}

async function logsOf(anomaly, range, signal) {
  if (anomaly.pattern_id) return sampleList(await get(`patterns/${anomaly.pattern_id}`, {}, signal));
  const { search } = anomaly.details?.series?.[0] ?? {};
  const { patterns } = await get("patterns", { ...range, ...(search === undefined ? { source: anomaly.source } : { q: search }), order: "count", limit: 10 }, signal);
  if (!patterns.length) return h("p", { class: "quiet" }, t("incident.no_logs"));
  return h("ul", { class: "changes" }, patterns.map((row) => h("li", {}, levelBadge(byCount(row.levels)[0]?.[0] ?? ""), h("a", { href: address("pattern", range, row.pattern_id) }, patternText(row.pattern)), h("b", {}, exact(row.count)))));
}

async function moved(anomaly, start, end, signal) {
  const near = { since: iso(start - 15 * MINUTE), until: iso(start + 15 * MINUTE) };
  const [{ anomalies }, compared, marks] = await Promise.all([get("anomalies", { ...near, limit: 50 }, signal),
    offers("GET /compare") ? get("compare", { after: `${iso(start)}..${iso(Math.max(end, start + MINUTE))}`, limit: 10 }, signal).catch(() => null) : null, marksOf(near, signal)]);
  const rest = anomalies.filter(({ id }) => id !== anomaly.id);
  const parts = [
    marks.length > 0 && h("ul", { class: "plain" }, marks.map(({ title, at }) => h("li", {}, `⚑ ${title}, ${when(at)}`))),
    rest.length > 0 && anomalyList(rest), compared && (compared.before.logs ? changeList(compared) : h("p", { class: "quiet" }, t("incident.no_before")))].filter(Boolean);
  return parts.length ? parts : h("p", { class: "quiet" }, t("incident.alone"));
}
