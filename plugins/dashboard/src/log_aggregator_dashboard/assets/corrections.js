// Merge, split and keep: why logs are one pattern, what people said of it, and taking that back.

import { get, offers, send } from "./api.js";
import { choice, h, replace, settled } from "./dom.js";
import { exact } from "./format.js";
import { moment, patternText } from "./pieces.js";

const PLACES = /(?:\{[A-Z][A-Z0-9_]{0,31}\})+/g;

/** Names of places in which words were learned to vary; what the rules mask cannot be split. */
const LEARNED = /^(?:VAR|STR|LIST)(?:\.\d+)?$/;
const FOUND = 8;

/** The names of a pattern's learned places from the left: `VAR`, and for one more of a kind `VAR.2`. */
function learnedPlaces(text) {
  const counts = new Map();
  return [...text.matchAll(PLACES)].map(([places]) => {
    const name = places.slice(1, places.indexOf("}")), count = (counts.get(name) ?? 0) + 1;
    counts.set(name, count);
    return count > 1 ? `${name}.${count}` : name;
  }).filter((name) => LEARNED.test(name));
}

/** The panel of a pattern, which asks the service once it is unfolded; null where no plugin takes corrections. */
export function correctionsPanel(pattern, signal) {
  if (!offers("POST /patterns/{id}/split")) return null;
  const path = `patterns/${encodeURIComponent(pattern.pattern_id)}`;
  const reasons = h("div", {}, h("p", { class: "quiet" }, "Loading…")), made = h("div"), told = h("p", { class: "quiet", role: "status" });
  const load = async () => {
    const [evidence, { corrections }] = await Promise.all([get(`${path}/evidence`, {}, signal), get("corrections", {}, signal)]);
    replace(reasons, ...why(evidence));
    replace(made, ...said(corrections.filter((one) => concerns(one, pattern, evidence)), undo));
  };
  const attempt = async (work, done) => {
    try {
      await work();
      if (done) told.textContent = done;
      await load();
    } catch (error) {
      if (signal.aborted) return;
      told.textContent = error.message;
      if (!made.hasChildNodes()) replace(reasons);
    }
  };
  const correct = (kind, body, done) => attempt(() => send("POST", `${path}/${kind}`, body, signal), done);
  const undo = (one) => attempt(() => send("DELETE", `corrections/${one.id}`, undefined, signal), "Undone. What is learned holds again.");
  const unfold = (event) => {
    if (event.target.open && !made.hasChildNodes()) attempt(() => {});
  };
  return h("details", { class: "corrections", ontoggle: unfold }, h("summary", {}, "Why are these logs one pattern?"), reasons,
    h("div", { class: "row" }, apart(pattern, correct), merging(pattern, correct, signal)), told, made);
}

/** The controls that keep logs apart. */
function apart(pattern, correct) {
  const places = learnedPlaces(pattern.pattern);
  if (!places.length) {
    return h("button", { type: "button", title: "No word of this pattern ever becomes a variable", onclick: () => correct("keep", {},
      "Kept. No word of this pattern becomes a variable.") }, "Keep as it is");
  }
  const which = choice("Split by", [["", "every learned place"], ...places.map((name) => [name, `{${name}} only`])], "", () => {});
  const button = h("button", { type: "button", title: "Each word gets a pattern of its own", onclick: () => correct("split", which.value ? { variables: [which.value] } : {},
    "Split. From now on each word has a pattern of its own; what was counted here stays here.") }, "Split");
  return h("span", { class: "row" }, button, places.length > 1 && which);
}

/** A field that finds the pattern to merge into. */
function merging(pattern, correct, signal) {
  const found = h("ul", { class: "targets-found", "aria-label": "Patterns to merge into" });
  let latest = 0;
  const search = settled(async () => {
    const turn = ++latest, words = field.value.trim();
    try {
      const rows = words ? (await get("patterns", { q: words, limit: FOUND + 1 }, signal)).patterns : [];
      if (turn === latest) replace(found, ...offered(rows, words));
    } catch (error) {
      if (!signal.aborted && turn === latest) replace(found, h("li", { class: "quiet" }, error.message));
    }
  }, 150, signal);
  const offered = (rows, words) => {
    const others = rows.filter((row) => row.pattern_id !== pattern.pattern_id).slice(0, FOUND);
    if (!others.length) return words ? [h("li", { class: "quiet" }, "No other pattern has these words.")] : [];
    return others.map((row) => h("li", {}, h("button", { type: "button", onclick: () => {
      field.value = "";
      replace(found);
      correct("merge", { into: row.pattern_id }, "Merged. Logs of this pattern are counted there.");
    } }, patternText(row.pattern))));
  };
  const field = h("input", { type: "search", "aria-label": "Merge into", placeholder: "Merge into: words of the other pattern", spellcheck: "false", oninput: search });
  return h("span", { class: "merging" }, field, found);
}

/** The evidence as sentences. */
function why({ said: one, places, earlier }) {
  const lines = places.map(({ place, seen, needed, held, values }) => h("li", {}, h("code", {}, patternText(place)),
    `: ${exact(seen)} different words were seen here, ${exact(needed)} are enough beside ${exact(held)} constant ones: `,
    values.map((value, index) => [index ? ", " : "", h("code", {}, value)]), seen > values.length ? ` and ${exact(seen - values.length)} more` : ""));
  if (!lines.length) {
    lines.push(h("li", {}, one && !one.id ? "plugins.toml says so." : one ? "A person said so, see below." : "Their words are equal; only what the rules mask differs."));
  }
  return [h("ul", { class: "plain" }, lines), earlier.length > 0 && h("details", {}, h("summary", {}, "Narrower patterns that lead here"),
    h("ul", { class: "plain" }, earlier.map((text) => h("li", {}, h("code", {}, patternText(text))))))].filter(Boolean);
}

/** Does a correction speak of this pattern, lead to it, or is it why the pattern is there? */
const concerns = (one, { pattern, pattern_id: id, aliases }, evidence) =>
  one.pattern_id === id || one.into === pattern || one.into === id || aliases?.includes(one.pattern_id) || one.id === evidence.said?.id;

const SENTENCES = { keep: "keeps as it is", split: "splits", merge: "merges" };

/** Who said what, the newest first, each with a button that takes it back. */
function said(corrections, undo) {
  if (!corrections.length) return [h("p", { class: "quiet" }, "Nobody has corrected this pattern.")];
  return [h("ul", { class: "plain", "aria-label": "Corrections" }, corrections.map((one) => h("li", {},
    h("b", {}, one.by || "Somebody"), ` ${SENTENCES[one.kind] ?? one.kind} `, h("code", {}, patternText(one.pattern)),
    one.variables.length > 0 && ` by ${one.variables.map((name) => `{${name}}`).join(", ")}`, one.into && [" into ", h("code", {}, patternText(one.into))],
    one.sources.length > 0 && ` for ${one.sources.join(", ")}`, h("span", { class: "quiet" }, " · ", at(one.at)),
    one.undone_at ? h("span", { class: "quiet" }, " · undone by ", one.undone_by || "somebody", ", ", at(one.undone_at))
      : [" ", h("button", { type: "button", onclick: () => undo(one) }, "Undo")])))];
}

/** A time in microseconds, as corrections have it. */
const at = (microseconds) => moment(new Date(microseconds / 1000).toISOString());
