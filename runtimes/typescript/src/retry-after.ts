/**
 * What a Retry-After header asks for.
 *
 * Source: RFC 9110, sections 5.6.7 and 10.2.3.
 */

const SECONDS = /^[0-9]+$/;
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
export function retryAfterS(value: string, nowMs: number): number {
  if (SECONDS.test(value)) {
    return Number(value);
  }
  for (const pattern of DATES) {
    const parts = pattern.exec(value)?.groups;
    if (parts !== undefined) {
      return Math.max(0, (dateMs(parts, nowMs) - nowMs) / 1000);
    }
  }
  return 0;
}

function dateMs(parts: Readonly<Record<string, string>>, nowMs: number): number {
  const number = (name: string): number => Number(parts[name]);
  const month = MONTHS.indexOf(parts["month"] ?? "");
  const year = fullYear(number("year"), new Date(nowMs).getUTCFullYear());
  return Date.UTC(year, month, number("day"), number("hour"), number("minute"), number("second"));
}

/** A year of two digits is the one nearest to now that is not more than 50 years ahead. */
function fullYear(year: number, thisYear: number): number {
  if (year >= 100) {
    return year;
  }
  const inThisCentury = thisYear - (thisYear % 100) + year;
  return inThisCentury > thisYear + FURTHEST_YEARS_AHEAD ? inThisCentury - 100 : inThisCentury;
}
