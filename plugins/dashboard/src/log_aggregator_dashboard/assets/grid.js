// A list of any length of which only the visible rows exist: scrolling, sorting by a column, moving with keys.

import { h } from "./dom.js";

const BEYOND = 8;

/** `columns`: [{key, title, cell(row), sort?, kind?}]. `rowHeight()` in pixels. `open(row)`, `sorted(key)`, `shown(rows)`. */
export class Grid {
  constructor({ label, columns, rowHeight, open, sorted, shown, link }) {
    Object.assign(this, { columns, rowHeight, open, shown, link });
    this.rows = [];
    this.active = -1;
    this.elements = new Map();
    this.space = h("div", { class: "space", role: "rowgroup" });
    this.heads = new Map(columns.map((column) => [column.key, h("div", { role: "columnheader", class: `cell ${column.key} ${column.kind ?? ""}` },
      column.sort ? h("button", { type: "button", onclick: () => sorted(column.key) }, column.title) : column.title)]));
    this.head = h("div", { role: "row", class: "heads", "aria-rowindex": 1 }, [...this.heads.values()]);
    this.scroller = h("div", { class: "scroller", tabindex: "0", role: "grid", "aria-label": label, "aria-colcount": columns.length,
      onscroll: () => this.draw(), onkeydown: (event) => { if (this.key(event)) event.preventDefault(); } },
    h("div", { role: "rowgroup", class: "headgroup" }, this.head), this.space);
    this.watch = new ResizeObserver(() => this.redraw());
    this.watch.observe(this.scroller);
  }

  get element() {
    return this.scroller;
  }

  /** Show these rows. The active row stays active, and the topmost visible one of a list scrolled down stays in place. */
  set(rows, sort, reverse) {
    const kept = this.rows[this.active]?.pattern_id;
    const height = this.rowHeight(), top = Math.floor(this.scroller.scrollTop / height);
    const seen = top > 0 && sort === this.sort && reverse === this.reverse && this.rows[top]?.pattern_id;
    const moved = seen ? rows.findIndex((row) => row.pattern_id === seen) - top : 0;
    [this.sort, this.reverse] = [sort, reverse];
    this.rows = rows;
    this.active = kept ? rows.findIndex((row) => row.pattern_id === kept) : -1;
    for (const [key, head] of this.heads) {
      if (key === sort) head.setAttribute("aria-sort", (key === "pattern" || key === "source" || key === "level" || key === "category") !== reverse ? "ascending" : "descending");
      else head.removeAttribute("aria-sort");
    }
    this.scroller.setAttribute("aria-rowcount", rows.length + 1);
    this.redraw();
    if (moved && top + moved >= 0) this.scroller.scrollTop += moved * height;
  }

  redraw() {
    this.elements.clear();
    this.space.replaceChildren();
    this.space.style.height = `${this.rows.length * this.rowHeight()}px`;
    this.draw();
  }

  draw() {
    const height = this.rowHeight();
    const from = Math.max(0, Math.floor(this.scroller.scrollTop / height) - BEYOND);
    const to = Math.min(this.rows.length, Math.ceil((this.scroller.scrollTop + this.scroller.clientHeight) / height) + BEYOND);
    for (const [index, element] of this.elements) {
      if (index < from || index >= to) {
        element.remove();
        this.elements.delete(index);
      }
    }
    for (let index = from; index < to; index += 1) {
      if (!this.elements.has(index)) this.space.append(this.make(index, height));
    }
    this.mark();
    this.shown(this.rows.slice(from, to));
  }

  make(index, height) {
    const row = this.rows[index];
    const element = h("div", { role: "row", id: `row-${index}`, class: "line", "aria-rowindex": index + 2,
      onclick: (event) => { if (!event.target.closest("a") && !String(getSelection())) this.open(row); } },
    this.columns.map((column) => h("div", { role: "gridcell", class: `cell ${column.key} ${column.kind ?? ""}` }, column.cell(row))));
    element.style.transform = `translateY(${index * height}px)`;
    element.style.height = `${height}px`;
    this.elements.set(index, element);
    return element;
  }

  mark() {
    for (const [index, element] of this.elements) {
      element.classList.toggle("active", index === this.active);
      element.setAttribute("aria-selected", index === this.active);
    }
    if (this.elements.has(this.active)) this.scroller.setAttribute("aria-activedescendant", `row-${this.active}`);
    else this.scroller.removeAttribute("aria-activedescendant");
  }

  /** Move or open; true when the key was used. */
  key(event) {
    const page = Math.max(1, Math.floor(this.scroller.clientHeight / this.rowHeight()) - 1);
    const moves = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity };
    if (event.key === "Enter" && this.rows[this.active] && !event.target.closest("a, button")) {
      this.open(this.rows[this.active]);
      return true;
    }
    if (!(event.key in moves) || !this.rows.length) return false;
    this.active = Math.min(this.rows.length - 1, Math.max(0, this.active + moves[event.key]));
    const height = this.rowHeight(), top = this.active * height;
    const view = this.scroller.clientHeight - this.head.offsetHeight;
    if (top < this.scroller.scrollTop) this.scroller.scrollTop = top;
    else if (top + height > this.scroller.scrollTop + view) this.scroller.scrollTop = top + height - view;
    this.draw();
    return true;
  }
}
