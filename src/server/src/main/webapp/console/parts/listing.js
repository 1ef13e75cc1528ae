import {html} from '../lib/lit-html/lit-html.js';
import {api, isAborted} from '../core/api.js';
import * as keys from '../core/keys.js';
import {setQuery} from '../core/router.js';
import {empty, failure} from './kind.js';
import {facets, searchBox} from './facets.js';
import './table.js';

const PAGE = 100;
const TYPED_MILLIS = 120;

/**
 * A list with facets beside it, filtered by words and paged by key; its filters stand in the address. What
 * `show` of a page gives back.
 *
 * @param {object} context of the page
 * @param {{path: string, name: string, label: string, find: string, hint: string, filters: string[], columns: object[],
 *   key: (row: object) => string, href: (row: object) => string, said: (first: object) => unknown,
 *   groups: (first: object) => object[], none: string, fill: string, beside?: () => Promise<unknown>}} how `path` below the API answers with
 *   `items`, `next`, `total` and `facets`; `said` stands above the rows, `groups` are the facets; `none` and `fill` say that
 *   there is nothing, and what would fill it; `beside` is awaited before the first rows are drawn
 * @returns {Promise<() => void>} what ends it, once it has drawn first
 */
export async function listing(context, how) {
  let first = null;
  let asked = '';
  let source = null;
  let timer = 0;

  const filters = () => Object.fromEntries(how.filters.map(name => [name, context.query.get(name)]));

  async function load() {
    const now = filters();
    asked = JSON.stringify(now);
    const mine = asked;
    const [page] = await Promise.all([api.get(how.path, {...now, limit: PAGE}, context.signal), how.beside?.()]);
    if (mine !== asked) return;
    first = page;
    // The first page is there already; the table asks for those behind it.
    source = async ({after, signal}) => after === null ? page : api.get(how.path, {...now, after, limit: PAGE}, signal);
    draw();
  }

  const again = () => load().catch(problem => isAborted(problem) || context.render(failure(problem, again)));

  function draw() {
    const now = filters();
    const isFiltered = how.filters.some(name => now[name]);
    context.render(html`<div class="beside">
      <div class="facets">${searchBox(how.find, how.hint, now.q, type)}${facets(how.groups(first), context.query)}</div>
      <div class="stack"><p class="dim facet-said">${how.said(first)}</p>
        <div class="card flush"><ev-table .name=${how.name} .label=${how.label} .columns=${how.columns} .source=${source} .key=${how.key}
        .href=${how.href} .empty=${empty(now.q ? `None is called ${now.q}` : how.none, isFiltered ? 'Take a filter away, or type another part of the name.' : how.fill)}></ev-table></div></div></div>`);
  }

  function type(event) {
    const text = event.target.value;
    clearTimeout(timer);
    timer = setTimeout(() => setQuery({q: text}), TYPED_MILLIS);
  }

  context.onQuery(() => JSON.stringify(filters()) !== asked && again());
  const off = keys.on('f', how.find, () => context.host.querySelector('input[type=search]')?.focus());
  await load();
  return () => {
    off();
    clearTimeout(timer);
  };
}
