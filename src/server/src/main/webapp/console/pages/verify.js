import {html, nothing} from '../lib/lit-html/lit-html.js';
import {api, isAborted} from '../core/api.js';
import {can} from '../core/can.js';
import {shown, together, watch} from '../core/live.js';
import {go, to} from '../core/router.js';
import * as format from '../core/format.js';
import {action, copyable, empty, failure, figure, state, time} from '../parts/kind.js';
import {confirm} from '../parts/dialog.js';
import {meter} from '../parts/spark.js';
import {toast} from '../parts/toast.js';
import '../parts/table.js';

const PAGE = 100;
const RUNS_MAX = 50;
const FINDINGS_MAX = 1_000;
const runs = watch('/verify', {every: 1_000, query: {limit: RUNS_MAX}});
const anchor = watch('/verify/anchor', {every: 10_000});

/** The runs as soon as they are there, and the end of the chain when it comes. */
const both = {subscribe: told => together([runs, anchor], now => (now[0].data || now[0].problem) && told(now))};

/** Whether the store is what was stored: the run that goes on, those before, and what an auditor keeps. */
export const show = context => shown(both, ([now, chain]) => context.render(now.data ? page(context, now, chain) : failure(now.problem, runs.refresh)));

/** A run, with what it found. */
export async function detail(context) {
  const id = context.path[0];
  context.title(`Run ${id}`);
  const source = async ({after, signal}) => {
    const said = await api.get(`/verify/runs/${encodeURIComponent(id)}`, {after: after ?? 0, limit: PAGE}, signal);
    return {items: said.findings, next: said.next ?? null};
  };
  try {
    const found = await api.get(`/verify/runs/${encodeURIComponent(id)}`, {limit: 1}, context.signal);
    let told = found.run;
    let from = source;
    return await shown(runs, now => {
      const run = now.data?.runs.find(one => String(one.id) === id) ?? told;
      // What it has found meanwhile is fetched anew.
      if (run.findings !== told.findings) from = args => source(args);
      told = run;
      context.render(one(run, from));
    });
  } catch (problem) {
    if (isAborted(problem)) return undefined;
    context.render(problem.code === 'not-found' ? empty('There is no such run', `The last ${RUNS_MAX} runs are kept, and older ones that found something until a run finds nothing.`) : failure(problem));
  }
  return () => {};
}

function page(context, {data, problem}, chain) {
  const running = data.runs.find(run => run.state === 'running');
  const {head, chained} = data.store;
  return html`<div class="stack">
    ${problem ? failure(problem, runs.refresh) : nothing}
    <div class="toolbar list-tools"><span class="dim">Each event, outcome, checkpoint and snapshot is compared with what must hold, and with the hash chain</span><span class="space"></span>${
      action({label: 'Verify …', icon: 'verify', tone: 'primary', needs: 'operate', why: can('operate') && running ? `Run ${running.id} is under way: wait for its end, or cancel it.` : '', click: () => start(context)})}</div>
    <dl class="figures">
      ${figure('Store', format.number(head), 'its last position')}
      ${figure('In the chain', format.number(chained), head > chained ? `${format.number(head - chained)} are not yet` : 'all of it')}
      ${figure('Last run', last(data.runs), data.runs[0] ? time(data.runs[0].startedAt) : 'none yet')}
    </dl>
    ${running ? html`<section class="card stack" aria-label="The run that goes on">${progress(running)}<div class="buttons">${cancel(running)}</div></section>` : nothing}
    <section class="card flush"><header><h2>Runs</h2></header><ev-table .name=${'verify-runs'} .label=${'Runs'} .columns=${RUNS} .rows=${data.runs} .key=${run => run.id} .href=${run => to('verify', [run.id], context.query)}
      .empty=${empty('The store was never verified here', 'A run reads all of it beside its work, and says where something is not as it was stored.', 'curl -X POST "…/evento/api/verify"')}></ev-table></section>
    ${chain?.data?.hash ? html`<section class="card stack"><h2>Anchor</h2><p class="dim">Who owns the database can rewrite events and chain together. Keep this where he cannot write, and give it to a later run: it tells.</p>
      <dl class="facts"><dt>Block</dt><dd>${format.number(chain.data.block)}, up to position ${format.number(chain.data.position)}</dd><dt>Hash</dt><dd>${copyable(`${chain.data.block} ${chain.data.hash}`, format.short(chain.data.hash, 16))}</dd><dt>Made</dt><dd>${time(chain.data.at)}</dd></dl></section>` : nothing}
  </div>`;
}

const last = all => {
  const ended = all.find(run => run.state === 'finished');
  return ended ? verdict(ended) : html`<span class="dim">–</span>`;
};

/** What came of it, as a word with its sign. */
function verdict(run) {
  const found = run.findings ? format.plural(run.findings, 'finding') : '';
  if (run.state === 'running') return found ? state('bad', `running, ${found}`) : state('running');
  if (run.findings) return state('bad', found);
  return run.state === 'finished' ? state('done', 'no findings') : run.state === 'failed' ? state('failed') : state('gone', run.state);
}

const RUNS = [
  {key: 'id', title: 'Run', cell: run => html`<span class="num">${run.id}</span>`},
  {key: 'state', title: 'Result', grow: true, cell: verdict},
  {key: 'startedAt', title: 'Started', cell: run => time(run.startedAt)},
  {key: 'events', title: 'Positions', end: true, cell: run => format.number(run.events)},
  {key: 'rate', title: 'Rate', end: true, narrow: false, cell: run => format.rate(run.rate)},
  {key: 'seconds', title: 'Took', end: true, narrow: false, cell: run => format.duration(run.seconds * 1_000)},
  {key: 'by', title: 'By', narrow: false, cell: run => run.by},
];

const PARTS = {
  store: 'the lives of the store', events: 'events and the chain', outcomes: 'outcomes without events', checkpoints: 'checkpoints of consumers',
  snapshots: 'snapshots', replay: 'snapshots made anew by bundles',
};

function progress(run) {
  const share = run.head ? Math.min(1, run.events / run.head) : 1;
  return html`<p class="row"><b>Run ${run.id}</b>${verdict(run)}<span class="space"></span><span class="num">${format.percent(share)}</span></p>
    ${meter(share, {label: `Run ${run.id}: ${format.percent(share)} of the positions`, tone: run.findings ? 'bad' : 'accent'})}
    <p class="dim">${format.number(run.events)} of ${format.number(run.head)} positions, ${format.rate(run.rate)}; looks at ${PARTS[run.part]}${run.node ? html` on <a href=${to('nodes', [run.node])}>${run.node}</a>` : ', and waits for a node'}</p>`;
}

const cancel = run => action({label: 'Cancel …', icon: 'drop', needs: 'operate', click: async () => {
  const done = await confirm({
    title: `Cancel run ${run.id}`, verb: 'Cancel run', reason: false,
    dry: async () => html`<p>The run ends after ${format.number(run.events)} of ${format.number(run.head)} positions. What it found stays.</p>`,
    run: () => api.post(`/verify/runs/${run.id}/cancel`),
  });
  if (done === undefined) return;
  toast(`Run ${run.id} was cancelled.`);
  runs.refresh();
}});

/** `12 4d1a…`, as the page gives it: block and hash; null if nothing was typed, undefined if it is none. */
function anchorOf(text) {
  if (!text.trim()) return null;
  const [, block, hash] = /^\s*([1-9]\d*)\s+([0-9a-f]{64})\s*$/.exec(text) ?? [];
  return hash ? {block: Number(block), hash} : undefined;
}

async function start(context) {
  let typed = '';
  const done = await confirm({
    title: 'Verify the store', verb: 'Start run',
    dry: async () => {
      const {store} = await api.post('/verify', {}, {dryRun: true});
      if (anchorOf(typed) === undefined) throw new Error('The anchor is a block and its hash, as 12 and 64 digits of hexadecimal.');
      return html`<p>A node reads all <b>${format.number(store.head)}</b> positions beside its work; the chain has the first <b>${format.number(store.chained)}</b>. It takes half of one processor of the database, or what <span class="mono">verify.pace-percent</span> says.</p>`;
    },
    extra: again => html`<label class="field"><span>Anchor that was exported before, if you have one</span><input class="mono" autocomplete="off" spellcheck="false" placeholder="block and hash" @input=${event => { typed = event.target.value; again(); }}></label>`,
    run: async reason => (await api.post('/verify', {reason: reason || undefined, anchor: anchorOf(typed) ?? undefined})).run,
  });
  if (done === undefined) return;
  toast(`Run ${done.id} was started.`);
  runs.refresh();
  go(to('verify', [done.id], context.query));
}

// ---- one run

const FINDINGS = [
  {key: 'kind', title: 'Kind', cell: one => html`<span class="mono">${one.kind}</span>`},
  {key: 'position', title: 'Position', end: true, cell: one => one.position === undefined ? html`<span class="dim">–</span>`
    : one.kind === 'position-missing' ? html`<a href=${to('events', [], {q: `at:${one.position}`})} class="num">${format.number(one.position)}</a>` : html`<a href=${to('events', [one.position])} class="num">${format.number(one.position)}</a>`},
  {key: 'stream', title: 'Stream', cell: one => one.stream === undefined ? html`<span class="dim">–</span>` : streamLink(one.stream)},
  {key: 'detail', title: 'What is wrong', grow: true, wrap: true, cell: one => one.detail},
];

function streamLink(stream) {
  const at = stream.indexOf(':');
  return at < 1 ? html`<span class="mono">${stream}</span>` : html`<a class="mono" href=${to('streams', [stream.slice(0, at), stream.slice(at + 1)], {full: 1})}>${stream}</a>`;
}

function one(run, source) {
  return html`<div class="stack">
    ${run.state === 'running' ? html`${progress(run)}<div class="buttons">${cancel(run)}</div>` : html`<p class="row">${verdict(run)}</p>`}
    ${run.error ? html`<p class="notice bad">${run.error}</p>` : nothing}
    <dl class="facts"><dt>Asked for by</dt><dd>${run.by}${run.reason ? `, “${run.reason}”` : nothing}</dd><dt>Started</dt><dd>${time(run.startedAt, 'full')}, ${time(run.startedAt)}</dd>
      <dt>Took</dt><dd>${format.duration(run.seconds * 1_000)}, ${format.rate(run.rate)}</dd><dt>Positions</dt><dd>${format.number(run.events)} of ${format.number(run.head)}, looked at from ${format.number(run.from)}</dd>
      <dt>Outcomes</dt><dd>${format.number(run.outcomes)}</dd><dt>Checkpoints</dt><dd>${format.number(run.checkpoints)}</dd>
      <dt>Snapshots</dt><dd>${format.number(run.snapshots)}, of which ${format.number(run.replayed)} made anew${run.unreplayed ? `; no bundle could for ${format.number(run.unreplayed)} more` : nothing}</dd>
      ${run.anchor === undefined ? nothing : html`<dt>Anchor</dt><dd>block ${format.number(run.anchor)}</dd>`}</dl>
    ${run.findings ? html`<section class="card flush"><header><h2>Findings</h2>${run.findings > FINDINGS_MAX ? html`<span class="dim">the first ${format.number(FINDINGS_MAX)} of ${format.number(run.findings)}</span>` : nothing}</header><ev-table .name=${'verify-findings'} .label=${'Findings'} .columns=${FINDINGS} .source=${source} .key=${one => one.id}></ev-table></section>` : nothing}
  </div>`;
}
