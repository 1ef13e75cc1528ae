import {html, svg, nothing} from '../lib/lit-html/lit-html.js';
import {plural} from '../core/format.js';

const SLOTS = 128;
const HEIGHT = 20;
const FLOOR = 4;
const LAG_TOP = 4;

/** How bad a state is: what stands first is what a consumer with several is said to be. */
const WORST = ['stuck', 'failing', 'full', 'unowned', 'merging', 'paused', 'running'];

/** The worst state of segments; `running` for none. */
export const worst = segments => WORST.find(state => segments.some(segment => segment.state === state)) ?? 'running';

/** Height of a cell for a lag: a decade of events each, full from ten thousand on. */
const height = events => FLOOR + Math.min(1, Math.log10(1 + events) / LAG_TOP) * (HEIGHT - FLOOR);

/**
 * Segments as cells of a strip: as wide as their share of the keys, as high as their lag, in the colour
 * of their state. Says the same in words.
 *
 * @param {{segment: number, firstSlot: number, lastSlot: number, state?: string, lagEvents?: number}[]} segments
 * @param {{chosen?: number | null}} [how] `chosen` is marked
 */
export function strip(segments, how = {}) {
  const states = Map.groupBy ? [...Map.groupBy(segments, one => one.state ?? 'running')] : [['running', segments]];
  const says = `${plural(segments.length, 'segment')}: ${states.map(([state, all]) => `${all.length} ${state}`).join(', ')}`;
  return html`<svg class="strip" viewBox="0 0 ${SLOTS} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label=${says}>${segments.map(one => {
    const wide = one.lastSlot - one.firstSlot + 1;
    const gap = Math.min(.8, wide / 4);
    const high = height(one.lagEvents ?? 0);
    return svg`<g class="cell ${one.state ?? 'running'} ${how.chosen === one.segment ? 'chosen' : ''}"><rect class="back" x=${one.firstSlot} width=${wide - gap} height=${HEIGHT}></rect><rect
      x=${one.firstSlot} y=${HEIGHT - high} width=${wide - gap} height=${high}></rect></g>`;
  })}</svg>`;
}

/** Segments as large cells with their numbers, each a link. */
export const cells = (segments, chosen, href, says) => html`<ul class="strip-cells">${[...segments].sort((a, b) => a.firstSlot - b.firstSlot).map(one => html`<li .style=${`flex-grow:${one.lastSlot - one.firstSlot + 1}`}><a
  class="cell ${one.state}" href=${href(one)} aria-current=${one.segment === chosen ? 'true' : nothing} title=${says(one)}><b>${one.segment}</b><span class="hidden">, ${says(one)}</span><i
  aria-hidden="true" .style=${`block-size:${Math.round(height(one.lagEvents) / HEIGHT * 100)}%`}></i></a></li>`)}</ul>`;
