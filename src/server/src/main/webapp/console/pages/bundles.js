import {html, nothing} from '../lib/lit-html/lit-html.js';
import {shown, together, watch} from '../core/live.js';
import {setQuery, to} from '../core/router.js';
import * as format from '../core/format.js';
import {copyable, empty, failure, figure, state, tag, time} from '../parts/kind.js';
import '../parts/table.js';

const bundles = watch('/bundles', {every: 3_000});
const sessions = watch('/bundles/sessions', {every: 2_000});

/** Both, as soon as both are there. */
const both = {
  subscribe: told => together([bundles, sessions], ([hosts, open]) => {
    if (hosts.data && open.data || hosts.problem || open.problem) told({hosts, open});
  }),
};

/** Who is connected: bundles, their instances, and the sessions of these with nodes. */
export function show(context) {
  const draw = now => context.render(page(now, context.query));
  context.onQuery(() => draw({hosts: bundles.get(), open: sessions.get()}));
  return shown(both, draw);
}

/** One bundle with all its instances. */
export function detail(context) {
  const unfolded = new Map(); // by instance, where somebody said so
  const draw = now => {
    context.title(context.path[0]);
    const one = all(now).find(bundle => bundle.name === context.path[0]);
    const isOpen = instance => unfolded.get(instance) ?? one.instances.length < FOLDED_FROM;
    const fold = (instance, open) => {
      if (open === isOpen(instance)) return;
      unfolded.set(instance, open);
      draw({hosts: bundles.get(), open: sessions.get()});
    };
    context.render(one ? full(one, context, isOpen, fold) : now.hosts.data ? empty('It is not connected', 'No instance of this bundle has a session with a node now.') : failure(now.hosts.problem, bundles.refresh));
  };
  return shown(both, draw);
}

/** The instances by their bundle, each with its sessions. */
function all({hosts, open}) {
  const found = new Map();
  for (const instance of hosts.data?.bundles ?? []) {
    const one = found.get(instance.bundle) ?? {name: instance.bundle, instances: []};
    found.set(instance.bundle, one);
    one.instances.push({...instance, sessions: (open.data?.sessions ?? []).filter(session => session.instance === instance.instance)});
  }
  for (const one of found.values()) {
    const of = member => [...new Set(one.instances.flatMap(instance => instance[member] ?? []))].sort();
    Object.assign(one, {nodes: of('nodes'), commands: of('commands'), queries: of('queries'), components: of('components'), consumers: of('consumers'),
      sessions: one.instances.flatMap(instance => instance.sessions), silent: one.instances.filter(instance => instance.unresponsive)});
    one.outstanding = one.sessions.reduce((sum, session) => sum + session.outstanding, 0);
    // In the time of a rolling update old and new ones declare different things.
    one.forms = new Set(one.instances.map(instance => JSON.stringify([instance.components, instance.commands, instance.queries, instance.consumers]))).size;
  }
  return [...found.values()];
}

function page(now, query) {
  if (!now.hosts.data) return failure(now.hosts.problem, bundles.refresh);
  const known = all(now);
  const text = (query.get('q') ?? '').toLowerCase();
  const rows = known.filter(one => one.name.toLowerCase().includes(text));
  const silent = known.flatMap(one => one.silent);
  const sum = member => known.reduce((total, one) => total + one[member].length, 0);
  if (known.length === 0) {
    return empty('No bundle is connected', 'A bundle is a program with handlers. It appears here a moment after it started.', 'EventoBundle.named("bank").connect("ws://…/evento").register(new Account()).start()');
  }
  return html`<div class="stack">
    ${now.open.data?.unreachable.length ? html`<p class="notice warn">${now.open.data.unreachable.join(', ')} did not answer in time: its sessions are missing.</p>` : nothing}
    ${silent.length ? html`<p class="notice bad">${format.plural(silent.length, 'instance')} ${silent.length === 1 ? 'does' : 'do'} not answer, and ${silent.length === 1 ? 'is' : 'are'} passed over where another one can be asked: ${silent.map(one => `${one.bundle} ${format.short(one.instance)}`).join(', ')}.</p>` : nothing}
    <dl class="figures">
      ${figure('Bundles', format.number(known.length), 'connected')}
      ${figure('Instances', format.number(sum('instances')), 'processes')}
      ${figure('Sessions', now.open.data ? format.number(sum('sessions')) : '–', 'one with each node')}
      ${figure('In flight', now.open.data ? format.number(known.reduce((total, one) => total + one.outstanding, 0)) : '–', 'asked and not answered')}
      ${figure('Silent', format.number(silent.length), 'instances that do not answer')}
    </dl>
    <section class="card flush">
      <div class="toolbar list-tools"><span class="space"></span><label class="hidden" for="bundles-filter">Name contains</label><input id="bundles-filter" class="input" type="search" placeholder="Name contains" .value=${query.get('q') ?? ''}
        @input=${event => setQuery({q: event.target.value})}></div>
      <ev-table .name=${'bundles'} .label=${'Bundles'} .columns=${COLUMNS} .rows=${rows} .key=${one => one.name} .href=${one => to('bundles', [one.name], query)} .empty=${empty('None is named so', 'Clear the filter to see all.')}></ev-table>
    </section>
  </div>`;
}

const number = member => one => one[member].length;
const COLUMNS = [
  {key: 'name', title: 'Bundle', grow: true, sort: one => one.name, cell: one => html`<b>${one.name}</b>${one.forms > 1 ? html` <span class="pill warn">${one.forms} versions</span>` : nothing}`},
  {key: 'state', title: 'State', sort: one => one.silent.length, text: one => one.silent.length ? 'silent' : 'up', cell: one => one.silent.length ? state('unresponsive', `${one.silent.length} silent`) : state('up')},
  {key: 'instances', title: 'Instances', end: true, sort: number('instances'), text: number('instances'), cell: number('instances')},
  {key: 'nodes', title: 'Nodes', end: true, narrow: false, sort: number('nodes'), text: number('nodes'), cell: number('nodes')},
  {key: 'components', title: 'Components', end: true, narrow: false, sort: number('components'), text: number('components'), cell: number('components')},
  {key: 'commands', title: 'Commands', end: true, narrow: false, sort: number('commands'), text: number('commands'), cell: number('commands')},
  {key: 'queries', title: 'Queries', end: true, narrow: false, sort: number('queries'), text: number('queries'), cell: number('queries')},
  {key: 'outstanding', title: 'In flight', end: true, sort: one => one.outstanding, cell: one => format.number(one.outstanding)},
];

// ---- one bundle

const FOLDED_FROM = 10;

function full(one, context, isOpen, fold) {
  return html`<div class="stack">${context.isPanel ? nothing : html`<h2>${one.name}</h2>`}
    <dl class="figures pair">
      ${figure('Instances', format.number(one.instances.length), one.forms > 1 ? `${one.forms} versions side by side` : 'all declare the same')}
      ${figure('In flight', format.number(one.outstanding), `in ${format.plural(one.sessions.length, 'session')}`)}
    </dl>
    <section class="stack"><h3>Components</h3>${one.components.length ? html`<ul class="chips">${one.components.map(component)}</ul>` : html`<p class="dim">It hosts nothing: it sends only.</p>`}</section>
    ${one.consumers.length ? html`<section class="stack"><h3>Consumers</h3><ul class="chips">${one.consumers.map(consumer)}</ul></section>` : nothing}
    <section class="stack"><h3>Instances</h3>${one.instances.map(instance => html`<details class="card instance" ?open=${isOpen(instance.instance)} @toggle=${event => fold(instance.instance, event.currentTarget.open)}><summary class="row"><b class="mono">${format.short(instance.instance)}</b><span class="dim">${
      format.plural(instance.sessions.length, 'session')}</span><span class="space"></span>${instance.unresponsive ? state('unresponsive', 'silent') : state('up')}</summary>${isOpen(instance.instance) ? inside(instance) : nothing}</details>`)}</section>
    <section class="stack"><h3>Answers</h3><dl class="facts"><dt>Commands</dt><dd>${one.commands.join(', ') || 'none'}</dd><dt>Queries</dt><dd>${one.queries.join(', ') || 'none'}</dd></dl></section>
  </div>`;
}

/** What an instance unfolds to: hundreds of them are not drawn whole. */
function inside(instance) {
  return html`
      ${instance.unresponsive ? html`<p class="notice bad">It let ${instance.unresponsive.unanswered} deadlines in a row pass, the first ${time(instance.unresponsive.since)}. It is asked again ${time(instance.unresponsive.until)}.</p>` : nothing}
      <p class="dim">${copyable(instance.instance)}</p>
      <div class="scroller" tabindex="0" role="region" aria-label="Sessions of ${format.short(instance.instance)}"><table class="table"><thead><tr><th scope="col">Node</th><th scope="col">Open since</th><th scope="col">From</th><th scope="col" class="end">In flight</th></tr></thead>
        <tbody>${instance.sessions.map(session => html`<tr class="item"><td><a href=${to('nodes', [session.node])}>${session.node}</a></td><td>${time(session.since)}</td><td>${session.address}</td><td class="end">${
          format.number(session.outstanding)}</td></tr>`)}</tbody></table></div>`;
}

function component(text) {
  const [kind, ...name] = text.split(' ');
  return html`<li class="chip">${tag(kind)} ${name.join(' ')}</li>`;
}

function consumer(text) {
  const [name, version] = text.split(':');
  return html`<li><a class="chip" href=${to('consumers', [name, version])}>${name} ${version}</a></li>`;
}
