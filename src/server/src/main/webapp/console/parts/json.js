import {html, nothing, render} from '../lib/lit-html/lit-html.js';
import {copy, icon} from './kind.js';

const LINES_MAX = 400;
const OPEN_LINES = 60;

/**
 * A JSON value as a tree: `<ev-json .value=${payload}></ev-json>`. Arrow keys walk and fold it.
 *
 * - `value`: any JSON value
 * - `marks`: `Map` of JSON pointers to `added`, `removed` or `changed`
 * - `label`: what it is
 */
class JsonTree extends HTMLElement {
  #value = undefined;
  #folded = new Set();
  #lines = LINES_MAX;
  #here = '';
  marks = null;
  label = 'JSON';

  set value(value) {
    if (value === this.#value) return;
    this.#value = value;
    this.#folded = new Set();
    this.#lines = LINES_MAX;
    const size = {lines: 0};
    foldDeep(value, '', 0, this.#folded, size);
    this.#draw();
  }

  get value() {
    return this.#value;
  }

  connectedCallback() {
    this.#draw();
  }

  #draw() {
    if (!this.isConnected || this.#value === undefined) return;
    const lines = [];
    list(this.#value, '', null, 0, true, this.#folded, lines, this.#lines + 1);
    const shown = lines.slice(0, this.#lines);
    if (!shown.some(line => line.pointer === this.#here && line.opens !== 'end')) this.#here = '';
    render(html`<div class="row"><span class="space"></span><button type="button" class="icon-button" title="Copy as JSON" aria-label="Copy as JSON" @click=${event =>
      copy(JSON.stringify(this.#value, null, 2), event.currentTarget)}>${icon('copy')}</button></div>
      <ul class="json" role="tree" aria-label=${this.label} @keydown=${this.#key}>${shown.map(line => this.#line(line))}</ul>${
      lines.length > this.#lines ? html`<button type="button" class="button small" @click=${() => { this.#lines *= 4; this.#draw(); }}>Show more</button>` : nothing}`, this);
  }

  #line(line) {
    const mark = this.marks?.get(line.pointer) ?? '';
    if (line.opens === 'end') return html`<li role="none" aria-hidden="true" class=${mark}>${pad(line)}<span class="punct">${line.text}</span></li>`;
    const isFolder = line.opens === 'open' || line.opens === 'folded';
    return html`<li role="treeitem" class=${mark} aria-level=${line.depth + 1} aria-expanded=${isFolder ? String(line.opens === 'open') : nothing} aria-selected="false" data-pointer=${line.pointer}
      tabindex=${line.pointer === this.#here ? 0 : -1} @click=${isFolder ? () => this.#toggle(line.pointer) : nothing}>${pad(line)}<span class="twist" aria-hidden="true">${
      isFolder ? line.opens === 'open' ? '▾' : '▸' : ''}</span>${line.key === null ? nothing : html`<span class="key">${line.key}</span><span class="punct">: </span>`}<span class=${line.kind}>${line.text}</span></li>`;
  }

  #toggle(pointer) {
    this.#here = pointer;
    if (!this.#folded.delete(pointer)) this.#folded.add(pointer);
    this.#draw();
    this.#focus();
  }

  #focus() {
    this.querySelector('[tabindex="0"][role="treeitem"]')?.focus();
  }

  #key = event => {
    const items = [...this.querySelectorAll('[role="treeitem"]')];
    const at = items.findIndex(item => item.dataset.pointer === this.#here);
    const item = items[at];
    if (!item) return;
    const open = item.getAttribute('aria-expanded');
    const move = to => {
      if (!items[to]) return;
      this.#here = items[to].dataset.pointer;
      this.#draw();
      this.#focus();
    };
    const work = {
      ArrowDown: () => move(at + 1),
      ArrowUp: () => move(at - 1),
      Home: () => move(0),
      End: () => move(items.length - 1),
      ArrowRight: () => open === 'false' ? this.#toggle(this.#here) : move(at + 1),
      ArrowLeft: () => open === 'true' ? this.#toggle(this.#here)
        : move(items.findIndex(other => other.dataset.pointer === this.#here.replace(/\/[^/]*$/, ''))),
      Enter: () => open && this.#toggle(this.#here),
    }[event.key];
    if (!work) return;
    event.preventDefault();
    work();
  };
}

const pad = line => '  '.repeat(line.depth);
const escape = key => String(key).replaceAll('~', '~0').replaceAll('/', '~1');
const isTree = value => value !== null && typeof value === 'object';

function foldDeep(value, pointer, depth, folded, size) {
  if (!isTree(value)) return;
  const entries = Object.entries(value);
  size.lines += entries.length;
  if (depth > 0 && (size.lines > OPEN_LINES || depth > 3) && entries.length > 0) {
    folded.add(pointer);
    return;
  }
  for (const [key, child] of entries) foldDeep(child, `${pointer}/${escape(key)}`, depth + 1, folded, size);
}

function list(value, pointer, key, depth, isLast, folded, lines, max) {
  if (lines.length >= max) return;
  const comma = isLast ? '' : ',';
  const name = key === null || typeof key === 'number' ? null : JSON.stringify(key);
  if (!isTree(value)) {
    lines.push({pointer, key: name, depth, kind: kindOf(value), text: JSON.stringify(value) + comma});
    return;
  }
  const entries = Array.isArray(value) ? value.map((one, at) => [at, one]) : Object.entries(value);
  const [open, close] = Array.isArray(value) ? ['[', ']'] : ['{', '}'];
  if (entries.length === 0) {
    lines.push({pointer, key: name, depth, kind: 'punct', text: open + close + comma});
    return;
  }
  if (folded.has(pointer)) {
    lines.push({pointer, key: name, depth, kind: 'punct', opens: 'folded', text: `${open} ${entries.length} ${close}${comma}`});
    return;
  }
  lines.push({pointer, key: name, depth, kind: 'punct', opens: 'open', text: open});
  entries.forEach(([inner, child], at) =>
    list(child, `${pointer}/${escape(inner)}`, inner, depth + 1, at === entries.length - 1, folded, lines, max));
  lines.push({pointer, key: null, depth, opens: 'end', text: `  ${close}${comma}`});
}

const kindOf = value => typeof value === 'string' ? 'string' : typeof value === 'number' ? 'number' : 'word';

customElements.define('ev-json', JsonTree);
