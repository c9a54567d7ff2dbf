// How figures, times and levels are written for people.

import { locale, t } from "./text.js";
import { shifted } from "./zone.js";

const whole = new Intl.NumberFormat(locale);
const fixed = [0, 1].map((digits) => new Intl.NumberFormat(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits }));
const significant = new Intl.NumberFormat(locale, { maximumSignificantDigits: 3 });
const short = new Intl.NumberFormat(locale, { notation: "compact", maximumFractionDigits: 1 });

export const LEVELS = ["TRACE", "DEBUG", "INFO", "NOTICE", "WARN", "ERROR", "CRITICAL", "FATAL"];
export const ERRORS = ["ERROR", "CRITICAL", "FATAL"];

export const exact = (count) => whole.format(count);
export const compact = (count) => (Math.abs(count) < 10000 ? whole.format(count) : short.format(count));

/** A share of one as a percentage. */
export function percent(share) {
  if (!Number.isFinite(share)) return "–";
  if (share > 0 && share < 0.001) return `<${fixed[1].format(0.1)} %`;
  return `${fixed[share > 0 && share < 0.0995 ? 1 : 0].format(share * 100)} %`;
}

/** A number with at most three significant digits. */
export function figure(value) {
  if (typeof value !== "number" || !Number.isFinite(value)) return String(value);
  return Math.abs(value) >= 1000 ? compact(Math.round(value)) : significant.format(value);
}

export function bytes(count) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let size = count, unit = 0;
  while (size >= 1000 && unit < units.length - 1) { size /= 1000; unit += 1; }
  return `${fixed[size >= 100 || unit === 0 ? 0 : 1].format(size)} ${units[unit]}`;
}

/** Seconds as the two largest units. */
export function duration(seconds) {
  const rounded = Math.max(0, Math.round(seconds));
  const parts = [[t("time.d"), 86400], [t("time.h"), 3600], [t("time.min"), 60], [t("time.s"), 1]];
  const first = parts.findIndex(([, size]) => rounded >= size);
  if (first < 0) return `0 ${t("time.s")}`;
  const [unit, size] = parts[first];
  const main = `${Math.floor(rounded / size)} ${unit}`;
  const next = parts[first + 1];
  const rest = next ? Math.floor((rounded % size) / next[1]) : 0;
  return rest ? `${main} ${rest} ${next[0]}` : main;
}

/** How long ago a moment was, in one unit. */
export function ago(moment) {
  const seconds = (Date.now() - moment) / 1000;
  if (seconds < 5) return t("time.now");
  return t("time.ago", { span: duration(seconds).split(" ").slice(0, 2).join(" ") });
}

const iso = (moment) => shifted(moment).toISOString();
/** Year, month and day of a moment, by name. */
const date = (moment) => Object.fromEntries(iso(moment).slice(0, 10).split("-").map((part, index) => [["year", "month", "day"][index], part]));

/** `2026-11-30`, as an input of a date has it. */
export const isoDay = (moment) => iso(moment).slice(0, 10);
/** The date as the language writes it; the short one is without the year. */
export const day = (moment) => t("time.date", date(moment));
export const shortDay = (moment) => t("time.short_date", date(moment));
export const clock = (moment) => iso(moment).slice(11, 16);

/** Date and time to the second, in the shown time zone. */
export const when = (value) => `${day(new Date(value))} ${iso(new Date(value)).slice(11, 19)}`;

/** Date and time to the minute. */
export const toMinute = (value) => `${day(new Date(value))} ${clock(new Date(value))}`;

/** The time of day to the millisecond. */
export const instant = (value) => iso(new Date(value)).slice(11, 23);

/** The style class of a level; levels that nobody knows share one. */
export function levelClass(level) {
  return `level-${LEVELS.includes(level) ? level.toLowerCase() : "other"}`;
}

/** The most severe known level of `levels` (level → count), else the most frequent. */
export function worst(levels) {
  const known = LEVELS.filter((level) => levels[level]);
  return known.at(-1) ?? byCount(levels)[0]?.[0] ?? "";
}

/** The entries of `counts` (name → count), the largest first. */
export function byCount(counts) {
  return Object.entries(counts ?? {}).sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
}

/** By chance alone, how often something with a probability of 1 in 10^`power` per `minutes` would be seen. */
export function rarity(power, minutes) {
  const days = (10 ** Math.min(power, 15) * minutes) / 1440;
  if (days >= 365_250) return t("time.ages");
  if (days >= 730) return t("time.years", { count: Math.round(days / 365.25) });
  if (days >= 2) return t("time.days", { count: Math.round(days) });
  return t("time.often", { span: duration(Math.max(60, days * 86400)).split(" ").slice(0, 2).join(" ") });
}
