import {html, nothing, render} from '../lib/lit-html/lit-html.js';
import {GROUPS, PAGES} from '../pages.js';
import {expired, leave as giveUp, session, signOut} from '../core/session.js';
import {heardAt, link, paused, topic} from '../core/live.js';
import {frame, prefs} from '../core/store.js';
import {go, place, to} from '../core/router.js';
import {can} from '../core/can.js';
import * as keys from '../core/keys.js';
import {ago, plural} from '../core/format.js';
import {icon} from '../parts/kind.js';
import {dialog} from '../parts/dialog.js';
import {stage} from './stage.js';

/**
 * What stands around every page: bars of warning, the rail, the top line, the side panel, and the keys
 * that work everywhere.
 *
 * @param {HTMLElement} app
 * @returns {() => void} what takes it away
 */
export function showShell(app) {
  const ends = [];
  const seen = PAGES.filter(page => !page.needs || can(page.needs));
  const home = seen.find(page => page.needs) ?? seen[0];
  let badges = {};

  const draw = frame(() => {
    const now = place.get();
    const page = PAGES.find(one => one.name === now.name);
    document.title = `${page?.title ?? 'Not found'} · Evento`;
    render(html`<a class="skip" href="#main" @click=${skip}>Skip to content</a>
      <div class="frame">
        <div class="bars" role="region" aria-label="Warnings">${bars()}</div>
        <nav class="rail" aria-label="Pages">${rail(page)}</nav>
        <header class="top"><h1 tabindex="-1">${page?.title ?? 'Not found'}</h1><span class="space"></span>${topLine()}</header>
        <main class="main ${isStale() ? 'stale' : ''}" id="main" tabindex="-1"></main>
      </div>
      <aside class="panel" id="panel" aria-label="Details" hidden></aside>
      ${menus()}`, app);
  });

  function skip(event) {
    event.preventDefault();
    app.querySelector('#main').focus();
  }

  function bars() {
    const who = session.get();
    const isOpen = who?.kind === 'developer';
    const isPlain = location.protocol === 'http:' && !/^(localhost|127\.|\[::1\])/.test(location.hostname);
    return [
      isOpen ? html`<p class="bar">${icon('open')}<span><b>Open mode.</b> Everybody who reaches this node may do everything. Set <span class="mono">evento.security=on</span> for any other use.</span></p>` : nothing,
      isPlain ? html`<p class="bar">${icon('open')}<span><b>This connection is not encrypted.</b> Put TLS before the nodes.</span></p>` : nothing,
    ];
  }

  function rail(page) {
    return html`<a class="brand" href=${to(home?.name ?? '')}><img src="/evento/console/mark.svg" alt="" width="24" height="24">Evento</a>${
      GROUPS.map(group => {
        const pages = seen.filter(one => one.group === group);
        return pages.length === 0 ? nothing : html`<div class="group"><h2 id="group-${group}">${group}</h2><ul aria-labelledby="group-${group}">${
          pages.map((one, at) => html`<li class=${at === 0 ? 'first' : ''}><a href=${to(one.name)} aria-current=${one === page ? 'page' : nothing}>${
            icon(one.icon)}<span>${one.title}</span>${badge(one)}</a></li>`)}</ul></div>`;
      })}<div class="toggle"><button type="button" popovertarget="more-pages">${icon('more')}More</button></div>${
      badges.release ? html`<p class="foot">Release ${badges.release}</p>` : nothing}`;
  }

  function badge(page) {
    const value = page.badge ? badges[page.badge] : 0;
    return value ? html`<span class="badge" title=${`${plural(value, 'thing')} to look at`}>${value > 999 ? '999+' : value}</span>` : nothing;
  }

  function topLine() {
    return html`<button type="button" class="find-button" @click=${openPalette} aria-label="Find anything" aria-keyshortcuts="Control+K">${icon('find')}<span>Find anything</span><kbd>Ctrl K</kbd></button>
      ${nodesIndicator()}${age()}
      <button type="button" class="icon-button" popovertarget="me" aria-label="You and this browser: ${session.get()?.name}" title=${session.get()?.name ?? ''}>${icon('person')}</button>`;
  }

  function nodesIndicator() {
    if (!badges.nodes) return nothing;
    return html`<a class="status ${badges.nodesAway ? 'warn' : 'ok'}" href=${to('nodes')} title="${badges.self} answers you"><span class="dot"></span><span class="num">${badges.nodesUp}<span class="wide"> of ${plural(badges.nodes, 'node')}</span></span></a>`;
  }

  function isStale() {
    return !paused.get() && heardAt.get() > 0 && Date.now() - heardAt.get() > 30_000 && !document.hidden;
  }

  function age() {
    const at = heardAt.get();
    const old = at ? Date.now() - at : 0;
    const [tone, says] = paused.get() ? ['warn', 'Paused']
      : at === 0 ? ['', 'Connecting']
      : old > 30_000 ? ['bad', 'Not connected, trying again']
      : old > 10_000 ? ['warn', ago(at)]
      : ['ok', link.get() === 'polling' ? 'Every 5 s' : 'Live'];
    return html`<button type="button" class="status live ${tone}" aria-pressed=${paused.get()} aria-label="${says}. Pause" title=${
      paused.get() ? 'Go on (p)' : at ? `Last heard ${ago(at)}. Pause (p)` : ''} @click=${togglePause}><span class="dot"></span><span class="age">${says}</span></button>`;
  }

  function menus() {
    const who = session.get();
    return html`<div class="popover" id="me" popover @beforetoggle=${place4('me')}>
        <h2>${who?.kind === 'developer' ? 'Everybody (open mode)' : `${who?.name}, ${who?.roles.join(', ')}`}</h2><hr>
        <h2>Theme</h2>${['system', 'light', 'dark'].map(one => choice(prefs.theme, one, {system: 'As the system', light: 'Light', dark: 'Dark'}[one]))}<hr>
        <h2>Times</h2>${['local', 'utc'].map(one => choice(prefs.zone, one, {local: 'Local', utc: 'UTC'}[one]))}<hr>
        <h2>Rows</h2>${['dense', 'comfortable'].map(one => choice(prefs.density, one, {dense: 'Dense', comfortable: 'Comfortable'}[one]))}<hr>
        <button type="button" class="menu-item" @click=${() => { hide('me'); showKeys(); }}>${icon('keys')}Keys<span class="end"><kbd>?</kbd></span></button>
        <a class="menu-item" href="/evento/api/openapi.json" target="_blank" rel="noopener">${icon('code')}API (OpenAPI)</a>
        ${who?.kind === 'user' ? html`<button type="button" class="menu-item" @click=${() => { hide('me'); askForPassword(); }}>${icon('keys')}Change password</button><button type="button" class="menu-item" @click=${signOut}>${icon('out')}Sign out</button>` : nothing}
      </div>
      <div class="popover" id="more-pages" popover @beforetoggle=${place4('more-pages')}>${seen.map(one => html`<a class="menu-item" href=${to(one.name)} @click=${() => hide('more-pages')}>${icon(one.icon)}${one.title}${badge(one)}</a>`)}</div>`;
  }

  function choice(pref, value, says) {
    const isOn = pref.get() === value;
    return html`<button type="button" class="menu-item" aria-pressed=${isOn} @click=${() => { pref.set(value); draw(); }}>${
      isOn ? icon('check') : html`<span class="icon"></span>`}${says}</button>`;
  }

  // Popovers stand at their button; without anchors of css, which are too new, by hand.
  function place4(id) {
    return event => {
      if (event.newState !== 'open') return;
      const button = app.querySelector(`[popovertarget="${id}"]`).getBoundingClientRect();
      const box = event.target;
      box.style.inset = button.top > innerHeight / 2
        ? `auto 12px ${innerHeight - button.top + 8}px auto`
        : `${button.bottom + 6}px ${Math.max(12, document.documentElement.clientWidth - button.right)}px auto auto`;
    };
  }

  const hide = id => app.querySelector(`#${id}`)?.hidePopover();
  const togglePause = () => paused.set(!paused.get());

  async function askForPassword() {
    const signIn = await import('./sign-in.js');
    await signIn.askForPassword();
  }

  async function openPalette() {
    const {palette} = await import('./palette.js');
    palette(seen);
  }

  ends.push(
    keys.on('mod+k', 'Find anything', openPalette, 'Everywhere'),
    keys.on('/', 'Find anything', openPalette, 'Everywhere'),
    keys.on('p', 'Pause or go on', togglePause, 'Everywhere'),
    keys.on('t', 'Next theme', () => prefs.theme.set({system: 'light', light: 'dark', dark: 'system'}[prefs.theme.get()]), 'Everywhere'),
    keys.on('u', 'Times local or in UTC', () => prefs.zone.set(prefs.zone.get() === 'utc' ? 'local' : 'utc'), 'Everywhere'),
    keys.on('?', 'These keys', showKeys, 'Everywhere'),
    ...seen.filter(page => page.key).map(page =>
      keys.on(`g ${page.key}`, page.title, () => go(to(page.name)), 'Go to')),
  );

  if (!place.get().name && home) go(to(home.name), {replace: true});
  draw();
  // The frame is there before its page: at once, and once.
  requestAnimationFrame(() => ends.push(stage(app, PAGES)));

  ends.push(
    place.subscribe(draw), paused.subscribe(draw), link.subscribe(draw), prefs.theme.subscribe(draw), prefs.zone.subscribe(draw),
    can('view') ? topic('badges').subscribe(now => { badges = now.data; draw(); }) : () => {},
    expired.subscribe(async isOver => {
      if (!isOver) return;
      const {askToSignIn} = await import('./sign-in.js');
      if (!await askToSignIn()) giveUp();
    }),
  );
  const tick = setInterval(draw, 1_000);
  const scrolled = () => app.querySelector('.top')?.classList.toggle('scrolled', scrollY > 4);
  addEventListener('scroll', scrolled, {passive: true});
  ends.push(() => clearInterval(tick), () => removeEventListener('scroll', scrolled));
  return () => ends.forEach(end => end());
}

function showKeys() {
  dialog({
    title: 'Keys',
    wide: true,
    content: () => html`<div class="cards">${[...keys.list()].map(([group, all]) => html`<section class="stack"><h3>${group}</h3><dl class="facts">${
      all.map(one => html`<dt>${one.keys.replace('mod+', 'Ctrl ').split(' ').map(key => html`<kbd>${key}</kbd> `)}</dt><dd>${one.says}</dd>`)}</dl></section>`)}</div>`,
  });
}
