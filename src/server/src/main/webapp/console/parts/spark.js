import {svg, html} from '../lib/lit-html/lit-html.js';

/**
 * A line of the last values, without axes.
 *
 * @param {(number | null)[]} values oldest first; null is a gap
 * @param {{label: string, tone?: string, width?: number, height?: number, max?: number}} how `tone` is a
 *   kind (`command` …), `ok`, `warn`, `bad` or `dim`; `max` is the top, by default the largest value
 */
export function spark(values, how) {
  const {width = 120, height = 28, tone = 'accent'} = how;
  const top = how.max ?? Math.max(1e-9, ...values.filter(value => value !== null));
  const step = width / Math.max(1, values.length - 1);
  const y = value => (height - 2 - (Math.min(value, top) / top) * (height - 4)).toFixed(1);
  const lines = [];
  let line = [];
  values.forEach((value, at) => {
    if (value === null || value === undefined) {
      if (line.length) lines.push(line);
      line = [];
    } else {
      line.push(`${(at * step).toFixed(1)},${y(value)}`);
    }
  });
  if (line.length) lines.push(line);
  return html`<svg class="spark ${tone}" viewBox="0 0 ${width} ${height}" preserveAspectRatio="none" role="img"
    aria-label=${how.label}>${lines.map(points => svg`<polyline points=${points.join(' ')} vector-effect="non-scaling-stroke"></polyline>`)}</svg>`;
}

/**
 * A share as a bar: `meter(0.38, {label: 'Heap'})`.
 *
 * @param {number | null} share of 1
 */
export function meter(share, how) {
  const value = Math.max(0, Math.min(1, share ?? 0));
  const tone = how.tone ?? (value >= 0.9 ? 'bad' : value >= 0.75 ? 'warn' : 'accent');
  return html`<svg class="meter ${tone}" viewBox="0 0 100 4" preserveAspectRatio="none" role="img" aria-label=${how.label}><rect
    class="back" width="100" height="4" rx="2"></rect><rect width=${(value * 100).toFixed(1)} height="4" rx="2"></rect></svg>`;
}
