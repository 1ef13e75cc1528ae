import {html, nothing} from '../lib/lit-html/lit-html.js';
import * as format from '../core/format.js';
import {prefs} from '../core/store.js';
import {whyNot} from '../core/can.js';

/** Small things that all pages show the same way. All give templates, but the elements at the end. */

/** An icon of the sprite; it says nothing by itself. */
export const icon = name => html`<svg class="icon" aria-hidden="true"><use href="/evento/console/icons.svg#${name}"></use></svg>`;

const SHAPES = {command: '■', event: '●', query: '▲', view: '◆'};

/** The shape and colour of a kind of payload: `command`, `event`, `query` or `view`. */
export const shape = kind => html`<span class="shape ${kind}" title=${kind} aria-hidden="true">${SHAPES[kind] ?? '○'}</span>`;

/** A payload type with its shape; a link where `href` is given. */
export const payload = (kind, type, href) => html`<span class="payload">${shape(kind)}<span class="hidden">${kind} </span>${
  href ? html`<a href=${href} class="mono">${type}</a>` : html`<span class="mono">${type}</span>`}</span>`;

const TAGS = {
  aggregate: 'Ag', boundary: 'Bo', service: 'Se', projection: 'Pr', projector: 'Pj', saga: 'Sa', observer: 'Ob',
  invoker: 'In',
};

/** The two letters of a kind of component. */
export const tag = kind => html`<abbr class="tag" title=${kind}>${TAGS[kind] ?? kind.slice(0, 2)}</abbr>`;

const STATES = {
  up: ['ok', '●'], running: ['ok', '●'], active: ['ok', '●'], live: ['ok', '●'], done: ['ok', '✓'], ok: ['ok', '●'],
  joining: ['dim', '◌'], starting: ['dim', '◌'], shadow: ['dim', '◌'], unowned: ['warn', '○'], merging: ['warn', '◐'],
  draining: ['warn', '◐'], paused: ['warn', '‖'], waiting: ['dim', '◷'], scheduled: ['dim', '◷'], gone: ['bad', '○'],
  full: ['bad', '✕'], stuck: ['bad', '✕'], failing: ['bad', '✕'], failed: ['bad', '✕'], rejected: ['warn', '✕'],
  unresponsive: ['bad', '✕'], warn: ['warn', '!'], bad: ['bad', '✕'],
};

/** A state as a word with its sign; colour alone says nothing. */
export function state(name, says = name) {
  const [tone, sign] = STATES[name] ?? ['dim', '○'];
  return html`<span class="state ${tone}"><span aria-hidden="true">${sign}</span> ${says}</span>`;
}

/** `ok`, `warn`, `bad` or `dim`: the colour of a state. */
export const tone = name => (STATES[name] ?? ['dim'])[0];

/** A time that stays as old as it is: `12 s ago`, with the whole of it in the title. */
export const time = (at, mode = 'ago') => at ? html`<ev-time .mode=${mode} .at=${at}></ev-time>` : '–';

/** A figure with its label: `figure('Commands', '412/s')`. */
export const figure = (label, value, more = nothing) => html`<div class="figure"><dt>${label}</dt><dd>${value}</dd>${
  more === nothing ? nothing : html`<dd class="more">${more}</dd>`}</div>`;

/**
 * A button that does something. Without the right it stays, is marked disabled and says why.
 *
 * @param {{label: string, click: (event: Event) => void, needs?: string, icon?: string, tone?: 'primary' |
 *   'danger' | 'plain', why?: string, small?: boolean}} what `why` disables it with a reason of the page
 */
export function action(what) {
  const why = what.why || (what.needs ? whyNot(what.needs) : '');
  return html`<button type="button" class="button ${what.tone ?? ''} ${what.small ? 'small' : ''}"
    aria-disabled=${why ? 'true' : 'false'} title=${why || nothing}
    @click=${event => why ? event.preventDefault() : what.click(event)}>${
    what.icon ? icon(what.icon) : nothing}<span>${what.label}</span>${
    why ? html`<span class="hidden">. ${why}</span>` : nothing}</button>`;
}

/** Nothing there: what would fill it, and how. */
export const empty = (title, text, code) => html`<div class="empty"><p class="title">${title}</p><p>${text}</p>${
  code ? html`<pre class="code" tabindex="0"><code>${code}</code></pre>` : nothing}</div>`;

/** What went wrong, and what to do; lines where text will be if nothing has come yet, good or bad. */
export const failure = (problem, again) => !problem ? skeleton() : html`<div class="notice bad" role="alert"><p><b>${problem.title ?? 'Failed'}.</b> ${
  problem.detail ?? problem.message}</p>${
  again ? html`<button type="button" class="button small" @click=${again}>Try again</button>` : nothing}</div>`;

/** Lines where text will be; shown by css after 300 ms. */
export const skeleton = (lines = 4) => html`<div class="skeleton" aria-hidden="true">${
  Array.from({length: lines}, () => html`<span></span>`)}</div>`;

/** Text with a button that copies it. */
export const copyable = (text, shown = text) => html`<span class="copyable"><span class="mono">${shown}</span><button type="button"
  class="icon-button" title="Copy ${text}" aria-label="Copy ${text}" @click=${event => copy(text, event.currentTarget)}>${icon('copy')}</button></span>`;

/** Copies text, and shows at the button that it did. */
export async function copy(text, button) {
  await navigator.clipboard.writeText(text);
  button?.classList.add('copied');
  setTimeout(() => button?.classList.remove('copied'), 1_200);
}

class Time extends HTMLElement {
  connectedCallback() {
    clocks.add(this);
    this.draw();
  }

  disconnectedCallback() {
    clocks.delete(this);
  }

  set at(value) {
    this.value = value;
    this.draw();
  }

  draw() {
    if (this.value === undefined) return;
    const text = this.mode === 'clock' ? format.clock(this.value)
      : this.mode === 'full' ? format.full(this.value) : format.ago(this.value);
    if (this.textContent !== text) this.textContent = text;
    const title = `${format.utc(this.value)}`;
    if (this.title !== title) this.title = title;
  }
}

const clocks = new Set();
setInterval(() => document.hidden || clocks.forEach(one => one.draw()), 1_000);
customElements.define('ev-time', Time);
prefs.zone.subscribe(() => clocks.forEach(one => one.draw()));
