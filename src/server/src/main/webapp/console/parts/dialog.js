import {html, nothing, render} from '../lib/lit-html/lit-html.js';
import {icon} from './kind.js';

/**
 * A dialog over the page. Ends with Escape, its close button, or what its content calls.
 *
 * @param {{title: string, content: (close: (result?: any) => void, redraw: () => void) => unknown,
 *   wide?: boolean, modal?: boolean, closable?: boolean, label?: string}} what `content` gives a template,
 *   and is asked again at each `redraw`
 * @returns {Promise<any>} what it was closed with; undefined if it was only left
 */
export function dialog(what) {
  return new Promise(told => {
    const box = document.createElement('dialog');
    box.className = `dialog ${what.wide ? 'wide' : ''}`;
    box.setAttribute('aria-labelledby', 'dialog-title');
    let result;
    const close = given => {
      result = given;
      box.close();
    };
    const redraw = () => render(html`<header><h2 id="dialog-title">${what.title}</h2>${
      what.closable === false ? nothing : html`<button type="button" class="icon-button" aria-label="Close"
      @click=${() => close()}>${icon('close')}</button>`}</header><div class="body">${what.content(close, redraw)}</div>`, box);
    box.addEventListener('close', () => {
      box.remove();
      told(result);
    });
    if (what.closable === false) box.addEventListener('cancel', event => event.preventDefault());
    // Not where text was selected in it and the button let go outside.
    let pressed = null;
    box.addEventListener('pointerdown', event => { pressed = event.target; });
    box.addEventListener('click', event => {
      if (event.target === box && pressed === box && what.closable !== false) close();
    });
    document.body.append(box);
    redraw();
    box.showModal();
    box.querySelector('[autofocus]')?.focus();
  });
}

/**
 * Asks before something is done, and does it: the sentence of the dry run, a reason for the audit, and
 * the object's name to type where data is lost.
 *
 * @param {{title: string, verb: string, dry: () => Promise<unknown>, run: (reason: string) => Promise<any>,
 *   danger?: boolean, typed?: string, reason?: boolean | 'required', wide?: boolean,
 *   extra?: (redraw: () => void, wrong: (pointer: string) => unknown) => unknown}} what
 *   `dry` gives what the person reads: a template made of what the server says would happen; it is
 *   asked again when `extra`, more fields, calls its `redraw`. `wrong` gives what the server says of the
 *   field at a JSON pointer, to stand below it. `reason: false` asks for none, `'required'` wants one
 * @returns {Promise<any>} what `run` gave; undefined if the person left it
 */
export function confirm(what) {
  let text = null;
  let problem = null;
  let reason = '';
  let typed = '';
  let isBusy = false;
  let looks = 0;
  let isFresh = false;
  return dialog({
    title: what.title,
    wide: what.wide,
    content(close, redraw) {
      // Of several under way only the last one counts: the person has typed on meanwhile.
      const look = () => {
        const mine = ++looks;
        isFresh = false;
        what.dry().then(said => [said, null], failed => [null, failed]).then(([said, failed]) => {
          if (mine !== looks) return;
          [text, problem, isFresh] = [said, failed, said !== null];
          redraw();
        });
      };
      if (looks === 0) look();
      const again = () => {
        look();
        redraw();
      };
      const ready = isFresh && !isBusy && (!what.typed || typed === what.typed)
        && (what.reason !== 'required' || reason.trim() !== '');
      const run = async event => {
        event.preventDefault();
        if (!ready) return;
        isBusy = true;
        problem = null;
        redraw();
        try {
          close(await what.run(reason) ?? true);
        } catch (failed) {
          problem = failed;
          isBusy = false;
          redraw();
        }
      };
      const placed = new Set();
      const wrong = pointer => {
        const found = (problem?.errors ?? []).find(one => one.field === pointer);
        if (!found) return nothing;
        placed.add(found);
        return html`<span class="field-error" role="alert">${capital(found.message)}.</span>`;
      };
      const fields = what.extra ? what.extra(again, wrong) : nothing;
      // What stands at no field of this dialog is said below them all.
      const others = (problem?.errors ?? []).filter(one => !placed.has(one)).map(one => `${capital(`${one.field.replace(/^\//, '')} ${one.message}`.trim())}.`);
      const rest = others.length ? others : problem && placed.size === 0 ? [problem.detail ?? problem.message] : [];
      return html`<form @submit=${run} novalidate>
        <div class="said ${isFresh || problem ? '' : 'dim'}" aria-live="polite">${text ?? (problem ? nothing : html`<p class="dim">Looking what would happen …</p>`)}</div>
        ${fields}
        ${what.reason === false ? nothing : html`<label class="field"><span>Reason, for the audit</span><input
          maxlength="500" .value=${reason} @input=${event => { reason = event.target.value; redraw(); }} ?required=${what.reason === 'required'} autofocus></label>`}
        ${what.typed ? html`<label class="field"><span>Type <b class="mono">${what.typed}</b> to confirm, as data is lost</span><input
          class="mono" autocomplete="off" spellcheck="false" @input=${event => { typed = event.target.value; redraw(); }}></label>` : nothing}
        ${rest.map(text => html`<p class="field-error" role="alert">${text}</p>`)}
        <footer><button type="button" class="button" @click=${() => close()}>Cancel</button><button type="submit"
          class="button ${what.danger || what.typed ? 'danger' : 'primary'}" ?disabled=${!ready}>${what.verb}</button></footer>
      </form>`;
    },
  });
}

const capital = text => text.charAt(0).toUpperCase() + text.slice(1);
