// Reading a chart and choosing a part of it: with a mouse, a finger or the keyboard.

import { h, s } from "./dom.js";
import { t } from "./text.js";

/** Make `box` answer. `view`: {left, columns, width}. `tell(first, last)`: the lines of the tip for columns.
 *  `chosen(start, end)`: a range was chosen. Returns {tip, redraw}. */
export function pointing(box, view, { title, chosen, tell }) {
  const tip = h("div", { class: "tip", hidden: true });
  const state = { from: null, to: null, dragging: false };
  const { columns } = view;
  const each = () => (view.width - view.left) / Math.max(1, columns.length);
  const range = () => [state.from, state.to].sort((a, b) => a - b);

  const redraw = () => {
    const svg = box.querySelector("svg");
    svg?.querySelector(".selection")?.remove();
    box.classList.toggle("busy", state.from !== null);
    if (state.from === null || !svg) return;
    const [first, last] = range();
    svg.append(s("rect", { class: "selection", x: view.left + first * each(), width: (last - first + 1) * each(), y: 0, height: svg.height.baseVal.value - 22 }));
  };
  const show = (first, last) => {
    tip.replaceChildren(...tell(first, last));
    tip.hidden = false;
    const left = view.left + (last + 1) * each() + 8;
    tip.style.left = `${Math.max(0, left + tip.offsetWidth > box.clientWidth ? view.left + first * each() - tip.offsetWidth - 8 : left)}px`;
  };
  const clear = () => { Object.assign(state, { from: null, to: null, dragging: false }); tip.hidden = true; redraw(); };
  const take = () => {
    const [first, last] = range();
    clear();
    chosen?.(new Date(columns[first].start), new Date(columns[last].end));
  };
  const at = (event) => {
    const frame = box.getBoundingClientRect();
    const index = Math.floor((event.clientX - frame.left - view.left) / each());
    return Math.min(columns.length - 1, Math.max(0, index));
  };

  box.addEventListener("pointermove", (event) => {
    if (!columns.length || (!state.dragging && !event.target.closest("svg"))) { if (!state.dragging) tip.hidden = true; return; }
    const index = at(event);
    if (state.dragging) { state.to = index; redraw(); show(...range()); } else if (state.from === null) show(index, index);
  });
  box.addEventListener("pointerdown", (event) => {
    if (!columns.length || event.button || !event.target.closest("svg")) return;
    const index = at(event);
    if (!chosen) return show(index, index);
    box.setPointerCapture(event.pointerId);
    Object.assign(state, { from: index, to: index, dragging: true });
    redraw();
    show(index, index);
  });
  box.addEventListener("pointerup", () => {
    if (!state.dragging) return;
    const [first, last] = range();
    if (last > first) return take();
    Object.assign(state, { from: null, to: null, dragging: false }); // a tap: what it says stays to be read
    redraw();
  });
  box.addEventListener("pointercancel", clear);
  box.addEventListener("pointerleave", () => { if (!state.dragging && state.from === null) tip.hidden = true; });
  box.addEventListener("focusout", () => { if (!state.dragging) clear(); });

  box.tabIndex = 0;
  box.setAttribute("role", "group");
  box.setAttribute("aria-label", t(chosen ? "chart.keys_select" : "chart.keys", { title }));
  box.addEventListener("keydown", (event) => {
    if (event.target !== box || !columns.length) return;
    if (event.key === "Escape" && state.from !== null) clear();
    else if (event.key === "Enter" && state.from !== null && chosen) take();
    else if (event.key in MOVES) {
      const last = columns.length - 1;
      const next = Math.min(last, Math.max(0, state.to === null ? last : state.to + MOVES[event.key]));
      state.to = next;
      if (!event.shiftKey || state.from === null) state.from = next;
      tip.setAttribute("aria-live", "polite");
      redraw();
      show(...range());
    } else return;
    event.preventDefault();
    event.stopPropagation();
  });
  return { tip, redraw };
}

const MOVES = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity, PageUp: -10, PageDown: 10 };
