// Counts over time as columns, and the marks of a chart's axes.

import { clock, shortDay } from "./format.js";
import { ahead } from "./zone.js";

/** Minutes between two marks of the time axis. */
const ROUND = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 10080];

/** The counts of several series per step: [{start, end, parts: [[name, count]], total}] from `since` to `until`. */
export function columnsOf(answer) {
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

/** Three to six round numbers from 0 to at least `most`; whole ones for counts. */
export function ladder(most, whole = true) {
  const raw = Math.max(most, whole ? 1 : 1e-6) / 4;
  const power = 10 ** Math.floor(Math.log10(raw));
  const wanted = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((size) => size >= raw * 0.999 && (!whole || Number.isInteger(size))) ?? 1;
  const steps = Math.max(1, Math.ceil(most / wanted - 1e-9));
  return Array.from({ length: steps + 1 }, (_, index) => index * wanted);
}

/** The marks of the time axis: [x, text], for columns `each` wide from `left` on. */
export function ticks(columns, each, left, width) {
  if (!columns.length) return [];
  const minutes = (columns.at(-1).end - columns[0].start) / 60000;
  const every = ROUND.find((size) => minutes / size <= Math.max(2, width / 95)) ?? ROUND.at(-1) * Math.ceil(minutes / ROUND.at(-1) / (width / 95));
  const marks = [];
  let past = null;
  columns.forEach((column, index) => {
    const part = Math.floor((column.start / 60000 + ahead(column.start)) / every);
    if (past !== null && part !== past) marks.push([left + index * each, every >= 1440 ? shortDay(column.start) : clock(column.start)]);
    past = part;
  });
  return marks;
}
