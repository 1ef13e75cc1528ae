import {html, render} from '../lib/lit-html/lit-html.js';
import {nameOf, read, write} from './exact.js';

const CHANGES_MAX = 500;

/**
 * What differs between two JSON values, by JSON pointer.
 *
 * @param {(key: string) => string} [name] how a property's name is said
 * @returns {{op: 'added' | 'removed' | 'changed', pointer: string, before?: any, after?: any}[]} at most 500
 */
export function changes(before, after, name = key => key) {
  const found = [];
  compare(before, after, '', found, name);
  return found;
}

function compare(a, b, pointer, found, name) {
  if (found.length >= CHANGES_MAX || Object.is(a, b)) return;
  if (a === undefined) {
    found.push({op: 'added', pointer, after: b});
  } else if (b === undefined) {
    found.push({op: 'removed', pointer, before: a});
  } else if (isTree(a) && isTree(b) && Array.isArray(a) === Array.isArray(b)) {
    for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
      const said = Array.isArray(a) ? key : name(key);
      compare(a[key], b[key], `${pointer}/${said.replaceAll('~', '~0').replaceAll('/', '~1')}`, found, name);
    }
  } else {
    found.push({op: 'changed', pointer, before: a, after: b});
  }
}

const isTree = value => value !== null && typeof value === 'object';

/** The changes as marks for `<ev-json>`. */
export const marks = found => new Map(found.map(one => [one.pointer, one.op]));

/**
 * What differs, as a table: `<ev-diff .before=${a} .after=${b}></ev-diff>`, or of JSON texts, to the last digit:
 * `<ev-diff .texts=${[a, b]}></ev-diff>`.
 */
class Diff extends HTMLElement {
  #before = undefined;
  #after = undefined;
  #name = key => key;
  #text = value => JSON.stringify(value) ?? '';

  set before(value) {
    this.#before = value;
    this.#draw();
  }

  set after(value) {
    this.#after = value;
    this.#draw();
  }

  set texts([before, after]) {
    this.#before = read(before);
    this.#after = read(after);
    this.#name = nameOf;
    this.#text = value => write(value);
    this.#draw();
  }

  connectedCallback() {
    this.#draw();
  }

  #draw() {
    if (!this.isConnected) return;
    const found = changes(this.#before, this.#after, this.#name);
    const words = {added: 'added', removed: 'removed', changed: 'changed'};
    const text = this.#text;
    render(found.length === 0 ? html`<p class="dim">They are the same.</p>` : html`<table class="diff"><thead><tr><th scope="col">Where</th><th scope="col">What</th><th scope="col">Value</th></tr></thead><tbody>${
      found.map(one => html`<tr class=${one.op}><td>${one.pointer || '/'}</td><td>${words[one.op]}</td><td>${
        one.op === 'changed' ? html`<del>${text(one.before)}</del> → <ins>${text(one.after)}</ins>` : one.op === 'added' ? html`<ins>${text(one.after)}</ins>` : html`<del>${text(one.before)}</del>`}</td></tr>`)}</tbody></table>`, this);
  }
}

customElements.define('ev-diff', Diff);
