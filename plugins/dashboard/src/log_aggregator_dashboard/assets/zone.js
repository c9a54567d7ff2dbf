// The time zone of every time on the page: the reader's own, or UTC. And whether times are exact or say how long ago.

const ZONE = "log-aggregator zone", TIMES = "log-aggregator times";

const kept = (name) => {
  try {
    return localStorage.getItem(name) ?? "";
  } catch {
    return "";
  }
};
const keep = (name, value) => {
  try {
    if (value) localStorage.setItem(name, value);
    else localStorage.removeItem(name);
  } catch {
    // Without storage a choice lasts as long as the tab.
  }
};

let zone = kept(ZONE), times = kept(TIMES);

export const isUtc = () => zone === "utc";
export const isExact = () => times === "exact";
export function setUtc(on) { zone = on ? "utc" : ""; keep(ZONE, zone); }
export function setExact(on) { times = on ? "exact" : ""; keep(TIMES, times); }

/** Minutes by which the shown zone is ahead of UTC at a moment. */
export const ahead = (moment) => (isUtc() ? 0 : -new Date(moment).getTimezoneOffset());

/** A moment as a date whose UTC fields are those of the shown zone. */
export const shifted = (moment) => new Date(Number(moment) + ahead(moment) * 60000);

/** The start of the day of `moment` in the shown zone, in epoch milliseconds. */
export function midnight(moment = Date.now()) {
  if (isUtc()) return new Date(moment).setUTCHours(0, 0, 0, 0);
  return new Date(moment).setHours(0, 0, 0, 0);
}

/** `2026-11-30T14:05` of the shown zone in epoch milliseconds. */
export const parsed = (text) => Date.parse(isUtc() ? `${text}Z` : text);

/** The zone's short name: "UTC", "UTC+1", "UTC−3:30". */
export function zoneName(moment = Date.now()) {
  const minutes = ahead(moment);
  if (!minutes) return "UTC";
  const rest = Math.abs(minutes) % 60;
  return `UTC${minutes < 0 ? "−" : "+"}${Math.floor(Math.abs(minutes) / 60)}${rest ? `:${String(rest).padStart(2, "0")}` : ""}`;
}
