import {html, nothing, svg} from '../lib/lit-html/lit-html.js';
import * as format from '../core/format.js';

const STEPS = [0.08, 0.28, 0.5, 0.75, 1];

/**
 * How latencies spread over time: a column for each time, a row for each bucket, the darker the more of
 * the column's share.
 *
 * @param {{times: number[], bounds: number[], counts: number[][], p50?: (number | null)[], p99?: (number |
 *   null)[], title: string}} what `times` in seconds; `bounds` are upper ends of the buckets in ms,
 *   rising by the same factor; `counts[time][bucket]`; `p50` and `p99` in ms
 */
export function heat(what) {
  const {times, bounds, counts} = what;
  const columns = Math.max(1, times.length);
  const rows = bounds.length;
  const cells = [];
  counts.forEach((column, x) => {
    const most = Math.max(1, ...column);
    column.forEach((value, bucket) => {
      if (value > 0) {
        const level = STEPS[Math.min(STEPS.length - 1, Math.floor((value / most) * STEPS.length))];
        cells.push(svg`<rect x=${x} y=${rows - 1 - bucket} width="1" height="1" fill-opacity=${level}></rect>`);
      }
    });
  });
  const step = Math.log(bounds[1] / bounds[0]);
  const y = millis => rows - Math.max(0, Math.min(rows, 1 + Math.log(millis / bounds[0]) / step));
  const line = values => values?.map((value, x) => value === null || value === undefined || value <= 0 ? null : `${x + 0.5},${y(value).toFixed(2)}`).filter(Boolean).join(' ');
  const last = values => values?.filter(value => value !== null).at(-1) ?? null;
  const says = `${what.title}. Half of the last took up to ${format.duration(last(what.p50))}, 99 of 100 up to ${format.duration(last(what.p99))}.`;
  const marks = [rows - 1, Math.round(rows * 0.66), Math.round(rows * 0.33), 0];
  return html`<div class="heat-box"><div class="axis y" aria-hidden="true">${marks.map(at => html`<span>${format.duration(bounds[at])}</span>`)}</div>
    <svg class="heat" viewBox="0 0 ${columns} ${rows}" preserveAspectRatio="none" role="img" aria-label=${says}>${cells}${
      what.p50 ? svg`<polyline points=${line(what.p50)}></polyline>` : nothing}${what.p99 ? svg`<polyline class="p99" points=${line(what.p99)}></polyline>` : nothing}</svg>
    <div class="axis x" aria-hidden="true">${[0, 0.5, 1].map(share => times.length ? html`<span>${format.minute(times[Math.round((times.length - 1) * share)] * 1000)}</span>` : nothing)}</div></div>`;
}
