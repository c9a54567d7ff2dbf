// The search syntax: words, "phrases", -not, level: source: category: id:, and what only the service can answer.

import { ERRORS } from "./format.js";

const TERM = /(-?)(?:([a-z]+(?:\.[^\s:"]+)?):)?(?:"([^"]*)"|(\S+))/giu;
const FIELDS = ["level", "source", "category", "id", "seen", "triage"];

/** A term that finds a value of a metadata key or of a variable. `kind` is "meta" or "var". */
export function filterFor(kind, key, value) {
  const text = String(value);
  return `${kind}.${key}:${/^[^\s":]+$/u.test(text) ? text : `"${text.replaceAll('"', "")}"`}`;
}

/** {terms: [{not, field, text}], remote}: `remote` when the service must be asked. */
export function parse(q) {
  const terms = [];
  for (const [, minus, name, phrase, word] of (q ?? "").matchAll(TERM)) {
    const field = name?.toLowerCase() ?? "";
    const known = FIELDS.includes(field) || /^(meta|var)\./.test(field);
    // A time of day and an address are words.
    const text = phrase ?? word;
    terms.push(known || !name ? { not: Boolean(minus), field: known ? field : "", text: text.toLowerCase() } : { not: Boolean(minus), field: "", text: `${name}:${text}`.toLowerCase() });
  }
  return { terms, remote: terms.some(({ field }) => field === "seen" || field === "triage" || field.includes(".")) };
}

/** What the last word of `text` may become, with what stands before it: fields, then the values of a field. */
export function suggestions(text, catalog) {
  const [, before, last] = /^(.*?)(\S*)$/su.exec(text);
  const [, minus, field, start] = /^(-?)(?:([a-z]+):)?(.*)$/isu.exec(last);
  const quoted = (value) => (/\s/u.test(value) ? `"${value}"` : value);
  const names = { level: () => catalog.names((row) => row.levels).map((name) => name.toLowerCase()), source: () => catalog.names((row) => row.sources),
    category: () => catalog.names((row) => (row.category ? { [row.category]: row.count } : {})) };
  if (!field) return start ? Object.keys(names).filter((name) => name.startsWith(start.toLowerCase())).map((name) => `${before}${minus}${name}:`) : [];
  const known = names[field.toLowerCase()]?.() ?? [];
  return known.filter((name) => name.toLowerCase().startsWith(start.toLowerCase())).slice(0, 20).map((name) => `${before}${minus}${field}:${quoted(name)}`);
}

/** Whether a row of the catalog matches the terms that can be answered here. */
export function matches(row, terms) {
  return terms.every((term) => holds(row, term) !== term.not);
}

function holds(row, { field, text }) {
  if (field === "level") return text.split(",").some((name) => (name === "errors" ? ERRORS.some((level) => row.levels[level]) : row.levels[name.toUpperCase()]));
  if (field === "source") return text.endsWith("*") ? Object.keys(row.sources).some((name) => name.toLowerCase().startsWith(text.slice(0, -1))) : Object.keys(row.sources).some((name) => name.toLowerCase() === text);
  if (field === "category") return row.category.toLowerCase() === text;
  if (field === "id") return row.pattern_id === text;
  return row.text.includes(text);
}
