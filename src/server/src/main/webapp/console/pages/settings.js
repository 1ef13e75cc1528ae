import {html, nothing} from '../lib/lit-html/lit-html.js';
import {api, ifSeen} from '../core/api.js';
import {can, whyNot} from '../core/can.js';
import {shown, topic} from '../core/live.js';
import {place, setQuery, to} from '../core/router.js';
import * as format from '../core/format.js';
import {action, empty, icon, state, time} from '../parts/kind.js';
import {confirm} from '../parts/dialog.js';
import {facets, searchBox} from '../parts/facets.js';
import {toast} from '../parts/toast.js';
import '../parts/table.js';

const settings = topic('settings');

/** What nodes read at their start, for those who operate. */
const configuration = topic('configuration');
const PAGE = 50;

/** Which beginnings of keys belong together, in the order of the page. */
const GROUPS = [
  ['messages', 'Messages', ['payload', 'commands', 'requests', 'http']],
  ['sessions', 'Bundles and live readers', ['sessions', 'live', 'declared']],
  ['consumers', 'Consumers and snapshots', ['consumer', 'snapshot']],
  ['watch', 'Telemetry and alarms', ['telemetry', 'alarms']],
  ['rights', 'Audit and personal data', ['audit', 'personal']],
  ['nodes', 'Nodes', ['drain']],
];
const OTHERS = ['others', 'Others', []];
const ONLY = {changed: 'Changed from the default', own: 'Set by a node itself'};

/** Keys that all nodes read at their start and should have alike. */
const ALIKE = ['evento.security', 'evento.oidc.issuer', 'evento.db.synchronous', 'evento.db.pool-size', 'evento.link.tls', 'evento.http.hosts', 'evento.http.trusted-proxies'];

const START = {
  'evento.node.url': 'where bundles reach the node', 'evento.node.bind': 'address of its links', 'evento.security': 'whether callers need a credential',
  'evento.oidc.issuer': 'the provider by which people sign in', 'evento.db.pool-size': 'connections to PostgreSQL', 'evento.db.synchronous': 'whether a standby has to have what is acknowledged',
  'evento.datasource.jndi': 'pool of the application server', 'evento.link.port': 'port of its links', 'evento.link.tls': 'whether its links are encrypted',
  'evento.http.hosts': 'names by which it may be called', 'evento.http.trusted-proxies': 'whose X-Forwarded-For counts',
};

const groupOf = key => GROUPS.find(([, , heads]) => heads.includes(key.split('.')[0])) ?? OTHERS;

/** What a value means: `1.0 MiB`, `30 s`, `for ever`. */
function words(key, value) {
  if (value === undefined || value === null) return '–';
  if (key === 'telemetry.enabled') return value ? 'on' : 'off';
  if (key === 'audit.keep-days' && value === 36_500) return 'for ever';
  if (key === 'alarms.database-gigabytes') return value ? `${format.number(value)} GB` : 'none';
  if (key.endsWith('bytes-max')) return format.bytes(value);
  if (key.endsWith('-seconds')) return `${format.number(value)} s`;
  if (/[.-]days$/.test(key)) return format.plural(value, 'day');
  if (key.endsWith('.hours')) return format.plural(value, 'hour');
  return format.number(value);
}

/** What each node has of its own for a key: `[['node-2', 600]]`. */
const own = (data, key) => Object.entries(data.nodes).filter(([, node]) => node[key] !== undefined).map(([name, node]) => [name, node[key]]);

/** The value of the cluster, which a node that has its own does not have. */
const cluster = one => one.source === 'node' ? one.lastChange?.after ?? one.default : one.value;

const isChanged = one => one.source === 'cluster' || one.lastChange?.after !== undefined;

/** All settings by what they are about. */
export function show(context) {
  const draw = now => context.render(page(now.data, context.query));
  const again = () => settings.get().data && draw(settings.get());
  context.onQuery(again);
  const off = can('operate') ? configuration.subscribe(again) : () => {};
  return shown(settings, draw).then(end => () => {
    off();
    end();
  });
}

function page(data, query) {
  const all = Object.values(data.settings);
  const [q, group, only] = ['q', 'group', 'only'].map(name => query.get(name) ?? '');
  const found = all.filter(one => !q || `${one.key} ${one.description}`.toLowerCase().includes(q.toLowerCase()));
  const is = {changed: isChanged, own: one => own(data, one.key).length > 0};
  const rows = found.filter(one => (!group || groupOf(one.key)[0] === group) && (!only || is[only]?.(one)));
  const counts = Object.fromEntries(GROUPS.map(([name]) => [name, found.filter(one => groupOf(one.key)[0] === name).length]).filter(([, count]) => count));
  return html`<div class="beside settings">
    <div class="facets">${searchBox('Find settings', 'readers, or telemetry', q, event => setQuery({q: event.target.value}))}${facets([
      {name: 'group', title: 'About', counts, of: name => GROUPS.find(one => one[0] === name)?.[1] ?? name},
      {name: 'only', title: 'Only', counts: Object.fromEntries(Object.keys(ONLY).map(name => [name, found.filter(is[name]).length])), of: name => ONLY[name]},
    ], query)}</div>
    <div class="stack">
      ${differences(data)}
      <p class="dim facet-said">${format.plural(rows.length, 'setting')}. A change is in force on all nodes within two seconds.</p>
      ${rows.length === 0 ? html`<section class="card">${empty('No setting is like that', 'Take a filter away, or search for another word.')}</section>` : [...GROUPS, OTHERS].map(one => section(one, rows.filter(row => groupOf(row.key) === one), data, query))}
      ${group || only || q ? nothing : atStart()}
    </div></div>`;
}

function section([name, title], rows, data, query) {
  if (rows.length === 0) return nothing;
  return html`<section class="card flush" aria-labelledby="settings-${name}"><header><h2 id="settings-${name}">${title}</h2></header><ul class="setting-rows">${rows.map(one => html`<li class=${place.get().path[0] === one.key ? 'here' : ''}>
    <div class="what"><a class="mono" href=${to('settings', [one.key], query)}>${one.key}</a><p>${one.description}</p></div>
    <div class="value"><b class="num">${words(one.key, cluster(one))}</b>${origin(one, data)}</div>
    <div class="buttons">${action({label: 'Edit', icon: 'edit', small: true, needs: 'operate', click: () => edit(one, data)})}</div></li>`)}</ul></section>`;
}

/** Where the value comes from, shortly. */
function origin(one, data) {
  const mine = own(data, one.key);
  if (mine.length) return html`<span class="pill warn">${icon('flag')}${mine.length === 1 ? mine[0][0] : format.plural(mine.length, 'node')} has its own</span>`;
  if (!isChanged(one)) return html`<span class="dim">default</span>`;
  return html`<span class="dim">not ${words(one.key, one.default)}${one.lastChange ? html`, by ${who(one.lastChange.by)} ${time(one.lastChange.at)}` : nothing}</span>`;
}

const who = text => text.replace(/^user /, '');

/** What is not the same on all nodes, said first. */
function differences(data) {
  const lines = [];
  for (const one of Object.values(data.settings)) {
    for (const [node, value] of own(data, one.key)) {
      lines.push(html`<li><b>${node}</b> has <a class="mono" href=${to('settings', [one.key])}>${one.key}</a> = <b class="num">${words(one.key, value)}</b> in its own configuration.</li>`);
    }
  }
  for (const key of ALIKE) {
    const values = atStartOf().map(([node, start]) => [node, start[key] ?? '']);
    if (new Set(values.map(([, value]) => value)).size > 1) {
      lines.push(html`<li>Nodes differ in <span class="mono">${key}</span>: ${values.map(([node, value], at) => html`${at ? ', ' : ''}${node} has <b>${value || 'none'}</b>`)}.</li>`);
    }
  }
  return html`${data.unreachable.length ? html`<p class="notice warn">${data.unreachable.join(', ')} did not answer in time: what ${data.unreachable.length === 1 ? 'it has of its own is' : 'they have of their own is'} not known.</p>` : nothing}${
    lines.length ? html`<div class="notice warn"><ul class="differences">${lines}</ul></div>` : nothing}`;
}

const atStartOf = () => Object.entries(configuration.get().data?.nodes ?? {});

/** What nodes read once; to be changed where they are configured. */
function atStart() {
  if (!can('operate')) return html`<p class="dim">What nodes read at their start is not open to you. ${whyNot('operate')}</p>`;
  const nodes = atStartOf();
  if (nodes.length === 0) return nothing;
  const keys = Object.keys(START).filter(key => nodes.some(([, node]) => node[key]));
  return html`<section class="card flush" aria-labelledby="settings-start"><header><h2 id="settings-start">At the next start</h2><span class="dim">Each node has these in its own configuration, and reads them once.</span></header>
    <div class="scroller" tabindex="0" role="region" aria-label="What nodes read at their start"><table class="table"><thead><tr><th scope="col">Key</th>${nodes.map(([name]) => html`<th scope="col">${name}</th>`)}</tr></thead><tbody>${
      keys.map(key => html`<tr class="item"><td><span class="mono">${key}</span> <span class="dim wide">${START[key]}</span></td>${nodes.map(([, node]) => html`<td class="mono">${node[key] || html`<span class="dim">–</span>`}</td>`)}</tr>`)}</tbody></table></div></section>`;
}

// ---- one setting

/** One setting: where it comes from, who changed it, and the way back. */
export function detail(context) {
  const key = context.path[0];
  context.title(key);
  let seen = 0;
  let source = null;
  return shown(settings, now => {
    const one = now.data.settings[key];
    if (!one) {
      context.render(empty('There is no such setting', 'A newer release may know it.'));
      return;
    }
    // A new change starts the history over.
    if (!source || one.lastChange && one.lastChange.id !== seen) {
      seen = one.lastChange?.id ?? 0;
      source = history(key);
    }
    context.render(full(one, now.data, source));
  });
}

const history = key => async ({after, signal}) => {
  const said = await api.get(`/settings/${encodeURIComponent(key)}/history`, {before: after, limit: PAGE}, signal);
  return {items: said.changes, next: said.next ?? null};
};

function full(one, data, source) {
  const mine = own(data, one.key);
  const value = cluster(one);
  return html`<div class="stack setting">
    <p>${one.description}.</p>
    <dl class="figures"><div class="figure"><dt>${mine.length ? 'For the cluster' : 'Now'}</dt><dd>${words(one.key, value)}</dd>${words(one.key, value) === format.number(value) ? nothing : html`<dd class="more">${format.number(value)}</dd>`}</div>
      <div class="figure"><dt>Default</dt><dd>${words(one.key, one.default)}</dd><dd class="more">${format.number(one.min)} to ${format.number(one.max)}</dd></div></dl>
    ${mine.length ? html`<div class="notice warn"><ul class="differences">${mine.map(([node, value]) => html`<li><b>${node}</b> keeps <b class="num">${words(one.key, value)}</b>: <span class="mono">evento.${one.key}</span> stands in its own configuration, which it reads at its next start.</li>`)}</ul></div>` : nothing}
    <dl class="facts">
      <dt>Source</dt><dd>${isChanged(one) ? 'set for the cluster' : 'the default'}${mine.length ? html`; of its own on ${mine.map(([node]) => node).join(', ')}` : nothing}</dd>
      <dt>Applies</dt><dd>${state('live', 'live')}: on all nodes within two seconds</dd>
      <dt>Changed</dt><dd>${one.lastChange ? html`${time(one.lastChange.at)} by ${who(one.lastChange.by)}` : 'never'}</dd>
    </dl>
    <div class="buttons">
      ${action({label: 'Edit …', icon: 'edit', tone: 'primary', needs: 'operate', click: () => edit(one, data)})}
      ${action({label: 'Back to the default …', icon: 'reset', needs: 'operate', why: isChanged(one) ? '' : 'It has its default.', click: () => reset(one)})}
    </div>
    <section class="stack"><h3>History</h3><div class="card flush"><ev-table .label=${`Changes of ${one.key}`} .columns=${changes(one, data)} .source=${source} .height=${'40dvh'} .exportable=${false}
      .empty=${empty('Nobody has changed it', 'Each change stands here with who made it and why.')}></ev-table></div>
      ${can('audit') ? html`<p><a href=${to('audit', [], {object: one.key})}>In the audit</a></p>` : nothing}</section>
  </div>`;
}

const changes = (one, data) => [
  {key: 'at', title: 'When', cell: row => time(row.at)},
  {key: 'by', title: 'Who', cell: row => who(row.by)},
  {key: 'after', title: 'From and to', grow: true, wrap: true, cell: row => html`<span class="num">${row.before === undefined ? 'default' : words(one.key, row.before)} → <b>${row.after === undefined ? 'default' : words(one.key, row.after)}</b></span>${row.reason ? html`<span class="dim reason">${row.reason}</span>` : nothing}`},
  {key: 'back', title: 'Before it', cell: row => action({label: row.before === undefined ? 'Default' : words(one.key, row.before), icon: 'reset', small: true, needs: 'operate', why: (row.before ?? one.default) === cluster(one) ? 'It has that value.' : '',
    click: () => row.before === undefined ? reset(one) : edit(one, data, row.before)})},
];

// ---- changes

const path = key => `/settings/${encodeURIComponent(key)}`;

/** The change that the dialog began with. */
const asSeen = one => ifSeen(one.lastChange?.id ?? 0);

/** What a change would do, once the server has said that it would be made. */
function effect(one, asked, data) {
  const mine = own(data, one.key).map(([node]) => node);
  return html`<p>${asked === cluster(one) ? 'That is the value that it has.' : html`It goes from <b class="num">${words(one.key, cluster(one))}</b> to <b class="num">${words(one.key, asked)}</b>, on all nodes within two seconds.`}</p>${
    mine.length ? html`<p class="dim">Not on ${mine.join(', ')}: ${mine.length === 1 ? 'it has' : 'they have'} a value of ${mine.length === 1 ? 'its' : 'their'} own.</p>` : nothing}`;
}

async function edit(one, data, first = cluster(one)) {
  let given = String(first);
  const body = () => ({value: given.trim() === '' ? null : Number(given)});
  const done = await confirm({
    title: one.key, verb: 'Change setting',
    dry: async () => {
      await api.put(path(one.key), body(), {dryRun: true}, asSeen(one));
      return effect(one, Number(given), data);
    },
    extra: (look, wrong) => {
      const said = wrong('/value');
      return html`<label class="field"><span>${one.description}</span><input name="value" type=${'number'} step="1" min=${one.min} max=${one.max} .value=${given} aria-invalid=${said === nothing ? 'false' : 'true'} autofocus
        @input=${event => { given = event.target.value; look(); }}>${said === nothing ? html`<span class="help">${format.number(one.min)} to ${format.number(one.max)}; ${format.number(one.default)} is the default</span>` : said}</label>`;
    },
    run: reason => api.put(path(one.key), {...body(), ...(reason ? {reason} : {})}, {}, asSeen(one)),
  });
  if (done) changed(one, done);
}

async function reset(one) {
  const done = await confirm({
    title: one.key, verb: 'Back to the default',
    dry: async () => {
      const would = await api.delete(path(one.key), {dryRun: true}, asSeen(one));
      return html`<p>It goes from <b class="num">${words(one.key, cluster(one))}</b> back to its default <b class="num">${words(one.key, would.default)}</b>, on all nodes within two seconds.</p>`;
    },
    run: reason => api.delete(path(one.key), reason ? {reason} : {}, asSeen(one)),
  });
  if (done) changed(one, done);
}

const changed = (one, now) => toast(`${one.key} is ${words(one.key, now.value)} now.`, can('audit') ? {href: to('audit', [], {object: one.key}), link: 'Show in audit'} : {});
