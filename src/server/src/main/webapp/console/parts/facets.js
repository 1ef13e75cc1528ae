import {html, nothing} from '../lib/lit-html/lit-html.js';
import * as format from '../core/format.js';
import {place, to} from '../core/router.js';
import {icon} from './kind.js';

const SHOWN = 8;

/** A box for words that filter; the page gives what to do as it is typed into. */
export const searchBox = (label, hint, value, typed) => html`<label class="facet-find"><span class="hidden">${label}</span>${icon('find')}<input type="search" class="input" placeholder=${hint} .value=${value ?? ''}
  spellcheck="false" autocomplete="off" @input=${typed}></label>`;

/**
 * Filters with how many there are of each value; each is a link that sets or clears a parameter of the address.
 *
 * @param {{name: string, title: string, counts: Record<string, number>, of?: (value: string) => string}[]} groups
 * @param {URLSearchParams} query the present one
 */
export const facets = (groups, query) => groups.map(group => {
  const chosen = query.get(group.name);
  const all = Object.entries(group.counts).sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0]));
  if (chosen && !all.some(([value]) => value === chosen)) all.unshift([chosen, 0]);
  // One value that all have is no choice.
  if (all.length === 0 || all.length === 1 && !chosen && !group.of) return nothing;
  const shown = all.filter(([value], at) => at < SHOWN || value === chosen);
  return html`<section class="facet"><h2 id="facet-${group.name}">${group.title}</h2><ul aria-labelledby="facet-${group.name}">${shown.map(([value, count]) => html`<li><a href=${toggle(query, group.name, value)}
    aria-current=${value === chosen ? 'true' : nothing}><span>${group.of?.(value) ?? value}</span><span class="num">${format.count(count)}</span></a></li>`)}</ul>${
    all.length > shown.length ? html`<p class="dim">${format.number(all.length - shown.length)} more</p>` : nothing}</section>`;
});

function toggle(given, name, value) {
  const query = new URLSearchParams(given);
  if (query.get(name) === value) query.delete(name);
  else query.set(name, value);
  return to(place.get().name, [], query);
}

/** Where `aggregate/Account` leads. */
export function linked(component) {
  const cut = component.indexOf('/');
  return to('components', [component.slice(0, cut), component.slice(cut + 1)]);
}
