import {html, nothing} from '../lib/lit-html/lit-html.js';
import {api, isAborted} from '../core/api.js';
import {can, whyNot} from '../core/can.js';
import {shown, watch} from '../core/live.js';
import {setQuery, to} from '../core/router.js';
import * as format from '../core/format.js';
import {action, copyable, empty, failure, figure, icon, payload, state, time} from '../parts/kind.js';
import {confirm} from '../parts/dialog.js';
import {toast} from '../parts/toast.js';
import {editedNote, editor} from './letters/edit.js';
import '../parts/json.js';
import '../parts/table.js';

const PAGE = 100;
const causes = watch('/dead-letters', {every: 3_000});

const path = (name, version) => `/consumers/${encodeURIComponent(name)}/${version}/dead-letters`;

/** The last part of a name of a class, as people say it. */
const simple = group => group.split(/[.$]/).at(-1);

/** What the first line of a cause says beyond the name of its class. */
const words = (cause, group) => {
  const [line] = (cause ?? '').split('\n');
  return line.startsWith(`${group}: `) ? line.slice(group.length + 2) : line === group ? '' : line;
};

const sentence = text => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;

/** What consumers have failed on: one row for each cause. */
export function show(context) {
  const draw = now => context.render(page(now, context.query));
  context.onQuery(() => causes.get().data && draw(causes.get()));
  return shown(causes, draw);
}

/** The letters of one cause, or one letter. */
export const detail = context => context.path.length > 3 ? letter(context) : group(context);

// ---- causes

function page(now, query) {
  if (!now.data) return failure(now.problem, causes.refresh);
  const {causes: all, waiting} = now.data;
  const wanted = query.get('consumer');
  const rows = all.filter(one => !wanted || `${one.name}/${one.version}` === wanted);
  const sum = (of, member) => of.reduce((total, one) => total + one[member], 0);
  if (all.length === 0 && waiting.length === 0) {
    return empty('No dead letters', 'What a handler fails on five times is put aside here, with all later events of its stream, so that the others go on.');
  }
  return html`<div class="stack">
    ${now.problem ? failure(now.problem, causes.refresh) : nothing}
    <dl class="figures">
      ${figure('Causes', format.number(all.length), `in ${format.plural(new Set(all.map(one => `${one.name}/${one.version}`)).size, 'consumer')}`)}
      ${figure('Failed', format.number(sum(all, 'failed')), 'letters that wait for you')}
      ${figure('Behind them', format.number(sum(waiting, 'letters')), 'later ones of their streams')}
      ${figure('Asked again', format.number(sum(all, 'asked')), 'are being tried')}
    </dl>
    <section class="card flush">
      ${wanted ? html`<div class="toolbar list-tools"><span class="chips"><button type="button" class="chip" aria-pressed="true" @click=${() => setQuery({consumer: null})}>${wanted.replace('/', ' ')} ${icon('close')}<span class="hidden">Show all consumers</span></button></span></div>` : nothing}
      <ev-table .name=${'causes'} .label=${'Causes'} .columns=${COLUMNS} .rows=${rows} .key=${one => `${one.name}/${one.version}/${one.group}`}
        .href=${one => to('letters', [one.name, one.version, one.group], query)} .empty=${empty('None of this consumer', 'Take the filter away to see all.')}></ev-table>
    </section>
  </div>`;
}

const COLUMNS = [
  {key: 'group', title: 'Cause', grow: true, sort: one => one.group, text: one => one.cause ?? one.group, cell: one => html`<b>${simple(one.group)}</b> <span class="dim">${words(one.cause, one.group)}</span>`},
  {key: 'name', title: 'Consumer', sort: one => one.name, text: one => `${one.name} ${one.version}`, cell: one => html`${one.name} <span class="dim">${one.version}</span>`},
  {key: 'failed', title: 'Failed', end: true, sort: one => one.failed, cell: one => html`<b>${format.number(one.failed)}</b>`},
  {key: 'keys', title: 'Streams', end: true, narrow: false, sort: one => one.keys, cell: one => format.number(one.keys)},
  {key: 'asked', title: 'Asked again', end: true, narrow: false, sort: one => one.asked, cell: one => one.asked ? format.number(one.asked) : html`<span class="dim">–</span>`},
  {key: 'firstAt', title: 'First', narrow: false, sort: one => one.firstAt, cell: one => time(one.firstAt)},
  {key: 'lastAt', title: 'Last', narrow: false, sort: one => one.lastAt, cell: one => time(one.lastAt)},
];

// ---- one cause

function group(context) {
  const [name, version, cause] = context.path;
  context.title(cause ? simple(cause) : `${name} ${version}`);
  const source = async ({after, signal}) => {
    const said = await api.get(path(name, version), {group: cause, after, limit: PAGE}, signal);
    return {items: said.deadLetters, next: said.next ?? null};
  };
  const again = () => {
    causes.refresh();
    context.host.querySelector('ev-table')?.reload();
  };
  return shown(causes, now => {
    if (!now.data) {
      context.render(failure(now.problem, causes.refresh));
      return;
    }
    const one = now.data.causes.find(other => other.name === name && String(other.version) === version && other.group === cause);
    const behind = now.data.waiting.find(other => other.name === name && String(other.version) === version)?.letters ?? 0;
    context.render(one ? html`<div class="stack letters">
      <p class="row"><a href=${to('consumers', [name, version])}>${name} ${version}</a><span class="pill bad">${format.plural(one.failed, 'letter')}</span>${
        one.asked ? html`<span class="pill">${format.number(one.asked)} asked again</span>` : nothing}</p>
      <pre class="code cause">${one.cause ?? one.group}</pre>
      <dl class="facts"><dt>Since</dt><dd>${time(one.firstAt, 'clock')}, ${time(one.firstAt)}</dd><dt>Failed last</dt><dd>${time(one.lastAt)}</dd>
        <dt>Holds up</dt><dd>${format.plural(one.keys, 'stream')}; behind all letters of this consumer ${format.plural(behind, 'later event')} wait</dd></dl>
      <div class="buttons">
        ${action({label: 'Try all again', icon: 'retry', tone: 'primary', needs: 'operate', click: () => retry(one, {group: cause}).then(again)})}
        ${action({label: 'Drop all …', icon: 'drop', tone: 'danger', needs: 'operate', click: () => drop(one, {group: cause}, `${name}`).then(again)})}
      </div>
      <section class="card flush"><ev-table .label=${'Letters of this cause'} .columns=${LETTERS} .source=${source} .exportable=${true} .height=${'60dvh'}
        .href=${row => to('letters', [name, version, cause, row.id], context.query)} .empty=${empty('None is left', 'They were done, or somebody dropped them.')}></ev-table></section>
    </div>` : empty('Nothing failed for this', 'Its letters were done when they were tried again, or somebody dropped them.'));
  });
}

const LETTERS = [
  {key: 'key', title: 'Stream', grow: true, cell: one => html`<span class="mono">${one.key}</span>`},
  {key: 'position', title: 'Position', end: true, cell: one => one.kind === 'event' ? format.number(one.position) : one.kind},
  {key: 'failedAt', title: 'Failed', cell: one => html`${one.editedAt ? html`<span class="pill">edited</span> ` : nothing}${one.retryAt ? state('waiting', 'asked') : time(one.failedAt)}`},
];

async function retry(one, chosen) {
  let perSecond = '';
  const at = chosen.id ? `${path(one.name, one.version)}/${chosen.id}/retry` : `${path(one.name, one.version)}/retry`;
  const body = () => chosen.id ? {} : {group: chosen.group, ...(Number(perSecond) > 0 ? {perSecond: Number(perSecond)} : {})};
  const done = await confirm({
    title: chosen.id ? 'Try this letter again' : `Try all of ${simple(chosen.group)} again`, verb: 'Try again',
    dry: async () => {
      const would = await api.post(at, body(), {dryRun: true});
      return html`<p><b class="num">${format.plural(would.deadLetters, 'letter')}</b> of ${one.name} ${one.version} ${would.deadLetters === 1 ? 'is' : 'are'} tried again, in order of each stream${
        chosen.id ? ', older ones of its stream first' : ''}. What fails again stays here; what waits behind a letter goes on once it is done.</p>`;
    },
    extra: look => chosen.id ? nothing : html`<label class="field"><span>At most in a second <span class="help">optional</span></span><input type="number" min="0" max="10000" step="any" .value=${perSecond}
      placeholder="no limit" @input=${event => { perSecond = event.target.value; look(); }}></label>`,
    run: reason => api.post(at, {...body(), ...(reason ? {reason} : {})}),
  });
  if (done) toast(sentence(done.detail));
}

async function drop(one, chosen, typed) {
  const at = chosen.id ? `${path(one.name, one.version)}/${chosen.id}/drop` : `${path(one.name, one.version)}/drop`;
  const body = chosen.id ? {} : {group: chosen.group};
  const done = await confirm({
    title: chosen.id ? 'Drop this letter' : `Drop all of ${simple(chosen.group)}`, verb: chosen.id ? 'Drop letter' : 'Drop letters', typed, danger: true, reason: 'required',
    dry: async () => {
      const would = await api.post(at, {...body, reason: 'dry run'}, {dryRun: true});
      return html`<p>${one.name} ${one.version} will never handle ${would.deadLetters === 1 ? 'this letter' : html`these <b class="num">${format.number(would.deadLetters)}</b> letters`}. What waits behind is tried without ${
        would.deadLetters === 1 ? 'it' : 'them'}. The events stay in the store.</p>`;
    },
    run: reason => api.post(at, {...body, reason}),
  });
  if (done) toast(sentence(done.detail), {tone: 'warn'});
  return done;
}

// ---- one letter

async function letter(context) {
  const [name, version, cause, id] = context.path;
  context.title('Dead letter');
  const back = to('letters', [name, version, cause], context.query);
  const one = {name, version};
  const at = `${path(name, version)}/${encodeURIComponent(id)}`;
  let behind = null;
  let shownLetter = null;
  const timer = setInterval(() => document.hidden || document.querySelector('dialog[open]') || context.query.get('edit') === id || draw(), 4_000);
  context.signal.addEventListener('abort', () => clearInterval(timer));
  const draw = async () => {
    try {
      const it = can('operate') ? await api.get(`${path(name, version)}/${encodeURIComponent(id)}`, {}, context.signal) : null;
      if (it) behind = await api.get(path(name, version), {key: it.key, limit: PAGE}, context.signal);
      shownLetter = it;
      context.render(it ? full(it) : html`<p class="dim">${whyNot('operate')}</p>`);
    } catch (problem) {
      if (isAborted(problem)) return;
      if (problem.code === 'not-found') clearInterval(timer);
      context.render(problem.code === 'not-found' ? html`${empty('It is done', 'This letter was handled when it was tried again, or somebody dropped it.')}<p><a href=${back}>The others of its cause</a></p>` : failure(problem, draw));
    }
  };
  const redraw = () => shownLetter && context.render(full(shownLetter));
  const edit = editor(at, {consumer: name, redraw, done: () => draw()});
  context.onQuery(redraw);
  const full = it => {
    const later = behind.deadLetters.filter(other => other.id !== it.id && other.attempts === 0);
    const [type, ...rest] = it.key.split(':');
    return html`<div class="stack letters">
      <p class="row"><a href=${back}>${icon('left')} ${simple(cause)}</a><span class="space"></span>${it.retryAt ? state('waiting', 'asked to be tried again') : state('failed', `failed ${format.plural(it.attempts, 'time')}`)}</p>
      <pre class="code cause">${it.cause ?? 'It waits behind another letter of its stream.'}</pre>
      <div class="buttons">
        ${action({label: 'Try again', icon: 'retry', tone: 'primary', needs: 'operate', click: () => retry(one, {id}).then(draw)})}
        ${it.event && context.query.get('edit') !== id ? action({label: 'Edit …', icon: 'edit', needs: 'operate', click: () => setQuery({edit: id})}) : nothing}
        ${action({label: 'Drop …', icon: 'drop', tone: 'danger', needs: 'operate', click: () => drop(one, {id}, undefined).then(draw)})}
      </div>
      ${it.event && context.query.get('edit') === id ? edit(it) : editedNote(it, at, draw)}
      <dl class="facts">
        <dt>Consumer</dt><dd><a href=${to('consumers', [name, version])}>${name} ${version}</a></dd>
        <dt>${it.kind === 'event' ? 'Stream' : 'Saga'}</dt><dd class="mono">${it.kind === 'event' && rest.length ? html`<a href=${to('streams', [type, rest.join(':')])}>${it.key}</a>` : it.key}</dd>
        ${it.kind === 'event' ? html`<dt>Position</dt><dd>${format.number(it.position)}</dd>` : nothing}
        <dt>Parked</dt><dd>${time(it.parkedAt, 'full')}</dd>
        <dt>Failed last</dt><dd>${it.failedAt ? html`${time(it.failedAt)}, after ${format.plural(it.attempts, 'try', 'tries')}` : 'was not tried'}</dd>
        <dt>Holds back</dt><dd>${later.length ? `${behind.next ? 'more than ' : ''}${format.plural(later.length, 'later event')}` : 'nothing'}</dd>
        <dt>Letter</dt><dd>${copyable(it.id, format.short(it.id))}</dd>
      </dl>
      ${content(it)}
      ${later.length ? html`<section class="stack"><h3>Waits behind it</h3><ul class="waiting">${later.slice(0, 10).map(other => html`<li><span class="num dim">${format.number(other.position)}</span> ${payload('event', other.type)} <span class="dim">${time(other.parkedAt)}</span></li>`)}${
        later.length > 10 ? html`<li class="dim">and ${format.number(later.length - 10)}${behind.next ? ' or more' : ''} others</li>` : nothing}</ul></section>` : nothing}
    </div>`;
  };
  await draw();
  return () => clearInterval(timer);
}

function content(it) {
  if (it.event) {
    return html`<section class="stack"><h3>The event</h3><p class="row">${payload('event', it.event.type)}<span class="dim">${time(it.event.time, 'full')}</span></p>
      <div class="card"><ev-json .label=${`Payload of ${it.event.type}`} .value=${it.event.payload}></ev-json></div>
      <dl class="facts"><dt>Correlation</dt><dd>${copyable(it.event.correlationId, format.short(it.event.correlationId))}</dd>${it.event.causationId ? html`<dt>Cause</dt><dd>${copyable(it.event.causationId, format.short(it.event.causationId))}</dd>` : nothing}</dl></section>`;
  }
  if (it.outcome) {
    return html`<section class="stack"><h3>The outcome that it could not hear</h3><p>${payload('command', it.outcome.type)}</p>
      <div class="card"><ev-json .label=${'Outcome'} .value=${it.outcome.outcome ?? it.outcome.payload}></ev-json></div></section>`;
  }
  if (it.deadline) return html`<section class="stack"><h3>The deadline</h3><p>${it.deadline.name}, due ${time(it.deadline.dueAt)}</p></section>`;
  return html`<p class="notice warn">The store does not have ${it.kind === 'event' ? 'this event' : 'it'} any more. Drop the letter.</p>`;
}
