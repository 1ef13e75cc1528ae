import {html, nothing} from '../lib/lit-html/lit-html.js';
import {api, isAborted} from '../core/api.js';
import {paused} from '../core/live.js';
import {go, setQuery, to} from '../core/router.js';
import * as format from '../core/format.js';
import {copyable, empty, failure, figure, icon, payload, shape, state as stateWord, tag, time} from '../parts/kind.js';
import {glance, streamLink} from '../parts/event.js';

const PAGE = 1_000;
const EVENTS_MAX = 5_000;

/** With many consumers a page has few events. */
const PAGES_MAX = 20;
const ROWS = 300;
const YOUNG_MILLIS = 60_000;

/** Which flow: by its correlation id, or one that began lately. */
export async function show(context) {
  const head = await api.get('/events', {before: 'head', limit: 300}, context.signal);
  const flows = new Map();
  for (const event of head.events) {
    const flow = flows.get(event.correlationId) ?? {id: event.correlationId, newest: event, events: 0};
    flow.events++;
    flow.oldest = event;
    flows.set(event.correlationId, flow);
  }
  const find = event => {
    event.preventDefault();
    const id = String(new FormData(event.target).get('id')).trim();
    if (id) go(to('flow', [id], {full: 1}));
  };
  context.render(html`<div class="stack">
    <section class="card"><header><h2>All that one request led to</h2></header><form class="row flow-form" @submit=${find}>
      <label class="field"><span>Correlation id</span><input class="mono" name="id" required autocomplete="off" spellcheck="false" placeholder="As a log line or an answer names it"></label><button class="button primary">Show the flow</button></form></section>
    <section class="card flush"><header><h2>Lately</h2><span class="dim">among the last ${format.number(head.events.length)} events</span></header>${flows.size === 0 ? empty('Nothing happened yet', 'A flow begins with the first command.')
      : html`<div class="scroller" tabindex="0" role="region" aria-label="Flows lately"><table class="table"><thead><tr><th scope="col">Flow</th><th scope="col">First event seen</th><th scope="col">Last event</th><th scope="col" class="end">Events</th><th scope="col" class="end">Took</th><th scope="col">When</th></tr></thead><tbody>${
        [...flows.values()].slice(0, 60).map(flow => html`<tr class="item"><td><a class="open mono" href=${to('flow', [flow.id], {full: 1, near: flow.oldest.position})}>${format.short(flow.id)}</a></td><td>${payload('event', flow.oldest.type)}</td><td>${payload('event', flow.newest.type)}</td><td class="end">${format.number(flow.events)}</td><td class="end">${
          flow.events > 1 ? format.duration(Date.parse(flow.newest.time) - Date.parse(flow.oldest.time)) : '–'}</td><td>${time(flow.newest.time)}</td></tr>`)}</tbody></table></div>`}</section></div>`);
  return undefined;
}

/** One flow: command → events → what consumers did → commands …; it grows while it is looked at. */
export async function detail(context) {
  const id = context.path[0];
  context.title(`Flow ${format.short(id)}`);
  const path = `/flows/${encodeURIComponent(id)}`;
  const folded = new Set();
  let flow = null;
  let consumers = [];
  let failed = null;
  let timer = 0;
  let isOver = false;
  let rows = ROWS;

  async function load() {
    try {
      let page = await api.get(path, {near: context.query.get('near'), limit: PAGE}, context.signal);
      const all = {...page, events: [...page.events], sent: {...page.sent}, outcomes: [...page.outcomes], waiting: [...page.waiting], letters: [...page.letters]};
      for (let pages = 1; pages < PAGES_MAX && !page.end && page.events.length > 0 && all.events.length < EVENTS_MAX; pages++) {
        page = await api.get(path, {after: page.next, limit: PAGE}, context.signal);
        all.events.push(...page.events);
        Object.assign(all.sent, page.sent);
        for (const list of ['outcomes', 'waiting', 'letters']) all[list].push(...page[list]);
        all.cut ||= page.cut;
        all.end = page.end;
        all.next = page.next;
        all.head = page.head;
      }
      flow = all;
      failed = null;
      consumers = await api.get('/consumers', {}, context.signal).then(said => said.consumers, () => []);
    } catch (problem) {
      if (isAborted(problem)) return;
      failed = problem;
    }
    draw();
  }

  async function goOn() {
    const page = await api.get(path, {after: flow.next, limit: PAGE}, context.signal);
    flow = {...flow, events: [...flow.events, ...page.events], sent: {...flow.sent, ...page.sent}, outcomes: [...flow.outcomes, ...page.outcomes],
      waiting: [...flow.waiting, ...page.waiting], letters: [...flow.letters, ...page.letters], cut: flow.cut || page.cut, end: page.end, next: page.next, head: page.head};
    draw();
  }

  async function grow() {
    if (isOver) return;
    if (!paused.get() && !document.hidden) await load();
    const last = flow?.events.at(-1);
    const isYoung = !last || Date.now() - Date.parse(last.time) < YOUNG_MILLIS || flow.waiting.length > 0;
    timer = setTimeout(grow, isYoung ? 2_000 : 10_000);
  }

  function draw() {
    if (isOver) return;
    if (failed && !flow) {
      context.render(failure(failed, load));
      return;
    }
    const made = treeOf(flow, id);
    const view = context.query.get('view') === 'list' ? 'list' : 'timeline';
    const span = Math.max(1, made.end - made.begin);
    const behind = flow.events.length === 0 ? [] : consumers.filter(one => one.role === 'live' && one.segments.some(segment => segment.checkpoint < flow.events.at(-1).position));
    const bad = flow.outcomes.filter(one => one.kind === 'rejected' || one.kind === 'unknown').length;
    context.render(html`<div class="stack flow">
      ${failed ? failure(failed, load) : nothing}
      <p class="row">${copyable(id)}<span class="space"></span><span class="segments" role="group" aria-label="View">${['timeline', 'list'].map(name => html`<button type="button" aria-pressed=${String(view === name)} @click=${() => setQuery({view: name === 'list' ? 'list' : null})}>${name === 'list' ? 'List' : 'Timeline'}</button>`)}</span></p>
      <dl class="figures">${figure('Took', flow.events.length > 1 ? format.duration(made.end - made.begin) : '–', 'first to last event')}${
        figure('Commands', format.number(made.commands), made.waiting ? `${format.number(made.waiting)} on their way` : 'all have an outcome')}${
        figure('Events', format.number(flow.events.length), flow.end ? 'all there are by now' : 'more may follow')}${
        figure('Refused', format.number(bad), bad ? 'see below' : 'none')}${
        figure('Dead letters', format.number(flow.letters.length), flow.letters.length ? 'a consumer failed on it' : 'none')}</dl>
      ${flow.letters.map(letter => html`<div class="notice bad"><p><b>${letter.consumer} ${letter.attempts ? 'failed on' : 'holds back'} position ${format.number(letter.position)}</b>${letter.attempts ? `, ${format.plural(letter.attempts, 'time')}` : ', as an earlier event of its key failed'}. ${letter.cause ?? ''}</p></div>`)}
      ${behind.length ? html`<p class="notice warn">${behind.map(one => one.name).join(', ')} ${behind.length === 1 ? 'has' : 'have'} not acknowledged everything up to this flow’s last event yet.</p>` : nothing}
      ${flow.events.length === 0 && made.commands === 0 ? empty('Nothing of this flow is found', flow.end ? 'Ids have to be whole. A command that is refused leaves its outcome only.' : 'It was looked for in a part of the store: go on, or come from one of its events.')
        : view === 'list' ? list() : html`<section class="card flush"><header><h2>Who caused what</h2><span class="space"></span><span class="dim">bars: from the cause to the commit</span></header>
        <ul class="flow-tree" role="tree" aria-label="Commands and events of the flow" @keydown=${walk}>${lines(made).slice(0, rows).map((line, at) => lineOf(line, at, made.begin, span))}</ul>${
        made.size > rows ? html`<p class="row go-on"><button type="button" class="button small" @click=${() => { rows += ROWS; draw(); }}>Show more</button></p>` : nothing}</section>`}
      ${flow.cut ? html`<p class="notice warn">There may be more commands of consumers, waiting commands or dead letters in this flow than are looked for at once: those that are shown are a part.</p>` : nothing}
      ${flow.end ? nothing : html`<div class="notice"><p>Looked from position ${format.number(flow.from)} to ${format.number(flow.next)} of ${format.number(flow.head)}. A flow has no index of its own.</p><button type="button" class="button small" @click=${goOn}>Go on</button></div>`}
    </div>`);
  }

  let here = 0;
  function lines(made) {
    const all = [];
    const add = (node, depth) => {
      all.push({node, depth});
      if (!folded.has(node.key)) node.inner.forEach(inner => add(inner, depth + 1));
    };
    made.roots.forEach(root => add(root, 0));
    return all;
  }

  function lineOf({node, depth}, at, begin, span) {
    const [from, until] = [Math.max(begin, node.from ?? begin), Math.max(begin, node.at ?? node.from ?? begin)];
    const left = (from - begin) / span * 100;
    return html`<li role="treeitem" aria-level=${depth + 1} aria-selected="false" aria-expanded=${node.inner.length ? String(!folded.has(node.key)) : nothing} tabindex=${at === here ? 0 : -1} data-key=${node.key} class=${node.tone ?? ''}>
      <span class="what" .style=${`padding-inline-start:${Math.min(depth, 12) * 1.125}rem`}><button type="button" class="twist" tabindex="-1" aria-hidden="true" @click=${() => fold(node.key)}>${node.inner.length ? folded.has(node.key) ? '▸' : '▾' : ''}</button>${node.show()}</span>
      <span class="track" aria-hidden="true"><i class=${node.kind} .style=${`margin-inline-start:${left.toFixed(2)}%;inline-size:${Math.max(0.4, (until - from) / span * 100).toFixed(2)}%`}></i></span>
      <span class="num took">${node.at > begin ? `+${format.duration(node.at - begin)}` : ''}</span></li>`;
  }

  function fold(key) {
    if (!folded.delete(key)) folded.add(key);
    draw();
  }

  function walk(event) {
    const items = [...event.currentTarget.querySelectorAll('[role="treeitem"]')];
    const step = {ArrowDown: 1, ArrowUp: -1}[event.key];
    if (step) here = Math.max(0, Math.min(items.length - 1, here + step));
    else if (event.key === 'Home') here = 0;
    else if (event.key === 'End') here = items.length - 1;
    else if (event.key === 'ArrowLeft' || event.key === 'ArrowRight') {
      const open = items[here]?.getAttribute('aria-expanded');
      if (open === null || (open === 'true') === (event.key === 'ArrowRight')) return;
      fold(items[here].dataset.key);
    } else if (event.key === 'Enter' && event.target.matches('li')) items[here]?.querySelector('a')?.click();
    else return;
    event.preventDefault();
    draw();
    context.host.querySelector('.flow-tree [tabindex="0"]')?.focus();
  }

  function list() {
    return html`<section class="card flush"><div class="scroller" tabindex="0" role="region" aria-label="Events of the flow"><table class="table"><thead><tr><th scope="col" class="end">Position</th><th scope="col">Time</th><th scope="col">Event</th><th scope="col">Stream</th><th scope="col">Payload</th></tr></thead><tbody>${
      flow.events.slice(0, rows).map(event => html`<tr class="item"><td class="end"><a class="open" href=${to('events', [event.position])}>${format.number(event.position)}</a></td><td>${time(event.time, 'clock')}</td><td>${payload('event', event.type)}</td><td>${streamLink(event.aggregate, event.version)}</td><td class="grow"><span class="mono dim">${glance(event.payload)}</span></td></tr>`)}</tbody></table></div>${
      flow.events.length > rows ? html`<p class="row go-on"><button type="button" class="button small" @click=${() => { rows += ROWS; draw(); }}>Show more</button></p>` : nothing}</section>`;
  }

  context.onQuery(draw);
  await load();
  timer = setTimeout(grow, 2_000);
  return () => {
    isOver = true;
    clearTimeout(timer);
  };
}

/** Commands with their events, each below what caused it. */
function treeOf(flow, root) {
  const commands = new Map();
  const command = id => {
    let one = commands.get(id);
    if (!one) {
      one = {key: id, id, kind: 'command', inner: [], events: []};
      commands.set(id, one);
    }
    return one;
  };
  const byPosition = new Map();
  for (const event of flow.events) {
    const one = command(event.commandId);
    one.cause ??= event.causationId;
    one.at = Date.parse(event.time);
    const node = {key: `e${event.position}`, kind: 'event', event, inner: [], at: one.at, from: one.at,
      show: () => html`${payload('event', event.type, to('events', [event.position]))}<span class="where">${streamLink(event.aggregate, event.version)}</span>`};
    byPosition.set(event.position, node);
    one.events.push(node);
    one.inner.push(node);
  }
  for (const outcome of flow.outcomes) {
    const one = command(outcome.commandId);
    one.outcome = outcome;
    one.at = Date.parse(outcome.at);
    if (outcome.kind === 'rejected') one.tone = 'bad';
  }
  for (const waiting of flow.waiting) command(waiting.commandId).waiting = waiting;
  for (const letter of flow.letters) {
    const event = byPosition.get(letter.position);
    event?.inner.push({key: `l${letter.id}`, kind: 'letter', tone: 'bad', inner: [], at: letter.failedAt ? Date.parse(letter.failedAt) : event.at, from: event.at,
      show: () => letter.attempts ? html`${stateWord('failed', `${letter.consumer} failed`)}<span class="dim">${letter.cause ?? ''}</span>` : html`${stateWord('waiting', `${letter.consumer}: it waits behind another dead letter of its key`)}`});
  }
  const roots = [];
  for (const one of commands.values()) {
    const sent = flow.sent[one.id] ?? (one.waiting ? {consumer: one.waiting.consumer} : null);
    const parent = sent?.position ? byPosition.get(sent.position) : null;
    const cause = sent?.commandId ?? one.cause;
    const before = cause && cause !== one.id ? commands.get(cause) : null;
    one.from = parent?.at ?? before?.at ?? one.at;
    one.show = () => html`${shape('command')}${sent ? html`${tag('saga')}<b>${sent.consumer}</b> <span class="dim">sent</span>` : html`<b>${one.id === root ? 'The request' : 'A command'}</b>`}<span class="mono">${one.waiting?.type ?? ''}</span>${said(one)}<span class="mono dim id" title=${one.id}>${format.short(one.id)}</span>`;
    const place = parent ?? before?.events.at(-1) ?? before;
    if (place && place !== one) place.inner.push(one);
    else roots.push(one);
  }
  const times = [...commands.values()].flatMap(one => [one.at, one.from]).filter(Boolean);
  return {roots, commands: commands.size, waiting: flow.waiting.filter(one => !one.settled).length, size: commands.size + flow.events.length + flow.letters.length,
    begin: Math.min(...times, Infinity), end: Math.max(...times, -Infinity)};
}

function said(one) {
  if (one.outcome?.kind === 'rejected') return stateWord('rejected', `refused: ${one.outcome.said?.code ?? ''}`);
  if (one.outcome?.kind === 'nothing') return html`<span class="dim">nothing to do</span>`;
  if (one.outcome?.kind === 'answer') return html`<span class="dim">a service answered</span>`;
  if (one.outcome?.kind === 'unknown') return stateWord('bad', 'nobody knows how it ended');
  if (one.waiting) return one.waiting.settled ? html`<span class="dim">its outcome is on the way back</span>` : stateWord('waiting', one.waiting.error ? `tried ${format.plural(one.waiting.attempts, 'time')}: ${one.waiting.error}` : 'on its way');
  return nothing;
}
