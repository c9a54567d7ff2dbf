// Small parts that several pages show: patterns, levels, anomalies, what to do when there is nothing, what went wrong.

import { Failure, origin } from "./api.js";
import { h } from "./dom.js";
import { ago, duration, figure, levelClass, percent, when } from "./format.js";
import { address } from "./place.js";

const PLACEHOLDER = /(\{[A-Z][A-Z0-9_]*\})/;
const REASONS = 3;
/** Beyond this a probability only says how wrong a model can be. */
const SURE = 20;
const KINDS = {
  new_pattern: "New pattern", spike: "Spike", drop: "Drop", silence: "Silence", level_shift: "Level shift", error_rate: "More errors",
};

/** A pattern's text with its placeholders marked. */
export function patternText(text) {
  return text.split(PLACEHOLDER).map((piece, index) => (index % 2 ? h("mark", {}, piece) : piece));
}

export const levelBadge = (level) => h("span", { class: `badge ${levelClass(level)}` }, level);

/** A moment as "5 min ago", with the exact time on hovering. */
export const moment = (value) => h("time", { datetime: value, title: when(value) }, ago(Date.parse(value)));

/** What the service could not answer. */
export function problem(error, again) {
  const store = error instanceof Failure && error.status === 503;
  return h("div", { class: "empty", role: "alert" },
    h("h3", {}, store ? "Nothing to read from" : "That did not work"), h("p", {}, error.message),
    again && h("p", {}, h("button", { type: "button", onclick: again }, "Try again")));
}

/** What to do when no log has come yet; `note` says when it will be seen. */
export function noLogs(lead, note = "A log shows up here when its flush is stored, within 30 seconds by default.") {
  const body = '{"message": "User 123 logged in", "level": "INFO", "source": "auth"}';
  const command = `curl -X POST ${origin()}/ingest -H 'Content-Type: application/json' \\\n  -d '${body}'`;
  return h("div", { class: "empty" }, h("h3", {}, lead), h("p", {}, "Send a log:"), copyable(command),
    h("p", {}, "Or a made-up stream of several services:"), copyable(`log-aggregator demo --url ${origin()}`),
    h("p", { class: "quiet" }, note));
}

/** A command with a button that copies it. */
export function copyable(text) {
  const button = h("button", { type: "button", onclick: async () => {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Select and copy";
    }
  } }, "Copy");
  return h("div", { class: "copyable" }, h("pre", { tabindex: "0" }, text), button);
}

/** A list of anomalies as they are at GET /anomalies. */
export function anomalyList(anomalies, { linked = true } = {}) {
  return h("ul", { class: "anomalies" }, anomalies.map((anomaly) => {
    const name = anomaly.pattern ? patternText(anomaly.pattern) : `all logs of ${anomaly.source}`;
    const over = anomaly.resolved ? `over after ${duration((Date.parse(anomaly.resolved) - Date.parse(anomaly.started)) / 1000)}` : "going on";
    return h("li", { class: anomaly.state === "open" ? "open" : "" },
      h("div", { class: "row" },
        h("span", { class: `kind kind-${anomaly.kind in KINDS ? anomaly.kind : "other"}` }, KINDS[anomaly.kind] ?? anomaly.kind),
        anomaly.tier === "notify" && h("span", { class: "tier" }, "notified"),
        h("span", { class: "quiet" }, anomaly.source, " · ", moment(anomaly.started), " · ", over)),
      h("div", { class: "text" }, linked && anomaly.pattern ? h("a", { href: address("pattern", {}, anomaly.pattern_id) }, name) : name),
      ...reasons(anomaly));
  }));
}

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

function named(series) {
  if (series.pattern) return patternText(series.pattern);
  const [kind, ...source] = series.series.split(":");
  return kind === "errors" ? `errors of ${source.join(":")}` : `all logs of ${source.join(":")}`;
}

function why(series, name) {
  if (series.seen === undefined) return name ? h("div", { class: "why quiet" }, h("span", { class: "name" }, name)) : null;
  const said = [];
  if (series.missed_run) {
    said.push(`the daily run has not come, ${figure(series.expected)} expected`);
  } else if (series.silent_minutes) {
    said.push(`nothing for ${series.silent_minutes} min, ${figure(series.expected)} expected meanwhile`);
  } else {
    const [low, high] = series.expected_range ?? [];
    said.push(`${figure(series.seen)} in ${series.window_minutes} min`);
    if (low !== undefined) said.push(`expected ${figure(low)} to ${figure(high)}`);
    if (series.one_in_10_to_the) said.push(series.one_in_10_to_the > SURE ? `chance below one in 10^${SURE}` : `chance one in 10^${Math.round(series.one_in_10_to_the)}`);
  }
  for (const row of (series.over_represented ?? []).slice(0, 1)) {
    said.push(`${row.key} = ${row.value}: ${percent(row.share)} of them, usually ${percent(row.usual_share)}`);
  }
  return h("div", { class: "why quiet" }, name && h("span", { class: "name" }, name), said.join(" · "));
}
