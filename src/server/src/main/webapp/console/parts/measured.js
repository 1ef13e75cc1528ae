import {html, nothing} from '../lib/lit-html/lit-html.js';
import {api} from '../core/api.js';
import * as format from '../core/format.js';
import {payload} from './kind.js';

/** What telemetry says of handlers, of the last quarter of an hour. */

const PAGE = 200;
const PAGES_MAX = 5;
const CONSUMERS = ['projector', 'saga', 'observer'];
const KINDS = {command: 'command', query: 'query', consumer: 'event', append: 'event'};
const PHASES = [['queue', 'Waiting'], ['handler', 'Handler'], ['commit', 'Commit']];

/** Of these handlers or this type; of all without either. */
export async function handlers(only, signal) {
  const found = [];
  let after = null;
  for (let pages = 0; pages < PAGES_MAX; pages++) {
    const page = await api.get('/telemetry/handlers', {...only, after, limit: PAGE}, signal);
    found.push(...page.handlers);
    after = page.next ?? null;
    if (!after) break;
  }
  return found;
}

/** As telemetry calls a component: a consumer has its version behind its name. */
export const namesOf = one => CONSUMERS.includes(one.kind) ? one.versions.map(version => `${one.name}:${version}`) : [one.name];

/** Whether telemetry knows a component's handlers by that kind. */
const isOf = (one, measured) => CONSUMERS.includes(one.kind) ? measured.kind === 'consumer'
  : measured.kind === (one.kind === 'projection' ? 'query' : 'command');

/** Those of one component, of all that were measured. */
export function ofComponent(one, all) {
  const names = new Set(namesOf(one));
  return all.filter(measured => isOf(one, measured) && names.has(measured.handler));
}

/** Of several together: how often, the slowest's 99 of 100, and the share that failed. */
export function together(all) {
  const count = all.reduce((sum, one) => sum + one.count, 0);
  return {
    count,
    perSecond: all.reduce((sum, one) => sum + one.perSecond, 0),
    errorShare: count ? all.reduce((sum, one) => sum + one.errorShare * one.count, 0) / count : 0,
    p99: Math.max(0, ...all.map(one => (one.times.total ?? one.times.handler)?.p99 ?? 0)) || null,
  };
}

/** Failures as a share, with a tone where there are some. */
export const failed = share => share > 0 ? html`<span class="warn">${format.percent(share)}</span>` : html`<span class="dim">none</span>`;

/** Each handler in a row: how often, how many failed, and where the time went; half of them and 99 of 100. */
export function timings(all, {label, by = false, href}) {
  if (all.length === 0) return html`<p class="dim">Nothing was handled in the last 15 minutes.</p>`;
  const phases = PHASES.filter(([phase]) => all.some(one => one.times[phase]));
  const sorted = [...all].sort((a, b) => b.count - a.count);
  return html`<div class="scroller" tabindex="0" role="region" aria-label=${label}><table class="table timings"><thead><tr><th scope="col">Type</th>${by ? html`<th scope="col">By</th>` : nothing}<th scope="col" class="end">Count</th><th scope="col" class="end">Failed</th>${
    phases.map(([, title]) => html`<th scope="col" class="end">${title}</th>`)}<th scope="col" class="end">In all</th></tr></thead><tbody>${sorted.map(one => html`<tr class="item"><td>${payload(KINDS[one.kind], one.type, href?.(KINDS[one.kind], one.type))}</td>${
    by ? html`<td>${one.handler || 'appends'}</td>` : nothing}<td class="end" title="${format.rate(one.perSecond)}">${format.number(one.count)}</td><td class="end">${failed(one.errorShare)}</td>${phases.map(([phase]) => html`<td class="end">${both(one.times[phase])}</td>`)}<td class="end">${both(one.times.total)}</td></tr>`)}</tbody></table></div>
    <p class="dim legend-line">Last 15 minutes. Times: half of them / 99 of 100.</p>`;
}

const both = times => times ? html`${format.duration(times.p50)}<span class="dim"> / </span>${format.duration(times.p99)}` : html`<span class="dim">–</span>`;
