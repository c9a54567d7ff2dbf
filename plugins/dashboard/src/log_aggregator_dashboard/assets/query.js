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
