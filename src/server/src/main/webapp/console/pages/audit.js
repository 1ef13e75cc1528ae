import {html, nothing} from '../lib/lit-html/lit-html.js';
import {api, isAborted} from '../core/api.js';
import {can} from '../core/can.js';
import {shown, watch} from '../core/live.js';
import {setQuery, to} from '../core/router.js';
import * as format from '../core/format.js';
import {copyable, empty, failure, icon, state, time} from '../parts/kind.js';
import {changes} from '../parts/diff.js';
import {searchBox} from '../parts/facets.js';
import '../parts/diff.js';
import '../parts/json.js';
import '../parts/table.js';

const PAGE = 200;
const FILTERS = ['kind', 'who', 'action', 'object', 'node', 'address', 'correlation', 'words', 'since'];
const KINDS = {'': 'Everything', changes: 'Changes', 'sign-ins': 'Sign-ins', refusals: 'Refusals'};
const SINCE = {'': 'At any time', PT1H: 'In the last hour', P1D: 'In the last day', P7D: 'In the last 7 days', P30D: 'In the last 30 days'};
const MILLIS = {PT1H: 3_600_000, P1D: 86_400_000, P7D: 7 * 86_400_000, P30D: 30 * 86_400_000};
const LABELS = {who: 'who', action: 'what', object: 'on', node: 'by node', address: 'from', correlation: 'of request'};

/** Whether there is something newer than what is shown. */
const newest = watch('/audit', {every: 5_000, query: {limit: 1}});

/** What was done, by whom, and who was refused. */
export function show(context) {
  let asked = null;
  let source = null;
  let first = 0;
  let typing = 0;

  const filters = () => Object.fromEntries(FILTERS.map(name => [name, context.query.get(name) ?? '']));

  const fetched = now => async ({after, signal}) => {
    const {since, ...query} = now;
    const from = MILLIS[since] ? new Date(Date.now() - MILLIS[since]).toISOString() : null;
    const said = await api.get('/audit', {...query, from, before: after, limit: PAGE}, signal);
    if (after === null) first = newest.get().data?.audit[0]?.id ?? 0;
    return {items: said.audit, next: said.next ?? null};
  };

  function draw() {
    const now = filters();
    if (JSON.stringify(now) !== asked) {
      asked = JSON.stringify(now);
      source = fetched(now);
    }
    context.render(page(now));
  }

  function again() {
    asked = null;
    draw();
  }

  function page(now) {
    const last = newest.get().data?.audit[0]?.id ?? 0;
    const chosen = Object.entries(LABELS).filter(([name]) => now[name]);
    const type = event => {
      const words = event.target.value;
      clearTimeout(typing);
      typing = setTimeout(() => setQuery({words}), 200);
    };
    return html`<div class="stack audit">
      <div class="row">
        <nav class="segments" aria-label="Kind">${Object.entries(KINDS).map(([kind, label]) => html`<a href=${to('audit', [], {...now, kind})} aria-current=${kind === now.kind ? 'true' : nothing}>${label}</a>`)}</nav>
        <div class="audit-find">${searchBox('Find in the audit', 'ada, payload, a reason', now.words, type)}</div>
        <label class="hidden" for="audit-since">When</label><select id="audit-since" class="input" @change=${event => setQuery({since: event.target.value})}>${Object.entries(SINCE).map(([value, label]) => html`<option value=${value} .selected=${value === now.since}>${label}</option>`)}</select>
      </div>
      ${chosen.length ? html`<div class="chips">${chosen.map(([name, label]) => html`<button type="button" class="chip" aria-pressed="true" @click=${() => setQuery({[name]: null})}>${label} ${now[name]}${icon('close')}<span class="hidden">Take this filter away</span></button>`)}</div>` : nothing}
      <section class="card flush">
        <div class="toolbar list-tools"><span class="dim">The newest first. Nobody can change or remove an entry, not even a node.</span><span class="space"></span>${
          first && last > first ? html`<button type="button" class="button small" @click=${again}>${icon('up')}Show what is newer</button>` : nothing}</div>
        <ev-table .name=${'audit'} .label=${'Audit'} .format=${'ndjson'} .columns=${COLUMNS} .source=${source} .href=${one => to('audit', [one.id], context.query)} .empty=${
          empty('Nothing like that was done', chosen.length || now.words || now.kind || now.since ? 'Take a filter away to see more.' : 'What somebody changes stands here.')}></ev-table></section>
    </div>`;
  }

  context.onQuery(draw);
  return shown({subscribe: told => newest.subscribe(now => {
    if (now.data || now.problem) told(now);
  })}, now => now.data ? draw() : context.render(failure(now.problem, newest.refresh))).then(off => () => {
    clearTimeout(typing);
    off();
  });
}

const bad = new Set(['refuse', 'fail to sign in']);

const COLUMNS = [
  {key: 'at', title: 'When', text: one => one.at, cell: one => time(one.at, 'clock')},
  {key: 'who', title: 'Who', cell: one => one.who.replace(/^user /, '')},
  {key: 'action', title: 'What', cell: one => bad.has(one.action) ? state('failed', one.action) : one.action},
  {key: 'object', title: 'On', cell: one => html`<span class="mono">${one.object}</span>`},
  {key: 'detail', title: 'Detail', grow: true, narrow: false, text: one => summary(one), cell: one => html`<span class="dim">${summary(one)}</span>`},
  {key: 'address', title: 'From', narrow: false, cell: one => html`<span class="mono">${one.address || '–'}</span>`},
  {key: 'node', title: 'Node', narrow: false, hidden: true, cell: one => one.node},
  {key: 'correlation', title: 'Request', narrow: false, hidden: true, cell: one => html`<span class="mono">${one.correlation ?? '–'}</span>`},
  {key: 'dbUser', title: 'Role of the database', narrow: false, hidden: true, cell: one => one.dbUser},
];

/** A value in a line; a scope as people say it. */
function plain(value) {
  if (Array.isArray(value)) return value.map(plain).join(', ') || 'none';
  if (value?.right && value.context) return `${value.right} ${value.context}${value.right === 'personal' ? '' : ` ${value.type}`}`;
  return typeof value === 'string' ? value : value === null ? 'default' : JSON.stringify(value);
}

/** What the row is about, in one line. */
function summary(one) {
  const {reason, ...after} = one.after ?? {};
  const isSaid = value => value !== null && value !== undefined && value !== 0 && value !== '';
  const parts = one.before
    ? changes(one.before, after).filter(change => isSaid(change.before) || isSaid(change.after)).slice(0, 3).map(({op, pointer, before, after: now}) =>
      op === 'changed' ? `${pointer.slice(1)} ${plain(before)} → ${plain(now)}` : `${op === 'added' ? '+' : '−'} ${plain(op === 'added' ? now : before)}`)
    : Object.entries(after).filter(([, value]) => isSaid(value)).map(([name, value]) => name === 'code' || name === 'detail' ? plain(value) : `${name} ${plain(value)}`);
  if (reason) parts.push(`“${reason}”`);
  return parts.join(', ');
}

/** Where what was done can be looked at. */
function linkOf(one) {
  const [head, ...rest] = one.object.split(' ');
  if (one.action === 'change setting') return to('settings', [one.object]);
  if (/^(create|lock|unlock) user$|^change (roles|password)$|^end sessions$|^sign (in|out)$/.test(one.action)) return can('administer') ? to('access', ['users', one.object], {tab: 'users'}) : null;
  if (/token$|^change scopes$/.test(one.action)) return can('administer') ? to('access', ['tokens', head], {tab: 'tokens'}) : null;
  if (one.action.startsWith('consumer: ')) return can('view') ? to('consumers', [head, rest.at(-1)]) : null;
  if (one.action.startsWith('component: ')) return can('view') ? to('components', [head, rest.join(' ')]) : null;
  return null;
}

// ---- one entry

/** One entry with all that it says: `/audit/4711`. */
export async function detail(context) {
  const id = Number(context.path[0]);
  context.title(`Entry ${context.path[0]}`);
  try {
    const said = Number.isSafeInteger(id) ? await api.get('/audit', {before: id + 1, limit: 1}, context.signal) : {audit: []};
    const one = said.audit[0];
    context.render(one?.id === id ? full(one) : empty('There is no such entry', 'It may have been removed with those of its age, as the setting audit.keep-days says.'));
  } catch (problem) {
    if (!isAborted(problem)) context.render(failure(problem, () => detail(context)));
  }
}

function full(one) {
  const {reason, ...after} = one.after ?? {};
  const link = linkOf(one);
  const chip = (name, value) => value ? html`<a class="chip" href=${to('audit', [], {[name]: value})}>${icon('filter')}${value}</a>` : html`<span class="dim">–</span>`;
  return html`<div class="stack audit">
    <p class="row"><b>${bad.has(one.action) ? state('failed', one.action) : one.action}</b><span class="space"></span>${time(one.at)}</p>
    ${reason ? html`<p class="notice"><span>“${reason}”</span></p>` : nothing}
    <dl class="facts">
      <dt>Who</dt><dd>${chip('who', one.who)}</dd>
      <dt>On</dt><dd>${chip('object', one.object)}${link ? html` <a href=${link}>Look at it</a>` : nothing}</dd>
      <dt>When</dt><dd>${time(one.at, 'full')}</dd>
      <dt>From</dt><dd>${chip('address', one.address)}</dd>
      <dt>By node</dt><dd>${chip('node', one.node)}</dd>
      <dt>What</dt><dd>${chip('action', one.action)}</dd>
      <dt>Request</dt><dd>${chip('correlation', one.correlation)}</dd>
      <dt>Written by</dt><dd>role <span class="mono">${one.dbUser}</span> of the database, with its clock</dd>
      <dt>Entry</dt><dd>${copyable(String(one.id))}</dd>
    </dl>
    ${one.before ? html`<section class="stack"><h3>What changed</h3><ev-diff .before=${one.before} .after=${after}></ev-diff></section>` : nothing}
    ${!one.before && Object.keys(after).length ? html`<section class="stack"><h3>Details</h3><div class="card"><ev-json .label=${'Details'} .value=${after}></ev-json></div></section>` : nothing}
  </div>`;
}
