/**
 * What a Retry-After header asks for.
 *
 * Source: RFC 9110, sections 5.6.7 and 10.2.3.
 */

import { strip } from "./white-space.js";

/** RFC 9110 has digits only; servers send fractions too. */
const SECONDS = /^[0-9]+(?:\.[0-9]+)?$/;
const LONGEST_S = 1e12;
const LEAP_SECOND = 60;
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const MONTH = `(?<month>${MONTHS.join("|")})`;
const TIME = "(?<hour>[0-9]{2}):(?<minute>[0-9]{2}):(?<second>[0-9]{2})";
const DATES = [
  new RegExp(`^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (?<day>[0-9]{2}) ${MONTH} (?<year>[0-9]{4}) ${TIME} GMT$`),
  new RegExp(
    `^(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, (?<day>[0-9]{2})-${MONTH}-(?<year>[0-9]{2}) ${TIME} GMT$`,
  ),
  new RegExp(`^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) ${MONTH} (?<day>[ 0-9][0-9]) ${TIME} (?<year>[0-9]{4})$`),
];
const FURTHEST_YEARS_AHEAD = 50;

/** The seconds from `nowMs`, milliseconds since 1970, that a header asks to wait; 0 for what makes no sense. */
export function retryAfterS(spacedValue: string, nowMs: number): number {
  const value = strip(spacedValue);
  if (SECONDS.test(value)) {
    return Math.min(Number(value), LONGEST_S);
  }
  for (const pattern of DATES) {
    const parts = pattern.exec(value)?.groups;
    if (parts !== undefined) {
      const date = dateMs(parts, nowMs);
      return date === null ? 0 : Math.max(0, (date - nowMs) / 1000);
    }
  }
  return 0;
}

/** Milliseconds since 1970, or null for a day or a time that does not exist. */
function dateMs(parts: Readonly<Record<string, string>>, nowMs: number): number | null {
  const number = (name: string): number => Number(parts[name]);
  const month = MONTHS.indexOf(parts["month"] ?? "");
  const year = fullYear(parts["year"] ?? "", new Date(nowMs).getUTCFullYear());
  const [day, hour, minute, second] = [number("day"), number("hour"), number("minute"), number("second")];
  // A day that does not exist is counted on, into another month.
  const dayExists = new Date(Date.UTC(year, month, day)).getUTCDate() === day;
  const timeExists = hour <= 23 && minute <= 59 && second <= LEAP_SECOND;
  return dayExists && timeExists ? Date.UTC(year, month, day, hour, minute, second) : null;
}

/** A year of two digits is the one nearest to now that is not more than 50 years ahead. */
function fullYear(digits: string, thisYear: number): number {
  const year = Number(digits);
  if (digits.length > 2) {
    return year;
  }
  const inThisCentury = thisYear - (thisYear % 100) + year;
  return inThisCentury > thisYear + FURTHEST_YEARS_AHEAD ? inThisCentury - 100 : inThisCentury;
}
