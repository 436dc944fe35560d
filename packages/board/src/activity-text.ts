// How long ago, as a list says it: "now", "5m", "3h", "2d", "3w", and month and year for what is older.

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/**
 * Both in milliseconds UTC. A time in the future (a clock that jumped) is "now". Weeks go to four, as on the page of
 * origin; after that the month, with the year's last two digits.
 */
export function activityText(at: number, now: number): string {
  const age = now - at;
  if (age < minute) return "now";
  if (age < hour) return `${Math.floor(age / minute)}m`;
  if (age < day) return `${Math.floor(age / hour)}h`;
  if (age < 7 * day) return `${Math.floor(age / day)}d`;
  if (age < 35 * day) return `${Math.floor(age / (7 * day))}w`;
  const text = isoTime(at);
  return `${months[Number(text.slice(5, 7)) - 1]} ’${text.slice(2, 4)}`;
}

/** ISO 8601 in UTC with milliseconds, without a Date: the calendar of RFC 3339, years 0000 to 9999. */
export function isoTime(at: number): string {
  const ms = Math.min(Math.max(Math.floor(at), 0), 253_402_300_799_999);
  const days = Math.floor(ms / day);
  const rest = ms - days * day;
  const { year, month, dayOfMonth } = civilDate(days);
  const two = (value: number) => String(value).padStart(2, "0");
  return (
    `${String(year).padStart(4, "0")}-${two(month)}-${two(dayOfMonth)}T` +
    `${two(Math.floor(rest / hour))}:${two(Math.floor(rest / minute) % 60)}:${two(Math.floor(rest / 1000) % 60)}.` +
    `${String(rest % 1000).padStart(3, "0")}Z`
  );
}

const isoForm = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{3}))?Z$/;

/** The inverse of {@link isoTime}; null for anything else, and for dates that no calendar has. */
export function timeOfIso(text: string): number | null {
  const found = isoForm.exec(text);
  if (found === null) return null;
  const [year, month, dayOfMonth, hours, minutes, seconds] = found.slice(1, 7).map(Number);
  if (month < 1 || month > 12 || hours > 23 || minutes > 59 || seconds > 59) return null;
  const days = daysOfDate(year, month, dayOfMonth);
  const back = civilDate(days);
  if (back.month !== month || back.dayOfMonth !== dayOfMonth || days < 0) return null;
  return days * day + hours * hour + minutes * minute + seconds * 1000 + Number(found[7] ?? 0);
}

/** UTC day number since 1970: what views are counted by. */
export function dayOf(at: number): number {
  return Math.floor(at / day);
}

/** Days since 1970-01-01 to the Gregorian date: eras of 400 years that begin on the first of March. */
function civilDate(days: number): { year: number; month: number; dayOfMonth: number } {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    dayOfMonth: dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1,
  };
}

function daysOfDate(year: number, month: number, dayOfMonth: number): number {
  const shifted = month <= 2 ? year - 1 : year;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + dayOfMonth - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}
