import {html, nothing, render} from '../lib/lit-html/lit-html.js';
import {icon} from './kind.js';

const SHOWN_MILLIS = 8_000;
let shown = [];
let host = null;

/**
 * Says shortly what happened, at the edge of the page.
 *
 * @param {string} text
 * @param {{tone?: 'ok' | 'warn' | 'bad', href?: string, link?: string, undo?: () => void}} [how] `link`
 *   is the text of `href`, as “Show in audit”
 */
export function toast(text, how = {}) {
  const one = {text, ...how, id: Symbol(text)};
  shown = [...shown.slice(-3), one];
  draw();
  setTimeout(() => drop(one), how.tone === 'bad' ? SHOWN_MILLIS * 2 : SHOWN_MILLIS);
}

function drop(one) {
  shown = shown.filter(other => other.id !== one.id);
  draw();
}

function draw() {
  if (!host) {
    host = document.createElement('div');
    host.className = 'toasts';
    host.setAttribute('role', 'status');
    host.setAttribute('aria-live', 'polite');
    document.body.append(host);
  }
  render(shown.map(one => html`<div class="toast ${one.tone ?? 'ok'}"><p>${one.text}</p>${
    one.href ? html`<a href=${one.href}>${one.link ?? 'Show'}</a>` : nothing}${
    one.undo ? html`<button type="button" class="button small" @click=${() => { drop(one); one.undo(); }}>Undo</button>` : nothing}<button
    type="button" class="icon-button" aria-label="Close" @click=${() => drop(one)}>${icon('close')}</button></div>`), host);
}
