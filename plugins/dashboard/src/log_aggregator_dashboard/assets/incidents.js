// Anomalies as texts: a list of them, and what each of their series showed.

import { h } from "./dom.js";
import { duration, figure, percent, rarity } from "./format.js";
import { moment, patternText } from "./pieces.js";
import { address } from "./place.js";
import { filterFor } from "./query.js";

const REASONS = 3;
const KINDS = {
  new_pattern: "New pattern", spike: "Spike", drop: "Drop", silence: "Silence", level_shift: "Level shift", error_rate: "More errors",
  severe: "Severe", error_share: "Share of errors", returned: "Came back", escalated: "Escalated", rule: "Rule",
};

/** A list of anomalies as they are at GET /anomalies. */
export function anomalyList(anomalies, { linked = true } = {}) {
  return h("ul", { class: "anomalies" }, anomalies.map((anomaly) => {
    const name = subject(anomaly);
    const over = anomaly.resolved ? `over after ${duration((Date.parse(anomaly.resolved) - Date.parse(anomaly.started)) / 1000)}` : "going on";
    return h("li", { class: anomaly.state === "open" ? "open" : "" },
      h("div", { class: "row" }, kindOf(anomaly),
        anomaly.tier === "notify" && h("span", { class: "tier" }, "notified"),
        h("span", { class: "quiet" }, anomaly.source, " · ", moment(anomaly.started), " · ", over),
        h("a", { href: incidentAddress(anomaly), "aria-label": `Incident: ${KINDS[anomaly.kind] ?? anomaly.kind} of ${anomaly.source}` }, "Incident")),
      h("div", { class: "text" }, linked && anomaly.pattern ? h("a", { href: address("pattern", {}, anomaly.pattern_id) }, name) : name),
      ...reasons(anomaly));
  }));
}

/** What an anomaly is about: a pattern, a source, or the name of a rule. */
export function subject(anomaly) {
  if (anomaly.kind === "rule") return ruleOf(anomaly) ?? "a rule";
  return anomaly.pattern ? patternText(anomaly.pattern) : `all logs of ${anomaly.source}`;
}

const ruleOf = ({ details }) => (details?.series ?? []).find(({ rule }) => rule)?.rule;

/** Where the page of an anomaly is. Its start goes along, so that it is found however old it is. */
export const incidentAddress = ({ id, started }) => address("incident", { since: "", until: "", at: started }, id);

export const kindOf = ({ kind }) => h("span", { class: `kind kind-${kind in KINDS ? kind : "other"}` }, KINDS[kind] ?? kind);
export const kindText = ({ kind }) => KINDS[kind] ?? kind;

/** What each of the first series of an incident showed; one that is not the incident's own is named. */
function reasons(anomaly) {
  const all = anomaly.details?.series ?? [];
  const lines = all.slice(0, REASONS).map((series) => why(series, own(series, anomaly) ? null : named(series)));
  const left = all.length - REASONS + (anomaly.details?.more_series ?? 0);
  return left > 0 ? [...lines, h("div", { class: "why quiet" }, `and ${left} more series`)] : lines;
}

function own(series, anomaly) {
  return anomaly.pattern ? series.pattern === anomaly.pattern : !series.pattern && !series.series.startsWith("errors:");
}

/** What a series counts, for people. */
export function named(series) {
  if (series.rule) return series.rule;
  if (series.pattern) return patternText(series.pattern);
  const [kind, ...source] = series.series.split(":");
  return kind === "errors" ? `errors of ${source.join(":")}` : `all logs of ${source.join(":")}`;
}

/** What one series of an anomaly showed; `name` says which it is. */
export function why(series, name) {
  if (series.seen === undefined) return name ? h("div", { class: "why quiet" }, h("span", { class: "name" }, name)) : null;
  const said = [];
  if (series.rule && series.silent_minutes) {
    said.push(`no log for ${series.silent_minutes} min`);
  } else if (series.missed_run) {
    said.push(`the daily run has not come, ${figure(series.expected)} expected`);
  } else if (series.silent_minutes) {
    said.push(`nothing for ${series.silent_minutes} min, ${figure(series.expected)} expected meanwhile`);
  } else {
    const [low, high] = series.expected_range ?? [];
    said.push(`${figure(series.seen)} in ${series.window_minutes} min`);
    if (series.more_than !== undefined) said.push(`more than ${figure(series.more_than)}`);
    if (low !== undefined) said.push(`expected ${figure(low)} to ${figure(high)}`);
    if (series.one_in_10_to_the) said.push(rarity(series.one_in_10_to_the, series.window_minutes ?? 1));
  }
  for (const row of (series.over_represented ?? []).slice(0, 1)) {
    const text = `${row.key} = ${row.value}`;
    said.push([series.pattern ? h("a", { href: address("patterns", { q: filterFor("meta", row.key, row.value) }) }, text) : text, `: ${percent(row.share)} of them, usually ${percent(row.usual_share)}`]);
  }
  return h("div", { class: "why quiet" }, name && h("span", { class: "name" }, name), said.flatMap((part, index) => (index ? [" · ", part] : [part])));
}
