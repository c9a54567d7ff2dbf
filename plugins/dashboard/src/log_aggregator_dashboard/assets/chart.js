// A chart of counts over time: stacked bars, the share of errors below, marks, and a band of what was expected.

import { columnsOf, ladder, ticks } from "./bars.js";
import { h, s } from "./dom.js";
import { ERRORS, clock, compact, exact, levelClass, percent, toMinute, when } from "./format.js";
import { pointing } from "./pointing.js";
import { t } from "./text.js";
import { zoneName } from "./zone.js";

const HEIGHT = 168, LEFT = 48, BOTTOM = 22, TOP = 8, SHARE = 44, GAP = 20;
/** Pixels that errors have at least: one among a million other logs is seen. */
const LEAST = 4;
/** The series that a chart shows alone, by the chart's title: it outlasts a refresh. */
const alone = new Map();

/** A chart of `answer` (of /series), stacked in the order of `names` from the bottom; `color` gives a series its class.
 *  `chosen(start, end)`: a range was drawn over it. `share`: draw the share of errors, too. `marks`: [{at, title}].
 *  `band`: {low, high, from} per step, from a moment on. */
export function timeChart(answer, { names, color = levelClass, title, chosen, share = false, marks = [], band = null }) {
  const columns = columnsOf(answer);
  const all = names.filter((name) => answer.series.some((series) => series.name === name));
  const box = h("div", { class: "chart" });
  const total = columns.reduce((sum, column) => sum + column.total, 0);
  const summary = t("chart.summary", { title, count: total, since: when(answer.since), until: when(answer.until), zone: zoneName(),
    series: all.map((name) => `${name || t("chart.all")} ${exact(totalOf(answer, name))}`).join(", ") });
  const shown = () => (all.includes(alone.get(title)) ? [alone.get(title)] : all);
  const view = { left: LEFT, columns, width: 700 };
  const draw = () => {
    view.width = Math.max(260, box.clientWidth || 700);
    box.querySelector("svg")?.remove();
    box.prepend(picture(view, { names: shown(), color, share, marks, band, summary }));
    pointer.redraw();
  };
  const legend = h("ul", { class: "legend" });
  const fill = () => legend.replaceChildren(...all.filter(Boolean).map((name, index) => h("li", {}, h("button", {
    type: "button", "aria-pressed": alone.get(title) === name, class: shown().includes(name) ? "" : "off", title: t("chart.alone", { name }),
    onclick: () => {
      alone.set(title, alone.get(title) === name ? "" : name);
      fill();
      draw();
      legend.children[index].firstChild.focus();
    },
  }, h("i", { class: `dot ${color(name)}` }), name, " ", h("b", {}, compact(totalOf(answer, name)))))));
  const pointer = pointing(box, view, { title, chosen, tell: (first, last) => told(columns.slice(first, last + 1), { names: shown(), color, share, marks }) });
  box.append(pointer.tip, legend);
  fill();
  new ResizeObserver(() => requestAnimationFrame(draw)).observe(box);
  return box;
}

const totalOf = (answer, name) => answer.series.find((series) => series.name === name)?.total ?? 0;
const failing = (column) => column.parts.reduce((sum, [name, count]) => sum + (ERRORS.includes(name) ? count : 0), 0);

/** What the tip says of neighbouring columns. */
function told(columns, { names, color, share, marks }) {
  const counts = new Map();
  for (const { parts } of columns) for (const [name, count] of parts) counts.set(name, (counts.get(name) ?? 0) + count);
  const total = columns.reduce((sum, column) => sum + column.total, 0);
  const errors = columns.reduce((sum, column) => sum + failing(column), 0);
  const [start, end] = [columns[0].start, columns.at(-1).end];
  return [h("b", {}, `${toMinute(start)} – ${clock(end)} ${zoneName(start)}`),
    ...[...names].reverse().filter((name) => counts.get(name)).map((name) => h("span", {}, h("i", { class: `dot ${color(name)}` }), `${name || t("chart.logs")} ${exact(counts.get(name))}`)),
    total ? share && errors > 0 && h("span", {}, t("chart.errors", { share: percent(errors / total) })) : h("span", {}, t("chart.no_logs")),
    ...marks.filter(({ at }) => Date.parse(at) >= start && Date.parse(at) < end).map(({ title }) => h("span", { class: "mark" }, `⚑ ${title}`))].filter(Boolean);
}

function picture(view, { names, color, share, marks, band, summary }) {
  const { columns, width } = view;
  const strip = share && columns.some(failing) ? SHARE + GAP : 0;
  const height = HEIGHT + strip, area = HEIGHT - BOTTOM - TOP;
  const each = (width - LEFT) / Math.max(1, columns.length);
  const most = Math.max(1, band?.high ?? 0, ...columns.map((column) => column.parts.reduce((sum, [name, count]) => sum + (names.includes(name) ? count : 0), 0)));
  const marksOfY = ladder(most);
  const y = (count) => TOP + area - (count / marksOfY.at(-1)) * area;
  const svg = s("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": summary });
  rules(svg, marksOfY.map((value) => [y(value), compact(value)]), width);
  const bar = (index, kind, top, size) => s("rect", { class: `bar ${kind}`, x: LEFT + index * each + (each > 4 ? 0.5 : 0), y: top, width: Math.max(0.5, each - (each > 4 ? 1 : 0)), height: size });
  columns.forEach((column, index) => {
    const counts = new Map(column.parts);
    let bottom = y(0);
    for (const name of names) {
      const count = counts.get(name);
      if (!count) continue;
      const size = Math.max(ERRORS.includes(name) ? LEAST : 0.75, (count / marksOfY.at(-1)) * area);
      bottom -= size;
      svg.append(bar(index, color(name), Math.max(0, bottom), size));
    }
  });
  if (band) expected(svg, band, { columns, each, y });
  if (strip) shares(svg, columns, bar, width);
  for (const [x, text] of ticks(columns, each, LEFT, width)) {
    svg.append(s("text", { class: "axis", x, y: height - 6, "text-anchor": x > width - 60 ? "end" : x < LEFT + 20 ? "start" : "middle" }, text));
  }
  flags(svg, columns, marks, width, height);
  return svg;
}

/** A line for each mark, with its title where no other title stands, in the first row or in a second one. */
function flags(svg, columns, marks, width, height) {
  const [first, last] = [columns[0]?.start, columns.at(-1)?.end];
  const places = marks.map(({ at, title }) => [LEFT + ((Date.parse(at) - first) / (last - first)) * (width - LEFT), title]);
  const free = [-Infinity, -Infinity];
  for (const [x, title] of places.filter(([at]) => at >= LEFT && at <= width).sort(([a], [b]) => a - b)) {
    const text = `⚑ ${title.length > 18 ? `${title.slice(0, 17)}…` : title}`;
    const room = text.length * 6.5, start = x + room > width ? x - room : x;
    svg.append(s("line", { class: "markline", x1: x, x2: x, y1: 0, y2: height - BOTTOM }, s("title", {}, title)));
    const row = free.findIndex((end) => start >= end);
    if (row < 0) continue;
    svg.append(s("text", { class: "flag", x: start + 3, y: 9 + 12 * row }, text));
    free[row] = start + room;
  }
}

function rules(svg, marks, width) {
  for (const [at, text] of marks) {
    svg.append(s("line", { class: "grid", x1: LEFT, x2: width, y1: at, y2: at }), s("text", { class: "axis", x: LEFT - 6, y: at + 4, "text-anchor": "end" }, text));
  }
}

/** The share of errors of each column, on an axis of its own below the counts. */
function shares(svg, columns, bar, width) {
  const of = (column) => (column.total ? failing(column) / column.total : 0);
  const top = ladder(Math.max(...columns.map(of)), false).at(-1);
  const base = HEIGHT - BOTTOM + GAP + SHARE;
  rules(svg, [[base, percent(0)], [base - SHARE, percent(top)]], width);
  svg.append(s("text", { class: "axis", x: LEFT + 4, y: base - SHARE + 11 }, t("chart.share")));
  columns.forEach((column, index) => {
    const size = (of(column) / top) * SHARE;
    if (size) svg.append(bar(index, "share level-error", base - Math.max(1, size), Math.max(1, size)));
  });
}

/** What was expected per step: a band from a moment on, before the bars, which are higher in a spike. */
function expected(svg, { low, high, from }, { columns, each, y }) {
  const first = Math.max(0, columns.findIndex((column) => column.end > from));
  svg.append(s("rect", { class: "band", x: LEFT + first * each, width: Math.max(0, (columns.length - first) * each), y: y(high), height: Math.max(2, y(low) - y(high)) }));
}
