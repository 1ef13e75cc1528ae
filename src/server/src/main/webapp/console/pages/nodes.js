import {html, nothing} from '../lib/lit-html/lit-html.js';
import {shown, together, topic, watch} from '../core/live.js';
import {to} from '../core/router.js';
import * as format from '../core/format.js';
import {copyable, empty, failure, state, time} from '../parts/kind.js';
import {meter, spark} from '../parts/spark.js';
import {checklist, drainButton} from './nodes/drain.js';
import {livesOf, timeline} from './nodes/lives.js';

const POINTS = 60;
const nodes = topic('nodes');
const database = watch('/database', {every: 5_000});

/** What each node's processor and heap were at the last looks; this page alone remembers them. */
const history = new Map();

/** The nodes of the cluster: who they are, what they carry, how far they are from each other, and when they came. */
export function show(context) {
  let off = () => {};
  let begun = null;
  const draw = () => {
    const now = nodes.get();
    if (!now.data) return;
    remember(now.data);
    context.render(html`${page(now.data)}${timeline(livesOf(context.query).get(), context.query)}${postgres(database.get())}`);
  };
  // The nodes as soon as they are there, and what is below them when it comes.
  const begin = told => {
    begun = livesOf(context.query);
    off();
    off = together([nodes, database, begun], told);
  };
  context.onQuery(() => {
    if (begun !== livesOf(context.query)) begin(draw);
    draw();
  });
  return shown({
    subscribe: told => {
      begin(() => nodes.get().data && told());
      return () => off();
    },
  }, draw);
}

/** One node, in the side panel. */
export const detail = context => shown(nodes, now => {
  remember(now.data);
  context.title(context.path[0]);
  context.render(one(now.data, now.data.nodes[context.path[0]]));
});

let rememberedAt = null;

function remember(data) {
  if (data === rememberedAt) return;
  rememberedAt = data;
  for (const node of Object.values(data.nodes)) {
    const kept = history.get(node.incarnation) ?? {cpu: Array(POINTS).fill(null), heap: Array(POINTS).fill(null)};
    history.set(node.incarnation, kept);
    kept.cpu = [...kept.cpu, node.figures?.cpuShare ?? null].slice(-POINTS);
    kept.heap = [...kept.heap, node.figures?.heapBytes ?? null].slice(-POINTS);
  }
}

function page(data) {
  const all = Object.values(data.nodes);
  const live = all.filter(node => node.state !== 'gone');
  const gone = all.filter(node => node.state === 'gone');
  const releases = [...new Set(live.map(node => node.release))];
  return html`<div class="stack">
    ${data.unreachable.length ? html`<p class="notice warn">${list(data.unreachable)} did not answer ${data.self} in time: ${data.unreachable.length === 1 ? 'its' : 'their'} figures are missing.</p>` : nothing}
    ${releases.length > 1 ? html`<p class="notice warn">Two releases run side by side: ${list(releases)}. That is meant for the time of an update only.</p>` : nothing}
    <dl class="figures">
      ${total('Nodes up', `${live.filter(node => node.state === 'up').length}`, `of ${all.length} known`)}
      ${total('Sessions', format.number(sum(live, node => node.figures?.sessions)), 'of bundles')}
      ${total('In flight', format.number(sum(live, node => node.figures?.outstanding)), 'asked and not answered')}
      ${total('Segments', format.number(sum(live, node => node.segments)), 'of consumers, delivered')}
      ${total('Slowest link', format.duration(Math.max(...live.map(node => node.linkMillis ?? 0)) || null), `from ${data.self}, there and back`)}
    </dl>
    <div class="cards">${live.map(node => card(node, data))}</div>
    ${gone.length ? html`<section class="card flush"><header><h2>Not there</h2></header><ul class="gone-nodes">${gone.map(node => html`<li><a href=${to('nodes', [node.id])}>${node.id}</a>${
      state('gone')}<span class="dim">last seen ${time(node.seenAt)}, release ${node.release}</span></li>`)}</ul></section>` : nothing}
  </div>`;
}

const sum = (all, of) => all.reduce((now, node) => now + (of(node) ?? 0), 0);
const list = names => names.length < 2 ? names[0] : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
const total = (label, value, more) => html`<div class="figure"><dt>${label}</dt><dd>${value}</dd><dd class="more">${more}</dd></div>`;

function card(node, data) {
  const figures = node.figures;
  return html`<article class="card node"><header><h2><a href=${to('nodes', [node.id])}>${node.id}</a></h2>${
    node.id === data.self ? html`<span class="pill">answers you</span>` : nothing}<span class="space"></span>${state(node.state)}</header>
    ${figures ? html`<div class="gauges">${gauge('Processor', format.percent(figures.cpuShare), figures.cpuShare, history.get(node.incarnation)?.cpu, 1)}${
      gauge('Heap', format.bytes(figures.heapBytes), figures.heapBytes / figures.heapBytesMax, history.get(node.incarnation)?.heap, figures.heapBytesMax)}</div>`
      : html`<p class="dim">No figures: ${node.id} did not answer in time.</p>`}
    <dl class="facts">
      <dt>Carries</dt><dd>${format.plural(node.segments, 'segment')}${figures ? html`, ${format.plural(figures.sessions, 'session')}, ${format.number(figures.outstanding)} in flight` : nothing}</dd>
      <dt>Up for</dt><dd>${format.duration(Date.now() - new Date(node.startedAt))}</dd>
      <dt>Link</dt><dd>${link(node, data)}</dd>
    </dl>${checklist(node)}<footer class="row">${drainButton(node, data, true)}</footer></article>`;
}

function gauge(label, value, share, values, max) {
  return html`<div class="gauge"><div class="row"><span class="dim">${label}</span><span class="space"></span><b class="num">${value}</b></div>${
    spark(values ?? [], {label: `${label} at the last ${POINTS} looks`, max})}${meter(share, {label: `${label}: ${format.percent(share)}`})}</div>`;
}

function link(node, data) {
  if (node.id === data.self) return 'this node';
  if (!node.linked) return html`<span class="bad">no link from ${data.self}</span>`;
  return node.linkMillis === undefined ? 'no answer in time' : `${format.duration(node.linkMillis)} from ${data.self}`;
}

function one(data, node) {
  if (!node) return empty('There is no such node', 'A node that left stays listed for a while. Its name may be another.');
  const figures = node.figures;
  return html`<div class="stack">
    <p class="row">${state(node.state)}${node.id === data.self ? html`<span class="pill">answers you</span>` : nothing}<span class="space"></span>${node.state === 'gone' ? nothing : drainButton(node, data)}</p>
    ${checklist(node)}
    ${figures ? html`<div class="gauges">${gauge('Processor', format.percent(figures.cpuShare), figures.cpuShare, history.get(node.incarnation)?.cpu, 1)}${
      gauge('Heap', format.bytes(figures.heapBytes), figures.heapBytes / figures.heapBytesMax, history.get(node.incarnation)?.heap, figures.heapBytesMax)}</div>` : nothing}
    <section class="stack"><h3>What it carries</h3><dl class="facts">
      <dt>Segments of consumers</dt><dd>${format.number(node.segments)}</dd>
      ${figures ? html`<dt>Sessions of bundles</dt><dd>${format.number(figures.sessions)}</dd><dt>In flight</dt><dd>${format.number(figures.outstanding)}</dd>` : nothing}</dl></section>
    ${figures ? html`<section class="stack"><h3>Its process</h3><dl class="facts">
      <dt>Heap</dt><dd>${format.bytes(figures.heapBytes)} of ${format.bytes(figures.heapBytesMax)}</dd>
      <dt>Threads</dt><dd>${format.number(figures.threads)}</dd>
      <dt>Timer</dt><dd>${figures.timerMillis === undefined ? 'not told' : `last pass ${(figures.timerMillis / 1000).toFixed(1)} s ago`}</dd>
      <dt>Processors</dt><dd>${figures.processors}, machine load ${figures.load < 0 ? 'unknown' : figures.load.toFixed(1)}</dd></dl></section>` : nothing}
    <section class="stack"><h3>Who it is</h3><dl class="facts">
      <dt>Release</dt><dd>${node.release}</dd>
      <dt>Address</dt><dd>${copyable(node.url)}</dd>
      <dt>Process</dt><dd>${copyable(node.incarnation, format.short(node.incarnation))}</dd>
      <dt>Started</dt><dd>${time(node.startedAt, 'clock')}, ${time(node.startedAt)}</dd>
      <dt>Last beat</dt><dd>${time(node.seenAt)}</dd>
      <dt>Link</dt><dd>${link(node, data)}</dd></dl></section>
  </div>`;
}

// ---- PostgreSQL

const PROMISES = {fsync: 'fsync', fullPageWrites: 'full_page_writes', synchronousCommit: 'synchronous_commit'};
const NEAR_FULL = .8;

/** The database below all nodes, which has what the cluster has to keep. */
function postgres({data, problem}) {
  if (!data) return problem ? html`<section class="postgres">${failure(problem, database.refresh)}</section>` : nothing;
  const broken = Object.keys(PROMISES).filter(name => data[name] === 'off');
  const used = data.connections / data.connectionsMax;
  const widest = Math.max(1, ...data.tables.map(table => table.bytes));
  return html`<section class="postgres stack" aria-label="PostgreSQL">
    <div class="row"><h2>PostgreSQL ${data.version}</h2><span class="space"></span>${problem ? state('failing', 'did not answer this node') : state('up')}</div>
    ${broken.length ? html`<p class="notice bad">${list(broken.map(name => PROMISES[name]))} ${broken.length === 1 ? 'is' : 'are'} off: after a crash of its machine, events that callers were told of may be gone. Set ${broken.length === 1 ? 'it' : 'them'} on.</p>` : nothing}
    <dl class="figures">
      ${total('Size', format.bytes(data.bytes), 'of this database')}
      <div class="figure"><dt>Connections</dt><dd>${format.number(data.connections)}</dd><dd class="more">of ${format.number(data.connectionsMax)}${used > NEAR_FULL ? html`, <span class="warn">nearly all</span>` : nothing}</dd></div>
      ${total('A look', format.duration(data.lookMillis), 'of the node that answers, there and back')}
      ${total('From memory', format.percent(data.cacheHits), 'of blocks that were wanted')}
      ${total('Up for', format.duration(Date.now() - new Date(data.startedAt)), Object.entries(PROMISES).map(([name, says]) => `${says} ${data[name]}`).join(', '))}
    </dl>
    <div class="card flush"><div class="scroller" tabindex="0" role="region" aria-label="Largest tables"><table class="table"><thead><tr><th scope="col">Table</th><th scope="col" class="end">Size</th><th scope="col" class="end">Rows</th><th scope="col" class="end">Dead rows</th><th
      scope="col"><span class="hidden">Share</span></th></tr></thead><tbody>${data.tables.map(table => html`<tr class="item"><td class="mono">${table.name}</td><td class="end">${format.bytes(table.bytes)}</td><td class="end">${format.count(table.rows)}</td><td class="end">${
      format.count(table.deadRows)}</td><td class="grow">${meter(table.bytes / widest, {label: `${table.name}: ${format.bytes(table.bytes)}`, tone: 'accent'})}</td></tr>`)}</tbody></table></div></div>
  </section>`;
}
