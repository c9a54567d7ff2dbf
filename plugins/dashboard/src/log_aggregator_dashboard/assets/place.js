// What the address says: which page, which pattern, which filters. It is the only state of the page that is shared.

/** The place that the address names: {page, id, parameters}. */
export function here() {
  const [path, query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const [page = "", id = ""] = path.split("/");
  return { page: page || "overview", id: decode(id), parameters: Object.fromEntries(new URLSearchParams(query)) };
}

/** The address of a place; empty parameters are left out. The time range goes along. */
export function address(page, parameters = {}, id = "") {
  const { since, until } = here().parameters;
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries({ since, until, ...parameters })) {
    if (value) query.set(name, value);
  }
  const path = page === "overview" ? "" : id ? `${page}/${encodeURIComponent(id)}` : page;
  return `#/${path}${query.size ? `?${query}` : ""}`;
}

/** Change some parameters of this place; Back leads to what was. `typed`: goes on with the change before, so that
 *  Back does not stop at each letter. Returns the new place. */
export function adjust(changes, { typed = false } = {}) {
  const place = here();
  const target = address(place.page, { ...place.parameters, ...changes }, place.id);
  if (target !== address(place.page, place.parameters, place.id)) history[typed ? "replaceState" : "pushState"](null, "", target);
  return here();
}

export function go(page, parameters, id) {
  location.hash = address(page, parameters, id);
}

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
}
