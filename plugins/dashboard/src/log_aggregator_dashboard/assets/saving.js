// What leaves the page: a list of patterns as a file, a pattern or an incident as the text of a ticket.

import { origin } from "./api.js";
import { h } from "./dom.js";
import { byCount, exact, when } from "./format.js";
import { t } from "./text.js";
import { zoneName } from "./zone.js";

const COLUMNS = ["pattern_id", "count", "level", "first_seen", "last_seen", "sources", "category", "pattern"];
const SAMPLES = 3;

/** Let the browser save a text as a file. */
export function save(text, type, ending, name = "patterns") {
  const target = URL.createObjectURL(new Blob([text], { type }));
  const link = h("a", { href: target, download: `${name}-${new Date().toISOString().slice(0, 19).replaceAll(":", "")}.${ending}` });
  link.click();
  setTimeout(() => URL.revokeObjectURL(target), 10_000);
}

/** The forms of a list, for a choice: [name, text, function of the rows]. */
export const FORMS = [
  ["csv", "CSV", (rows) => save([COLUMNS, ...rows.map(values)].map((row) => row.map(cell).join(",")).join("\r\n") + "\r\n", "text/csv", "csv")],
  ["ndjson", "NDJSON", (rows) => save(rows.map((row) => `${JSON.stringify(plain(row))}\n`).join(""), "application/x-ndjson", "ndjson")],
  ["md", "Markdown", (rows) => save(markdown(rows), "text/markdown", "md")],
];

const plain = ({ pattern_id, pattern, count, first_seen, last_seen, levels, sources, category, tags, triage }) => ({ pattern_id, pattern, count, first_seen, last_seen, levels, sources, category, tags, triage });

function values(row) {
  return [row.pattern_id, row.count, row.level, row.first_seen, row.last_seen, byCount(row.sources).map(([name]) => name).join(" "), row.category, row.pattern];
}

/** A cell of CSV. A text that a spreadsheet would take for a formula begins with an apostrophe. */
function cell(value) {
  const text = /^[=+\-@\t\r]/u.test(String(value)) ? `'${value}` : String(value);
  return /[",\r\n]/u.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function markdown(rows) {
  const lines = rows.map((row) => `| ${row.count} | ${row.level} | ${byCount(row.sources)[0]?.[0] ?? ""} | ${code(row.pattern)} |`);
  return `| ${["count", "level", "source", "pattern"].map((name) => t(`word.${name}`)).join(" | ")} |\n|---:|---|---|---|\n${lines.join("\n")}\n`;
}

/** A text as code within a table: nothing in it is markup. */
const code = (text) => `\`${text.replaceAll("`", "'").replaceAll("|", "\\|").replace(/\s+/gu, " ")}\``;

/** The text of a ticket about a pattern. */
export function patternTicket(pattern) {
  const samples = (pattern.samples ?? []).slice(0, SAMPLES).map((text) => text.replaceAll("```", "'''"));
  return [`## ${code(pattern.pattern)}`, "",
    t("ticket.pattern", { count: pattern.count, since: stamp(pattern.first_seen), until: stamp(pattern.last_seen), levels: listed(pattern.levels), sources: listed(pattern.sources) }), "",
    ...samples.flatMap((text) => ["```", text, "```", ""]), address()].join("\n");
}

/** The text of a ticket about an incident; `lines` say what its series showed. */
export function incidentTicket(anomaly, title, lines) {
  const span = t(anomaly.resolved ? "ticket.over" : "ticket.since", { when: stamp(anomaly.started), until: anomaly.resolved && stamp(anomaly.resolved) });
  const samples = (anomaly.details?.series?.[0]?.samples ?? []).slice(0, SAMPLES).map((text) => text.replaceAll("```", "'''"));
  return [`## ${title}`, "", span + (anomaly.source ? t("ticket.source", { name: anomaly.source }) : ""), "", ...lines.map((line) => `- ${line}`), "",
    ...samples.flatMap((text) => ["```", text, "```", ""]), address()].join("\n");
}

const stamp = (value) => `${when(value)} ${zoneName(Date.parse(value))}`;
const listed = (counts) => byCount(counts).slice(0, 5).map(([name, count]) => `${name} ${exact(count)}`).join(", ");
const address = () => `${origin()}/${location.hash}`;
