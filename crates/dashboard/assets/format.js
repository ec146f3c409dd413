// Numbers, rates, spans and moments as people read them. What is unknown is a dash.
export const UNKNOWN = '–';
const GAP = '\u00a0';

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat('en', { notation: 'compact', maximumSignificantDigits: 3 });

const unknown = (value) => value === null || value === undefined || Number.isNaN(Number(value));

/** 1,234,567; a bigint that came as text keeps all its digits. */
export function number(value) {
  if (unknown(value)) return UNKNOWN;
  return typeof value === 'string' && /^-?\d+$/.test(value) ? whole.format(BigInt(value)) : whole.format(value);
}

/** 1.23M from a hundred thousand on, else all digits. */
export function brief(value) {
  return unknown(value) || Math.abs(Number(value)) < 100_000 ? number(value) : short.format(Number(value));
}

/** Digits that say something: 0.04, 3.2, 148, 1,204. */
export function rate(value) {
  if (unknown(value)) return UNKNOWN;
  const size = Math.abs(value);
  const digits = size === 0 || size >= 20 ? 0 : size >= 1 ? 1 : 2;
  return new Intl.NumberFormat('en', { minimumFractionDigits: 0, maximumFractionDigits: digits }).format(value);
}

/** Money in the currency of the contract, which the database does not know. */
export function cost(value) {
  if (unknown(value)) return UNKNOWN;
  const size = Math.abs(value);
  const digits = size === 0 ? 0 : size >= 1 ? 2 : size >= 0.01 ? 3 : 6;
  return new Intl.NumberFormat('en', { minimumFractionDigits: Math.min(digits, 2), maximumFractionDigits: digits }).format(value);
}

/** 42.5 %; nothing unfinished is called 100 %. */
export function percent(value, digits = 1) {
  if (unknown(value)) return UNKNOWN;
  const most = 10 ** digits;
  const cut = value < 100 ? Math.min(Math.round(value * most) / most, 100 - 1 / most) : value;
  return `${new Intl.NumberFormat('en', { maximumFractionDigits: digits }).format(cut)}${GAP}%`;
}

/** 340 ms, 3.2 s, 12 s, 3 min 12 s, 2 h 5 min, 3 d 4 h, from seconds. */
export function duration(seconds) {
  if (unknown(seconds)) return UNKNOWN;
  const s = Math.max(Number(seconds), 0);
  if (s === 0) return `0${GAP}s`;
  if (s < 0.001) return `<${GAP}1${GAP}ms`;
  if (s < 0.9995) return `${Math.round(s * 1000)}${GAP}ms`;
  if (s < 9.95 && !Number.isInteger(s)) return `${s.toFixed(1)}${GAP}s`;
  const parts = (big, bigUnit, small, smallUnit) =>
    small ? `${whole.format(big)}${GAP}${bigUnit} ${small}${GAP}${smallUnit}` : `${whole.format(big)}${GAP}${bigUnit}`;
  const r = Math.round(s);
  if (r < 60) return `${r}${GAP}s`;
  if (r < 3600) return parts(Math.floor(r / 60), 'min', r % 60, 's');
  if (r < 86400) return parts(Math.floor(r / 3600), 'h', Math.floor((r % 3600) / 60), 'min');
  return parts(Math.floor(r / 86400), 'd', Math.floor((r % 86400) / 3600), 'h');
}

/** Ages tick every second, so they have no fractions. */
export function age(seconds) {
  if (unknown(seconds)) return UNKNOWN;
  return duration(Math.max(Math.floor(seconds), 0));
}

/** Bytes in powers of 1024: 312 MB. */
export function bytes(value) {
  if (unknown(value)) return UNKNOWN;
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let size = Number(value);
  let unit = 0;
  while (size >= 1024 && unit < units.length - 1) {
    size /= 1024;
    unit += 1;
  }
  return `${size < 10 && unit ? size.toFixed(1) : whole.format(size)}${GAP}${units[unit]}`;
}

const clockOf = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });
const secondsOf = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const dayOf = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });
const yearOf = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric' });

function dated(at, time) {
  const now = new Date();
  if (at.toDateString() === now.toDateString()) return time;
  return `${(at.getFullYear() === now.getFullYear() ? dayOf : yearOf).format(at)}, ${time}`;
}

function moment(iso, format) {
  if (!iso) return UNKNOWN;
  const at = new Date(iso);
  return Number.isNaN(at.getTime()) ? String(iso) : dated(at, format.format(at));
}

/** 14:32, with the date when that is not today. */
export const clock = (iso) => moment(iso, clockOf);
/** 14:32:07, with the date when that is not today. */
export const time = (iso) => moment(iso, secondsOf);
