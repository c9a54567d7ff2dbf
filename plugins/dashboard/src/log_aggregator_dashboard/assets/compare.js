// The page that compares two spans of time: what is new, gone, more or less after a deploy or since an hour ago.

import { get } from "./api.js";
import { changeList } from "./changes.js";
import { choice, h } from "./dom.js";
import { compact, figure, toMinute } from "./format.js";
import { markForm, marksOf } from "./marks.js";
import { problem } from "./pieces.js";
import { adjust, here } from "./place.js";
import { renewed } from "./refresh.js";
import { t } from "./text.js";
import { zoneName } from "./zone.js";

const STARTS = [["-5m", t("range.m5")], ["-15m", t("range.m15")], ["-1h", t("range.h1")], ["-6h", t("range.h6")], ["-24h", t("range.h24")], ["-7d", t("range.d7")]];
const USUAL = "-1h";
/** The logarithm of a change of all traffic that is worth a word: a tenth. */
const MOVED = Math.log(1.1);

export async function showCompare(main, { signal, again }) {
  const renew = renewed(signal);
  const body = h("div", { class: "panel" });
  const { after = USUAL, before = "", source = "" } = here().parameters;
  const marks = await marksOf({ since: "-30d" }, signal);
  const options = [...STARTS, ...marks.slice(0, 30).map(({ slug, title, at }) => [`mark:${slug}`, t("compare.since", { title, when: toMinute(at) })])];
  if (!options.some(([value]) => value === after)) options.push([after, after]);
  const change = (changes) => { adjust(changes); load(); };
  const other = h("input", { type: "text", id: "before", value: before, placeholder: t("compare.before_hint"), onchange: () => change({ before: other.value.trim() }) });
  const only = h("input", { type: "text", id: "only", value: source, placeholder: t("word.all_sources"), onchange: () => change({ source: only.value.trim() }) });
  main.append(h("h1", {}, t("compare.title")), h("div", { class: "ranges" },
    h("div", {}, h("label", { for: "after" }, t("compare.after")), named("after", choice(t("compare.after"), options, after, (value) => change({ after: value === USUAL ? "" : value })))),
    h("div", {}, h("label", { for: "before" }, t("compare.before")), other),
    h("div", {}, h("label", { for: "only" }, t("word.source")), only)), markForm(again) ?? "", body);
  const load = async () => {
    const current = renew();
    const { after: start = USUAL, before: earlier, source: one } = here().parameters;
    body.replaceChildren(h("p", { class: "quiet" }, t("compare.comparing")));
    try {
      const answer = await get("compare", { after: start, before: earlier, source: one }, current);
      if (!current.aborted) body.replaceChildren(spans(answer), answer.before.logs ? "" : h("p", { class: "warn" }, t("compare.no_before")), changeList(answer));
    } catch (error) {
      if (!current.aborted) body.replaceChildren(problem(error, load));
    }
  };
  load();
}

function named(id, control) {
  control.id = id;
  return control;
}

function spans({ before, after, traffic }) {
  const part = ({ since, until, logs }) => t("compare.span", { since: toMinute(since), until: toMinute(until), count: compact(logs) });
  return h("p", { class: "quiet" }, t("compare.spans", { before: part(before), after: part(after), zone: zoneName() }), Math.abs(Math.log(traffic || 1)) > MOVED ? t("compare.traffic", { times: figure(traffic) }) : "");
}
