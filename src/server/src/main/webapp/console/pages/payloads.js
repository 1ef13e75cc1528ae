import {html, nothing} from '../lib/lit-html/lit-html.js';
import {api, isAborted} from '../core/api.js';
import {can, whyNot} from '../core/can.js';
import * as format from '../core/format.js';
import {place, to} from '../core/router.js';
import {empty, failure, icon, payload, state, tag, time} from '../parts/kind.js';
import {PAGES} from '../pages.js';
import {linked} from '../parts/facets.js';
import {listing} from '../parts/listing.js';
import {handlers, timings} from '../parts/measured.js';
import {example, fields} from '../parts/schema.js';
import '../parts/json.js';

const FILTERS = ['q', 'kind', 'context', 'bundle', 'component', 'only'];
const ONLY = {
  unhandled: 'Nobody handles it', several: 'Several consumers', changed: 'Changed this week', personal: 'Personal data',
};

const COLUMNS = [
  {key: 'type', title: 'Type', cell: row => payload(row.kind, row.type)},
  {key: 'component', title: 'Component', narrow: false, cell: row => html`${tag(row.componentKind)} ${row.component}`},
  {key: 'bundle', title: 'Bundle', narrow: false, cell: row => row.bundle ?? '–'},
  {key: 'context', title: 'Context', narrow: false, cell: row => row.context},
  {key: 'version', title: 'Version', end: true, narrow: false, cell: row => row.version},
  {key: 'handlers', title: 'Given to', end: true, cell: handled},
  {key: 'declaredAt', title: 'Declared', narrow: false, cell: row => time(row.declaredAt)},
];

function handled(row) {
  if (row.kind === 'event') return row.handlers ? format.plural(row.handlers, 'consumer') : html`<span class="dim">nobody</span>`;
  return row.hosted ? state('up', 'hosted') : state('gone', 'not hosted');
}

/** All types, as far as the filters of the address let them through; a page at a time. */
export const show = context => {
  const without = name => {
    const query = new URLSearchParams(context.query);
    query.delete(name);
    return query;
  };
  const component = () => context.query.get('component');
  return listing(context, {
    path: '/payloads', name: 'payloads', label: 'Types', find: 'Find types', hint: 'OrderPlaced, or OPl', filters: FILTERS, columns: COLUMNS,
    key: row => `${row.kind}/${row.type}`,
    href: row => to('payloads', [row.kind, row.type], context.query),
    said: first => html`${format.plural(first.total, 'type')}${component() ? html` of <a href=${linked(component())}>${component()}</a> <a class="chip" href=${to('payloads', [], without('component'))}>All${icon('close')}</a>` : nothing}`,
    groups: first => [
      {name: 'kind', title: 'Kind', counts: first.facets.kind, of: kind => ({command: 'Commands', event: 'Events', query: 'Queries'})[kind]},
      {name: 'only', title: 'Only', counts: first.facets.only, of: only => ONLY[only]},
      {name: 'bundle', title: 'Bundle', counts: first.facets.bundle},
      {name: 'context', title: 'Context', counts: first.facets.context},
    ],
    none: 'There are no types', fill: 'Types are here once a bundle has connected and declared them.',
  });
};

/** One type: `/payloads/event/MoneyDeposited`. */
export const detail = async context => {
  const [kind, type] = context.path;
  const one = await api.get(`/payloads/${encodeURIComponent(kind)}/${encodeURIComponent(type)}`, {}, context.signal);
  context.title(type);
  let examples = null;
  let problem = null;
  let measured = null;

  const draw = () => context.render(page(one, context, examples, problem, measured));

  context.onQuery(draw);
  draw();
  handlers({type}, context.signal).then(found => { measured = found.filter(row => (row.kind === kind || kind === 'event' && row.kind !== 'command' && row.kind !== 'query')); }, failed => {
    if (!isAborted(failed)) measured = {problem: failed};
  }).finally(() => context.signal.aborted || draw());
  if (kind === 'event' && can('read')) {
    api.get(`/payloads/event/${encodeURIComponent(type)}/examples`, {}, context.signal).then(found => { examples = found; }, failed => {
      if (isAborted(failed)) return;
      problem = failed;
    }).finally(() => context.signal.aborted || draw());
  }
  return undefined;
};

function page(one, context, examples, problem, measured) {
  const tab = context.query.get('tab') ?? 'fields';
  const tabs = [['fields', 'Fields'], ['raw', 'JSON Schema'], ...one.viewSchema ? [['view', 'Answer']] : [], ...one.kind === 'event' ? [['examples', 'Examples']] : [], ['generated', 'Made-up example']];
  return html`<div class="stack ${context.isPanel ? '' : 'card'}">
    <div class="row">${context.isPanel ? payload(one.kind, one.type) : html`<h2>${payload(one.kind, one.type)}</h2>`}<span class="pill">version ${one.version}</span>${one.personal ? html`<span class="pill warn">personal data</span>` : nothing}${standing(one)}</div>
    <p class="buttons">${one.kind === 'event' ? nothing : sendLink(one)}<a class="button" href=${to('map', [], {kind: one.kind, name: one.type})}>${icon('map')}On the map</a>${
      one.kind === 'event' && known('events') ? html`<a class="button" href=${to('events', [], {type: one.type})}>${icon('events')}Its events</a>` : nothing}</p>
    <nav class="tabs" aria-label="Shape">${tabs.map(([name, title]) => html`<a href=${tabTo(name)} aria-current=${tab === name ? 'true' : nothing}>${title}</a>`)}</nav>
    ${shape(one, tab, examples, problem)}
    ${one.versions.length ? versions(one) : nothing}
    <section class="stack"><h3>How it does</h3>${measured === null ? html`<p class="dim">Looking …</p>` : measured.problem ? failure(measured.problem) : timings(measured, {label: 'How it does', by: true})}</section>
    <section class="stack"><h3>Who has to do with it</h3><dl class="facts">
      ${one.kind === 'event' ? html`<dt>Emitted by</dt><dd>${members(one.emitters, 'Nobody declares to emit it')}</dd><dt>Given to</dt><dd>${members(one.handlers, 'Nobody')}</dd>`
        : html`<dt>${one.kind === 'query' ? 'Answered by' : 'Handled by'}</dt><dd>${members(one.handlers, 'Nobody any more')}</dd>`}
      ${one.kind === 'event' ? html`<dt>Sent by</dt><dd>${senders(examples, problem)}</dd>` : nothing}
      <dt>Bundle</dt><dd>${one.bundle ?? '–'}</dd><dt>Context</dt><dd>${one.context}</dd>
      ${one.idProperty ? html`<dt>Routed by</dt><dd class="mono">${one.idProperty}</dd>` : nothing}
      ${one.kind === 'command' && !one.retry ? html`<dt>Runs</dt><dd>once: where nobody knows how a run ended it is not run again</dd>` : nothing}
      <dt>Declared</dt><dd>${time(one.declaredAt, 'clock')}, ${time(one.declaredAt)}</dd></dl></section>
  </div>`;
}

/** Who sent the commands that led to it, or appended it, by the metadata of its last events. */
function senders(examples, problem) {
  if (!can('read')) return html`<span class="dim">${whyNot('read')}</span>`;
  if (problem) return html`<span class="dim">not known: ${problem.detail}</span>`;
  if (!examples) return html`<span class="dim">Looking …</span>`;
  if (examples.senders.length === 0) return html`<span class="dim">Its last events do not say: there are none, or their node was open to everybody</span>`;
  return html`<ul class="members">${examples.senders.map(one => html`<li>${one.who} <span class="dim">${format.plural(one.events, 'event')}</span></li>`)}</ul>`;
}

const known = name => PAGES.some(one => one.name === name);

function tabTo(tab) {
  const query = new URLSearchParams(place.get().query);
  if (tab === 'fields') query.delete('tab');
  else query.set('tab', tab);
  return to(place.get().name, place.get().path, query);
}

function standing(one) {
  if (one.kind === 'event') return nothing;
  return one.hosted ? state('up', `${format.plural(one.hosted, 'instance')} ${one.hosted === 1 ? 'handles' : 'handle'} it`) : state('gone', 'no connected instance handles it');
}

function sendLink(one) {
  const why = whyNot('send');
  const label = one.kind === 'query' ? 'Ask it' : 'Send one';
  return why ? html`<button type="button" class="button" aria-disabled="true" title=${why}>${icon('send')}${label}<span class="hidden">. ${why}</span></button>`
    : html`<a class="button primary" href=${to('send', [one.kind, one.type], {full: 1})}>${icon('send')}${label}</a>`;
}

const members = (all, none) => all.length === 0 ? html`<span class="dim">${none}</span>`
  : html`<ul class="members">${all.map(one => html`<li>${tag(one.kind)} <a href=${to('components', [one.kind, one.name])}>${one.name}</a></li>`)}</ul>`;

function shape(one, tab, examples, problem) {
  if (tab === 'raw') return one.schema ? html`<ev-json .value=${one.schema} label="JSON Schema"></ev-json>` : noSchema();
  if (tab === 'view') return html`${fields(one.viewSchema)}`;
  if (tab === 'generated') return one.schema ? html`<ev-json .value=${example(one.schema)} label="Made-up example"></ev-json>` : noSchema();
  if (tab === 'examples') return real(examples, problem);
  return one.schema ? fields(one.schema) : noSchema();
}

const noSchema = () => empty('It has no schema', 'The bundle declared the type without one. The Java SDK declares it by itself.');

function real(examples, problem) {
  if (!can('read')) return html`<p class="notice">${whyNot('read')}</p>`;
  if (problem) return failure(problem);
  if (!examples) return html`<p class="dim">Looking …</p>`;
  if (examples.items.length === 0) return empty('None lately', `There is none among the last ${format.number(examples.among)} events.`);
  return html`<div class="stack">${examples.items.map(one => html`<div class="example"><p class="row"><span class="num">${format.number(one.position)}</span><span class="mono">${one.stream}</span><span class="space"></span>${time(one.recordedAt)}</p><ev-json .value=${one.payload} label="Event ${one.position}"></ev-json></div>`)}</div>`;
}

const VERDICTS = {first: ['dim', 'first'], same: ['ok', 'same shape'], compatible: ['ok', 'compatible'], breaking: ['bad', 'breaking']};

function versions(one) {
  return html`<section class="stack"><h3>Versions</h3><ol class="versions">${[...one.versions].reverse().map(version => {
    const [tone, word] = VERDICTS[version.verdict];
    return html`<li><p class="row"><b class="num">${version.version}</b><span class="pill ${tone}">${word}</span><span class="dim">${version.bundle}, ${time(version.declaredAt)}</span></p>${
      version.changes.length ? html`<ul>${version.changes.map(change => html`<li><span class="mono">${change.pointer || 'the whole'}</span> ${change.what}${change.breaks ? html` <span class="bad">breaks</span>` : nothing}</li>`)}</ul>` : nothing}</li>`;
  })}</ol>${one.versions.some(version => version.verdict === 'breaking') ? html`<p class="dim">Stored events stay as they were written. A breaking version needs an upcaster in the bundle.</p>` : nothing}</section>`;
}
