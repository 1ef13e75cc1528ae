import {html, nothing} from '../lib/lit-html/lit-html.js';
import {api, isAborted, request} from '../core/api.js';
import * as format from '../core/format.js';
import * as keys from '../core/keys.js';
import {setQuery, to} from '../core/router.js';
import {PAGES} from '../pages.js';
import {action, copy, empty, failure, icon, payload, state, tag, time} from '../parts/kind.js';
import {searchBox} from '../parts/facets.js';
import {curl, java} from '../parts/snippets.js';
import {example} from '../parts/schema.js';
import {blank} from '../parts/form.js';
import '../parts/json.js';

const CHECK_MILLIS = 300;
const WAITS_SECONDS = 30;
const KEPT = 20;

/** What was sent from this tab, the newest first. */
let sent = [];

/** One type: `/send/command/Deposit`. */
export const detail = context => compose(context, context.path);

/** What can be sent. */
export async function show(context) {
  let found = null;
  let asked = '';
  let timer = 0;

  async function load() {
    asked = context.query.get('q') ?? '';
    const mine = asked;
    const [commands, queries] = await Promise.all(['command', 'query'].map(kind => api.get('/payloads', {kind, q: mine, limit: 30}, context.signal)));
    if (mine !== asked) return;
    found = {commands, queries};
    draw();
  }

  function draw() {
    context.render(html`<div class="stack"><div class="send-find">${searchBox('Find a command or a query', 'Find a command or a query', asked, event => {
      const text = event.target.value;
      clearTimeout(timer);
      timer = setTimeout(() => setQuery({q: text}), 120);
    })}</div>
      ${found.commands.total + found.queries.total === 0 ? empty(asked ? `Nothing is called ${asked}` : 'There is nothing to send yet', asked ? 'Type another part of the name.' : 'Commands and queries are here once a bundle has connected and declared them.')
        : html`<div class="cards">${group('Commands', found.commands)}${group('Queries', found.queries)}</div>`}${recent()}</div>`);
  }

  context.onQuery(() => {
    if ((context.query.get('q') ?? '') !== asked) load().catch(problem => isAborted(problem) || context.render(failure(problem, load)));
  });
  const off = keys.on('f', 'Find a command or a query', () => context.host.querySelector('input[type=search]')?.focus());
  await load();
  return () => {
    off();
    clearTimeout(timer);
  };
}

function group(title, page) {
  if (page.total === 0) return nothing;
  return html`<section class="card"><header><h2>${title}</h2><span class="dim num">${format.number(page.total)}</span></header><ul class="send-list">${page.items.map(one => html`<li>${payload(one.kind, one.type, to('send', [one.kind, one.type], {full: 1}))}<span class="dim">${
    one.hosted ? one.component : 'nobody hosts it now'}</span></li>`)}</ul>${page.next ? html`<p class="dim">Find the other ${format.number(page.total - page.items.length)} by their names.</p>` : nothing}</section>`;
}

async function compose(context, [kind, type]) {
  const one = await api.get(`/payloads/${encodeURIComponent(kind)}/${encodeURIComponent(type)}`, {}, context.signal);
  context.title(type);
  const schema = needed(one);
  const run = {value: start(schema), errors: [], text: null, isBroken: false, isSending: false, checked: false, answer: null, problem: null, id: null, tookMillis: 0};
  let timer = 0;

  const draw = () => context.render(page());

  async function check() {
    const asked = JSON.stringify(run.value ?? {});
    try {
      const found = await api.post(`/payloads/${encodeURIComponent(kind)}/${encodeURIComponent(type)}/check`, run.value ?? {}, {}, context.signal);
      if (asked !== JSON.stringify(run.value ?? {})) return;
      run.errors = found.errors;
      run.checked = true;
    } catch (problem) {
      if (isAborted(problem)) return;
      run.errors = problem.errors;
    }
    draw();
  }

  function changed(value) {
    run.value = value;
    run.checked = false;
    clearTimeout(timer);
    timer = setTimeout(check, CHECK_MILLIS);
    draw();
  }

  function typed(event) {
    run.text = event.target.value;
    try {
      run.isBroken = false;
      changed(JSON.parse(run.text));
    } catch {
      run.isBroken = true;
      draw();
    }
  }

  async function send() {
    if (run.isSending) return;
    run.isSending = true; // from here on, or a double click sends twice
    draw();
    await check();
    if (run.errors.length || !run.checked || run.isBroken) {
      run.isSending = false;
      draw();
      context.host.querySelector('[aria-invalid="true"]')?.focus();
      return;
    }
    run.problem = null;
    run.answer = null;
    run.id = kind === 'command' ? crypto.randomUUID() : null;
    const value = run.value ?? {};
    draw();
    const begun = performance.now();
    try {
      run.answer = kind === 'command'
        ? (await request('POST', `/commands/${encodeURIComponent(type)}`, {body: value, signal: context.signal, headers: {'Idempotency-Key': run.id, Prefer: `wait=${WAITS_SECONDS}`}})).data
        : (await request('POST', `/queries/${encodeURIComponent(type)}`, {body: value, signal: context.signal, headers: {Prefer: `wait=${WAITS_SECONDS}`}})).data;
    } catch (problem) {
      if (isAborted(problem)) return;
      run.problem = problem;
      if (problem.status === 400 && problem.errors.length) run.errors = problem.errors;
    }
    run.tookMillis = performance.now() - begun;
    run.isSending = false;
    sent = [{kind, type, at: Date.now(), id: run.id, code: run.problem?.code ?? null}, ...sent].slice(0, KEPT);
    draw();
  }

  function page() {
    const tab = context.query.get('tab') ?? 'form';
    return html`<div class="send">
      <section class="card stack"><header><h2>${payload(kind, type)}</h2><span class="space"></span>${one.hosted ? state('up', `${format.plural(one.hosted, 'instance')} can take it`) : state('gone', 'nobody hosts it now')}</header>
        ${one.personal ? html`<p class="notice warn"><span>It has personal data, which only an SDK may send: it encrypts what is personal. Use the Java line.</span></p>` : nothing}
        <nav class="tabs" aria-label="How it is written">${[['form', 'Form'], ['json', 'JSON'], ['curl', 'curl'], ['java', 'Java']].map(([name, title]) => html`<a href=${tabTo(name)} aria-current=${tab === name ? 'true' : nothing}>${title}</a>`)}</nav>
        ${written(tab)}
        ${loose()}
        <div class="buttons">${action({label: run.isSending ? 'Waiting …' : kind === 'query' ? 'Ask' : 'Send', icon: 'send', tone: 'primary', needs: 'send', why: one.personal ? 'Only an SDK may send personal data.' : run.isBroken ? 'The text is no JSON.' : '', click: send})}${
          one.schema ? action({label: 'Fill with an example', click: () => { run.text = null; run.isBroken = false; changed(example(schema)); }}) : nothing}<span class="space"></span><span class="dim" aria-live="polite">${
          run.errors.length ? format.plural(run.errors.length, 'field is', 'fields are') + ' not right yet' : run.checked ? 'Fits the schema' : nothing}</span></div>
      </section>
      <div class="stack">${answer()}${target()}${recent()}</div>
    </div>`;
  }

  function tabTo(tab) {
    const query = new URLSearchParams(context.query);
    if (tab === 'form') query.delete('tab');
    else query.set('tab', tab);
    return to('send', [kind, type], query);
  }

  function written(tab) {
    if (tab === 'json') {
      return html`<label class="field"><span>Payload</span><textarea class="mono" rows="14" spellcheck="false" aria-invalid=${String(run.isBroken)} .value=${run.text ?? JSON.stringify(run.value ?? {}, null, 2)} @input=${typed}></textarea>${
        run.isBroken ? html`<span class="field-error" role="alert">This is no JSON yet.</span>` : nothing}</label>`;
    }
    if (tab === 'curl') return snippet(curl(kind, type, run.value), 'curl');
    if (tab === 'java') return snippet(java(kind, type, run.value, one.schema), 'Java');
    return html`<form @submit=${event => { event.preventDefault(); send(); }}><ev-form .schema=${schema} .value=${run.value} .errors=${run.errors} @change=${event => { run.text = null; run.isBroken = false; changed(event.currentTarget.value); }}></ev-form><input type="submit" hidden></form>`;
  }

  /** What is wrong and has no field where it could stand. */
  function loose() {
    const tab = context.query.get('tab') ?? 'form';
    const shown = run.errors.filter(error => tab !== 'form' || !hasField(schema, error.field));
    return shown.length === 0 ? nothing : html`<ul class="stack">${shown.map(error => html`<li class="field-error"><span class="mono">${error.field || 'the whole'}</span> ${error.message}</li>`)}</ul>`;
  }

  const target = () => html`<section class="card"><header><h2>Where it goes</h2></header><dl class="facts">${one.handlers.map(handler => html`<dt>${kind === 'query' ? 'Answered by' : 'Handled by'}</dt><dd>${tag(handler.kind)} <a href=${to('components', [handler.kind, handler.name])}>${handler.name}</a></dd>`)}
    <dt>Bundle</dt><dd>${one.bundle ?? '–'}</dd><dt>Context</dt><dd>${one.context}</dd>${one.idProperty ? html`<dt>Routed by</dt><dd class="mono">${one.idProperty}</dd>` : nothing}<dt>Waits</dt><dd>${WAITS_SECONDS} s at most</dd><dt>Its fields</dt><dd><a href=${to('payloads', [kind, type])}>${type}</a></dd></dl></section>`;

  function answer() {
    if (run.problem) {
      return html`<section class="card stack answer" role="status"><header><h2>Answer</h2><span class="space"></span>${state('failed', run.problem.code)}<span class="dim num">${format.duration(run.tookMillis)}</span></header><p>${run.problem.detail}</p>${
        run.problem.body?.details ? html`<ev-json .value=${run.problem.body.details} label="Details"></ev-json>` : nothing}${run.id ? trail(run.id) : nothing}</section>`;
    }
    if (run.answer === null && !run.tookMillis) return nothing;
    if (run.isSending) return html`<section class="card answer" role="status"><p class="dim">Waiting for the answer …</p></section>`;
    if (kind === 'query') return html`<section class="card stack answer" role="status"><header><h2>Answer</h2><span class="space"></span>${state('ok', 'answered')}<span class="dim num">${format.duration(run.tookMillis)}</span></header><ev-json .value=${run.answer} label="Answer"></ev-json></section>`;
    const receipt = run.answer;
    return html`<section class="card stack answer" role="status"><header><h2>Answer</h2><span class="space"></span>${state('ok', receipt.repeated ? 'decided before' : 'decided')}<span class="dim num">${format.duration(run.tookMillis)}</span></header>
      ${receipt.events.length ? html`<ul class="send-list">${receipt.events.map(event => html`<li>${payload('event', event.type, has('events') ? to('events', [event.position]) : to('payloads', ['event', event.type]))}<span class="dim num">position ${format.number(event.position)}, version ${event.version}</span></li>`)}</ul>` : html`<p class="dim">No events: there was nothing to do, or it is a service's.</p>`}
      <dl class="facts">${receipt.aggregate ? html`<dt>Stream</dt><dd>${has('streams') ? html`<a href=${to('streams', [receipt.aggregate.type, receipt.aggregate.id])}>${receipt.aggregate.type} ${receipt.aggregate.id}</a>` : `${receipt.aggregate.type} ${receipt.aggregate.id}`}, version ${receipt.aggregate.version}</dd>` : nothing}</dl>
      ${receipt.result === null ? nothing : html`<h3>Result</h3><ev-json .value=${receipt.result} label="Result"></ev-json>`}${trail(receipt.commandId)}</section>`;
  }

  context.onQuery(draw);
  draw();
  return () => clearTimeout(timer);
}

const has = name => PAGES.some(one => one.name === name);

/** The flow that a command began has its id. */
const trail = id => html`<p class="row">${has('flow') ? html`<a class="button" href=${to('flow', [id], {full: 1})}>${icon('flows')}What it caused</a>` : nothing}<span class="dim mono">${id}</span></p>`;

const snippet = (text, label) => html`<div class="snippet"><pre class="code" tabindex="0" role="region" aria-label=${label}><code>${text}</code></pre><button type="button" class="button small" @click=${event => copy(text, event.currentTarget)}>${icon('copy')}Copy</button></div>`;

function recent() {
  return sent.length === 0 ? nothing : html`<section class="card"><header><h2>Sent from this tab</h2></header><ul class="send-list">${sent.map(one => html`<li>${payload(one.kind, one.type, to('send', [one.kind, one.type], {full: 1}))}${
    one.code ? state('failed', one.code) : state('ok', 'done')}<span class="space"></span>${one.id && has('flow') ? html`<a href=${to('flow', [one.id], {full: 1})}>what it caused</a>` : nothing}${time(one.at)}</li>`)}</ul></section>`;
}

/** Required and optional properties, so that each has its field. */
function start(schema) {
  const value = blank(schema);
  if (schema.type !== 'object' || !schema.properties) return value;
  return value ?? {};
}

/** Its schema, with what routes it among the required: without it nobody knows whose it is. */
function needed(one) {
  const schema = one.schema ?? {};
  if (!one.idProperty || !schema.properties?.[one.idProperty]) return schema;
  return {...schema, required: [...new Set([one.idProperty, ...schema.required ?? []])]};
}

function hasField(schema, pointer) {
  return pointer !== '' && schema.properties && pointer.slice(1).split('/')[0].replaceAll('~1', '/').replaceAll('~0', '~') in schema.properties;
}
