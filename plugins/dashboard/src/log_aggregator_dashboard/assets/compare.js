// The page that compares two spans of time: what is new, gone, more or less after a deploy or since an hour ago.

import { get } from "./api.js";
import { changeList } from "./changes.js";
import { choice, h } from "./dom.js";
import { compact, when } from "./format.js";
import { markForm, marksOf } from "./marks.js";
import { problem } from "./pieces.js";
import { adjust, here } from "./place.js";
import { renewed } from "./refresh.js";
import { zoneName } from "./zone.js";

const STARTS = [["-5m", "Last 5 minutes"], ["-15m", "Last 15 minutes"], ["-1h", "Last hour"], ["-6h", "Last 6 hours"], ["-24h", "Last 24 hours"], ["-7d", "Last 7 days"]];
const USUAL = "-1h";

export async function showCompare(main, { signal, again }) {
  const renew = renewed(signal);
  const body = h("div", { class: "panel" });
  const { after = USUAL, before = "", source = "" } = here().parameters;
  const marks = await marksOf({ since: "-30d" }, signal);
  const options = [...STARTS, ...marks.slice(0, 30).map(({ slug, title, at }) => [`mark:${slug}`, `Since “${title}”, ${when(at).slice(0, 16)}`])];
  if (!options.some(([value]) => value === after)) options.push([after, after]);
  const change = (changes) => { adjust(changes); load(); };
  const other = h("input", { type: "text", id: "before", value: before, placeholder: "as long, directly before", onchange: () => change({ before: other.value.trim() }) });
  const only = h("input", { type: "text", id: "only", value: source, placeholder: "all sources", onchange: () => change({ source: only.value.trim() }) });
  main.append(h("h1", {}, "What changed"), h("div", { class: "ranges" },
    h("div", {}, h("label", { for: "after" }, "After"), named("after", choice("After", options, after, (value) => change({ after: value === USUAL ? "" : value })))),
    h("div", {}, h("label", { for: "before" }, "Before, as from..to"), other),
    h("div", {}, h("label", { for: "only" }, "Source"), only)), markForm(again) ?? "", body);
  const load = async () => {
    const current = renew();
    const { after: start = USUAL, before: earlier, source: one } = here().parameters;
    body.replaceChildren(h("p", { class: "quiet" }, "Comparing…"));
    try {
      const answer = await get("compare", { after: start, before: earlier, source: one }, current);
      if (!current.aborted) body.replaceChildren(spans(answer), answer.before.logs ? "" : h("p", { class: "warn" }, "There are no logs before, so everything is new. Choose a later start, or another span to compare with."), changeList(answer));
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
  const part = ({ since, until, logs }) => `${when(since).slice(0, 16)} – ${when(until).slice(0, 16)}, ${compact(logs)} logs`;
  return h("p", { class: "quiet" }, `Before: ${part(before)}. After: ${part(after)} (${zoneName()}).`, traffic ? ` All traffic together: ${traffic.toPrecision(3)} times as much.` : "");
}
