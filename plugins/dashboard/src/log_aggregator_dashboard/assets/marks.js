// Marks in time, such as deploys: read for charts, made here.

import { get, offers, send } from "./api.js";
import { h } from "./dom.js";
import { t } from "./text.js";

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
  const title = h("input", { type: "text", maxlength: 200, required: true, placeholder: t("marks.hint"), "aria-label": t("marks.title") });
  const told = h("span", { class: "quiet", role: "status" });
  return h("form", { class: "row", onsubmit: async (event) => {
    event.preventDefault();
    try {
      await send("POST", "marks", { title: title.value.trim() });
      title.value = "";
      told.textContent = t("marks.marked");
      made();
    } catch (error) {
      told.textContent = error.message;
    }
  } }, title, h("button", {}, t("marks.now")), told);
}
