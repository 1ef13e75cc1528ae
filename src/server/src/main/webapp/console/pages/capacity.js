import {html, nothing, svg} from '../lib/lit-html/lit-html.js';
import {api, isAborted} from '../core/api.js';
import {paused} from '../core/live.js';
import {setQuery, to} from '../core/router.js';
import * as format from '../core/format.js';
import {can} from '../core/can.js';
import {empty, failure, figure, icon, payload, state, tag} from '../parts/kind.js';
import {meter} from '../parts/spark.js';

const REFRESH_MILLIS = 15_000;
const AMBER = 0.7;
const RED = 0.85;
const FULL = 0.97;

/** What is looked at, in seconds. */
const RANGES = {'10m': ['10 minutes', 600], '1h': ['1 hour', 3_600], '24h': ['24 hours', 86_400]};
const VIEWS = {flows: 'Measured', whatif: 'What if'};

/** What time is spent on, in the order in which it is drawn. */
const PARTS = {
  routing: ['Routing', 'on the way between nodes, and in what they look up'],
  queue: ['Queue', 'behind other commands of the same stream'],
  handler: ['Handler', 'in the bundle, with the way there and back'],
  commit: ['Commit', 'in the store'],
  lag: ['Lag', 'from the event’s commit until its consumer is given it'],
};

const STATIONS = {
  streams: one => html`streams of <b>${one.name}</b>`,
  threads: one => html`threads of <b>${one.name.split(' ')[0]}</b> for ${one.name.split(' ')[1]}`,
  segments: one => html`segments of <b>${one.name}</b>`,
  machine: one => html`processors of the machine of <b>${one.name}</b>`,
  process: one => html`processors that <b>${one.name}</b> may use`,
};

const rangeOf = query => RANGES[query.get('range')] ? query.get('range') : '10m';

/** What the address assumes, as the server is asked. */
function asked(query) {
  const now = new Date();
  // Whole minutes, the running one among them.
  const from = Math.floor(now / 60_000) * 60_000 - (RANGES[rangeOf(query)][1] - 60) * 1_000;
  const list = prefix => [...query].filter(([name]) => name.startsWith(prefix)).map(([name, value]) => `${name.slice(prefix.length)}:${value}`);
  const whatIf = query.get('view') === 'whatif' ? {all: query.get('all'), rate: list('rate.'), instances: list('instances.'), cores: query.get('cores'), target: query.get('target')} : {};
  return {from: new Date(from).toISOString(), to: now.toISOString(), ...whatIf};
}

/** Asks now, at each change of the address, and now and then. */
function ask(context, draw) {
  let timer = 0;
  let last = '';
  const key = () => JSON.stringify([...context.query].filter(([name]) => name !== 'percent'));
  const now = {data: null, problem: null};
  async function again() {
    clearTimeout(timer);
    const mine = last = key();
    try {
      const data = await api.get('/capacity', asked(context.query), context.signal);
      if (mine !== last) return;
      Object.assign(now, {data, problem: null});
    } catch (problem) {
      if (isAborted(problem) || mine !== last) return;
      now.problem = problem;
    }
    draw(now, again);
    timer = setTimeout(function turn() {
      if (document.hidden || paused.get()) timer = setTimeout(turn, 1_000);
      else again();
    }, REFRESH_MILLIS);
  }
  context.onQuery(() => key() === last ? draw(now, again) : again());
  return again().then(() => () => clearTimeout(timer));
}

/** All flows, or what would become of them. */
export const show = context => ask(context, ({data, problem}, again) => {
  const view = context.query.get('view') === 'whatif' ? 'whatif' : 'flows';
  context.render(html`<div class="stack capacity">
    <div class="row"><span class="segments" role="group" aria-label="View">${choice('view', Object.entries(VIEWS), view, 'flows')}</span><span class="space"></span><span class="segments" role="group" aria-label="Range">${
      choice('range', Object.entries(RANGES).map(([name, [says]]) => [name, says]), rangeOf(context.query), '10m')}</span></div>
    ${problem ? failure(problem, again) : nothing}
    ${!data ? nothing : data.flows.length === 0 ? html`<section class="card flush">${empty('Nothing came in in this time', 'A flow is here once a command or a query was handled. Choose a longer range, or send one by hand.')}</section>`
      : view === 'flows' ? flows(data, context.query) : whatIf(data, context.query)}</div>`);
});

const choice = (name, all, now, standard) => all.map(([value, says]) => html`<button type="button" aria-pressed=${String(value === now)} @click=${() => setQuery({[name]: value === standard ? null : value})}>${says}</button>`);

// ---- measured

function flows(data, query) {
  const most = Math.max(1e-9, ...data.flows.map(flow => flow.through.mean ?? 0));
  return html`<section class="card flush"><header><h2>What comes in, and what it leads to</h2><span class="space"></span><span class="dim">${format.plural(data.minutes, 'minute')} looked at</span></header>
    <div class="scroller" tabindex="0" role="region" aria-label="Flows"><table class="table"><thead><tr><th scope="col">Comes in</th><th scope="col" class="end">Rate</th><th scope="col" class="end">Failed</th><th scope="col" class="end">Half answered in</th><th
      scope="col" class="end">99 of 100 in</th><th scope="col" class="end">99 of 100 through</th><th scope="col" class="where">Where the time goes</th></tr></thead><tbody>${data.flows.map(flow => html`<tr class="item"><td><a class="open" href=${to('capacity', [flow.kind, flow.type], query)}>${payload(flow.kind, flow.type)}</a></td><td class="end">${
      often(flow.perSecond)}</td><td class="end">${failed(flow.errorShare)}</td><td class="end">${format.duration(flow.answer.p50)}</td><td class="end">${format.duration(flow.answer.p99)}</td><td class="end">${format.duration(flow.through.p99)}</td><td class="where">${
      stacked(flow.parts, (flow.through.mean ?? 0) / most, flow.type)}</td></tr>`)}</tbody></table></div>
    ${data.left ? html`<p class="dim none">${format.plural(data.left, 'flow')} more, rarer than these.</p>` : nothing}</section>
    ${legend()}<p class="buttons"><a class="button" href=${to('map')}>${icon('map')}Map</a>${can('read') ? html`<a class="button" href=${to('flow')}>${icon('flows')}One flow</a>` : nothing}</p>`;
}

/** Rare ones by the minute. */
const often = value => value > 0 && value < 0.1 ? `${format.count(value * 60)}/min` : format.rate(value);
const failed = share => share > 0 ? html`<span class="warn">${format.percent(share)}</span>` : '0';

/** Mean time by what it is spent on; `share` is how long the bar is. */
function stacked(parts, share, of) {
  const total = Object.values(parts).reduce((sum, part) => sum + part, 0);
  const says = Object.entries(PARTS).filter(([name]) => parts[name] > 0).map(([name, [title]]) => `${title} ${format.duration(parts[name])}`).join(', ');
  let at = 0;
  return html`<svg class="parts-bar" viewBox="0 0 100 8" preserveAspectRatio="none" role="img" aria-label="${of}: ${says || 'nothing measured'}"><title>${says}</title>${Object.keys(PARTS).map(name => {
    const width = total > 0 ? (parts[name] ?? 0) / total * share * 100 : 0;
    const bar = svg`<rect class=${name} x=${at.toFixed(2)} width=${Math.max(0, width).toFixed(2)} height="8"></rect>`;
    at += width;
    return width > 0 ? bar : nothing;
  })}</svg>`;
}

const legend = () => html`<ul class="parts-legend" aria-label="What time is spent on">${Object.entries(PARTS).map(([name, [title, says]]) => html`<li><svg viewBox="0 0 10 10" aria-hidden="true"><rect class=${name} width="10" height="10" rx="2"></rect></svg><b>${title}</b> <span class="dim">${says}</span></li>`)}</ul>`;

/** One flow: `/capacity/command/Deposit`. */
export const detail = context => ask(context, ({data, problem}, again) => {
  const [kind, type] = context.path;
  const flow = data?.flows.find(one => one.kind === kind && one.type === type);
  context.title(type);
  if (!flow) {
    context.render(problem ? failure(problem, again) : empty('It did not come in in this time', 'Choose a longer range.'));
    return;
  }
  const percent = context.query.get('percent') === '50' ? 'p50' : 'p99';
  const lines = [];
  const add = (hop, depth) => {
    lines.push({hop, depth});
    hop.next.forEach(next => add(next, depth + 1));
  };
  add(flow.hop, 0);
  const most = Math.max(1e-9, ...lines.map(({hop}) => hop.now?.mean ?? 0));
  context.render(html`<div class="stack capacity ${context.isPanel ? '' : 'card'}">${problem ? failure(problem, again) : nothing}
    <dl class="figures">${figure('Rate', often(flow.perSecond), 'from outside')}${figure('Answered', format.duration(flow.answer[percent]), percent === 'p99' ? '99 of 100' : 'half')}${figure('Through', format.duration(flow.through[percent]), 'last consumer done')}${
      figure('Failed', format.percent(flow.errorShare), 'of all')}</dl>
    <section class="stack"><div class="row"><h3>Where the mean time of ${format.duration(flow.through.mean)} goes</h3></div>${stacked(flow.parts, 1, type)}<p class="dim">${Object.entries(PARTS).filter(([name]) => flow.parts[name] > 0).map(([name, [title]]) => `${title} ${format.duration(flow.parts[name])}`).join(' · ')}</p></section>
    <section class="stack"><div class="row"><h3>Step by step</h3><span class="space"></span><span class="segments" role="group" aria-label="Percentile">${choice('percent', [['50', 'Half'], ['99', '99 of 100']], percent.slice(1), '99')}</span></div>
    <ol class="hops">${lines.map(({hop, depth}) => line(hop, depth, percent, most, context.query.get('view') === 'whatif'))}</ol><p class="dim">The way that takes longest is bold. × says how many there are for each that comes in.</p></section>
    ${legend()}
    <p class="buttons"><a class="button" href=${to('map', [], {kind: flow.kind, name: flow.type})}>${icon('map')}On the map</a><a class="button" href=${to('payloads', [flow.kind, flow.type])}>${icon('payloads')}Its type</a></p></div>`);
});

function line(hop, depth, percent, most, isThen) {
  const isConsumer = hop.kind === 'consumer';
  const at = hop.handler?.lastIndexOf(':') ?? -1;
  const who = isConsumer && at > 0 ? html`<a href=${to('consumers', [hop.handler.slice(0, at), hop.handler.slice(at + 1)])}>${hop.handler}</a>` : html`${hop.handler ?? ''}`;
  const ratio = Math.abs(hop.ratio - 1) < 0.005 ? '' : ` × ${format.count(hop.ratio)}`;
  return html`<li class=${hop.isLongest ? 'longest' : ''}><span class="hop" .style=${`padding-inline-start:${Math.min(depth, 10)}rem`}>${isConsumer ? html`${tag('consumer')} ${who}` : html`${payload(hop.kind, hop.type, to('payloads', [hop.kind, hop.type]))}${hop.handler ? html` <span class="dim">${hop.handler}</span>` : nothing}`}${
    hop.isLongest ? html`<span class="hidden"> on the longest way</span>` : nothing}<span class="dim">${ratio}</span>${hop.errorShare > 0 ? html` <span class="warn">${format.percent(hop.errorShare)} failed</span>` : nothing}</span><span class="num took">${
    !hop.now ? html`<span class="dim">with it</span>` : isThen ? both(hop.now[percent], hop.then[percent]) : format.duration(hop.now[percent])}</span><span class="time">${hop.parts ? stacked(hop.parts, (hop.now.mean ?? 0) / most, hop.type) : nothing}</span></li>`;
}

// ---- what if

const FACTORS = [['1', 'as now'], ['1.5', '× 1.5'], ['2', '× 2'], ['3', '× 3'], ['5', '× 5']];

function whatIf(data, query) {
  const bundles = Object.entries(data.instances).filter(([bundle]) => data.stations.some(({now}) => now.bundle === bundle));
  const isAssumed = [...query].some(([name]) => /^(all|cores|target|rate\..*|instances\..*)$/.test(name));
  return html`${verdict(data)}
    <section class="card stack"><div class="row"><h2>What is assumed</h2><span class="space"></span>${isAssumed ? html`<button type="button" class="button small" @click=${() => forget(query)}>As measured</button>` : nothing}</div>
      <div class="row"><span class="label">All that comes in</span><span class="segments" role="group" aria-label="All that comes in">${choice('all', FACTORS, query.get('all') ?? '1', '1')}</span></div>
      <div class="row assumed">${bundles.map(([bundle, now]) => number(`Instances of ${bundle}`, `instances.${bundle}`, query, `now ${now}`, 1))}${number('Cores of each machine', 'cores', query, 'as they are', 1)}${number('99 of 100 answers within, ms', 'target', query, 'no target', 1)}</div></section>
    <section class="card flush"><header><h2>Flows</h2></header><div class="scroller" tabindex="0" role="region" aria-label="Flows as they would be"><table class="table"><thead><tr><th scope="col">Comes in</th><th scope="col" class="end">Now</th><th scope="col" class="end">Then, a second</th><th scope="col" class="end">Half</th><th
      scope="col" class="end">99 of 100</th><th scope="col" class="end">99 of 100 through</th></tr></thead><tbody>${data.flows.map(flow => html`<tr class="item"><td>${payload(flow.kind, flow.type, to('capacity', [flow.kind, flow.type], query))}</td><td class="end">${often(flow.perSecond)}</td><td class="end">${
      rate(flow, query)}</td><td class="end">${both(flow.answer.p50, flow.then.answer.p50)}</td><td class="end">${both(flow.answer.p99, flow.then.answer.p99)}</td><td class="end">${both(flow.through.p99, flow.then.through.p99)}</td></tr>`)}</tbody></table></div></section>
    <section class="card flush"><header><h2>What they queue for</h2></header><div class="scroller" tabindex="0" role="region" aria-label="What they queue for"><table class="table"><thead><tr><th scope="col">Station</th><th scope="col" class="end">Servers</th><th scope="col" class="end">Busy now</th><th scope="col" class="end">Busy then</th><th
      scope="col" class="use"><span class="hidden">Busy then, as a bar</span></th><th scope="col" class="end">Mean wait then</th><th scope="col" class="end">Saturates at</th></tr></thead><tbody>${data.stations.map(({now, then}) => html`<tr class="item"><td>${STATIONS[then.kind](then)}</td><td class="end">${
      format.number(then.servers)}</td><td class="end">${use(now.utilisation)}</td><td class="end">${use(then.utilisation)}</td><td class="use">${meter(then.utilisation, {label: `${then.name}: ${format.percent(then.utilisation)} busy`, tone: tone(then.utilisation)})}</td><td class="end">${
      ['machine', 'process'].includes(then.kind) ? '–' : then.waiting === undefined ? html`<span class="bad">no end</span>` : format.duration(then.waiting)}</td><td class="end">${then.headroom === undefined ? '–' : `× ${format.count(then.headroom)}`}</td></tr>`)}</tbody></table></div></section>
    ${model(data)}`;
}

const tone = share => share >= RED ? 'bad' : share >= AMBER ? 'warn' : 'ok';
const use = share => share >= AMBER ? state(tone(share), format.percent(share)) : format.percent(share);
const both = (now, then) => html`<span class="dim">${format.duration(now)}</span> → ${then === undefined ? html`<span class="bad">no end</span>` : format.duration(then)}`;

function forget(query) {
  setQuery(Object.fromEntries([...query.keys()].filter(name => !['view', 'range'].includes(name)).map(name => [name, null])));
}

function number(label, name, query, placeholder, min) {
  return html`<label class="field"><span>${label}</span><input type="number" min=${min} step="1" inputmode="numeric" placeholder=${placeholder} .value=${query.get(name) ?? ''} @change=${event => setQuery({[name]: event.target.checkValidity() ? event.target.value : null})}></label>`;
}

/** The rate of one flow, to type over: a number a second, or a factor as x2. */
function rate(flow, query) {
  const name = `rate.${flow.id}`;
  const set = event => {
    const text = event.target.value.trim().replace(/^[×*]\s*/, 'x').replace(',', '.');
    const isFit = text === '' || /^x?\d{1,7}(\.\d+)?$/.test(text) && Number(text.replace('x', '')) <= (text.startsWith('x') ? 1_000 : 1e7);
    event.target.setAttribute('aria-invalid', String(!isFit));
    if (isFit) setQuery({[name]: text || null});
  };
  return html`<input class="input rate num" aria-label="Rate of ${flow.type} then: a number a second, or x2 for twice as many" placeholder=${format.count(flow.then.perSecond)} .value=${query.get(name) ?? ''} @change=${set}>`;
}

function verdict(data) {
  const {first, headroom} = data;
  if (!first) return html`<p class="notice">Nothing that could saturate was measured.</p>`;
  const name = STATIONS[first.kind](first);
  const isOver = first.utilisation >= 1;
  const needs = data.needs.map(need => html`<li>${need.instances === undefined
    ? html`<b>${need.bundle}</b>: no number of instances up to 32 would do. Its answers do not wait for threads.`
    : html`<b>${need.bundle}</b>: ${format.plural(need.instances, 'instance')}, ${need.instances <= need.connected ? 'which it has' : `it has ${need.connected}`}.`}</li>`);
  return html`<div class="notice ${isOver ? 'bad' : tone(first.utilisation) === 'ok' ? 'ok' : 'warn'} verdict" role="status"><p>${isOver
    ? html`${state('bad', 'Too much.')} The ${name} would saturate: ${format.count(headroom)} × of what is assumed can come in.`
    : html`${state(tone(first.utilisation) === 'ok' ? 'ok' : 'warn', `${format.count(headroom)} ×`)} of what is assumed can come in before the ${name} saturate. ${
      data.stretch > 1.01 ? `Everything takes ${format.count(data.stretch)} × as long as processors are busier.` : ''}`}</p>${
    needs.length ? html`<ul class="needs">${needs}</ul>` : nothing}</div>${full(data)}`;
}

/** What is busy all the time may have more to do than it shows. */
function full(data) {
  const names = data.stations.map(one => one.now).filter(one => one.kind === 'machine' && one.utilisation >= FULL).map(one => one.name);
  return names.length === 0 ? nothing : html`<p class="notice warn">The machine of ${names.join(', ')} was fully busy in this time. What messages cost there cannot be told, so this forecast says little: choose a calmer range.</p>`;
}

function model(data) {
  return html`<details class="card model"><summary>The model, and what it assumes</summary><div class="stack">
    <p>Each station is a queue of its own. Erlang’s C gives how many wait, the approximation of Allen and Cunneen how long, from the mean and the variance that were measured; times of those who wait are exponential. One hop after the other adds up, and what is slow in one says nothing of the next.</p>
    <ul class="assumptions"><li>Arrivals come by chance. A burst waits longer than this says.</li>
      <li>The mix stays: as many of each event for a command, as concentrated on the same streams, payloads as large.</li>
      <li>How busy streams are follows from the wait that was measured; how busy segments are, from the stay. Both hold the way to the bundle and back, so they say too much rather than too little.</li>
      <li>A bundle’s instance has 64 threads for commands and 64 for queries. More instances are more threads, not more processors.</li>
      <li>Every message costs the same on processors; what they do without any is taken off where minutes differ enough to tell. All that was measured gets longer with them, also what waits for a disk. What else runs there stays as it is. Machines without a node are not seen.</li>
      <li>The store appends in batches, which grow with the load: it is no station. What it costs on the machine of a node counts there.</li></ul>
    <p>Looked at: ${format.plural(data.minutes, 'minute')}, ${format.rate(data.messages)} messages. How well it has foretold a measured load stands in the documentation, on the page about capacity.</p></div></details>`;
}
