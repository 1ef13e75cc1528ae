import {html, nothing, render} from '../lib/lit-html/lit-html.js';
import {go, place, to} from '../core/router.js';
import {isAborted} from '../core/api.js';
import {can, whyNot} from '../core/can.js';
import * as keys from '../core/keys.js';
import {empty, failure, icon, skeleton} from '../parts/kind.js';

/**
 * Puts the page of the present address on the stage, and what stands behind its name (`/nodes/node-1`)
 * into the side panel, where the page has a detail; with `full` in the query in place of the page.
 *
 * A page is a module with `show(context)` and, if things on it have addresses, `detail(context)`. Both
 * give, or promise once their first data is drawn, what is to be called when they are left. Until then
 * `main` has no `data-ready`.
 *
 * @typedef {object} Context
 * @property {HTMLElement} host what the page fills
 * @property {(template: unknown) => void} render into the host
 * @property {string[]} path behind the name of the page, unescaped
 * @property {URLSearchParams} query of the present address
 * @property {AbortSignal} signal aborted when it is left
 * @property {(told: () => void) => void} onQuery called when only the query has changed
 * @property {(text: string) => void} title of the panel
 * @property {boolean} isPanel whether it stands in the side panel
 *
 * @param {HTMLElement} app
 * @param {import('../pages.js').PAGES} pages all that there are; one that the person may not see says who may
 * @returns {() => void} what leaves everything
 */
export function stage(app, pages) {
  const main = app.querySelector('#main');
  const panel = app.querySelector('#panel');
  const list = slot(main);
  const side = slot(panel);
  let isFirst = true;
  let waiting = 0;

  const off = place.subscribe(now => {
    const page = pages.find(one => one.name === now.name);
    if (!page) {
      track(list.fill('nowhere', async context => context.render(empty('There is no such page', 'Choose one on the left, or find something with Ctrl K.'))));
      side.clear();
      return;
    }
    if (page.needs && !can(page.needs)) {
      track(list.fill(`closed ${page.name}`, async context => context.render(empty(`${page.title} is not open to you`, whyNot(page.needs)))));
      side.clear();
      return;
    }
    const isFull = now.path.length > 0 && now.query.has('full');
    const behind = JSON.stringify(now.path);
    track(isFull
      ? list.fill(`${page.name}/${behind}`, context => load(page, 'detail', context), () => headOf(page, now))
      : list.fill(page.name, context => load(page, 'show', context)));
    if (now.path.length > 0 && !isFull) {
      track(side.fill(`${page.name}/${behind}`, context => load(page, 'detail', context), () => frameOf(now)));
    } else {
      side.clear();
    }
    if (!isFirst && list.isNew) app.querySelector('h1').focus({preventScroll: true});
    if (list.isNew) scrollTo(0, 0);
    isFirst = false;
  });

  function track(filled) {
    if (!filled) return;
    waiting++;
    delete main.dataset.ready;
    filled.finally(() => {
      if (--waiting === 0) main.dataset.ready = '';
    });
  }

  /** The head of a detail that stands in place of its page. */
  function headOf(page, now) {
    render(html`<div class="full-head"><a class="icon-button" href=${to(page.name)} title="Back to ${page.title}" aria-label="Back to ${page.title}">${icon('left')}</a><h2 tabindex="-1"></h2></div><div></div>`, main);
    const title = main.querySelector('h2');
    title.textContent = now.path.at(-1);
    return {host: main.lastElementChild, title, isPanel: false};
  }

  /** The head of the panel; its body is the host. */
  function frameOf(now) {
    const query = new URLSearchParams(now.query);
    query.set('full', '1');
    panel.hidden = false;
    render(html`<header><h2 tabindex="-1"></h2><a class="icon-button" href=${to(now.name, now.path, query)} title="Open full" aria-label="Open full">${icon('full')}</a><button type="button"
      class="icon-button" @click=${closePanel} title="Close (Escape)" aria-label="Close">${icon('close')}</button></header><div class="body" tabindex="0" role="region" aria-label="Details"></div>`, panel);
    const title = panel.querySelector('h2');
    title.textContent = now.path.at(-1);
    title.focus({preventScroll: true});
    return {host: panel.querySelector('.body'), title, isPanel: true};
  }

  function closePanel() {
    const now = place.get();
    const before = document.querySelector('.table tr.here a.open');
    go(to(now.name, [], now.query));
    before?.focus();
  }

  const offKey = keys.on('Escape', 'Close the panel', () => {
    if (!panel.hidden) closePanel();
  }, 'Everywhere');

  return () => {
    off();
    offKey();
    list.clear();
    side.clear();
  };
}

async function load(page, what, context) {
  if (page.css) await sheet(page.name);
  const module = await import(`../pages/${page.name}.js`);
  if (!module[what]) {
    context.render(empty('There is nothing behind this address', `Go back to ${page.title}.`));
    return undefined;
  }
  return module[what](context);
}

const sheets = new Map();

/** The css of a page stays once it was loaded. The document brought that of the first page. */
function sheet(name) {
  const href = `/evento/console/pages/${name}.css`;
  if (document.head.querySelector(`link[href="${href}"]`)) return sheets.get(name);
  if (!sheets.has(name)) {
    sheets.set(name, new Promise(done => {
      const link = document.createElement('link');
      link.rel = 'stylesheet';
      link.href = href;
      link.onload = link.onerror = done;
      document.head.append(link);
    }));
  }
  return sheets.get(name);
}

/** A place for one thing at a time. */
function slot(outer) {
  let name = null;
  let ended = null;
  let queried = null;
  const one = {
    isNew: false,
    fill(wanted, work, frame) {
      one.isNew = wanted !== name;
      if (!one.isNew) {
        queried?.();
        return null;
      }
      one.clear();
      name = wanted;
      const aborter = new AbortController();
      const framed = frame?.();
      const host = framed?.host ?? outer;
      const context = {
        host,
        isPanel: framed?.isPanel ?? false,
        signal: aborter.signal,
        path: place.get().path,
        get query() { return place.get().query; },
        render: template => aborter.signal.aborted || render(template, host),
        onQuery: told => { queried = told; },
        title: text => {
          if (framed) framed.title.textContent = text;
          else document.title = `${text} · Evento`;
        },
      };
      let leave = null;
      ended = () => {
        aborter.abort();
        if (typeof leave === 'function') leave();
      };
      context.render(skeleton());
      const again = () => {
        name = null;
        one.fill(wanted, work, frame);
      };
      return work(context).then(given => {
        leave = given;
        if (aborter.signal.aborted && typeof leave === 'function') leave();
      }, problem => {
        if (isAborted(problem) || aborter.signal.aborted) return;
        if (problem.status === undefined) console.error(problem);
        context.render(failure(problem, again));
      });
    },
    clear() {
      const end = ended;
      ended = null;
      queried = null;
      name = null;
      end?.();
      // A new page begins in an empty host: what lit knows of the last one must not be reused.
      if (outer.id === 'panel') {
        render(nothing, outer);
        outer.hidden = true;
      } else {
        render(nothing, outer);
      }
    },
  };
  return one;
}
