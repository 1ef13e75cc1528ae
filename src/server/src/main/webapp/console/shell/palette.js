import {html, nothing, render} from '../lib/lit-html/lit-html.js';
import {api, isAborted} from '../core/api.js';
import {go, to} from '../core/router.js';
import {icon, shape, tag} from '../parts/kind.js';

const TYPED_MILLIS = 80;

/** How each kind of find is headed and where it leads. A kind whose page does not exist leads nowhere. */
const KINDS = {
  payload: {title: 'Payloads', page: 'payloads', path: one => [one.kind2, one.name]},
  component: {title: 'Components', page: 'components', path: one => [one.kind2, one.name]},
  bundle: {title: 'Bundles', page: 'bundles', path: one => [one.name]},
  consumer: {title: 'Consumers', page: 'consumers', path: one => [one.name, one.version]},
  stream: {title: 'Streams', page: 'streams', path: one => [one.kind2, one.name]},
  event: {title: 'Events', page: 'events', path: one => [one.name]},
  flow: {title: 'Flows', page: 'flow', path: one => [one.name]},
  node: {title: 'Nodes', page: 'nodes', path: one => [one.name]},
  user: {title: 'Users', page: 'access', path: one => [one.name]},
};

/**
 * One box that takes anything: a page, a type, a component, an id from a log.
 *
 * @param {import('../pages.js').PAGES} pages that the person sees
 */
export function palette(pages) {
  if (document.querySelector('dialog.palette')) return;
  const box = document.createElement('dialog');
  box.className = 'palette';
  box.setAttribute('aria-label', 'Find anything');
  let asked = '';
  let found = [];
  let at = 0;
  let timer = 0;
  let asking = null;
  let problem = null;

  const here = text => pages
    .filter(page => !text || page.title.toLowerCase().includes(text.toLowerCase()))
    .map(page => ({group: 'Pages', label: page.title, icon: page.icon, href: to(page.name), note: page.key ? `g ${page.key}` : ''}));

  function options() {
    return asked ? [...here(asked), ...found] : here('');
  }

  function draw() {
    const all = options();
    at = Math.min(at, Math.max(0, all.length - 1));
    let group = null;
    render(html`<div class="box">${icon('find')}<input type="text" role="combobox" aria-expanded="true" aria-controls="finds" aria-autocomplete="list"
        aria-activedescendant=${all.length ? `find-${at}` : nothing} aria-label="A type, a component, an id, a position"
        placeholder="A type, a component, an id, a position …" spellcheck="false" autocomplete="off" .value=${asked} @input=${type}></div>
      <div class="answers" id="finds" role="listbox" aria-label="Found">${all.length === 0 ? html`<p class="none" role="option" aria-selected="false" aria-disabled="true">${problem ? problem.detail
        : asking ? 'Looking …' : `Nothing is called ${asked}. An id is found by its beginning, a part of a name from three letters on.`}</p>` : all.map((one, index) => {
        const head = one.group !== group ? html`<h3 role="presentation">${group = one.group}</h3>` : nothing;
        return html`${head}<a class="option" role="option" id="find-${index}" tabindex="-1" aria-selected=${index === at} href=${one.href} @click=${close}
          @pointermove=${() => { if (at !== index) { at = index; draw(); } }}>${one.icon ? icon(one.icon) : one.sign}<span class="what">${one.label}</span><span class="note">${one.note}</span></a>`;
      })}</div>
      <footer><span><kbd>↑</kbd> <kbd>↓</kbd> choose</span><span><kbd>Enter</kbd> open</span><span><kbd>Esc</kbd> close</span></footer>`, box);
    box.querySelector(`#find-${at}`)?.scrollIntoView({block: 'nearest'});
  }

  function type(event) {
    asked = event.target.value.trim();
    at = 0;
    clearTimeout(timer);
    asking?.abort();
    if (!asked) found = [];
    timer = asked ? setTimeout(find, TYPED_MILLIS) : 0;
    draw();
  }

  async function find() {
    const mine = new AbortController();
    asking = mine;
    try {
      const {items} = await api.get('/find', {q: asked}, mine.signal);
      found = items.flatMap(shown);
      problem = null;
    } catch (failed) {
      if (isAborted(failed)) return;
      problem = failed;
      found = [];
    }
    if (asking === mine) asking = null;
    draw();
  }

  function shown(one) {
    const kind = KINDS[one.kind];
    const page = kind && pages.find(other => other.name === kind.page);
    if (!page) return [];
    const sign = one.kind === 'payload' ? shape(one.kind2) : one.kind === 'component' ? tag(one.kind2) : null;
    return [{group: kind.title, label: html`<span class="mono">${one.name}</span>`, icon: sign ? null : page.icon, sign, note: one.note ?? '', href: to(page.name, kind.path(one))}];
  }

  const close = () => box.close();

  box.addEventListener('keydown', event => {
    const all = options();
    const step = {ArrowDown: 1, ArrowUp: -1}[event.key];
    if (step && all.length) {
      event.preventDefault();
      at = (at + step + all.length) % all.length;
      draw();
    } else if (event.key === 'Enter' && all[at]) {
      event.preventDefault();
      close();
      go(all[at].href);
    }
  });
  box.addEventListener('click', event => event.target === box && close());
  box.addEventListener('close', () => {
    asking?.abort();
    box.remove();
  });
  document.body.append(box);
  draw();
  box.showModal();
  box.querySelector('input').focus();
}
