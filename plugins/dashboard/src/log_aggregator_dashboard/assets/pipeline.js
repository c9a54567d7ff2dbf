// How the service itself is: queue, journal, each sink's lane, plugins that fail.

import { h } from "./dom.js";
import { bytes, compact, duration, exact, figure, percent } from "./format.js";

const STATES = {
  stored: ["good", "everything stored"], delivering: ["", "delivering"], retrying: ["warn", "trying again"],
  stopped: ["bad", "stopped: a person is needed"],
};

/** The panel for the answers of /stats and /health. */
export function pipelinePanel(stats, health) {
  const journal = stats.journal.bytes / stats.journal.max_bytes;
  const wait = stats.latency.acknowledge;
  const figures = [
    ["Queue", `${exact(stats.queue.records)} logs`],
    ["Journal", `${bytes(stats.journal.bytes)}, ${percent(journal)} of its space`, journal > 0.5 ? "warn" : ""],
    ["Answered after", wait?.count ? `${figure(wait.p50_ms)} ms, ${figure(wait.p99_ms)} ms at worst (p99)` : "no logs yet"],
    ["Aggregated", stats.aggregation.logs_per_row ? `${figure(stats.aggregation.logs_per_row)} logs per row` : "nothing sealed yet"],
    ["Memory", bytes(stats.memory.resident_bytes)],
    ["Running for", duration(stats.uptime_seconds)],
    ["Refused", exact(stats.logs.rejected + stats.logs.refused), stats.logs.rejected + stats.logs.refused ? "warn" : ""],
    stats.workers > 1 && ["Workers", exact(stats.workers)],
  ].filter(Boolean);
  return h("div", { class: "pipeline" },
    h("dl", { class: "figures" }, figures.map(([name, value, kind]) => h("div", {}, h("dt", {}, name), h("dd", { class: kind || "" }, value)))),
    sinks(stats.sinks), complaints(health.checks ?? {}));
}

function sinks(all) {
  const rows = Object.entries(all ?? {});
  if (!rows.length) return h("p", { class: "warn" }, "No sink is enabled, so nothing is stored. Name one in plugins.toml, such as [plugins.sqlite].");
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Sinks" }, h("table", {}, h("thead", {}, h("tr", {}, ["Sink", "State", "Flushes behind", "Delivered", "Errors", "Lost logs"].map((name, index) =>
    h("th", { scope: "col", class: index > 1 ? "number" : "" }, name)))),
  h("tbody", {}, rows.map(([name, sink]) => {
    const [kind, text] = STATES[sink.state] ?? ["", sink.state];
    const error = sink.failures_in_a_row && sink.last_error ? h("div", { class: "quiet" }, sink.last_error) : null;
    return h("tr", {}, h("th", { scope: "row" }, name, sink.required ? "" : h("span", { class: "quiet" }, " optional")),
      h("td", { class: kind }, text, error),
      [sink.lag_flushes, sink.delivered, sink.errors, sink.lost_logs].map((count, index) =>
        h("td", { class: `number ${index === 3 && count ? "bad" : ""}` }, compact(count))));
  }))));
}

function complaints(checks) {
  const bad = Object.entries(checks).filter(([, check]) => !check.ok);
  if (!bad.length) return null;
  return h("ul", { class: "complaints" }, bad.map(([name, check]) => h("li", {}, h("b", {}, name), ` ${check.detail || check.state || (check.share !== undefined ? `${percent(check.share)} of what came` : "")}`)));
}
