// The small charts of a list's visible rows: asked for together when rows come to rest, and remembered.

import { get } from "./api.js";
import { columnsOf } from "./bars.js";
import { h, s, settled } from "./dom.js";
import { asked, step } from "./times.js";

const AT_ONCE = 60, WIDTH = 105, HEIGHT = 24;

export class Sparks {
  constructor(signal) {
    this.signal = signal;
    this.known = new Map();
    this.rest = settled((rows) => this.ask(rows.filter((row) => !this.known.get(row.pattern_id)?.done).slice(0, AT_ONCE)), 120, signal);
  }

  /** The element for a row; it is filled when its counts have come. */
  cell(row) {
    const entry = this.known.get(row.pattern_id) ?? { done: false, box: h("span", { class: "sparkbox" }) };
    this.known.set(row.pattern_id, entry);
    return entry.box;
  }

  /** Ask again for what is shown from now on; the old drawings stay until then. */
  outdated() {
    for (const entry of this.known.values()) entry.done = false;
  }

  shown(rows) {
    this.rest(rows);
  }

  async ask(rows) {
    const entries = rows.map((row) => [row.pattern_id, this.known.get(row.pattern_id)]).filter(([, entry]) => entry && !entry.done);
    if (!entries.length) return;
    for (const [, entry] of entries) entry.done = true;
    try {
      const answer = await get("dashboard/sparks", { ...asked(), step: step(36), ids: entries.map(([id]) => id).join(",") }, this.signal);
      for (const [id, entry] of entries) entry.box.replaceChildren(sparkline({ ...answer, series: [answer.series[id] ?? { name: "", points: [] }] }));
    } catch {
      for (const [, entry] of entries) entry.done = false; // asked again when the rows are shown again
    }
  }
}

/** A small line of bars of one series; it is as wide as its box. */
export function sparkline(answer) {
  const columns = columnsOf(answer);
  const most = Math.max(1, ...columns.map((column) => column.total));
  const each = WIDTH / Math.max(1, columns.length);
  return s("svg", { class: "spark", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" },
    columns.flatMap(({ total }, index) => (total ? [s("rect", { x: index * each, width: Math.max(0.8, each - 0.6),
      y: HEIGHT - Math.max(1, (total / most) * HEIGHT), height: Math.max(1, (total / most) * HEIGHT) })] : [])));
}
