// How the service itself is: queue, journal, each sink's lane, plugins that fail.

import { h } from "./dom.js";
import { bytes, compact, duration, exact, figure, percent } from "./format.js";
import { t, textOr } from "./text.js";

const KINDS = { stored: "good", retrying: "warn", stopped: "bad" };

/** The panel for the answers of /stats and /health. */
export function pipelinePanel(stats, health) {
  const journal = stats.journal.bytes / stats.journal.max_bytes;
  const wait = stats.latency.acknowledge;
  const figures = [
    [t("pipeline.queue"), t("word.logs", { n: stats.queue.records })],
    [t("pipeline.journal"), t("pipeline.journal_value", { size: bytes(stats.journal.bytes), share: percent(journal) }), journal > 0.5 ? "warn" : ""],
    [t("pipeline.wait"), wait?.count ? t("pipeline.wait_value", { usual: figure(wait.p50_ms), worst: figure(wait.p99_ms) }) : t("pipeline.no_logs")],
    [t("pipeline.aggregated"), stats.aggregation.logs_per_row ? t("pipeline.per_row", { count: figure(stats.aggregation.logs_per_row) }) : t("pipeline.nothing")],
    [t("pipeline.memory"), bytes(stats.memory.resident_bytes)],
    [t("pipeline.running"), duration(stats.uptime_seconds)],
    [t("pipeline.refused"), exact(stats.logs.rejected + stats.logs.refused), stats.logs.rejected + stats.logs.refused ? "warn" : ""],
    stats.workers > 1 && [t("pipeline.workers"), exact(stats.workers)],
  ].filter(Boolean);
  return h("div", { class: "pipeline" },
    h("dl", { class: "figures" }, figures.map(([name, value, kind]) => h("div", {}, h("dt", {}, name), h("dd", { class: kind || "" }, value)))),
    sinks(stats.sinks), complaints(health.checks ?? {}));
}

function sinks(all) {
  const rows = Object.entries(all ?? {});
  if (!rows.length) return h("p", { class: "warn" }, t("pipeline.no_sink"));
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": t("pipeline.sinks") }, h("table", {}, h("thead", {}, h("tr", {}, ["sink", "state", "behind", "delivered", "errors", "lost"].map((name, index) =>
    h("th", { scope: "col", class: index > 1 ? "number" : "" }, t(`pipeline.${name}`))))),
  h("tbody", {}, rows.map(([name, sink]) => {
        const error = sink.failures_in_a_row && sink.last_error ? h("div", { class: "quiet" }, sink.last_error) : null;
    return h("tr", {}, h("th", { scope: "row" }, name, sink.required ? "" : h("span", { class: "quiet" }, t("pipeline.optional"))),
      h("td", { class: KINDS[sink.state] ?? "" }, textOr(`lane.${sink.state}`, sink.state), error),
      [sink.lag_flushes, sink.delivered, sink.errors, sink.lost_logs].map((count, index) =>
        h("td", { class: `number ${index === 3 && count ? "bad" : ""}` }, compact(count))));
  }))));
}

function complaints(checks) {
  const bad = Object.entries(checks).filter(([, check]) => !check.ok);
  if (!bad.length) return null;
  return h("ul", { class: "complaints" }, bad.map(([name, check]) => h("li", {}, h("b", {}, name), ` ${check.detail || check.state || (check.share !== undefined ? t("pipeline.came", { share: percent(check.share) }) : "")}`)));
}
