// The page of one pattern: its timeline, samples, where it comes from, its metadata and anomalies.

import { get } from "./api.js";
import { OVERFLOW } from "./catalog.js";
import { timeChart } from "./chart.js";
import { overflowNote } from "./columns.js";
import { correctionsPanel } from "./corrections.js";
import { choice, h } from "./dom.js";
import { LEVELS, byCount, levelClass } from "./format.js";
import { anomalyList } from "./incidents.js";
import { marksOf } from "./marks.js";
import { metadataTable } from "./metadata.js";
import { copyable, levelBadge, moment, patternText, problem } from "./pieces.js";
import { address, adjust, here } from "./place.js";
import { panels } from "./places.js";
import { pick } from "./range.js";
import { ranking } from "./ranking.js";
import { renewed } from "./refresh.js";
import { copyButton, sampleList } from "./samples.js";
import { patternTicket } from "./saving.js";
import { t } from "./text.js";
import { asked, step } from "./times.js";
import { triagePanel } from "./triage.js";

const COLORS = 8;

/** Patterns longer than this may have to be scrolled. */
const LONG = 300;

export async function showPattern(main, { place, signal, again }) {
  const path = `patterns/${encodeURIComponent(place.id)}`;
  let pattern;
  try {
    pattern = await get(path, {}, signal);
  } catch (error) {
    if (error.status !== 404) throw error;
    main.append(h("div", { class: "empty" }, h("h1", {}, t("pattern.missing")), h("p", {}, t("pattern.missing_why")),
      h("p", {}, h("a", { href: address("patterns") }, t("pattern.all")))));
    return;
  }
  const timeline = h("div", { class: "body" }, h("p", { class: "quiet" }, t("word.loading")));
  const anomalies = h("div", { class: "body" }, h("p", { class: "quiet" }, t("word.loading")));
  const renew = renewed(signal);
  const split = () => (here().parameters.split === "source" ? "source" : "level");
  const draw = () => {
    const current = renew();
    fill(timeline, draw, current, () => drawTimeline(path, split(), current, again));
  };
  const triage = triagePanel(pattern, signal), corrections = pattern.pattern === OVERFLOW ? null : correctionsPanel(pattern, signal);
  main.append(
    h("header", { class: "subject" },
      h("p", { class: "quiet" }, h("a", { href: address("patterns") }, t("page.patterns")), " / ", h("code", {}, pattern.pattern_id)),
      h("h1", { tabindex: pattern.pattern.length > LONG ? "0" : null }, patternText(pattern.pattern)),
      h("p", { class: "facts" }, byCount(pattern.levels).map(([level]) => levelBadge(level)), h("b", {}, t("word.logs", { n: pattern.count })),
        pattern.category && h("span", {}, t("pattern.category", { name: h("a", { href: address("patterns", { category: pattern.category }) }, pattern.category) })),
        h("span", {}, t("pattern.first", { when: moment(pattern.first_seen) })), h("span", {}, t("pattern.last", { when: moment(pattern.last_seen) })),
        copyButton(t("word.copy_ticket"), () => patternTicket(pattern)))),
    pattern.pattern === OVERFLOW ? overflowNote() : "",
    h("div", { class: "panels" },
      triage ? section(t("pattern.triage"), "wide", triage) : "",
      section(t("pattern.time"), "wide", timeline, choice(t("pattern.split"), [["level", t("pattern.by_level")], ["source", t("pattern.by_source")]], split(), (value) => {
        adjust({ split: value === "level" ? "" : value });
        draw();
      })),
      section(t("word.samples"), "wide", sampleList(pattern)),
      corrections ? section(t("pattern.correct"), "wide", corrections) : "",
      section(t("pattern.sources"), "", ranking(byCount(pattern.sources).slice(0, 10).map(([name, count]) => [name, count, address("patterns", { source: name })]), () => "level-info", t("word.logs_by_source"))),
      section(t("pattern.tags"), "", byCount(pattern.tags).length ? ranking(byCount(pattern.tags).slice(0, 10), () => "level-notice", t("pattern.by_tag")) : h("p", { class: "quiet" }, t("pattern.no_tags"))),
      section(t("word.variables"), "wide", metadataTable(pattern.variables ?? {}, pattern.count, "var")),
      section(t("word.metadata"), "wide", metadataTable(pattern.metadata ?? {}, pattern.count)),
      section(t("page.anomalies"), "wide", anomalies),
      panels("pattern", { signal, again, pattern }),
      section(t("pattern.programs"), "wide", commands(pattern))));
  draw();
  fill(anomalies, again, signal, async () => {
    const found = (await get("anomalies", { pattern_id: pattern.pattern_id, limit: 50 }, signal)).anomalies;
    if (found.length) return anomalyList(found, { linked: false });
    const [source] = byCount(pattern.sources)[0] ?? [], none = h("p", { class: "quiet" }, t("pattern.no_anomalies"));
    const near = source ? (await get("anomalies", { source, state: "open", limit: 5 }, signal)).anomalies : [];
    return near.length ? h("div", {}, none, h("h3", {}, t("pattern.of_source", { source })), anomalyList(near)) : none;
  });
}

async function fill(where, again, signal, make) {
  try {
    const made = await make();
    if (!signal.aborted) where.replaceChildren(made);
  } catch (error) {
    if (!signal.aborted) where.replaceChildren(problem(error, again));
  }
}

async function drawTimeline(path, split, signal, again) {
  const [answer, marks] = await Promise.all([get(`${path}/timeline`, { ...asked(), step: step(96), split_by: split }, signal), marksOf(asked(), signal)]);
  if (!answer.series.length) return h("p", { class: "quiet" }, t("pattern.empty"));
  const given = answer.series.map((series) => series.name);
  const names = split === "level" ? [...[...LEVELS].reverse(), ...given.filter((name) => !LEVELS.includes(name))] : given;
  const color = split === "level" ? levelClass : (name) => `color-${given.indexOf(name) % COLORS}`;
  return timeChart(answer, { names, color, title: t("pattern.logs"), marks, chosen: (start, end) => pick(start, end, again) });
}

function section(title, kind, body, tool) {
  return h("section", { class: `panel ${kind}`, "aria-label": title }, h("div", { class: "row spread" }, h("h2", {}, title), tool), body);
}

function commands(pattern) {
  const base = new URL(`patterns/${pattern.pattern_id}`, new URL(document.querySelector("meta[name=root]").content, document.baseURI));
  const old = pattern.aliases?.length ? h("p", { class: "quiet" }, t("pattern.earlier", { ids: pattern.aliases.map((id) => [h("code", {}, id), " "]) })) : null;
  return h("div", {}, copyable(`curl '${base.href}'`), copyable(`curl '${base.href}/timeline?since=${asked().since}&step=${step()}'`), old);
}
