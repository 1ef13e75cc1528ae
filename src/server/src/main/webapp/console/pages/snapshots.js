import {html, nothing} from '../lib/lit-html/lit-html.js';
import {api, isAborted} from '../core/api.js';
import {can, whyNot} from '../core/can.js';
import {shown, watch} from '../core/live.js';
import {setQuery, to} from '../core/router.js';
import * as format from '../core/format.js';
import {masked, streamOf} from '../parts/event.js';
import {action, empty, failure, figure, icon, skeleton, state, tag, time} from '../parts/kind.js';
import {confirm} from '../parts/dialog.js';
import {toast} from '../parts/toast.js';
import '../parts/diff.js';
import '../parts/json.js';
import '../parts/table.js';

const PAGE = 100;
const EVERY = 'snapshot.events';
const types = watch('/snapshots', {every: 10_000});

const path = (type, what = '') => `/snapshots/${encodeURIComponent(type)}${what}`;

/** Which states are kept, by aggregate type; below them, those of the chosen type. */
export function show(context) {
  let of = null;
  let source = null;
  let typing = 0;

  function draw() {
    const now = types.get();
    if (!now.data && !now.problem) return;
    context.render(now.data ? page(now.data.types, now.data.next) : failure(now.problem, types.refresh));
  }

  function page(all, next) {
    if (all.length === 0) return empty('No aggregates yet', 'A state is kept of streams that have grown long. Aggregates are here once a bundle has declared them.');
    const wanted = context.query.get('type');
    const chosen = wanted ? {type: wanted} : [...all].sort((a, b) => b.count - a.count)[0];
    const kept = all.filter(one => one.count);
    const sum = member => kept.reduce((total, one) => total + one[member], 0);
    return html`<div class="stack">
      <dl class="figures">
        ${figure('Types with some', format.number(kept.length), `of ${next ? 'the first ' : ''}${format.plural(all.length, 'aggregate type')}`)}
        ${figure('Streams', `${kept.some(one => one.more) ? 'more than ' : ''}${format.number(sum('count'))}`, 'have a kept state')}
        ${figure('Size', format.bytes(sum('bytes')), 'of those, as stored')}
      </dl>
      ${next ? html`<p class="notice">These are the first ${format.number(all.length)} aggregate types by name, to ${next}. Those behind it are not counted here; put the type into the address to see its states.</p>` : nothing}
      <section class="card flush"><header><h2>By type</h2><span class="space"></span><a href=${to('settings', [EVERY])}>How often one is kept</a></header>
        <ev-table .name=${'snapshots'} .label=${'Snapshots by type'} .columns=${TYPES} .rows=${all} .key=${one => one.type} .height=${'32dvh'}></ev-table></section>
      ${can('read') ? streams(chosen) : html`<p class="notice">${whyNot('read')}</p>`}
    </div>`;
  }

  function streams(chosen) {
    const beginning = context.query.get('id') ?? '';
    const wanted = JSON.stringify([chosen.type, beginning]);
    if (of !== wanted) {
      of = wanted;
      source = async ({after, signal}) => {
        const said = await api.get(path(chosen.type), {id: beginning, after, limit: PAGE}, signal);
        return {items: said.items, next: said.next ?? null};
      };
    }
    const type = event => {
      const id = event.target.value.trim();
      clearTimeout(typing);
      typing = setTimeout(() => setQuery({id: id || null}), 200);
    };
    return html`<section class="card flush">
      <header><h2>${tag('aggregate')} ${chosen.type}</h2><span class="space"></span><label class="hidden" for="snapshots-id">Id begins with</label><input id="snapshots-id" class="input mono" type="search" placeholder="Id begins with" .value=${beginning} @input=${type}></header>
      <ev-table .name=${'kept'} .label=${`Snapshots of ${chosen.type}`} .columns=${STREAMS} .source=${source} .key=${one => one.id} .href=${one => to('snapshots', [chosen.type, one.id], context.query)} .height=${'50dvh'}
        .empty=${empty('None is kept', 'A state is kept when a stream has grown by as many events as its aggregate or the setting says.')}></ev-table></section>`;
  }

  context.onQuery(draw);
  return shown({subscribe: told => types.subscribe(now => {
    if (now.data || now.problem) told(now);
  })}, draw).then(off => () => {
    clearTimeout(typing);
    off();
  });
}

const TYPES = [
  {key: 'type', title: 'Aggregate', grow: true, sort: one => one.type, cell: one => html`<a href=${to('snapshots', [], {type: one.type})}>${one.type}</a>`},
  {key: 'bundle', title: 'Bundle', narrow: false, sort: one => one.bundle, cell: one => one.bundle || '–'},
  {key: 'count', title: 'Streams', end: true, sort: one => one.count, cell: one => one.count ? `${one.more ? '≥ ' : ''}${format.number(one.count)}` : html`<span class="dim">none</span>`},
  {key: 'bytes', title: 'Size', end: true, sort: one => one.bytes, cell: one => one.count ? format.bytes(one.bytes) : html`<span class="dim">–</span>`},
  {key: 'oldest', title: 'Oldest', narrow: false, sort: one => one.oldest ?? '', cell: one => time(one.oldest)},
  {key: 'newest', title: 'Newest', narrow: false, sort: one => one.newest ?? '', cell: one => time(one.newest)},
];

const STREAMS = [
  {key: 'id', title: 'Stream', grow: true, cell: one => html`<span class="mono">${one.id}</span>`},
  {key: 'version', title: 'Version', end: true, cell: one => format.number(one.version)},
  {key: 'since', title: 'Events since', end: true, text: one => one.last - one.version, cell: one => format.number(one.last - one.version)},
  {key: 'bytes', title: 'Size', end: true, narrow: false, cell: one => format.bytes(one.bytes)},
  {key: 'at', title: 'Kept', narrow: false, cell: one => time(one.at)},
];

// ---- one of them

/** The kept state of one stream: `/snapshots/Account/a-1`. */
export async function detail(context) {
  const [type, ...rest] = context.path;
  const id = rest.join('/');
  context.title(id);
  let found = null;
  let rebuilt = null;
  let isBusy = false;

  async function load() {
    try {
      found = await api.get(path(type, '/state'), {id}, context.signal);
      draw();
    } catch (problem) {
      if (isAborted(problem)) return;
      context.render(problem.code === 'not-found' ? empty('No state is kept', 'The stream is short, or somebody dropped it: the next command applies its events from the first one on.') : failure(problem, load));
    }
  }

  async function rebuild() {
    isBusy = true;
    draw();
    try {
      // What is kept may be another one by now.
      [rebuilt, found] = await Promise.all([api.get(path(type, '/rebuilt'), {id}, context.signal), api.get(path(type, '/state'), {id}, context.signal)]);
    } catch (problem) {
      if (isAborted(problem)) return;
      toast(problem.detail, {tone: 'bad'});
    }
    isBusy = false;
    draw();
  }

  async function drop() {
    const done = await confirm({
      title: 'Drop this snapshot', verb: 'Drop snapshot', danger: true,
      dry: async () => {
        const would = await api.delete(path(type, '/state'), {id, dryRun: true});
        return html`<p>${would.stream}: no event is lost. It ${would.detail}, and a state is kept again at the next turn.</p>`;
      },
      run: reason => api.delete(path(type, '/state'), {id, ...(reason ? {reason} : {})}),
    });
    if (!done) return;
    toast(`${done.stream}: ${done.detail}.`, can('audit') ? {href: to('audit', [], {object: done.stream}), link: 'Show in audit'} : {});
    types.refresh();
    await load();
  }

  function draw() {
    const {snapshot, state: kept} = found;
    context.render(html`<div class="stack">
      <dl class="figures pair">${figure('Version', format.number(snapshot.version), `of ${format.number(snapshot.last)}: ${format.plural(snapshot.last - snapshot.version, 'event')} since`)}${figure('Size', format.bytes(snapshot.bytes), html`kept ${time(snapshot.at)}`)}</dl>
      <div class="buttons">${action({label: 'Compare with its events', icon: 'check', tone: 'primary', needs: 'read', why: isBusy ? 'It is being rebuilt.' : '', click: rebuild})}
        ${action({label: 'Drop …', icon: 'drop', tone: 'danger', needs: 'operate', click: drop})}
        <a class="button" href=${streamOf({type, id})}>${icon('streams')}Its history</a></div>
      ${isBusy ? skeleton(2) : rebuilt ? verdict(kept) : nothing}
      <section class="stack"><h3>The kept state</h3><div class="card"><ev-json .label=${'Kept state'} .value=${masked(kept)}></ev-json></div><p class="dim">Its shape: <span class="mono">${snapshot.schema}</span></p></section>
    </div>`);
  }

  function verdict(kept) {
    if (!rebuilt.made) return html`<p class="notice warn">It was not rebuilt: ${rebuilt.why}</p>`;
    return html`<p class="notice ${rebuilt.same ? 'ok' : 'bad'}">${rebuilt.same ? state('ok', 'Equal') : state('bad', 'Not equal')} ${format.plural(rebuilt.events, 'event')} applied in ${format.duration(rebuilt.millis)}, which is what the snapshot saves.</p>${
      rebuilt.same ? nothing : html`<ev-diff .before=${masked(kept)} .after=${masked(rebuilt.state)}></ev-diff>`}`;
  }

  await load();
}
