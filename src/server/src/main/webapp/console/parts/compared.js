import {html, nothing} from '../lib/lit-html/lit-html.js';
import * as format from '../core/format.js';
import {heat} from './heat.js';
import {failed} from './measured.js';

/** How handlers do now beside how they did, and how long one of them took over time. */

/** Less than so much more or less is no difference: buckets of times are as coarse. */
const ALIKE = 0.1;

const times = one => one?.times.total ?? one?.times.handler;

/**
 * Each type that both have, with what changed.
 *
 * @param {{says: string, all: any[]}} before what telemetry says of its handlers
 * @param {{says: string, all: any[]}} now
 */
export function compared(before, now) {
  const pairs = now.all.map(one => [before.all.find(other => other.type === one.type), one]).filter(([was, is]) => times(was) && times(is));
  if (pairs.length === 0) return html`<p class="dim">Nothing was measured both ${before.says} and ${now.says}.</p>`;
  return html`<div class="scroller" tabindex="0" role="region" aria-label="Before and now"><table class="table compared"><thead><tr><th scope="col">Type</th><th scope="col" class="end">Half, ${before.says}</th><th scope="col" class="end">${now.says}</th><th
    scope="col" class="end">99 of 100, ${before.says}</th><th scope="col" class="end">${now.says}</th><th scope="col" class="end">Failed, ${before.says}</th><th scope="col" class="end">${now.says}</th></tr></thead><tbody>${pairs.map(([was, is]) => html`<tr class="item"><td class="mono">${is.type}</td>${
    cells(times(was).p50, times(is).p50)}${cells(times(was).p99, times(is).p99)}<td class="end">${failed(was.errorShare)}</td><td class="end">${failed(is.errorShare)}</td></tr>`)}</tbody></table></div>`;
}

function cells(was, is) {
  const change = was > 0 && Math.abs(is / was - 1) > ALIKE ? (is > was ? '↑' : '↓') : '';
  return html`<td class="end dim">${format.duration(was)}</td><td class="end"><span class=${change === '↑' ? 'warn' : ''}>${format.duration(is)}${change ? html` <span aria-hidden="true">${change}</span><span class="hidden">${change === '↑' ? 'longer' : 'shorter'}</span>` : nothing}</span></td>`;
}

/**
 * The heat map of one handler.
 *
 * @param {{rows: {at: string, counts: number[], p50: number | null, p99: number | null}[], ends: number[]} | null} spread
 */
export function spreadOf(spread, title) {
  if (!spread || spread.rows.length === 0) return html`<p class="dim">Nothing was handled in the last hour.</p>`;
  return html`${heat({title, times: spread.rows.map(row => Date.parse(row.at) / 1_000), bounds: spread.ends, counts: spread.rows.map(row => row.counts),
    p50: spread.rows.map(row => row.p50), p99: spread.rows.map(row => row.p99)})}<p class="dim legend-line">The last hour. Darker: more of that time's. Line: half of them; dashed: 99 of 100.</p>`;
}
