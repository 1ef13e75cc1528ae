import {html, nothing, render} from '../lib/lit-html/lit-html.js';
import {api, isAborted} from '../core/api.js';
import {can, whyNot} from '../core/can.js';
import {shown, topic, watch} from '../core/live.js';
import {go, setQuery, to} from '../core/router.js';
import * as format from '../core/format.js';
import {action, copyable, empty, failure, payload, skeleton, state, time} from '../parts/kind.js';
import {confirm} from '../parts/dialog.js';
import {toast} from '../parts/toast.js';
import * as sagas from './schedules/sagas.js';
import '../parts/json.js';
import '../parts/table.js';

const PAGE = 100;
const OUTBOX_MAX = 500;
const HOUR_MILLIS = 3_600_000;
const consumers = topic('consumers');
const outbox = watch('/outbox', {every: 3_000, query: {limit: OUTBOX_MAX}});
const TABS = {agenda: 'Agenda', sagas: 'Sagas', outbox: 'Outbox'};

/** What is to happen later, what is under way, and what it waits for. */
export function show(context) {
  if (!can('operate')) {
    context.render(empty('This shows payloads', whyNot('operate')));
    return Promise.resolve(() => {});
  }
  const draw = () => {
    const {data} = consumers.get();
    if (data) context.render(page(context, data));
  };
  context.onQuery(draw);
  return shown(consumers, draw);
}

/** One command that waits, one saga, or one command of the outbox. */
export function detail(context) {
  if (!can('operate')) {
    context.render(empty('This shows payloads', whyNot('operate')));
    return Promise.resolve(() => {});
  }
  if (context.path[0] === 'sagas') return sagas.detail(context);
  return context.path[0] === 'outbox' ? sent(context) : scheduled(context);
}

function page(context, data) {
  const tab = TABS[context.query.get('tab')] ? context.query.get('tab') : 'agenda';
  return html`<div class="stack">
    <nav class="tabs" aria-label="What waits">${Object.entries(TABS).map(([key, label]) => html`<a href=${to('schedules', [], {tab: key === 'agenda' ? null : key})} aria-current=${key === tab ? 'page' : nothing}>${label}</a>`)}</nav>
    ${tab === 'agenda' ? agenda(context) : tab === 'sagas' ? sagas.list(context, data) : html`<ev-outbox .query=${context.query}></ev-outbox>`}
  </div>`;
}

// ---- agenda

let agendaOf = null;
let agendaType = null;

/** A new source starts over: so it stays the same for the same type. */
function agendaSource(type) {
  if (agendaType !== type || !agendaOf) {
    agendaType = type;
    agendaOf = async ({after, signal}) => {
      const said = await api.get('/schedules', {type, after, limit: PAGE}, signal);
      return {items: said.schedules, next: said.next ?? null};
    };
  }
  return agendaOf;
}

/** Where in the agenda a command stands. */
function bucket(one) {
  const wait = new Date(one.dueAt) - Date.now();
  if (wait < 0) return state('failing', 'overdue');
  return wait < HOUR_MILLIS ? state('waiting', 'next hour') : wait < 24 * HOUR_MILLIS ? state('waiting', 'next day') : state('scheduled', 'later');
}

function agenda(context) {
  const type = context.query.get('type') ?? '';
  return html`<section class="card flush">
    <div class="toolbar list-tools"><span class="dim">Commands that are sent later, the first due first</span><span class="space"></span><label class="hidden" for="schedules-type">Type</label><input id="schedules-type" class="input mono" type="search"
      placeholder="Type, as OpenAccount" .value=${type} @change=${event => setQuery({type: event.target.value.trim()})}></div>
    <ev-table .name=${'schedules'} .label=${'Scheduled commands'} .columns=${AGENDA} .source=${agendaSource(type)} .key=${one => one.commandId} .href=${one => to('schedules', [one.commandId], context.query)}
      .empty=${empty('Nothing is scheduled', 'A command that is sent with a time or a delay waits here.', 'curl -X POST "…/evento/api/schedules/OpenAccount?after=PT1H" -d \'{"accountId":"a-1","owner":"Ada"}\'')}></ev-table>
  </section>`;
}

const AGENDA = [
  {key: 'type', title: 'Command', grow: true, cell: one => payload('command', one.type)},
  {key: 'dueAt', title: 'Due', cell: one => time(one.dueAt)},
  {key: 'bucket', title: 'When', text: one => one.dueAt, cell: bucket},
  {key: 'clock', title: 'At', narrow: false, text: one => one.dueAt, cell: one => time(one.dueAt, 'clock')},
  {key: 'scheduledAt', title: 'Set', narrow: false, cell: one => time(one.scheduledAt)},
  {key: 'attempts', title: 'Tries', end: true, narrow: false, cell: one => one.attempts || html`<span class="dim">–</span>`},
];

async function scheduled(context) {
  const id = context.path[0];
  context.title('Scheduled command');
  const at = `/schedules/${encodeURIComponent(id)}`;
  const cancel = async one => {
    const done = await confirm({
      title: `Cancel ${one.type}`, verb: 'Cancel command', danger: true, reason: false,
      dry: async () => html`<p><b>${one.type}</b>, due ${time(one.dueAt)}, is taken back and never sent.</p>`,
      run: () => api.delete(at),
    });
    if (done === undefined) return;
    toast(`${one.type} was taken back.`);
    agendaOf = null;
    go(to('schedules', [], context.query));
  };
  try {
    const one = await api.get(at, {}, context.signal);
    context.render(html`<div class="stack">
      <p class="row">${payload('command', one.type)}<span class="space"></span>${bucket(one)}</p>
      ${one.error ? html`<p class="notice bad">${one.error}</p>` : nothing}
      <div class="buttons">${action({label: 'Cancel …', icon: 'drop', tone: 'danger', needs: 'send', click: () => cancel(one)})}</div>
      <dl class="facts"><dt>Due</dt><dd>${time(one.dueAt, 'full')}, ${time(one.dueAt)}</dd><dt>Set</dt><dd>${time(one.scheduledAt, 'full')}</dd><dt>Tries</dt><dd>${format.number(one.attempts)}</dd>
        <dt>Command</dt><dd>${copyable(one.commandId, format.short(one.commandId))}</dd></dl>
      <div class="card"><ev-json .label=${`Payload of ${one.type}`} .value=${one.payload}></ev-json></div>
    </div>`);
  } catch (problem) {
    if (isAborted(problem)) return undefined;
    context.render(problem.code === 'not-found' ? empty('It does not wait any more', 'It was sent, or taken back.') : failure(problem));
  }
  return () => {};
}

// ---- outbox

const OUTBOX = [
  {key: 'type', title: 'Command', grow: true, sort: one => one.type, cell: one => payload('command', one.type)},
  {key: 'status', title: 'State', sort: one => one.status, cell: one => sagas.status(one)},
  {key: 'consumer', title: 'Sent by', narrow: false, sort: one => one.consumer, cell: one => one.consumer.replace(':', ' ')},
  {key: 'key', title: 'Key', narrow: false, sort: one => one.key, cell: one => html`<span class="mono">${one.key}</span>`},
  {key: 'attempts', title: 'Tries', end: true, sort: one => one.attempts, cell: one => format.number(one.attempts)},
  {key: 'createdAt', title: 'Since', sort: one => one.createdAt, cell: one => time(one.createdAt)},
  {key: 'error', title: 'Last try', narrow: false, cell: one => one.error ?? html`<span class="dim">–</span>`},
];

class Outbox extends HTMLElement {
  #off = null;
  #query = new URLSearchParams();

  set query(query) {
    this.#query = query;
    this.#draw(outbox.get());
  }

  connectedCallback() {
    this.#off = outbox.subscribe(now => this.#draw(now));
    this.#draw(outbox.get());
  }

  disconnectedCallback() {
    this.#off?.();
  }

  #draw(now) {
    if (!this.isConnected) return;
    render(html`<section class="card flush">
      <div class="toolbar list-tools"><span class="dim">Commands of sagas and observers without a final outcome, or with one that is not heard yet; the oldest first${
        now.data?.commands.length === OUTBOX_MAX ? `, at most ${OUTBOX_MAX}` : ''}</span></div>
      ${now.problem ? failure(now.problem, outbox.refresh) : nothing}
      ${now.data ? html`<ev-table .name=${'outbox'} .label=${'Outbox'} .columns=${OUTBOX} .rows=${now.data.commands} .key=${one => one.commandId} .href=${one => to('schedules', ['outbox', one.commandId], this.#query)}
        .empty=${empty('The outbox is empty', 'All that sagas and observers have sent has its outcome, and they have heard it.')}></ev-table>` : skeleton()}</section>`, this);
  }
}
customElements.define('ev-outbox', Outbox);

const sent = context => shown(outbox, now => {
  context.title('Command in the outbox');
  const one = now.data?.commands.find(command => command.commandId === context.path[1]);
  if (!one) {
    context.render(now.problem ? failure(now.problem, outbox.refresh) : empty('It is done', 'This command has its outcome, and it was heard.'));
    return;
  }
  const [name, version] = one.consumer.split(':');
  context.render(html`<div class="stack">
    <p class="row">${payload('command', one.type)}<span class="space"></span>${sagas.status(one)}</p>
    ${one.error ? html`<p class="notice ${one.attempts > 3 ? 'bad' : 'warn'}">${one.error}</p>` : nothing}
    <dl class="facts"><dt>Sent by</dt><dd><a href=${to('consumers', [name, version])}>${name} ${version}</a>, about <a class="mono" href=${to('schedules', ['sagas', name, version, one.key], context.query)}>${one.key}</a></dd>
      <dt>Decided</dt><dd>${time(one.createdAt, 'full')}, ${time(one.createdAt)}</dd><dt>Tries</dt><dd>${format.number(one.attempts)}${one.nextAt ? html`, the next ${time(one.nextAt)}` : nothing}</dd>
      <dt>Command</dt><dd>${copyable(one.commandId, format.short(one.commandId))}</dd><dt>Correlation</dt><dd>${copyable(one.correlationId, format.short(one.correlationId))}</dd></dl>
    <div class="card"><ev-json .label=${`Payload of ${one.type}`} .value=${one.payload}></ev-json></div>
    ${one.outcome === undefined || one.outcome === null ? nothing : html`<section class="stack"><h3>Its outcome</h3><div class="card"><ev-json .label=${'Outcome'} .value=${one.outcome}></ev-json></div></section>`}
  </div>`);
});
