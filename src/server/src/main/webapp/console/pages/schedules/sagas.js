import {html, nothing} from '../../lib/lit-html/lit-html.js';
import {api, isAborted} from '../../core/api.js';
import {setQuery, to} from '../../core/router.js';
import * as format from '../../core/format.js';
import {copyable, empty, failure, payload, state, time} from '../../parts/kind.js';
import '../../parts/json.js';
import '../../parts/table.js';

const PAGE = 100;
const LOOK_MILLIS = 3_000;
const HANGS_TRIES = 3;

/** The state of a command of the outbox. */
export function status(one) {
  if (one.status === 'settled') return state('done', 'outcome not heard yet');
  if (one.attempts > HANGS_TRIES) return state('failing', `failing, ${one.attempts} tries`);
  return one.status === 'sending' ? state('running', 'being sent') : state('waiting');
}

const path = (name, version) => `/sagas/${encodeURIComponent(name)}/${version}`;

let sourceOf = null;
let sourceKey = '';

/** Pages of sagas, each with what its key has in the outbox and among the dead letters. */
function source(name, version, which) {
  const key = `${name}/${version}/${which}`;
  if (key === sourceKey) return sourceOf;
  sourceKey = key;
  sourceOf = async ({after, signal}) => {
    const [said, sent, dead] = await Promise.all([
      api.get(path(name, version), {state: which, after, limit: PAGE}, signal),
      api.get('/outbox', {consumer: name, limit: 1_000}, signal),
      api.get(`/consumers/${encodeURIComponent(name)}/${version}/dead-letters`, {limit: 1_000}, signal),
    ]);
    return {
      items: said.sagas.map(saga => ({...saga, commands: sent.commands.filter(one => one.key === saga.key && one.consumer === `${name}:${version}`), letters: dead.deadLetters.filter(one => one.key === saga.key)})),
      next: said.next ?? null,
    };
  };
  return sourceOf;
}

/** The sagas of one kind; the address says of which. */
export function list(context, data) {
  const kinds = Object.values(data.consumers).filter(one => one.kind === 'saga');
  if (kinds.length === 0) return empty('There are no sagas', 'A saga leads what several aggregates do, from its first event to its end.');
  const wanted = context.query.get('saga');
  const one = kinds.find(kind => `${kind.name}/${kind.version}` === wanted) ?? kinds.find(kind => kind.role === 'live') ?? kinds[0];
  const which = context.query.get('state') === 'ended' ? 'ended' : 'living';
  return html`<section class="card flush">
    <div class="toolbar list-tools">
      <label class="hidden" for="saga-kind">Saga</label><select id="saga-kind" class="input" @change=${event => setQuery({saga: event.target.value})}>${kinds.map(kind => html`<option value=${`${kind.name}/${kind.version}`} .selected=${kind === one}>${kind.name} ${kind.version}${
        kind.role === 'shadow' ? ', shadow' : ''}</option>`)}</select>
      <div class="segments" role="group" aria-label="Which sagas">${['living', 'ended'].map(key => html`<button type="button" aria-pressed=${String(key === which)} @click=${() => setQuery({state: key === 'living' ? null : key})}>${
        key === 'living' ? 'Living' : 'Ended'}</button>`)}</div>
      <span class="space"></span>
      ${one.deadLetters ? html`<a href=${to('letters', [], {consumer: `${one.name}/${one.version}`})}>${format.plural(one.deadLetters, 'dead letter')}</a>` : nothing}
    </div>
    <ev-table .name=${'sagas'} .label=${`Sagas of ${one.name}`} .columns=${COLUMNS} .source=${source(one.name, one.version, which)} .key=${saga => saga.key} .href=${saga => to('schedules', ['sagas', one.name, one.version, saga.key], context.query)}
      .empty=${which === 'living' ? empty('None is alive', 'All sagas of this kind have ended.') : empty('None has ended', 'Ended ones stay here for a while.')}></ev-table>
  </section>`;
}

const COLUMNS = [
  {key: 'key', title: 'Saga', cell: one => html`<span class="mono">${one.key}</span>`},
  {key: 'waits', title: 'Waits for', grow: true, text: one => waits(one).says, cell: one => {
    const it = waits(one);
    return state(it.tone, it.says);
  }},
  {key: 'startedAt', title: 'Started', narrow: false, cell: one => time(one.startedAt)},
  {key: 'changedAt', title: 'Last step', narrow: false, cell: one => time(one.changedAt)},
  {key: 'position', title: 'Position', end: true, narrow: false, cell: one => format.number(one.position)},
];

/** Where a saga stands, in words: what it waits for, worst first. `deadlines` are known of one saga alone. */
function waits(one) {
  if (one.endedAt) return {tone: 'done', says: 'ended'};
  const failed = one.letters.find(letter => letter.attempts > 0);
  if (failed) return {tone: 'failed', says: `hangs: it failed on ${failed.type}`};
  const open = one.commands.filter(command => command.status !== 'settled');
  const failing = open.find(command => command.attempts > HANGS_TRIES);
  if (failing) return {tone: 'failing', says: `hangs: ${failing.type} has no outcome after ${failing.attempts} tries`};
  if (open.length) return {tone: 'waiting', says: `the outcome of ${open.map(command => command.type).join(', ')}`};
  if (one.commands.length) return {tone: 'running', says: `hears the outcome of ${one.commands[0].type}`};
  if (one.deadlines?.length) return {tone: 'waiting', says: `an event, or the deadline “${one.deadlines[0].name}” ${format.ago(one.deadlines[0].dueAt)}`};
  return {tone: 'waiting', says: one.deadlines ? 'an event; no deadline is set, so it waits for ever if none comes' : 'an event or a deadline'};
}

/** One saga: `sagas/NAME/VERSION/KEY`. */
export async function detail(context) {
  const [, name, version, key] = context.path;
  context.title(key);
  const look = async () => {
    try {
      const [it, dead] = await Promise.all([
        api.get(`${path(name, version)}/${encodeURIComponent(key)}`, {}, context.signal),
        api.get(`/consumers/${encodeURIComponent(name)}/${version}/dead-letters`, {key, limit: PAGE}, context.signal),
      ]);
      context.render(full(name, version, {...it.saga, deadlines: it.deadlines, commands: it.commands, letters: dead.deadLetters}, context));
    } catch (problem) {
      if (isAborted(problem)) return;
      context.render(problem.code === 'not-found' ? empty('There is no such saga', 'It never began, or it ended a while ago and is forgotten.') : failure(problem, look));
    }
  };
  const timer = setInterval(() => document.hidden || look(), LOOK_MILLIS);
  context.signal.addEventListener('abort', () => clearInterval(timer));
  await look();
  return () => clearInterval(timer);
}

function full(name, version, one, context) {
  const it = waits(one);
  const isBad = it.tone === 'failed' || it.tone === 'failing';
  return html`<div class="stack">
    <p class="notice ${isBad ? 'bad' : it.tone === 'done' ? 'ok' : ''}">${state(it.tone, `${one.endedAt || isBad ? '' : 'Waits for '}${it.says}`)}</p>
    <dl class="facts"><dt>Saga</dt><dd><a href=${to('consumers', [name, version])}>${name} ${version}</a></dd><dt>Started</dt><dd>${time(one.startedAt, 'full')}, ${time(one.startedAt)}</dd>
      <dt>Last step</dt><dd>${time(one.changedAt, 'full')}, ${time(one.changedAt)}</dd>${one.endedAt ? html`<dt>Ended</dt><dd>${time(one.endedAt, 'full')}</dd>` : nothing}
      <dt>Events</dt><dd>born at ${format.number(one.bornAt)}, last ${format.number(one.position)}</dd><dt>Correlation</dt><dd>${copyable(one.correlationId, format.short(one.correlationId))}</dd></dl>
    <section class="stack"><h3>Its state</h3><div class="card"><ev-json .label=${'State of the saga'} .value=${one.state}></ev-json></div></section>
    ${one.letters.length ? html`<section class="stack"><h3>Dead letters</h3><ul class="saga-rows">${one.letters.map(letter => html`<li class="row">${letter.group ? html`<a href=${to('letters', [name, version, letter.group, letter.id])}>${letter.type}</a>` : letter.type}<span
      class="dim">${letter.cause ?? 'waits behind the one before'}</span></li>`)}</ul></section>` : nothing}
    ${one.deadlines.length ? html`<section class="stack"><h3>Deadlines</h3><ul class="saga-rows">${one.deadlines.map(deadline => html`<li class="row"><b>${deadline.name}</b><span class="dim">due ${time(deadline.dueAt)}, ${time(deadline.dueAt, 'clock')}</span></li>`)}</ul></section>` : nothing}
    ${one.commands.length ? html`<section class="stack"><h3>Commands</h3><ul class="saga-rows">${one.commands.map(command => html`<li><div class="row"><a href=${to('schedules', ['outbox', command.commandId], context.query)}>${payload('command', command.type)}</a><span class="space"></span>${
      status(command)}</div>${command.error ? html`<p class="dim">${command.error}</p>` : nothing}</li>`)}</ul></section>` : nothing}
  </div>`;
}
