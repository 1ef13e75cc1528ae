import {html, nothing} from '../lib/lit-html/lit-html.js';
import {api, isAborted} from '../core/api.js';
import {topic, together} from '../core/live.js';
import {go, setQuery, to} from '../core/router.js';
import * as format from '../core/format.js';
import {can, whyNot} from '../core/can.js';
import {action, failure, icon, payload, skeleton, state, time} from '../parts/kind.js';
import {heat} from '../parts/heat.js';
import {meter, spark} from '../parts/spark.js';
import {toast} from '../parts/toast.js';
import {killButton} from './nodes/kill.js';
import '../parts/chart.js';

const POINTS = 60;
const SERIES_MILLIS = 15_000;
const HANDLERS = 8;
const HAPPENED = 8;

/** What the charts go back to, in seconds. */
const RANGES = {'1h': ['1 hour', 3_600], '6h': ['6 hours', 21_600], '24h': ['24 hours', 86_400], '7d': ['7 days', 604_800]};

const metrics = topic('metrics');
const alarms = topic('alarms');

/** Where an alarm of a kind is mended; its subject is as the server writes it. */
const PLACES = {
  'consumer-stuck': subject => to('consumers', consumer(subject)),
  'dead-letters-full': subject => to('letters', [], {consumer: consumer(subject).join('/')}),
  'handler-missing': subject => to('payloads', ['command', subject]),
  'node-gone': subject => to('nodes', [subject]),
  'timer-old': subject => to('nodes', [subject]),
  'database-unfit': subject => to('nodes', [subject]),
};

/** `name:version` as name and version; a name may have a colon, too. */
function consumer(subject) {
  const at = subject.lastIndexOf(':');
  return at < 0 ? [subject] : [subject.slice(0, at), subject.slice(at + 1)];
}

/** Whether all is well, what the cluster does now, and what it did. */
export async function show(context) {
  const seconds = [];
  let past = {problem: null};
  let timer = 0;
  let from = '';

  const draw = () => {
    const [now, raised] = [metrics.get(), alarms.get()];
    if (!now.data) return;
    context.render(page(now.data, raised.data, seconds, past, context.query, again));
  };
  const range = () => RANGES[context.query.get('range')] ? context.query.get('range') : '1h';

  async function again() {
    clearTimeout(timer);
    const mine = range();
    from = mine;
    const query = {from: new Date(Date.now() - RANGES[mine][1] * 1_000).toISOString()};
    try {
      const [series, spread, handlers, {annotations}] = await Promise.all([
        api.get('/telemetry/series', query, context.signal),
        api.get('/telemetry/heat', query, context.signal),
        api.get('/telemetry/handlers', {limit: 200}, context.signal),
        api.get('/telemetry/annotations', query, context.signal),
      ]);
      if (from === mine) past = {series, spread, handlers: handlers.handlers, annotations, problem: null};
    } catch (problem) {
      if (isAborted(problem)) return;
      past = {...past, problem};
    }
    draw();
    timer = setTimeout(function turn() {
      if (document.hidden) timer = setTimeout(turn, 1_000);
      else again();
    }, SERIES_MILLIS);
  }

  let seenAt = '';
  const off = together([metrics, alarms], () => {
    const {data} = metrics.get();
    if (data && data.at !== seenAt) {
      seenAt = data.at;
      seconds.push(data);
      if (seconds.length > POINTS) seconds.shift();
    }
    draw();
  });
  context.onQuery(() => from === range() ? draw() : again());
  context.signal.addEventListener('abort', () => clearTimeout(timer));
  await again();
  return () => {
    off();
    clearTimeout(timer);
  };
}

function page(now, raised, seconds, past, query, again) {
  return html`<div class="stack">
    ${health(now, raised)}
    <dl class="figures">
      ${figure('Commands', format.rate(now.rates.commands), seconds.map(one => one.rates.commands), 'command', 'answered')}
      ${figure('Events', format.rate(now.rates.events), seconds.map(one => one.rates.events), 'event', 'stored')}
      ${figure('Queries', format.rate(now.rates.queries), seconds.map(one => one.rates.queries), 'query', 'answered')}
      ${figure('Half of the commands', format.duration(now.commands.p50), seconds.map(one => one.commands.p50 ?? null), 'accent', html`99 of 100: ${format.duration(now.commands.p99)}`)}
      ${figure('Failures', format.rate(now.rates.errors), seconds.map(one => one.rates.errors), now.rates.errors > 0 ? 'warn' : 'dim', worst(now.errors))}
      ${figure('Furthest behind', now.lag && now.lag.events > 0 ? format.duration(now.lag.seconds * 1_000) : 'none', seconds.map(one => one.lag?.seconds ?? 0), 'view',
        now.lag && now.lag.events > 0 ? html`<a href=${to('consumers', consumer(now.lag.consumer))}>${now.lag.consumer}</a>, ${format.plural(now.lag.events, 'event')}` : 'all consumers are up to date')}
    </dl>
    <div class="row"><h2>Over time</h2><span class="space"></span>${past.series ? eventsOf(past.series) : nothing}<div class="segments" role="group" aria-label="Range">${Object.entries(RANGES).map(([name, [says]]) =>
      html`<button type="button" aria-pressed=${(query.get('range') ?? '1h') === name} @click=${() => setQuery({range: name === '1h' ? null : name})}>${says}</button>`)}</div></div>
    ${past.problem ? failure(past.problem, again) : nothing}
    ${past.series ? html`${charts(past)}${happened(past.annotations, query)}` : past.problem ? nothing : skeleton(6)}
    <div class="cards wide">${nodes(now)}${past.handlers ? slowest(past.handlers) : nothing}</div>
  </div>`;
}

function figure(label, value, values, tone, more) {
  return html`<div class="figure"><dt>${label}</dt><dd>${value}</dd><dd class="more">${more}</dd><dd class="line">${spark(values, {label: `${label} in the last minute`, tone})}</dd></div>`;
}

function worst(errors) {
  const [first] = Object.entries(errors ?? {}).sort((a, b) => b[1] - a[1]);
  return first ? `most: ${first[0]}` : 'none in ten seconds';
}

/** One sentence, or what is not well. */
function health(now, raised) {
  if (!raised) return skeleton(1);
  const all = Object.values(raised.alarms).sort((a, b) => Number(b.severity === 'critical') - Number(a.severity === 'critical') || b.id - a.id);
  const unreachable = now.unreachable.length ? html`<p class="notice warn">${now.unreachable.join(', ')} did not answer in time: what ${now.unreachable.length === 1 ? 'it does' : 'they do'} is in no figure.</p>` : nothing;
  if (all.length === 0) {
    return html`<p class="notice ok">${state('ok', 'All is well.')} ${format.plural(now.nodes.length, 'node')}, no alarms.</p>${unreachable}`;
  }
  return html`<ul class="alarms" aria-label="Alarms">${all.map(alarm => html`<li class="notice ${alarm.severity === 'critical' ? 'bad' : 'warn'}"><p>${
    state(alarm.severity === 'critical' ? 'bad' : 'warn', alarm.severity)} ${alarm.cause}, since ${time(alarm.since, 'clock')}.</p>${
    PLACES[alarm.kind] ? html`<a class="button small" href=${PLACES[alarm.kind](alarm.subject)}>Look</a>` : nothing}</li>`)}</ul>${unreachable}`;
}

// ---- over time

/** Every step of the range, as steps in which nothing happened are missing. */
function steps({from, to: end, step, points}) {
  const first = Math.floor(Date.parse(from) / 1_000 / step) * step;
  const last = Math.floor(Date.parse(end) / 1_000 / step) * step;
  const byTime = new Map(points.map(point => [Math.floor(Date.parse(point.at) / 1_000 / step) * step, point]));
  const times = [];
  for (let at = first; at <= last; at += step) times.push(at);
  return {times, of: read => times.map(at => { const point = byTime.get(at); return point ? read(point) : 0; })};
}

/** The page of events with those of a time, in milliseconds. */
const eventsBetween = (from, until) => to('events', [], {q: `from:${new Date(from).toISOString()} to:${new Date(until).toISOString()}`});

/** The way to the events of all that the charts show, for who does not draw over them. */
const eventsOf = series => can('read') ? html`<a class="button small" href=${eventsBetween(Date.parse(series.from), Date.parse(series.to))} title="Draw over a chart to see the events of a part of it">${icon('events')}<span>Events of this time</span></a>`
  : action({label: 'Events of this time', icon: 'events', small: true, needs: 'read', click: () => {}});

const SUBJECTS = {
  node: subject => to('nodes', [subject]),
  consumer: subject => to('consumers', consumer(subject)),
  bundle: subject => to('bundles', [subject]),
};

/** What happened meanwhile: the lines across the charts, in words. */
function happened(annotations, query) {
  const all = query.get('happened') === 'all';
  const shown = all ? annotations : annotations.slice(0, HAPPENED);
  return html`<section class="card happened"><h2 class="chart-title">What happened in this time</h2>${annotations.length === 0
    ? html`<p class="dim">No node came or went, no consumer was reset, no setting was changed, and no bundle declared anything new.</p>`
    : html`<ol>${shown.map(one => {
      const place = SUBJECTS[one.kind.split('-')[0]];
      return html`<li>${time(one.at, 'clock')} ${place ? html`<a href=${place(one.subject)}>${one.text}</a>` : html`<span>${one.text}</span>`} <span class="dim">${time(one.at)}</span></li>`;
    })}</ol>${annotations.length > HAPPENED ? html`<button type="button" class="button small" @click=${() => setQuery({happened: all ? null : 'all'})}>${
      all ? 'Show the last ones only' : `Show all ${annotations.length}`}</button>` : nothing}`}</section>`;
}

function charts({series, spread, annotations}) {
  const {times, of} = steps(series);
  const span = event => can('read') ? go(eventsBetween(event.detail.from, event.detail.to)) : toast(whyNot('read'), {tone: 'warn'});
  const flags = annotations.map(one => ({at: Date.parse(one.at) / 1_000, label: one.text}));
  const kinds = {};
  for (const point of series.points) for (const [name, value] of Object.entries(point.errors)) kinds[name] = (kinds[name] ?? 0) + value;
  const codes = Object.keys(kinds).sort((a, b) => kinds[b] - kinds[a]).slice(0, 5);
  const tones = ['bad', 'warn', 'command', 'query', 'view'];
  const columns = spread.rows.map(row => Date.parse(row.at) / 1_000);
  return html`<div class="cards wide">
    <section class="card"><ev-chart .title=${'Throughput, a second'} .times=${times} .sync=${'dashboard'} .annotations=${flags} .stacked=${true} @span=${span} .series=${[
      {label: 'Commands', tone: 'command', values: of(point => point.rates.commands)},
      {label: 'Events', tone: 'event', values: of(point => point.rates.events)},
      {label: 'Queries', tone: 'query', values: of(point => point.rates.queries)}]}></ev-chart></section>
    <section class="card"><h2 class="chart-title">Latency of commands</h2>${spread.rows.length ? heat({title: 'Latency of commands', times: columns, bounds: spread.ends,
      counts: spread.rows.map(row => row.counts), p50: spread.rows.map(row => row.p50), p99: spread.rows.map(row => row.p99)})
      : html`<p class="dim">No command in this time.</p>`}<p class="dim legend-line">Darker: more of that time's commands. Line: half of them; dashed: 99 of 100.</p></section>
    <section class="card"><ev-chart .title=${'Latency of commands, ms'} .times=${times} .sync=${'dashboard'} .annotations=${flags} .show=${format.duration} @span=${span} .series=${[
      {label: 'Half', tone: 'accent', values: of(point => point.commands.p50 ?? null)},
      {label: '99 of 100', tone: 'warn', dash: [4, 3], values: of(point => point.commands.p99 ?? null)}]}></ev-chart></section>
    <section class="card">${codes.length ? html`<ev-chart .title=${'Failures by kind and code, a second'} .times=${times} .sync=${'dashboard'} .annotations=${flags} @span=${span} .series=${codes.map((code, at) =>
      ({label: code, tone: tones[at], values: of(point => point.errors[code] ?? 0)}))}></ev-chart>` : html`<h2 class="chart-title">Failures by kind and code</h2><p class="dim">None in this time.</p>`}</section>
  </div>`;
}

// ---- who does it

function nodes(now) {
  const most = Math.max(1e-9, ...now.nodes.map(node => node.rates.commands + node.rates.handled));
  return html`<section class="card flush"><header><h2>Nodes</h2><span class="space"></span>${killButton(now.nodes.map(node => node.node))}</header><div class="scroller" tabindex="0" role="region" aria-label="Nodes"><table class="table"><thead><tr><th scope="col">Node</th><th scope="col" class="end">Commands</th><th scope="col" class="end">99 of 100</th><th
    scope="col" class="end">Delivered</th><th scope="col" class="end">Segments</th><th scope="col" class="end">Connections</th><th scope="col"><span class="hidden">Share</span></th></tr></thead><tbody>${now.nodes.map(node => html`<tr class="item"><td><a href=${to('nodes', [node.node])}>${node.node}</a>${
    node.unfit ? html` ${state('bad', 'unfit')}` : nothing}</td><td class="end">${format.rate(node.rates.commands)}</td><td class="end">${format.duration(node.commands.p99)}</td><td class="end">${format.rate(node.rates.handled)}</td><td class="end">${
    format.number(node.segments)}</td><td class="end">${node.pool ? `${node.pool.active} of ${node.pool.max}` : '–'}</td><td class="grow">${meter((node.rates.commands + node.rates.handled) / most, {label: `${node.node}: its share of the work`, tone: 'accent'})}</td></tr>`)}</tbody></table></div></section>`;
}

const COMPONENT = {command: 'command', query: 'query', consumer: 'event', append: 'event'};

/** Where the time of the last quarter of an hour went. */
function slowest(handlers) {
  const cost = one => one.count * (one.times.total?.mean ?? 0);
  const list = handlers.filter(one => one.type && one.type !== 'other').sort((a, b) => cost(b) - cost(a)).slice(0, HANDLERS);
  const most = Math.max(1e-9, ...list.map(cost));
  return html`<section class="card flush"><header><h2>Where the time goes</h2><span class="dim">last 15 minutes</span></header>${list.length === 0 ? html`<p class="dim none">Nothing was handled in this time.</p>` : html`<div class="scroller" tabindex="0" role="region" aria-label="Where the time goes"><table class="table"><thead><tr><th scope="col">Type</th><th scope="col">By</th><th scope="col" class="end">Rate</th><th scope="col" class="end">99 of 100</th><th scope="col" class="end">Failed</th><th
    scope="col"><span class="hidden">Share of the time</span></th></tr></thead><tbody>${list.map(one => html`<tr class="item"><td>${payload(COMPONENT[one.kind] ?? 'event', one.type, to('payloads', [COMPONENT[one.kind] ?? 'event', one.type]))}</td><td>${one.handler || 'callers'}</td><td class="end">${
    format.rate(one.perSecond)}</td><td class="end">${format.duration(one.times.total?.p99)}</td><td class="end">${one.errorShare > 0 ? html`<span class="warn">${format.percent(one.errorShare)}</span>` : '0'}</td><td class="grow">${meter(cost(one) / most, {label: `${one.type}: its share of the time`, tone: 'accent'})}</td></tr>`)}</tbody></table></div>`}</section>`;
}
