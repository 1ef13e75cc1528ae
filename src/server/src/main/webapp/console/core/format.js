import {prefs} from './store.js';

const THIN = '\u202f';
const plain = new Intl.NumberFormat('en', {maximumFractionDigits: 0});

/** `1 204 311`; a dash for nothing. */
export function number(value) {
  return value === null || value === undefined || Number.isNaN(value)
    ? '–' : plain.format(value).replaceAll(',', THIN);
}

/** Three digits: `0.42`, `7.3`, `842`, `12.4 k`, `1.2 M`. */
export function count(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return '–';
  const size = Math.abs(value);
  for (const [step, unit] of [[1e9, 'G'], [1e6, 'M'], [1e4, 'k']]) {
    if (size >= step) {
      const scaled = value / (unit === 'k' ? 1e3 : step);
      return `${scaled.toFixed(Math.abs(scaled) < 100 ? 1 : 0)}${THIN}${unit}`;
    }
  }
  if (Number.isInteger(value)) return number(value);
  return value.toFixed(size < 1 ? 2 : size < 100 ? 1 : 0);
}

/** Per second, with its unit: `412/s`. */
export const rate = value => value === null || value === undefined ? '–' : `${count(value)}/s`;

/**
 * @param {number} millis
 * @returns `0.4 ms`, `12 ms`, `1.4 s`, `3 min 20 s`, `5 h 12 min`, `3 d 4 h`
 */
export function duration(millis) {
  if (millis === null || millis === undefined || Number.isNaN(millis)) return '–';
  if (millis < 10) return `${millis.toFixed(millis < 1 ? 2 : 1)}${THIN}ms`;
  if (millis < 1000) return `${Math.round(millis)}${THIN}ms`;
  const seconds = millis / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)}${THIN}s`;
  if (seconds < 60) return `${Math.round(seconds)}${THIN}s`;
  return pair(Math.round(seconds), [[86400, 'd'], [3600, 'h'], [60, 'min'], [1, 's']]);
}

function pair(seconds, units) {
  const at = units.findIndex(([size]) => seconds >= size);
  const [size, unit] = units[at];
  const first = `${Math.floor(seconds / size)}${THIN}${unit}`;
  const next = units[at + 1];
  const rest = next ? Math.floor((seconds % size) / next[0]) : 0;
  return rest ? `${first} ${rest}${THIN}${next[1]}` : first;
}

export function bytes(value) {
  if (value === null || value === undefined) return '–';
  for (const [step, unit] of [[2 ** 40, 'TiB'], [2 ** 30, 'GiB'], [2 ** 20, 'MiB'], [2 ** 10, 'KiB']]) {
    if (value >= step) return `${(value / step).toFixed(value / step < 10 ? 1 : 0)}${THIN}${unit}`;
  }
  return `${value}${THIN}B`;
}

/** A share of 1: `38 %`. */
export function percent(share) {
  if (share === null || share === undefined || Number.isNaN(share)) return '–';
  const value = share * 100;
  return `${value !== 0 && Math.abs(value) < 10 ? value.toFixed(1) : Math.round(value)}${THIN}%`;
}

const two = value => String(value).padStart(2, '0');

/** Parts of a time in the chosen zone. */
function parts(date) {
  const utc = prefs.zone.get() === 'utc';
  const of = name => utc ? date[`getUTC${name}`]() : date[`get${name}`]();
  return {
    day: `${of('FullYear')}-${two(of('Month') + 1)}-${two(of('Date'))}`,
    minute: `${two(of('Hours'))}:${two(of('Minutes'))}`,
    second: `${two(of('Hours'))}:${two(of('Minutes'))}:${two(of('Seconds'))}`,
    millis: String(of('Milliseconds')).padStart(3, '0'),
  };
}

/** @param {string | number | Date} at */
const date = at => at instanceof Date ? at : new Date(at);

/** `14:03:22` today, else with its day. */
export function clock(at) {
  const of = parts(date(at));
  return of.day === parts(new Date()).day ? of.second : `${of.day} ${of.second}`;
}

/** `14:03`, for axes. */
export const minute = at => parts(date(at)).minute;

/** `2026-11-30 14:03:22.512`, in the chosen zone. */
export function full(at) {
  const of = parts(date(at));
  return `${of.day} ${of.second}.${of.millis}`;
}

/** RFC 3339 in UTC, to copy. */
export const utc = at => date(at).toISOString();

/** `just now`, `12 s ago`, `3 min ago`, `in 2 h`. */
export function ago(at, now = Date.now()) {
  const millis = now - date(at).getTime();
  const size = Math.abs(millis) / 1000;
  if (size < 1) return 'just now';
  const text = size < 60 ? `${Math.round(size)}${THIN}s`
    : size < 3600 ? `${Math.round(size / 60)}${THIN}min`
    : size < 172800 ? `${Math.round(size / 3600)}${THIN}h`
    : `${Math.round(size / 86400)}${THIN}d`;
  return millis < 0 ? `in ${text}` : `${text} ago`;
}

/** `1 node`, `3 nodes`. */
export const plural = (value, one, many = `${one}s`) => `${number(value)} ${value === 1 ? one : many}`;

/** The first characters of an id that is long, with what shows that there are more. */
export const short = (id, chars = 8) => id && id.length > chars + 2 ? `${id.slice(0, chars)}…` : id;
