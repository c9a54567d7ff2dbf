// Charts: stacked bars over time, and small ones for a row.

import { h, s } from "./dom.js";
import { clock, compact, day, exact, levelClass, when } from "./format.js";

/** Minutes between two marks of the time axis. */
const ROUND = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 10080];
const HEIGHT = 168, LEFT = 44, BOTTOM = 22, TOP = 8;

/** The counts of several series per step: [{start, end, parts: [[name, count]], total}] from `since` to `until`. */
export function bars(answer) {
  const width = answer.step * 1000;
  const first = Math.floor(Date.parse(answer.since) / width) * width;
  const last = Date.parse(answer.until);
  const columns = [];
  for (let start = first; start < last; start += width) columns.push({ start, end: start + width, parts: [], total: 0 });
  for (const series of answer.series) {
    for (const point of series.points) {
      const column = columns[Math.floor((Date.parse(point.start) - first) / width)];
      if (!column) continue;
      column.parts.push([series.name, point.count]);
      column.total += point.count;
    }
  }
  return columns;
}

/** A chart of `answer` (of /series), stacked in the order of `names`; `color` gives a series its class.
 *  Dragging over it calls `chosen(start, end)`. */
export function timeChart(answer, { names, color = levelClass, title, chosen }) {
  const columns = bars(answer);
  const shown = names.filter((name) => answer.series.some((series) => series.name === name));
  const box = h("div", { class: "chart" });
  const tip = h("div", { class: "tip", hidden: true });
  const total = columns.reduce((sum, column) => sum + column.total, 0);
  const summary = `${title}: ${exact(total)} logs from ${when(answer.since)} to ${when(answer.until)}. ${
    shown.map((name) => `${name || "all"} ${exact(totalOf(answer, name))}`).join(", ")}`;
  const draw = () => {
    const width = Math.max(260, box.clientWidth || 700);
    box.querySelector("svg")?.remove();
    box.prepend(picture(columns, shown, color, width, summary));
  };
  const watch = new ResizeObserver(() => requestAnimationFrame(draw));
  watch.observe(box);
  const legend = h("ul", { class: "legend" }, shown.filter(Boolean).map((name) =>
    h("li", {}, h("i", { class: `dot ${color(name)}` }), name, " ", h("b", {}, compact(totalOf(answer, name))))));
  box.append(tip, legend);
  attend(box, tip, columns, shown, color, chosen);
  return box;
}

const totalOf = (answer, name) => answer.series.find((series) => series.name === name)?.total ?? 0;

function picture(columns, names, color, width, summary) {
  const most = Math.max(1, ...columns.map((column) => column.total));
  const top = nice(most);
  const area = width - LEFT, height = HEIGHT - BOTTOM - TOP;
  const each = area / columns.length;
  const y = (count) => TOP + height - (count / top) * height;
  const svg = s("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, width, height: HEIGHT, role: "img", "aria-label": summary });
  for (const share of [0, 0.5, 1]) {
    const at = y(top * share);
    svg.append(s("line", { class: "grid", x1: LEFT, x2: width, y1: at, y2: at }),
      s("text", { class: "axis", x: LEFT - 6, y: at + 4, "text-anchor": "end" }, compact(top * share)));
  }
  columns.forEach((column, index) => {
    let below = 0;
    const counts = new Map(column.parts);
    for (const name of names) {
      const count = counts.get(name);
      if (!count) continue;
      const from = y(below), to = y(below + count);
      svg.append(s("rect", { class: `bar ${color(name)}`, x: LEFT + index * each + (each > 4 ? 0.5 : 0), y: to,
        width: Math.max(0.5, each - (each > 4 ? 1 : 0)), height: Math.max(0.75, from - to) }));
      below += count;
    }
  });
  for (const [x, text] of ticks(columns, each, width)) {
    svg.append(s("text", { class: "axis", x, y: HEIGHT - 6, "text-anchor": x > width - 60 ? "end" : x < LEFT + 20 ? "start" : "middle" }, text));
  }
  return svg;
}

function ticks(columns, each, width) {
  if (!columns.length) return [];
  const minutes = (columns.at(-1).end - columns[0].start) / 60000;
  const every = ROUND.find((size) => minutes / size <= Math.max(2, width / 95)) ?? ROUND.at(-1) * Math.ceil(minutes / ROUND.at(-1) / (width / 95));
  const marks = [];
  let past = null;
  columns.forEach((column, index) => {
    const at = new Date(column.start);
    const part = Math.floor((column.start / 60000 - at.getTimezoneOffset()) / every);
    if (past !== null && part !== past) marks.push([LEFT + index * each, every >= 1440 ? day(at).slice(5) : clock(at)]);
    past = part;
  });
  return marks;
}

function nice(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10].map((factor) => factor * power).find((bound) => bound >= value);
}

function attend(box, tip, columns, names, color, chosen) {
  let from = null;
  const at = (event) => {
    const frame = box.getBoundingClientRect();
    const share = (event.clientX - frame.left - LEFT) / (frame.width - LEFT);
    return Math.min(columns.length - 1, Math.max(0, Math.floor(share * columns.length)));
  };
  const range = (event) => [from, at(event)].sort((a, b) => a - b);
  box.addEventListener("pointermove", (event) => {
    if (event.target.closest(".legend") || !columns.length) { tip.hidden = true; return; }
    const index = at(event), column = columns[index];
    const [first, last] = from === null ? [index, index] : range(event);
    tip.replaceChildren(h("b", {}, `${when(columns[first].start).slice(0, 16)} – ${clock(new Date(columns[last].end))}`),
      ...column.parts.filter(([name]) => names.includes(name)).map(([name, count]) =>
        h("span", {}, h("i", { class: `dot ${color(name)}` }), `${name || "logs"} ${exact(count)}`)),
      column.total ? "" : h("span", {}, "no logs"));
    tip.hidden = false;
    const left = event.clientX - box.getBoundingClientRect().left;
    tip.style.left = `${Math.min(left + 12, box.clientWidth - tip.offsetWidth - 4)}px`;
  });
  box.addEventListener("pointerleave", () => { tip.hidden = true; from = null; });
  if (!chosen) return;
  box.addEventListener("pointerdown", (event) => { if (event.target.closest("svg")) from = at(event); });
  box.addEventListener("pointerup", (event) => {
    if (from === null) return;
    const [first, last] = range(event);
    from = null;
    if (last > first) chosen(new Date(columns[first].start), new Date(columns[last].end));
  });
}

/** A small line of bars of one series, for a row. */
export function sparkline(answer, width = 110, height = 24) {
  const columns = bars(answer);
  const most = Math.max(1, ...columns.map((column) => column.total));
  const each = width / Math.max(1, columns.length);
  return s("svg", { class: "spark", viewBox: `0 0 ${width} ${height}`, width, height, "aria-hidden": "true" },
    columns.map((column, index) => column.total && s("rect", { x: index * each, width: Math.max(0.8, each - 0.6),
      y: height - Math.max(1, (column.total / most) * height), height: Math.max(1, (column.total / most) * height) })));
}

/** Horizontal bars: rows of [name, count, address]. */
export function ranking(rows, color, label) {
  const most = Math.max(1, ...rows.map(([, count]) => count));
  return h("ul", { class: "ranking", "aria-label": label }, rows.map(([name, count, target]) => {
    const bar = h("span", { class: `fill ${color(name)}`, "aria-hidden": "true" });
    bar.style.width = `${(count / most) * 100}%`;
    return h("li", {}, bar, target ? h("a", { href: target }, name) : h("span", {}, name), h("b", {}, compact(count)));
  }));
}
