import {html, nothing, svg} from '../lib/lit-html/lit-html.js';
import {api, isAborted} from '../core/api.js';
import {go, setQuery, to} from '../core/router.js';
import * as format from '../core/format.js';
import * as keys from '../core/keys.js';
import {copy, empty, failure, icon, payload, skeleton, state as stateWord, time} from '../parts/kind.js';
import {changes, marks} from '../parts/diff.js';
import {flowOf, glance, masked, streamOf} from '../parts/event.js';
import {testSource} from './streams-test.js';
import '../parts/json.js';

const AROUND = 25;
const REST_MILLIS = 150;
const STATES_KEPT = 200;
const TYPES_MAX = 1_000;

/** Which stream: by type and id, or one that was written lately. */
export async function show(context) {
  const declared = kind => api.get('/components', {kind, limit: TYPES_MAX}, context.signal);
  const [aggregates, boundaries, head] = await Promise.all([
    declared('aggregate'),
    declared('boundary'),
    api.get('/events', {after: 'head', limit: 1}, context.signal),
  ]);
  const types = [...new Set([...aggregates.items, ...boundaries.items].map(one => one.name))].sort();
  const lately = await api.get('/events', {after: Math.max(0, head.next - 300), limit: 300}, context.signal);
  const streams = new Map();
  for (const event of lately.events.reverse()) {
    const name = `${event.aggregate.type}:${event.aggregate.id}`;
    if (!streams.has(name)) streams.set(name, event);
  }
  const find = event => {
    event.preventDefault();
    const form = new FormData(event.target);
    const id = String(form.get('id')).trim();
    if (id) go(streamOf({type: form.get('type'), id}));
  };
  context.render(html`<div class="stack">
    <section class="card"><header><h2>One aggregate’s history</h2></header>
      <form class="row stream-form" @submit=${find}>
        <label class="field"><span>Type</span><select name="type">${types.map(type => html`<option>${type}</option>`)}</select></label>
        <label class="field"><span>Id</span><input name="id" class="mono" required autocomplete="off" spellcheck="false" placeholder="a-1"></label>
        <button class="button primary">Show its history</button></form></section>
    <section class="card flush"><header><h2>Written lately</h2></header>${streams.size === 0 ? empty('Nothing was written yet', 'A stream begins with its first event.')
      : html`<div class="scroller" tabindex="0" role="region" aria-label="Streams written lately"><table class="table"><thead><tr><th scope="col">Stream</th><th scope="col">Last event</th><th scope="col" class="end">Version</th><th scope="col">When</th></tr></thead><tbody>${
        [...streams.values()].slice(0, 40).map(event => html`<tr class="item"><td><a class="open mono" href=${streamOf(event.aggregate)}>${event.aggregate.type} ${event.aggregate.id}</a></td><td>${payload('event', event.type)}</td><td class="end">${format.number(event.version)}</td><td>${time(event.time)}</td></tr>`)}</tbody></table></div>`}</section>
  </div>`);
  return undefined;
}

/** Scrolls a list to one of its items, and nothing around it. */
function reveal(item) {
  const box = item?.parentElement;
  if (!box) return;
  const at = item.offsetTop - box.offsetTop;
  if (at < box.scrollTop || at + item.offsetHeight > box.scrollTop + box.clientHeight) box.scrollTop = at - box.clientHeight / 2;
}

/** One aggregate through time. */
export async function detail(context) {
  const [type, id] = context.path;
  if (!type || !id) {
    context.render(empty('A stream has a type and an id', 'Such as Account and a-1.'));
    return undefined;
  }
  context.title(`${type} ${id}`);
  const path = `/streams/${encodeURIComponent(type)}`;
  const statePath = `/states/${encodeURIComponent(type)}`;
  const states = new Map();
  const pages = new Map();
  let last = 0;
  let rejections = [];
  let failed = null;
  let isOver = false;

  const newest = await api.get(path, {id, limit: 1, order: 'desc'}, context.signal);
  last = newest.events[0].version;
  pages.set(last, newest.events[0]);

  const version = () => {
    const given = Number(context.query.get('v'));
    return Number.isInteger(given) && given >= 1 && given <= last ? given : last;
  };
  const other = () => {
    const given = Number(context.query.get('vs'));
    return Number.isInteger(given) && given >= 0 && context.query.has('vs') && given <= last ? given : null;
  };

  /** The events around a version; each is asked for once. */
  async function events(at) {
    const from = Math.max(1, at - AROUND);
    const to = Math.min(last, at + AROUND);
    let missing = from;
    while (missing <= to && pages.has(missing)) missing++;
    if (missing > to) return;
    const page = await api.get(path, {id, fromVersion: missing, limit: to - missing + 1}, context.signal);
    for (const event of page.events) pages.set(event.version, event);
  }

  /** A state, asked for once; that of version 0 is none. */
  function stateAt(at) {
    if (at < 1) return Promise.resolve({version: 0, computed: true, state: null, events: 0});
    if (!states.has(at)) {
      if (states.size >= STATES_KEPT) states.delete(states.keys().next().value);
      const asked = performance.now();
      const asking = api.get(statePath, {id, version: at}, context.signal).then(view => ({...view, state: masked(view.state ?? null), millis: performance.now() - asked}));
      states.set(at, asking);
      asking.catch(() => states.delete(at));
    }
    return states.get(at);
  }

  let shown = null;
  let turn = 0;
  async function load() {
    const mine = ++turn;
    const at = version();
    const vs = other();
    try {
      const [now, before, beside] = await Promise.all([stateAt(at), stateAt(at - 1), vs === null ? null : stateAt(vs), events(at)]);
      if (mine !== turn || isOver) return;
      failed = null;
      shown = {at, vs, now, before, beside};
    } catch (problem) {
      if (isAborted(problem) || mine !== turn) return;
      failed = problem;
    }
    draw();
  }

  async function look() {
    try {
      rejections = (await api.get(`${statePath}/rejections`, {id}, context.signal)).rejections;
      draw();
    } catch (problem) {
      if (!isAborted(problem)) rejections = [];
    }
  }

  /** Whether more was written since. */
  async function grow() {
    try {
      const now = await api.get(path, {id, limit: 1, order: 'desc'}, context.signal);
      const top = now.events[0].version;
      if (top !== last) {
        const wasLast = !context.query.has('v');
        last = top;
        pages.set(top, now.events[0]);
        if (wasLast) await load(); else draw();
        look();
      }
    } catch { /* what is shown stays as it is */ }
  }

  const step = (by, far) => move(version() + by * (far ? 10 : 1));
  function move(to) {
    const next = Math.max(1, Math.min(last, to));
    setQuery({v: next === last ? null : next});
  }

  function draw() {
    if (isOver) return;
    const at = version();
    const event = pages.get(at);
    context.render(html`<div class="stack stream">
      <section class="card scrub">
        <div class="row"><button type="button" class="icon-button" aria-label="First version" title="First version" @click=${() => move(1)}>${icon('up')}</button>
          <button type="button" class="icon-button" aria-label="Version before" title="Version before" @click=${() => step(-1)}>${icon('left')}</button>
          <label class="row"><span class="dim">Version</span><input class="input num" type="number" min="1" max=${last} .value=${String(at)} @change=${change => move(Number(change.target.value))}></label><span class="dim num">of ${format.number(last)}</span>
          <button type="button" class="icon-button" aria-label="Version after" title="Version after" @click=${() => step(1)}>${icon('right')}</button>
          <button type="button" class="icon-button" aria-label="Last version" title="Last version" @click=${() => move(last)}>${icon('down')}</button>
          <span class="space"></span>${event ? html`<span>${payload('event', event.type)}</span><span class="dim">${time(event.time)}</span>` : nothing}</div>
        <input class="slider" type="range" min="1" max=${last} step="1" .value=${String(at)} aria-label="Version, 1 to ${last}" @input=${input => move(Number(input.target.value))} @keydown=${jump}>
        ${ticks(at)}
      </section>
      ${failed ? failure(failed, load) : nothing}
      <div class="time-travel">
        <section class="card flush"><header><h2>Events</h2><span class="space"></span><a class="button small plain" href=${to('events', [], {q: `stream:${type}:${id}`})}>${icon('events')}<span>In the store</span></a></header>${list(at)}</section>
        ${shown ? stateCard() : html`<section class="card">${skeleton(8)}</section>`}
      </div>
      ${rejected()}
    </div>`);
    reveal(context.host.querySelector('.events-of [aria-current="step"]'));
  }

  function jump(event) {
    if (!event.shiftKey) return;
    const by = {ArrowRight: 10, ArrowUp: 10, ArrowLeft: -10, ArrowDown: -10}[event.key];
    if (!by) return;
    event.preventDefault();
    move(version() + by);
  }

  function ticks(at) {
    const from = Math.max(1, at - AROUND);
    const to = Math.min(last, at + AROUND);
    const kinds = [...new Set([...pages.values()].map(one => one.type))].sort();
    const all = [];
    for (let one = from; one <= to; one++) all.push(pages.get(one));
    return html`<div class="ticks" aria-hidden="true"><svg viewBox="0 0 ${Math.max(1, all.length) * 10} 14" preserveAspectRatio="none">${all.map((one, index) => one ? svg`<rect class="tick k${kinds.indexOf(one.type) % 6} ${one.version === at ? 'here' : ''}" x=${index * 10 + 2} width="6" y=${one.version === at ? 0 : 4} height=${one.version === at ? 14 : 10}></rect>` : nothing)}</svg>
      <span class="legend">${kinds.slice(0, 6).map((kind, index) => html`<span><i class="k${index % 6}"></i>${kind}</span>`)}</span></div>`;
  }

  function list(at) {
    const all = [...pages.values()].filter(one => Math.abs(one.version - at) <= AROUND).sort((a, b) => b.version - a.version);
    return html`<ol class="events-of" tabindex="0" aria-label="Events around version ${at}">${all.map((one, index) => {
      const newer = index === 0 ? null : all[index - 1];
      const between = rejections.filter(refused => refused.at > one.time && (newer ? refused.at <= newer.time : one.version === last));
      return html`${between.map(refused => html`<li class="refused">${stateWord('rejected', `refused: ${refused.said?.code ?? refused.kind}`)}<span class="space"></span>${time(refused.at)}</li>`)}
        <li aria-current=${one.version === at ? 'step' : 'false'}><a href=${to('streams', [type, id], {full: context.query.get('full'), v: one.version, vs: context.query.get('vs')})}><span class="num">${format.number(one.version)}</span>${payload('event', one.type)}<span class="mono dim glance">${glance(one.payload, 80)}</span></a></li>`;
    })}</ol>`;
  }

  function stateCard() {
    const {at, vs, now, before, beside} = shown;
    const base = vs === null ? before : beside;
    const event = pages.get(at);
    const isPatch = context.query.get('as') === 'patch';
    const found = now.computed && base?.computed ? changes(base.state, now.state) : [];
    return html`<section class="card state-at"><header><h2>State at version ${format.number(at)}</h2><span class="space"></span>
        <label class="row small-field"><span class="dim">compare with</span><input class="input num" type="number" min="0" max=${last} placeholder=${String(at - 1)} .value=${vs === null ? '' : String(vs)} @change=${change => setQuery({vs: change.target.value === '' ? null : change.target.value})}></label></header>
      ${now.computed ? html`<p class="dim by">Computed by its own handlers in ${format.duration(now.millis)}, without effects: ${now.events === 0 ? 'from its snapshot' : `${format.plural(now.events, 'event')} applied`}${now.instance ? html` by instance <span class="mono">${format.short(now.instance)}</span>` : nothing}.</p>
        <div class="tabs" role="group" aria-label="Show as">${tab(null, 'State', !context.query.get('as'))}${tab('diff', `Changes since ${vs ?? at - 1}`, context.query.get('as') === 'diff')}${tab('patch', 'JSON Patch', isPatch)}</div>
        ${isPatch ? patchOf(found) : context.query.get('as') === 'diff' ? html`<ev-diff .before=${base.state} .after=${now.state}></ev-diff>`
          : now.state === null ? empty('There is no state', 'No event has made one by this version.') : html`<ev-json .value=${now.state} .marks=${marks(found)} .label=${`State at version ${at}`}></ev-json>`}`
        : html`<div class="notice warn"><p><b>No bundle computed this state.</b> ${now.why}</p></div>${now.snapshot
          ? html`<h3>The kept snapshot, of version ${format.number(now.snapshot.version)}</h3><ev-json .value=${masked(now.snapshot.state)} .label=${'Snapshot'}></ev-json>`
          : html`<p class="dim">Nor is a snapshot of it kept: the events on this page are all there is.</p>`}`}
      ${event ? html`<h3>What happened</h3><ev-json .value=${masked(event.payload)} .label=${`Payload of ${event.type}`}></ev-json>
      <p class="row"><a class="button small" href=${flowOf(event)}>${icon('flows')}<span>Flow</span></a><a class="button small" href=${to('events', [event.position])}>${icon('events')}<span>Event ${format.number(event.position)}</span></a>
        <button type="button" class="button small" @click=${click => copyTest(at, click.currentTarget)}>${icon('code')}<span>Copy as test</span></button></p>` : nothing}
    </section>`;
  }

  const tab = (name, label, isNow) => html`<button type="button" aria-pressed=${String(isNow)} aria-current=${isNow ? 'true' : nothing} @click=${() => setQuery({as: name})}>${label}</button>`;

  function patchOf(found) {
    const op = {added: 'add', removed: 'remove', changed: 'replace'};
    const text = JSON.stringify(found.map(one => ({op: op[one.op], path: one.pointer, ...one.op === 'removed' ? {} : {value: one.after}})), null, 2);
    return html`<pre class="code" tabindex="0"><code>${text}</code></pre><p><button type="button" class="button small" @click=${click => copy(text, click.currentTarget)}>${icon('copy')}<span>Copy the patch</span></button></p>`;
  }

  async function copyTest(at, button) {
    try {
      const all = [];
      for (let from = 1; from <= at && all.length < 1_000;) {
        const page = await api.get(path, {id, fromVersion: from, limit: Math.min(500, at - from + 1)}, context.signal);
        if (page.events.length === 0) break;
        all.push(...page.events);
        from = page.events.at(-1).version + 1;
      }
      const catalog = await api.get('/catalog', {component: type}, context.signal);
      await testSource({type, id, events: all, at, catalog, rejections: rejections.filter(one => one.at > (all.at(-1)?.time ?? '')), button});
    } catch (problem) {
      if (!isAborted(problem)) {
        failed = problem;
        draw();
      }
    }
  }

  function rejected() {
    if (rejections.length === 0) return nothing;
    return html`<section class="card flush"><header><h2>Commands that it refused</h2><span class="dim">among the last 100${'\u202f'}000 outcomes of the store</span></header>
      <div class="scroller" tabindex="0" role="region" aria-label="Refused commands"><table class="table"><thead><tr><th scope="col">When</th><th scope="col">Why</th><th scope="col">Details</th><th scope="col">Command</th></tr></thead><tbody>${
      rejections.slice(0, 50).map(one => html`<tr><td>${time(one.at, 'clock')}</td><td>${stateWord('rejected', one.said?.code ?? one.kind)}</td><td class="mono">${one.said?.details ? JSON.stringify(one.said.details) : one.said?.message ?? ''}</td><td><a class="mono" href=${to('flow', [one.commandId], {full: 1})}>${format.short(one.commandId)}</a></td></tr>`)}</tbody></table></div></section>`;
  }

  const offs = [
    keys.on('ArrowLeft', 'Version before', event => { if (!event.target.closest?.('[role="tree"], input')) step(-1, event.shiftKey); }),
    keys.on('ArrowRight', 'Version after', event => { if (!event.target.closest?.('[role="tree"], input')) step(1, event.shiftKey); }),
  ];
  const timer = setInterval(() => document.hidden || grow(), 3_000);
  // Each step of the slider changes the address: only where it rests is asked for.
  let resting = 0;
  context.onQuery(() => {
    draw();
    clearTimeout(resting);
    resting = setTimeout(load, REST_MILLIS);
  });
  await load();
  look();
  return () => {
    isOver = true;
    clearInterval(timer);
    clearTimeout(resting);
    offs.forEach(off => off());
  };
}
