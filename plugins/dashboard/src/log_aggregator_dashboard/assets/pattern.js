// The page of one pattern: its timeline, samples, where it comes from, its metadata and anomalies.

import { get } from "./api.js";
import { OVERFLOW } from "./catalog.js";
import { timeChart } from "./chart.js";
import { overflowNote } from "./columns.js";
import { correctionsPanel } from "./corrections.js";
import { choice, h } from "./dom.js";
import { LEVELS, byCount, exact, levelClass } from "./format.js";
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
    main.append(h("div", { class: "empty" }, h("h1", {}, "No such pattern"), h("p", {}, "It may have been deleted with old data, or the address is incomplete."),
      h("p", {}, h("a", { href: address("patterns") }, "All patterns"))));
    return;
  }
  const timeline = h("div", { class: "body" }, h("p", { class: "quiet" }, "Loading…"));
  const anomalies = h("div", { class: "body" }, h("p", { class: "quiet" }, "Loading…"));
  const renew = renewed(signal);
  const split = () => (here().parameters.split === "source" ? "source" : "level");
  const draw = () => {
    const current = renew();
    fill(timeline, draw, current, () => drawTimeline(path, split(), current, again));
  };
  const triage = triagePanel(pattern, signal), corrections = pattern.pattern === OVERFLOW ? null : correctionsPanel(pattern, signal);
  main.append(
    h("header", { class: "subject" },
      h("p", { class: "quiet" }, h("a", { href: address("patterns") }, "Patterns"), " / ", h("code", {}, pattern.pattern_id)),
      h("h1", { tabindex: pattern.pattern.length > LONG ? "0" : null }, patternText(pattern.pattern)),
      h("p", { class: "facts" }, byCount(pattern.levels).map(([level]) => levelBadge(level)), h("b", {}, `${exact(pattern.count)} logs`),
        pattern.category && h("span", {}, "category ", h("a", { href: address("patterns", { category: pattern.category }) }, pattern.category)),
        h("span", {}, "first seen ", moment(pattern.first_seen)), h("span", {}, "last seen ", moment(pattern.last_seen)),
        copyButton("Copy as ticket", () => patternTicket(pattern)))),
    pattern.pattern === OVERFLOW ? overflowNote() : "",
    h("div", { class: "panels" },
      triage ? section("Triage", "wide", triage) : "",
      section("Over time", "wide", timeline, choice("Split by", [["level", "by level"], ["source", "by source"]], split(), (value) => {
        adjust({ split: value === "level" ? "" : value });
        draw();
      })),
      section("Samples", "wide", sampleList(pattern)),
      corrections ? section("Merge and split", "wide", corrections) : "",
      section("Sources", "", ranking(byCount(pattern.sources).slice(0, 10).map(([name, count]) => [name, count, address("patterns", { source: name })]), () => "level-info", "Logs by source")),
      section("Tags", "", byCount(pattern.tags).length ? ranking(byCount(pattern.tags).slice(0, 10), () => "level-notice", "Logs by tag") : h("p", { class: "quiet" }, "No tags.")),
      section("Variables", "wide", metadataTable(pattern.variables ?? {}, pattern.count, "var")),
      section("Metadata", "wide", metadataTable(pattern.metadata ?? {}, pattern.count)),
      section("Anomalies", "wide", anomalies),
      panels("pattern", { signal, again, pattern }),
      section("For programs", "wide", commands(pattern))));
  draw();
  fill(anomalies, again, signal, async () => {
    const found = (await get("anomalies", { pattern_id: pattern.pattern_id, limit: 50 }, signal)).anomalies;
    return found.length ? anomalyList(found, { linked: false }) : h("p", { class: "quiet" }, "None so far. ",
      "The plugin trends looks for spikes, silence and new patterns.");
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
  if (!answer.series.length) return h("p", { class: "quiet" }, "No logs of this pattern in this time. Choose a longer one above.");
  const given = answer.series.map((series) => series.name);
  const names = split === "level" ? [...[...LEVELS].reverse(), ...given.filter((name) => !LEVELS.includes(name))] : given;
  const color = split === "level" ? levelClass : (name) => `color-${given.indexOf(name) % COLORS}`;
  return timeChart(answer, { names, color, title: "Logs of this pattern", marks, chosen: (start, end) => pick(start, end, again) });
}

function section(title, kind, body, tool) {
  return h("section", { class: `panel ${kind}`, "aria-label": title }, h("div", { class: "row spread" }, h("h2", {}, title), tool), body);
}

function commands(pattern) {
  const base = new URL(`patterns/${pattern.pattern_id}`, new URL(document.querySelector("meta[name=root]").content, document.baseURI));
  const old = pattern.aliases?.length ? h("p", { class: "quiet" }, "Earlier ids that lead here: ", pattern.aliases.map((id) => [h("code", {}, id), " "])) : null;
  return h("div", {}, copyable(`curl '${base.href}'`), copyable(`curl '${base.href}/timeline?since=${asked().since}&step=${step()}'`), old);
}
