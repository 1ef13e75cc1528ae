import {html, nothing, render} from '../lib/lit-html/lit-html.js';
import {repeat} from '../lib/lit-html/directives/repeat.js';
import {isAborted} from '../core/api.js';
import * as keys from '../core/keys.js';
import {go, place} from '../core/router.js';
import {number, plural} from '../core/format.js';
import {frame, kept, prefs} from '../core/store.js';
import {failure, icon, skeleton} from './kind.js';
import {toast} from './toast.js';

const SPARE_ROWS = 12;
const VIRTUAL_FROM = 150;
const EXPORT_MAX = 100_000;

/** A page may be empty and have a next one all the same. */
const EXPORT_PAGES_MAX = 1_000;

/**
 * A table of rows that are links: `<ev-table .columns=${…} .rows=${…}></ev-table>`. Many rows are drawn
 * as far as they are seen; more are fetched by key when the end comes near.
 *
 * Properties:
 *
 * - `columns`: `{key, title, cell(row) → template or text, end?, wrap?, grow?, sort?(row) → value,
 *   hidden?, narrow?, text?(row) → string}[]`. `end` sets figures to the right; `grow` takes what is left;
 *   `narrow: false` leaves it out below 720 px; `hidden` until the person chooses it; `text` is what is
 *   copied and exported, by default what `row[key]` says
 * - `rows`: all rows, or with `source` none
 * - `source`: `async ({after, signal}) → {items, next}`: a page by its key; `next` null at the end. Setting
 *   another one starts over
 * - `key(row)`: unique text, by default `row.id`
 * - `href(row)`: where a row leads; null or left out: nowhere
 * - `label`: what the rows are, for those who do not see it
 * - `empty`: template where there are no rows
 * - `picked`: a Set of keys; with it rows can be chosen (`x`), and `pick` is dispatched
 * - `name`: under which the chosen columns are kept
 * - `format`: of exports, `csv` or `ndjson`, which has the rows as the server gave them
 * - `height`: css length of the part that scrolls; left out: as high as it is, up to 70 % of the window
 */
class Table extends HTMLElement {
  #rows = [];
  #source = null;
  #fetched = [];
  #next = undefined;
  #asking = null;
  #exporting = null;
  #problem = null;
  #sorted = null;
  #top = 0;
  #here = null;
  #ends = [];
  #chosen = null;
  #draw = frame(() => this.isConnected && this.#render());

  #shape = [];
  key = row => row.id;
  href = null;
  label = 'Rows';
  empty = null;
  picked = null;
  name = '';
  height = '';
  exportable = true;
  format = 'csv';

  get columns() {
    return this.#shape;
  }

  /** What a cell shows may be of more than its row, which is known later than the row may be. */
  set columns(columns) {
    this.#shape = columns;
    this.#draw();
  }

  set rows(rows) {
    this.#rows = rows ?? [];
    this.#draw();
  }

  get rows() {
    return this.#source ? this.#fetched : this.#rows;
  }

  set source(source) {
    if (source === this.#source) return;
    this.#source = source;
    this.reload();
  }

  /** Starts over, from the first page. */
  reload() {
    this.#asking?.abort();
    this.#exporting?.abort();
    this.#asking = null;
    this.#fetched = [];
    this.#next = undefined;
    this.#problem = null;
    return this.#more();
  }

  connectedCallback() {
    this.#ends.push(
      keys.on('j', 'Next row', () => this.#step(1), 'In tables'),
      keys.on('k', 'Row before', () => this.#step(-1), 'In tables'),
      keys.on('x', this.picked ? 'Choose the row' : '', () => this.#pick(this.#row()), 'In tables'),
      keys.on('Enter', 'Open the row', event => this.#open(event), 'In tables'),
      prefs.density.subscribe(this.#draw), prefs.zone.subscribe(this.#draw), place.subscribe(this.#draw));
    addEventListener('resize', this.#draw);
    this.#draw();
  }

  disconnectedCallback() {
    removeEventListener('resize', this.#draw);
    this.#asking?.abort();
    this.#asking = null;
    this.#exporting?.abort();
    this.#ends.forEach(end => end());
    this.#ends = [];
  }

  async #more() {
    if (!this.#source || this.#next === null || this.#asking) return;
    const mine = new AbortController();
    this.#asking = mine;
    this.#draw();
    try {
      const page = await this.#source({after: this.#next ?? null, signal: mine.signal});
      if (this.#asking !== mine) return;
      this.#fetched = [...this.#fetched, ...page.items];
      this.#next = page.next ?? null;
      this.#problem = null;
    } catch (problem) {
      if (this.#asking !== mine || isAborted(problem)) return;
      this.#problem = problem;
      this.#next ??= null;
    }
    this.#asking = null;
    this.#draw();
    this.dispatchEvent(new CustomEvent('loaded'));
  }

  #columns() {
    if (this.name && !this.#chosen) this.#chosen = kept(`columns.${this.name}`, '');
    const chosen = this.#chosen?.get();
    const isNarrow = innerWidth < 720;
    return this.columns.filter(column => (chosen ? chosen.split(',').includes(column.key) : !column.hidden)
      && !(isNarrow && column.narrow === false));
  }

  #shown() {
    const rows = this.rows;
    const by = this.#sorted && this.columns.find(column => column.key === this.#sorted.key);
    if (!by) return rows;
    const sign = this.#sorted.down ? -1 : 1;
    return [...rows].sort((a, b) => {
      const [x, y] = [by.sort(a), by.sort(b)];
      return sign * (typeof x === 'string' ? x.localeCompare(y) : (x ?? -Infinity) - (y ?? -Infinity));
    });
  }

  get #rowHeight() {
    return parseFloat(getComputedStyle(document.documentElement).fontSize) * (prefs.density.get() === 'comfortable' ? 2.5 : 2);
  }

  #render() {
    const columns = this.#columns();
    const rows = this.#shown();
    const isVirtual = rows.length >= VIRTUAL_FROM;
    const height = this.#rowHeight;
    const scroller = this.querySelector('.scroller');
    const seen = Math.ceil((scroller?.clientHeight || 800) / height);
    const from = isVirtual ? Math.max(0, Math.min(rows.length - seen, Math.floor(this.#top / height)) - SPARE_ROWS) : 0;
    const to = isVirtual ? Math.min(rows.length, from + seen + 2 * SPARE_ROWS) : rows.length;
    const isLoading = this.#asking !== null;
    const isBlank = rows.length === 0;
    render(html`<div class="scroller" tabindex="0" role="region" aria-label=${this.label} @scroll=${this.#scroll}>
      <table class="table" aria-rowcount=${this.#next === null || !this.#source ? rows.length + 1 : -1}>
        <thead><tr>${this.picked ? html`<th scope="col"><span class="hidden">Chosen</span></th>` : nothing}${columns.map(column => this.#head(column))}</tr></thead>
        <tbody>${this.#spacer(from * height)}${repeat(rows.slice(from, to), row => this.key(row), (row, at) => this.#line(row, from + at, columns))}${this.#spacer((rows.length - to) * height)}</tbody>
      </table>
      ${isBlank ? this.#problem ? nothing : isLoading ? skeleton() : this.empty ?? html`<p class="empty">There are none.</p>` : nothing}
      ${this.#problem ? failure(this.#problem, () => this.#again()) : nothing}</div>
      ${isBlank && !this.name ? nothing : html`<div class="table-foot"><span aria-live="polite">${this.#counted(rows.length, isLoading)}</span><span class="space"></span>${this.#tools()}</div>`}`, this);
    const box = this.querySelector('.scroller');
    box.style.setProperty('--table-height', this.height || (isVirtual || this.#source ? '70dvh' : 'none'));
    if (this.#source && box.scrollHeight - box.scrollTop - box.clientHeight < 40 * height) this.#more();
  }

  #again() {
    this.#next = this.#fetched.length ? this.#next : undefined;
    this.#problem = null;
    this.#more();
  }

  #counted(loaded, isLoading) {
    if (this.#source && this.#next !== null) return `${number(loaded)} loaded${isLoading ? ', more come …' : ', scroll for more'}`;
    return plural(loaded, 'row');
  }

  #tools() {
    const menu = `columns-${this.name}`;
    return html`${this.name ? html`<button type="button" class="icon-button" popovertarget=${menu} aria-label="Choose columns" title="Choose columns">${icon('columns')}</button>
      <div class="popover" id=${menu} popover @beforetoggle=${near}>${this.columns.map(column => html`<label class="menu-item"><input type="checkbox" .checked=${this.#columns().includes(column)}
        @change=${() => this.#choose(column)}>${column.title}</label>`)}</div>` : nothing}${
      this.exportable ? html`<button type="button" class="icon-button" title="Export as ${this.format.toUpperCase()}, at most ${number(EXPORT_MAX)} rows" aria-label="Export as ${this.format.toUpperCase()}, at most ${number(EXPORT_MAX)} rows" ?disabled=${this.#exporting !== null} aria-busy=${this.#exporting !== null} @click=${() => this.#export()}>${icon('export')}</button>` : nothing}`;
  }

  #choose(column) {
    const now = new Set(this.#columns().map(one => one.key));
    if (!now.delete(column.key)) now.add(column.key);
    if (now.size === 0) return;
    this.#chosen.set(this.columns.filter(one => now.has(one.key)).map(one => one.key).join(','));
    this.#draw();
  }

  #head(column) {
    const isBy = this.#sorted?.key === column.key;
    return html`<th scope="col" class=${column.end ? 'end' : ''} aria-sort=${isBy ? this.#sorted.down ? 'descending' : 'ascending' : nothing}>${
      column.sort && !this.#source ? html`<button type="button" @click=${() => this.#sort(column)}>${column.title}${isBy ? this.#sorted.down ? ' ↓' : ' ↑' : ''}</button>` : column.title}</th>`;
  }

  #sort(column) {
    const now = this.#sorted;
    this.#sorted = now?.key !== column.key ? {key: column.key, down: Boolean(column.end)}
      : now.down === Boolean(column.end) ? {key: column.key, down: !now.down} : null;
    this.#draw();
  }

  #line(row, at, columns) {
    const id = this.key(row);
    const href = this.href?.(row);
    const isHere = this.#here === id || href && new URL(href, location.href).pathname === location.pathname;
    return html`<tr class="item ${isHere ? 'here' : ''} ${this.picked?.has(id) ? 'picked' : ''}" aria-rowindex=${at + 2}>${
      this.picked ? html`<td><input type="checkbox" aria-label="Choose ${id}" .checked=${this.picked.has(id)} @change=${() => this.#pick(row)}></td>` : nothing}${
      columns.map((column, index) => html`<td class="${column.end ? 'end' : ''} ${column.wrap ? 'wrap' : ''} ${column.grow ? 'grow' : ''}">${
        index === 0 && href ? html`<a class="open" href=${href}>${column.cell(row)}</a>` : column.cell(row)}</td>`)}</tr>`;
  }

  #spacer(height) {
    if (height <= 0) return nothing;
    return html`<tr class="spacer" aria-hidden="true"><td .style=${`block-size:${height}px`} colspan="99"></td></tr>`;
  }

  #scroll = event => {
    this.#top = event.target.scrollTop;
    if (this.rows.length >= VIRTUAL_FROM || this.#source) this.#draw();
  };

  #row() {
    return this.rows.find(row => this.key(row) === this.#here);
  }

  #step(by) {
    const rows = this.#shown();
    if (rows.length === 0) return;
    const now = rows.findIndex(row => this.key(row) === this.#here);
    const at = Math.max(0, Math.min(rows.length - 1, now + by));
    this.#here = this.key(rows[at]);
    const box = this.querySelector('.scroller');
    const height = this.#rowHeight;
    if (rows.length >= VIRTUAL_FROM) {
      if (at * height < box.scrollTop) box.scrollTop = at * height;
      else if ((at + 2) * height > box.scrollTop + box.clientHeight) box.scrollTop = (at + 2) * height - box.clientHeight;
    }
    this.#draw();
    requestAnimationFrame(() => requestAnimationFrame(() => {
      const line = this.querySelector('tr.here');
      line?.scrollIntoView({block: 'nearest'});
      line?.querySelector('a.open')?.focus({preventScroll: true});
    }));
  }

  #pick(row) {
    if (!row || !this.picked) return;
    const id = this.key(row);
    if (!this.picked.delete(id)) this.picked.add(id);
    this.#draw();
    this.dispatchEvent(new CustomEvent('pick', {detail: this.picked}));
  }

  #open(event) {
    const row = this.#row();
    const href = row && this.href?.(row);
    if (event.target.matches?.('a, button, summary')) event.target.click();
    else if (href) go(href);
  }

  /** All rows that the present filter finds, fetched to their end; given up when the page is left. */
  async #export() {
    if (this.#exporting) return;
    const mine = new AbortController();
    this.#exporting = mine;
    this.#draw();
    try {
      await this.#fetchAll(mine.signal);
    } catch (problem) {
      if (!isAborted(problem)) toast(`The export failed: ${problem.message}`, {tone: 'bad'});
    } finally {
      this.#exporting = null;
      this.#draw();
    }
  }

  async #fetchAll(signal) {
    const source = this.#source;
    const rows = [...this.rows];
    let next = source ? this.#next : null;
    for (let pages = 0; next !== null && rows.length < EXPORT_MAX && pages < EXPORT_PAGES_MAX; pages++) {
      const page = await source({after: next ?? null, signal});
      signal.throwIfAborted();
      for (const row of page.items) rows.push(row);
      next = page.next ?? null;
    }
    const isCut = next !== null || rows.length > EXPORT_MAX;
    const lines = this.format === 'ndjson' ? rows.slice(0, EXPORT_MAX).map(row => JSON.stringify(row)) : this.#csv(rows.slice(0, EXPORT_MAX));
    const end = this.format === 'ndjson' ? '\n' : '\r\n';
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob([`${lines.join(end)}${end}`], {type: this.format === 'ndjson' ? 'application/x-ndjson' : 'text/csv'}));
    link.download = `${this.name || 'rows'}.${this.format}`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
    if (isCut) toast(`The first ${plural(Math.min(rows.length, EXPORT_MAX), 'row')} were exported, which is the most at once. Narrow the filter for the rest.`, {tone: 'warn'});
  }

  #csv(rows) {
    const columns = this.columns;
    const text = row => column => cell(column.text ? column.text(row) : row[column.key]);
    return [columns.map(column => cell(column.title)).join(','), ...rows.map(row => columns.map(text(row)).join(','))];
  }
}

/** A cell of CSV; what a spreadsheet would take for a formula is text. */
function cell(value) {
  const text = value === null || value === undefined ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value);
  const safe = /^[=+\-@\t\r]/.test(text) && Number.isNaN(Number(text)) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function near(event) {
  if (event.newState !== 'open') return;
  const box = event.target;
  const at = document.querySelector(`[popovertarget="${box.id}"]`).getBoundingClientRect();
  box.style.inset = `auto ${Math.max(12, document.documentElement.clientWidth - at.right)}px ${innerHeight - at.top + 6}px auto`;
}

customElements.define('ev-table', Table);
