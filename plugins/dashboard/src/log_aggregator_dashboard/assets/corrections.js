// Merge, split and keep: why logs are one pattern, what people said of it, and taking that back.

import { get, offers, send } from "./api.js";
import { choice, h, replace, settled } from "./dom.js";
import { moment, patternText } from "./pieces.js";
import { t } from "./text.js";

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
  const reasons = h("div", {}, h("p", { class: "quiet" }, t("word.loading"))), made = h("div"), told = h("p", { class: "quiet", role: "status" });
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
  const undo = (one) => attempt(() => send("DELETE", `corrections/${one.id}`, undefined, signal), t("correct.undone"));
  const unfold = (event) => {
    if (event.target.open && !made.hasChildNodes()) attempt(() => {});
  };
  return h("details", { class: "corrections", ontoggle: unfold }, h("summary", {}, t("correct.why")), reasons,
    h("div", { class: "row" }, apart(pattern, correct), merging(pattern, correct, signal)), told, made);
}

/** The controls that keep logs apart. */
function apart(pattern, correct) {
  const places = learnedPlaces(pattern.pattern);
  if (!places.length) {
    return h("button", { type: "button", title: t("correct.keep_title"), onclick: () => correct("keep", {},
      t("correct.kept")) }, t("correct.keep"));
  }
  const which = choice(t("correct.by"), [["", t("correct.every")], ...places.map((name) => [name, t("correct.only", { name: `{${name}}` })])], "", () => {});
  const button = h("button", { type: "button", title: t("correct.split_title"), onclick: () => correct("split", which.value ? { variables: [which.value] } : {},
    t("correct.split_done")) }, t("correct.split"));
  return h("span", { class: "row" }, button, places.length > 1 && which);
}

/** A field that finds the pattern to merge into. */
function merging(pattern, correct, signal) {
  const found = h("ul", { class: "targets-found", "aria-label": t("correct.found") });
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
    if (!others.length) return words ? [h("li", { class: "quiet" }, t("correct.nothing"))] : [];
    return others.map((row) => h("li", {}, h("button", { type: "button", onclick: () => {
      field.value = "";
      replace(found);
      correct("merge", { into: row.pattern_id }, t("correct.merged"));
    } }, patternText(row.pattern))));
  };
  const field = h("input", { type: "search", "aria-label": t("correct.into"), placeholder: t("correct.into_hint"), spellcheck: "false", oninput: search });
  return h("span", { class: "merging" }, field, found);
}

/** The evidence as sentences. */
function why({ said: one, places, earlier }) {
  const lines = places.map(({ place, seen, needed, held, values }) => h("li", {}, t("correct.seen", { place: h("code", {}, patternText(place)), seen, needed, held,
    values: values.map((value, index) => [index ? ", " : "", h("code", {}, value)]) }), seen > values.length ? t("correct.more", { n: seen - values.length }) : ""));
  if (!lines.length) {
    lines.push(h("li", {}, one && !one.id ? t("correct.file") : one ? t("correct.person") : t("correct.equal")));
  }
  return [h("ul", { class: "plain" }, lines), earlier.length > 0 && h("details", {}, h("summary", {}, t("correct.narrower")),
    h("ul", { class: "plain" }, earlier.map((text) => h("li", {}, h("code", {}, patternText(text))))))].filter(Boolean);
}

/** Does a correction speak of this pattern, lead to it, or is it why the pattern is there? */
const concerns = (one, { pattern, pattern_id: id, aliases }, evidence) =>
  one.pattern_id === id || one.into === pattern || one.into === id || aliases?.includes(one.pattern_id) || one.id === evidence.said?.id;

/** Who did what, as a sentence. */
function sentence({ kind, by, pattern, variables, into }) {
  const words = { by: h("b", {}, by || t("correct.somebody")), pattern: h("code", {}, patternText(pattern)) };
  if (kind === "keep") return t("correct.keeps", words);
  if (kind === "merge") return t("correct.merges", { ...words, into: h("code", {}, patternText(into)) });
  return variables.length ? t("correct.splits_by", { ...words, names: variables.map((name) => `{${name}}`).join(", ") }) : t("correct.splits", words);
}

/** Who said what, the newest first, each with a button that takes it back. */
function said(corrections, undo) {
  if (!corrections.length) return [h("p", { class: "quiet" }, t("correct.nobody"))];
  return [h("ul", { class: "plain", "aria-label": t("correct.list") }, corrections.map((one) => h("li", {}, sentence(one), one.sources.length > 0 && t("correct.sources", { sources: one.sources.join(", ") }), h("span", { class: "quiet" }, " · ", at(one.at)),
    one.undone_at ? h("span", { class: "quiet" }, t("correct.undone_by", { by: one.undone_by || t("word.somebody"), when: at(one.undone_at) }))
      : [" ", h("button", { type: "button", onclick: () => undo(one) }, t("correct.undo"))])))];
}

/** A time in microseconds, as corrections have it. */
const at = (microseconds) => moment(new Date(microseconds / 1000).toISOString());
