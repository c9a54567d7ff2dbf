// Anomalies as texts: a list of them, and what each of their series showed.

import { h } from "./dom.js";
import { duration, figure, percent, rarity } from "./format.js";
import { moment, patternText } from "./pieces.js";
import { address } from "./place.js";
import { filterFor } from "./query.js";
import { t, textOr } from "./text.js";

const REASONS = 3;
const known = (kind) => textOr(`kind.${kind}`, "");

/** A list of anomalies as they are at GET /anomalies. */
export function anomalyList(anomalies, { linked = true } = {}) {
  return h("ul", { class: "anomalies" }, anomalies.map((anomaly) => {
    const name = subject(anomaly);
    const over = anomaly.resolved ? t("incident.over_after", { span: duration((Date.parse(anomaly.resolved) - Date.parse(anomaly.started)) / 1000) }) : t("incident.going_on");
    return h("li", { class: anomaly.state === "open" ? "open" : "" },
      h("div", { class: "row" }, kindOf(anomaly),
        anomaly.tier === "notify" && h("span", { class: "tier" }, t("incident.notified")),
        h("span", { class: "quiet" }, anomaly.source, " · ", moment(anomaly.started), " · ", over),
        h("a", { href: incidentAddress(anomaly), "aria-label": t("incident.of", { kind: kindText(anomaly), source: anomaly.source }) }, t("incident.link"))),
      h("div", { class: "text" }, linked && anomaly.pattern ? h("a", { href: address("pattern", {}, anomaly.pattern_id) }, name) : name),
      ...reasons(anomaly));
  }));
}

/** What an anomaly is about: a pattern, a source, or the name of a rule. */
export function subject(anomaly) {
  if (anomaly.kind === "rule") return ruleOf(anomaly) ?? t("incident.a_rule");
  if (anomaly.pattern) return patternText(anomaly.pattern);
  const [first] = anomaly.details?.series ?? [];
  return first?.series?.startsWith("errors:") ? named(first) : t("incident.all_logs", { source: anomaly.source });
}

const ruleOf = ({ details }) => (details?.series ?? []).find(({ rule }) => rule)?.rule;

/** Where the page of an anomaly is. Its start goes along, so that it is found however old it is. */
export const incidentAddress = ({ id, started }) => address("incident", { since: "", until: "", at: started }, id);

export const kindOf = ({ kind }) => h("span", { class: `kind kind-${known(kind) ? kind : "other"}` }, known(kind) || kind);
export const kindText = ({ kind }) => known(kind) || kind;

/** What each of the first series of an incident showed; one that is not the incident's own is named. */
function reasons(anomaly) {
  const all = anomaly.details?.series ?? [];
  const lines = all.slice(0, REASONS).map((series) => why(series, own(series, anomaly) ? null : named(series)));
  const left = all.length - REASONS + (anomaly.details?.more_series ?? 0);
  return left > 0 ? [...lines, h("div", { class: "why quiet" }, t("incident.more", { n: left }))] : lines;
}

function own(series, anomaly) {
  if (anomaly.pattern) return series.pattern === anomaly.pattern;
  return !series.pattern && (!series.series.startsWith("errors:") || series === anomaly.details.series[0]);
}

/** What a series counts, for people. */
export function named(series) {
  if (series.rule) return series.rule;
  if (series.pattern) return patternText(series.pattern);
  const [kind, ...source] = series.series.split(":");
  return t(kind === "errors" ? "incident.errors_of" : "incident.all_logs", { source: source.join(":") });
}

/** What one series of an anomaly showed; `name` says which it is. */
export function why(series, name) {
  if (series.seen === undefined && series.errors === undefined) return name ? h("div", { class: "why quiet" }, h("span", { class: "name" }, name)) : null;
  const said = [];
  if (series.errors !== undefined) {
    said.push(t("incident.error_share", { share: percent(series.share), errors: figure(series.errors), logs: figure(series.logs), n: series.window_minutes }));
    if (series.usual_share !== undefined) said.push(t("incident.usual", { share: percent(series.usual_share) }));
  } else if (series.rule && series.silent_minutes) {
    said.push(t("incident.no_log", { n: series.silent_minutes }));
  } else if (series.missed_run) {
    said.push(t("incident.no_run", { expected: figure(series.expected) }));
  } else if (series.silent_minutes) {
    said.push(t("incident.nothing", { n: series.silent_minutes, expected: figure(series.expected) }));
  } else {
    const [low, high] = series.expected_range ?? [];
    said.push(t("incident.seen", { count: figure(series.seen), n: series.window_minutes }));
    if (series.more_than !== undefined) said.push(t("incident.more_than", { count: figure(series.more_than) }));
    if (low !== undefined) said.push(t("incident.expected", { low: figure(low), high: figure(high) }));
    if (series.one_in_10_to_the) said.push(rarity(series.one_in_10_to_the, series.window_minutes ?? 1));
  }
  for (const row of (series.over_represented ?? []).slice(0, 1)) {
    const text = `${row.key} = ${row.value}`;
    const value = series.pattern ? h("a", { href: address("patterns", { q: filterFor("meta", row.key, row.value) }) }, text) : text;
    said.push([t("incident.share", { value, share: percent(row.share), usual: percent(row.usual_share) })]);
  }
  return h("div", { class: "why quiet" }, name && h("span", { class: "name" }, name), said.flatMap((part, index) => (index ? [" · ", part] : [part])));
}
