import {html, nothing} from '../lib/lit-html/lit-html.js';
import {api, isAborted} from '../core/api.js';
import {can, whyNot} from '../core/can.js';
import {shown, topic} from '../core/live.js';
import {setQuery, to} from '../core/router.js';
import * as format from '../core/format.js';
import {action, empty, failure, figure, skeleton, state, tag, time} from '../parts/kind.js';
import {spark} from '../parts/spark.js';
import {cells, strip, worst} from '../parts/strip.js';
import '../parts/table.js';
import * as actions from './consumers/actions.js';
import {history, look, pace} from './consumers/looks.js';

const LOOK_MILLIS = 2_000;
const consumers = topic('consumers');
const HELPLESS = new Set(['stuck', 'failing', 'full', 'unowned']);

const FILTERS = {
  '': ['All', () => true],
  trouble: ['In trouble', one => HELPLESS.has(one.state) || one.deadLetters > 0 || one.lostEvents.length > 0],
  behind: ['Behind', one => one.lagSeconds >= 1],
  paused: ['Paused', one => one.segments.some(segment => segment.state === 'paused')],
  shadow: ['Shadows', one => one.role === 'shadow'],
};

/** What consumers have and have not done, and what can be done to them. */
export const show = context => live(context, data => context.render(page(data, context.query)));

/** One consumer; of its segments the one that the address names. */
export function detail(context) {
  const [name, version] = [context.path[0], Number(context.path[1])];
  context.title(`${name} ${version}`);
  const more = {audit: null, comparison: null, problem: null};
  const draw = data => {
    const one = data.consumers[`${name}/${version}`];
    context.render(one ? full(seen(one), data, context, more, again)
      : empty('There is no such consumer', 'A consumer is there from the first time on that a bundle with it connects.'));
  };
  const again = async () => {
    try {
      const base = actions.path({name, version});
      more.audit = (await api.get(`${base}/audit`, {limit: 8}, context.signal)).audit;
      const one = consumers.get().data?.consumers[`${name}/${version}`];
      if (one && isCompared(one) && can('operate')) more.comparison = await api.get(`${base}/comparison`, {}, context.signal);
      more.problem = null;
    } catch (problem) {
      if (isAborted(problem)) return;
      more.problem = problem.code === 'not-found' ? null : problem;
    }
    const now = consumers.get().data;
    if (now) draw(now);
  };
  const timer = setInterval(() => document.hidden || again(), 3 * LOOK_MILLIS);
  context.signal.addEventListener('abort', () => clearInterval(timer));
  return live(context, draw).then(async off => {
    await again();
    return off;
  });
}

/** Draws at all that comes, and looks at the pace meanwhile. */
function live(context, draw) {
  const again = () => {
    const {data} = consumers.get();
    if (data) draw(data);
  };
  const timer = setInterval(() => {
    const {data} = consumers.get();
    if (!data || document.hidden) return;
    look(data.consumers);
    draw(data);
  }, LOOK_MILLIS);
  context.signal.addEventListener('abort', () => clearInterval(timer));
  context.onQuery(again);
  return shown(consumers, now => {
    look(now.data.consumers);
    draw(now.data);
  });
}

/** A consumer with what follows from its segments. */
function seen(one) {
  const most = member => Math.max(0, ...one.segments.map(segment => segment[member] ?? 0));
  const isBehind = one.segments.some(segment => segment.lagEvents > 0);
  return {
    ...one,
    id: `${one.name}/${one.version}`,
    state: worst(one.segments),
    lagEvents: most('lagEvents'),
    lagSeconds: most('lagSeconds'),
    catchUpSeconds: !isBehind ? 0 : one.segments.some(segment => segment.lagEvents > 0 && segment.catchUpSeconds == null) ? null : most('catchUpSeconds'),
    pace: pace(one),
  };
}

// ---- the list

function page(data, query) {
  const all = Object.values(data.consumers).map(seen);
  if (all.length === 0) {
    return empty('No consumers yet', 'Projectors, sagas and observers appear here when a bundle with them connects.',
      'EventoBundle.named("bank").connect("ws://…/evento").register(new Accounts()).start()');
  }
  const chosen = FILTERS[query.get('show') ?? ''] ?? FILTERS[''];
  const text = (query.get('q') ?? '').toLowerCase();
  const rows = all.filter(chosen[1]).filter(one => one.name.toLowerCase().includes(text));
  const letters = all.reduce((sum, one) => sum + one.deadLetters, 0);
  const behind = all.filter(one => one.lagSeconds >= 1);
  const oldest = behind.reduce((most, one) => one.lagSeconds > (most?.lagSeconds ?? 0) ? one : most, null);
  return html`<div class="stack">
    <dl class="figures">
      ${figure('Consumers', format.number(all.length), format.plural(all.reduce((sum, one) => sum + one.segments.length, 0), 'segment'))}
      ${figure('Largest lag', oldest ? format.duration(oldest.lagSeconds * 1000) : 'none', oldest ? html`<a href=${to('consumers', [oldest.name, oldest.version])}>${oldest.name} ${oldest.version}</a>` : 'all are up to date')}
      ${figure('In trouble', format.number(all.filter(one => HELPLESS.has(one.state)).length), 'do not get on by themselves')}
      ${figure('Paused', format.number(all.filter(FILTERS.paused[1]).length), 'by somebody')}
      ${figure('Dead letters', format.number(letters), letters ? html`<a href=${to('letters')}>by their cause</a>` : 'nothing waits for you')}
    </dl>
    <section class="card flush">
      <div class="toolbar list-tools">
        <div class="segments" role="group" aria-label="Which consumers">${Object.entries(FILTERS).map(([key, [label, isIn]]) => html`<button type="button" aria-pressed=${String(chosen[0] === label)}
          @click=${() => setQuery({show: key})}>${label}${key ? html` <span class="num dim">${all.filter(isIn).length}</span>` : nothing}</button>`)}</div>
        <span class="space"></span>
        <label class="hidden" for="consumers-filter">Name contains</label><input id="consumers-filter" class="input" type="search" placeholder="Name contains" .value=${query.get('q') ?? ''}
          @input=${event => setQuery({q: event.target.value})}>
      </div>
      <ev-table .name=${'consumers'} .label=${'Consumers'} .columns=${COLUMNS} .rows=${rows} .href=${row => to('consumers', [row.name, row.version], context(query))}
        .empty=${empty('None is so', 'Choose another filter above.')}></ev-table>
    </section>
  </div>`;
}

/** The filters stay when a consumer is opened; its segment does not. */
function context(query) {
  const kept = new URLSearchParams(query);
  kept.delete('segment');
  kept.delete('full');
  return kept;
}

const COLUMNS = [
  {key: 'name', title: 'Consumer', sort: one => one.name, text: one => `${one.name} ${one.version}`, cell: one => html`${tag(one.kind)} <b>${one.name}</b> <span class="dim">${one.version}</span>${
    one.role === 'shadow' ? html` <span class="pill">shadow</span>` : nothing}`},
  {key: 'state', title: 'State', sort: one => one.state, cell: one => state(one.state)},
  {key: 'lagEvents', title: 'Behind', end: true, narrow: false, sort: one => one.lagEvents, cell: one => one.lagEvents ? `${format.count(one.lagEvents)}` : html`<span class="dim">0</span>`},
  {key: 'lagSeconds', title: 'Age', end: true, sort: one => one.lagSeconds, cell: one => one.lagSeconds ? format.duration(one.lagSeconds * 1000) : html`<span class="dim">–</span>`},
  {key: 'catchUpSeconds', title: 'Caught up in', end: true, narrow: false, sort: one => one.catchUpSeconds ?? Infinity, cell: one => catchUp(one)},
  {key: 'pace', title: 'Pace', end: true, narrow: false, sort: one => one.pace, cell: one => one.pace === null ? html`<span class="dim">–</span>` : format.rate(one.pace)},
  {key: 'deadLetters', title: 'Dead letters', end: true, sort: one => one.deadLetters, narrow: false, cell: one => one.deadLetters
    ? html`<a href=${to('letters', [], {consumer: one.id})}>${format.number(one.deadLetters)}</a>` : html`<span class="dim">0</span>`},
  {key: 'segments', title: 'Segments', grow: true, text: one => one.segments.length, sort: one => one.segments.length, narrow: false, cell: one => strip(one.segments)},
];

function catchUp(one) {
  if (one.lagEvents === 0) return html`<span class="dim">–</span>`;
  if (one.catchUpSeconds === null) return html`<span class="warn">no progress</span>`;
  return format.duration(Math.max(1000, one.catchUpSeconds * 1000));
}

// ---- one consumer

const isCompared = one => one.role === 'shadow' && one.kind !== 'projector';

function full(one, data, context, more, again) {
  const at = context.query.get('segment');
  const segment = at === null ? null : one.segments.find(other => other.segment === Number(at)) ?? null;
  const href = other => {
    const query = new URLSearchParams(context.query);
    if (segment?.segment === other.segment) query.delete('segment');
    else query.set('segment', other.segment);
    return to('consumers', [one.name, one.version], query);
  };
  const others = Object.values(data.consumers).filter(other => other.name === one.name && other.version !== one.version);
  return html`<div class="stack consumer">${context.isPanel ? nothing : html`<h2>${one.name} ${one.version}</h2>`}
    <p class="row">${tag(one.kind)}<span>${one.kind}</span>${state(one.state)}<span class="pill">${one.role}</span>${
      others.map(other => html`<a class="chip" href=${to('consumers', [other.name, other.version])}>version ${other.version} is ${other.role}</a>`)}</p>
    ${one.note ? html`<p class="notice warn">${one.note}</p>` : nothing}
    ${one.lostEvents.length ? lost(one, again) : nothing}
    <dl class="figures">
      ${figure('Behind', format.count(one.lagEvents), 'positions at most')}
      ${figure('Age', one.lagSeconds ? format.duration(one.lagSeconds * 1000) : '–', 'of the first event not done')}
      ${figure('Caught up in', one.lagEvents ? catchUp(one) : '–', one.pace === null ? 'pace not known yet' : `at ${format.rate(one.pace)}`)}
      ${figure('Dead letters', format.number(one.deadLetters), one.deadLetters ? html`<a href=${to('letters', [], {consumer: one.id})}>by their cause</a>` : 'none')}
    </dl>
    <div class="buttons">${actions.ofConsumer(one, again)}</div>
    <section class="stack"><div class="row"><h3>Segments</h3><span class="space"></span><span class="dim small">width: share of keys · fill: lag</span></div>
      ${cells(one.segments, segment?.segment, href, says)}
      ${segment ? chosen(one, segment, again) : list(one, href)}
    </section>
    ${isCompared(one) ? comparison(more) : nothing}
    <section class="stack"><h3>What was done to it</h3>${audit(more)}</section>
  </div>`;
}

const says = one => `segment ${one.segment}: ${one.state}${one.lagEvents ? `, ${format.number(one.lagEvents)} behind` : ''}${one.owner ? `, at ${one.owner}` : ''}`;

const list = (one, href) => html`<div class="scroller" tabindex="0" role="region" aria-label="Segments"><table class="table"><thead><tr><th scope="col">Segment</th><th scope="col">State</th><th scope="col">Node</th><th
  scope="col" class="end">Checkpoint</th><th scope="col" class="end">Behind</th></tr></thead><tbody>${one.segments.map(segment => html`<tr class="item"><td><a class="open" href=${href(segment)}>${
  segment.segment}</a></td><td>${state(segment.state)}</td><td>${segment.owner ?? '–'}</td><td class="end">${format.number(segment.checkpoint)}</td><td class="end">${format.number(segment.lagEvents)}</td></tr>`)}</tbody></table></div>`;

function chosen(one, segment, again) {
  const looks = history(one, segment.segment);
  return html`<article class="card stack segment-card">
    <header><h2>Segment ${segment.segment}</h2><span class="space"></span>${state(segment.state)}</header>
    ${segment.note ? html`<p class="notice ${HELPLESS.has(segment.state) ? 'bad' : 'warn'}">${segment.note}</p>` : nothing}
    ${looks.length > 2 ? html`<div><div class="row"><span class="dim small">Lag, the last ${format.duration(looks.at(-1).at - looks[0].at)}</span><span class="space"></span><b class="num">${format.number(segment.lagEvents)}</b></div>${
      spark(looks.map(point => point.lag), {label: `Lag of segment ${segment.segment}`, tone: segment.lagEvents ? 'warn' : 'ok', max: Math.max(10, ...looks.map(point => point.lag))})}</div>` : nothing}
    <dl class="facts">
      <dt>Delivered by</dt><dd>${segment.owner ? html`<a href=${to('nodes', [segment.owner])}>${segment.owner}</a>` : html`<span class="warn">nobody: no bundle with it is connected</span>`}</dd>
      <dt>Checkpoint</dt><dd>${format.number(segment.checkpoint)}, ${segment.lagEvents ? `${format.number(segment.lagEvents)} behind the head` : 'the head of the store'}</dd>
      <dt>Pace</dt><dd>${format.rate(pace({...one, segments: [segment]}))} positions</dd>
      <dt>Keys</dt><dd>slots ${segment.firstSlot} to ${segment.lastSlot}, ${format.percent((segment.lastSlot - segment.firstSlot + 1) / 128)} of all</dd>
      <dt>Fence</dt><dd>${format.number(segment.fence)}</dd>
      ${segment.mergesWith === undefined ? nothing : html`<dt>Merges with</dt><dd>segment ${segment.mergesWith}, as soon as both are at position ${format.number(segment.mergesAt)}</dd>`}
    </dl>
    <div class="buttons">${actions.ofSegment(one, segment, again)}</div>
  </article>`;
}

function lost(one, again) {
  return html`<div class="notice bad"><p>The store has lost events whose effects it holds: ${one.lostEvents.map(loss => `${loss.events ?? 'some'} between positions ${format.number(loss.from)} and ${format.number(loss.to)}`).join('; ')}.
    Mend what they did, or live with it, and say so.</p>${action({label: 'Confirm', needs: 'operate', small: true, click: () => actions.confirmLost(one).then(again)})}</div>`;
}

function comparison(more) {
  const it = more.comparison;
  if (!can('operate')) return html`<section class="stack"><h3>Beside the live version</h3><p class="dim">${whyNot('operate')}</p></section>`;
  if (!it) return nothing;
  const all = it.alike + it.different;
  return html`<section class="stack"><h3>Beside version ${it.live?.split(':').at(-1) ?? 'that is live'}</h3>
    <dl class="figures">
      ${figure('Alike', format.number(it.alike), all ? `${format.percent(it.alike / all)} of what both decided` : 'nothing decided by both yet')}
      ${figure('Different', format.number(it.different), 'about the same, decided otherwise')}
      ${figure('Alone', format.number(it.alone), 'a switch drops these')}
      ${figure('Held', format.number(it.held), 'without an outcome yet')}
    </dl>
    ${it.examples.length ? html`<ul class="examples">${it.examples.slice(0, 5).map(example => html`<li><span class="mono">${example.type}</span> <span class="dim">about ${example.key}${
      example.event ? `, event ${format.number(example.event)}` : ''}</span><pre class="code">${JSON.stringify(example.payload)}</pre></li>`)}</ul>` : nothing}</section>`;
}

function audit(more) {
  if (more.problem) return failure(more.problem);
  if (!more.audit) return skeleton(2);
  if (more.audit.length === 0) return html`<p class="dim">Nothing yet.</p>`;
  return html`<ul class="audit">${more.audit.map(one => html`<li><div class="row"><b>${one.action}</b><span class="dim">${one.by}</span><span class="space"></span><span class="dim">${time(one.at)}</span></div><p>${one.detail}</p>${
    one.reason ? html`<p class="dim">“${one.reason}”</p>` : nothing}</li>`)}</ul>`;
}
