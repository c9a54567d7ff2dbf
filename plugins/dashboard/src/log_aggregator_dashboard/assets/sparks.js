// The small charts of a list's visible rows: asked for when rows come to rest, a few at a time, and remembered.

import { get } from "./api.js";
import { sparkline } from "./chart.js";
import { h, settled } from "./dom.js";
import { asked, step } from "./range.js";

const AT_ONCE = 3;

export class Sparks {
  constructor(signal) {
    this.signal = signal;
    this.known = new Map();
    this.wanted = [];
    this.running = 0;
    this.rest = settled((rows) => { this.wanted = rows.filter((row) => !this.known.get(row.pattern_id)?.done); this.fill(); }, 120, signal);
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

  fill() {
    while (this.running < AT_ONCE && this.wanted.length && !this.signal.aborted) {
      this.running += 1;
      this.ask(this.wanted.shift()).finally(() => { this.running -= 1; this.fill(); });
    }
  }

  async ask(row) {
    const entry = this.known.get(row.pattern_id);
    if (!entry || entry.done) return;
    entry.done = true;
    try {
      entry.box.replaceChildren(sparkline(await get(`patterns/${row.pattern_id}/timeline`, { ...asked(), step: step(36) }, this.signal)));
    } catch {
      entry.done = false; // asked again when the row is shown again
    }
  }
}
