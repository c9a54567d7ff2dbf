// Marks in time, such as deploys: read for charts, made here.

import { get, offers, send } from "./api.js";
import { h } from "./dom.js";

/** The marks of a range as [{at, title}]; none where the service keeps none, or cannot tell them now. */
export async function marksOf({ since, until }, signal) {
  if (!offers("GET /marks")) return [];
  try {
    return (await get("marks", { since, until, limit: 100 }, signal)).marks;
  } catch (error) {
    if (error.name === "AbortError") throw error;
    return [];
  }
}

/** A form that makes a mark now; `made` is called then. Null where the service keeps none. */
export function markForm(made) {
  if (!offers("POST /marks")) return null;
  const title = h("input", { type: "text", maxlength: 200, required: true, placeholder: "deploy 1.4", "aria-label": "Title of the mark" });
  const told = h("span", { class: "quiet", role: "status" });
  return h("form", { class: "row", onsubmit: async (event) => {
    event.preventDefault();
    try {
      await send("POST", "marks", { title: title.value.trim() });
      title.value = "";
      told.textContent = "Marked.";
      made();
    } catch (error) {
      told.textContent = error.message;
    }
  } }, title, h("button", {}, "Mark now"), told);
}
