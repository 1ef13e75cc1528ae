import {html, nothing} from '../lib/lit-html/lit-html.js';
import {api, isAborted} from '../core/api.js';
import * as format from '../core/format.js';
import {setQuery, to} from '../core/router.js';
import {copyable, failure, icon, payload, state, tag, time} from '../parts/kind.js';
import {listing} from '../parts/listing.js';
import {compared, spreadOf} from '../parts/compared.js';
import {failed, handlers, namesOf, ofComponent, timings, together} from '../parts/measured.js';
import {toast} from '../parts/toast.js';

const FILTERS = ['q', 'kind', 'bundle', 'context'];
const FEW = 24;
const MEASURE_MILLIS = 15_000;
const HOUR = 3_600_000;

/** As long as telemetry is kept, unless somebody set it otherwise. */
const KEPT = 168 * HOUR;

const COLUMNS = [
  {key: 'name', title: 'Component', cell: row => html`${tag(row.kind)} ${row.name}`},
  {key: 'bundle', title: 'Bundle', narrow: false, cell: row => row.bundle},
  {key: 'context', title: 'Context', narrow: false, cell: row => row.context},
  {key: 'commands', title: 'Commands', end: true, narrow: false, cell: row => row.commands || '–'},
  {key: 'queries', title: 'Queries', end: true, narrow: false, cell: row => row.queries || '–'},
  {key: 'emits', title: 'Emits', end: true, narrow: false, cell: row => row.emits || '–'},
  {key: 'consumes', title: 'Is given', end: true, narrow: false, cell: row => row.consumes || '–'},
  {key: 'instances', title: 'Hosted by', end: true, cell: row => row.instances ? format.plural(row.instances, 'instance') : state('gone', 'nobody')},
  {key: 'declaredAt', title: 'Declared', narrow: false, cell: row => time(row.declaredAt)},
];

/** All components, as far as the filters of the address let them through. */
export const show = context => {
  let measured = [];
  const of = row => together(ofComponent(row, measured));
  return listing(context, {
    path: '/components', name: 'components', label: 'Components', find: 'Find components', hint: 'Part of a name', filters: FILTERS,
    columns: [
      ...COLUMNS.slice(0, 3),
      {key: 'rate', title: 'Rate', end: true, cell: row => format.rate(of(row).perSecond)},
      {key: 'p99', title: '99 of 100', end: true, narrow: false, cell: row => format.duration(of(row).p99)},
      {key: 'failed', title: 'Failed', end: true, narrow: false, cell: row => failed(of(row).errorShare)},
      ...COLUMNS.slice(3),
    ],
    key: row => `${row.kind}/${row.name}`,
    href: row => to('components', [row.kind, row.name], context.query),
    said: first => format.plural(first.total, 'component'),
    groups: first => [
      {name: 'kind', title: 'Kind', counts: first.facets.kind},
      {name: 'bundle', title: 'Bundle', counts: first.facets.bundle},
      {name: 'context', title: 'Context', counts: first.facets.context},
    ],
    none: 'There are no components', fill: 'Components are here once a bundle has connected and declared them.',
    // Rows without what was measured are better than none.
    beside: () => handlers({}, context.signal).then(found => { measured = found; }, problem => isAborted(problem) || toast(problem.detail, {tone: 'warn'})),
  });
};

/** One component: `/components/aggregate/Account`. */
export const detail = async context => {
  const [kind, name] = context.path.map(encodeURIComponent);
  const [one, standing] = await Promise.all([
    api.get(`/components/${kind}/${name}`, {}, context.signal),
    api.get(`/catalog/components/${kind}/${name}`, {limit: 20}, context.signal),
  ]);
  context.title(one.name);
  let measured = null;
  let spread = null;
  let before = null;
  let timer = 0;
  const draw = () => context.render(page(one, standing, {measured, before, spread}, context));
  async function look() {
    const busiest = !measured || measured.problem ? null : chosen(measured, context.query);
    spread = busiest && await api.get('/telemetry/heat', {kind: busiest.kind, handler: busiest.handler, type: busiest.type,
      phase: busiest.times.total ? 'total' : 'handler'}, context.signal);
  }
  async function measure() {
    try {
      measured = ofComponent(one, await handlers({handler: namesOf(one)}, context.signal));
      await look();
      before ??= await earlier(one, standing, context.signal);
    } catch (problem) {
      if (isAborted(problem)) return;
      measured = {problem};
    }
    draw();
    timer = setTimeout(function turn() {
      if (document.hidden) timer = setTimeout(turn, 1_000);
      else measure();
    }, MEASURE_MILLIS);
  }
  context.signal.addEventListener('abort', () => clearTimeout(timer));
  context.onQuery(() => measured && look().then(draw, problem => isAborted(problem) || toast(problem.detail, {tone: 'warn'})));
  await measure();
  return () => clearTimeout(timer);
};

/** The handler whose times are drawn: the one of the address, else the busiest. */
const chosen = (measured, query) => measured.find(one => one.type === query.get('heat')) ?? [...measured].sort((a, b) => b.count - a.count)[0] ?? null;

/** What was measured in the hour before the last change of the declaration; null where there was none that is kept. */
async function earlier(one, standing, signal) {
  const declared = standing.history.filter(change => change.action === 'declare').map(change => Date.parse(change.declaredAt)).sort((a, b) => b - a);
  const [last] = declared;
  if (declared.length < 2 || Date.now() - last > KEPT) return null;
  const all = await handlers({handler: namesOf(one), from: new Date(last - HOUR).toISOString(), to: new Date(last).toISOString()}, signal);
  return {since: new Date(last).toISOString(), all: ofComponent(one, all)};
}

/** A consumer's last two versions beside each other; of others, before and after they were declared anew. */
function comparison(one, measured, before) {
  if (one.versions.length > 1) {
    const [was, is] = one.versions.slice(-2);
    const of = version => measured.filter(other => other.handler === `${one.name}:${version}`);
    return html`<section class="stack"><h3>Version ${is} beside version ${was}</h3>${compared({says: `version ${was}`, all: of(was)}, {says: `version ${is}`, all: of(is)})}</section>`;
  }
  return before ? html`<section class="stack"><h3>Since it was declared anew</h3><p class="dim">${time(before.since)}, ${time(before.since, 'clock')}: the hour before, and the last 15 minutes.</p>${
    compared({says: 'before', all: before.all}, {says: 'now', all: measured})}</section>` : nothing;
}

function overTime(measured, spread, query) {
  const now = chosen(measured, query);
  if (!now) return nothing;
  const types = [...measured].sort((a, b) => b.count - a.count).map(one => one.type);
  return html`<section class="stack"><div class="row"><h3>How long it took</h3><span class="space"></span><label class="row"><span class="hidden">Type</span><select class="input" @change=${event => setQuery({heat: event.target.value === types[0] ? null : event.target.value})}>${
    [...new Set(types)].map(type => html`<option .selected=${type === now.type}>${type}</option>`)}</select></label></div>${spreadOf(spread, `How long ${now.type} took`)}</section>`;
}

function page(one, standing, {measured, before, spread}, {isPanel, query}) {
  return html`<div class="stack ${isPanel ? '' : 'card'}">
    <div class="row">${tag(one.kind)}${isPanel ? html`<span>${one.kind}</span>` : html`<h2>${one.kind} ${one.name}</h2>`}${one.versions.length ? html`<span class="pill">version ${one.versions.join(', ')}</span>` : nothing}${
      one.instances.length ? state('up', `${format.plural(one.instances.length, 'instance')} ${one.instances.length === 1 ? 'hosts' : 'host'} it`) : state('gone', 'no connected instance hosts it')}</div>
    <p class="buttons"><a class="button" href=${to('map', [], {kind: one.kind, name: one.name})}>${icon('map')}On the map</a></p>
    <section class="stack"><h3>How its handlers do</h3>${measured.problem ? failure(measured.problem) : timings(measured, {label: 'How its handlers do', by: one.versions.length > 1, href: (kind, type) => to('payloads', [kind, type])})}</section>
    ${measured.problem ? nothing : html`${overTime(measured, spread, query)}${comparison(one, measured, before)}`}
    ${types(one, 'Handles', 'command', one.commands)}${types(one, 'Answers', 'query', one.queries)}${types(one, 'Emits', 'event', one.emits)}${types(one, 'Is given', 'event', one.consumes)}
    <section class="stack"><h3>Hosted by</h3>${one.instances.length === 0 ? html`<p class="dim">Nobody now. It was declared by ${one.bundle}.</p>`
      : html`<dl class="facts">${one.instances.map(instance => html`<dt>${instance.bundle}</dt><dd>${copyable(instance.instance, format.short(instance.instance))} through ${instance.nodes.join(', ')}</dd>`)}</dl>`}</section>
    <section class="stack"><h3>To whom it belongs</h3><dl class="facts"><dt>Owner</dt><dd>${standing.owner ?? 'whoever declares it first'}</dd>
      <dt>Contexts</dt><dd>${standing.contexts.length ? `only ${standing.contexts.join(', ')}` : 'any'}</dd><dt>Context now</dt><dd>${one.context}</dd>
      ${one.projector ? html`<dt>Reads from</dt><dd><a href=${to('components', ['projector', one.projector])}>${one.projector}</a></dd>` : nothing}</dl></section>
    <section class="stack"><h3>What happened to its declaration</h3><ol class="versions">${standing.history.map(change => html`<li><p class="row"><span>${{declare: 'Declared', owner: 'Handed over', contexts: 'Contexts changed', remove: 'Removed'}[change.action]}</span><span class="dim">${
      change.action === 'declare' ? `by ${change.bundle}, ${change.detail}` : `${change.detail}, by ${change.by}`}</span><span class="space"></span>${time(change.declaredAt)}</p>${change.reason ? html`<p class="dim">${change.reason}</p>` : nothing}</li>`)}</ol></section>
  </div>`;
}

function types(one, title, kind, all) {
  if (all.length === 0) return nothing;
  const query = {component: `${one.kind}/${one.name}`, kind};
  return html`<section class="stack"><h3>${title}</h3><ul class="members">${all.slice(0, FEW).map(type => html`<li>${payload(kind, type, to('payloads', [kind, type]))}</li>`)}</ul>${
    all.length > FEW ? html`<p><a href=${to('payloads', [], query)}>All ${format.number(all.length)}</a></p>` : nothing}</section>`;
}
