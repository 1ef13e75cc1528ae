import {html, nothing} from '../../lib/lit-html/lit-html.js';
import {api, ifSeen} from '../../core/api.js';
import {shown, watch} from '../../core/live.js';
import {go, to} from '../../core/router.js';
import {session} from '../../core/session.js';
import * as format from '../../core/format.js';
import {action, empty, failure, figure, icon, state, time} from '../../parts/kind.js';
import {confirm} from '../../parts/dialog.js';
import {toast} from '../../parts/toast.js';
import {ROLES, rolesOf} from './roles.js';
import '../../parts/table.js';

const users = watch('/users', {every: 5_000});
const path = name => `/users/${encodeURIComponent(name)}`;
const PASSWORD = '12 to 200 characters';

const isMe = one => session.get()?.kind === 'user' && session.get().name === one.name;

/** Whether nobody else could administer. */
const isLast = (one, all) => !one.lockedAt && one.roles.includes('admin')
  && all.filter(other => other.roles.includes('admin') && !other.lockedAt).length === 1;
const LAST = 'The last administrator stays one. Make another one first.';

const toAudit = one => ({href: to('audit', [], {object: one.name}), link: 'Show in audit'});

export const show = context => shown(users, now => context.render(now.data ? page(now) : failure(now.problem, users.refresh)));

function page({data, problem}) {
  const all = data.users;
  const count = test => format.number(all.filter(test).length);
  return html`<div class="stack">
    ${problem ? failure(problem, users.refresh) : nothing}
    <dl class="figures">
      ${figure('People', format.number(all.length), `${count(one => one.provider)} by a provider`)}
      ${figure('Signed in', count(one => one.sessions > 0), format.plural(all.reduce((sum, one) => sum + one.sessions, 0), 'session'))}
      ${figure('Administrators', count(one => one.roles.includes('admin')), 'one has to stay')}
      ${figure('Locked', count(one => one.lockedAt), 'cannot sign in')}
    </dl>
    <section class="card flush"><div class="toolbar list-tools"><span class="dim">Who may sign in, and as what</span><span class="space"></span>${action({label: 'New person …', icon: 'plus', tone: 'primary', needs: 'administer', click: create})}</div>
      <ev-table .name=${'users'} .label=${'People'} .columns=${COLUMNS} .rows=${all} .key=${one => one.name} .href=${one => to('access', ['users', one.name], {tab: 'users'})}
        .empty=${empty('Nobody is here', 'This node is open: everybody who reaches it may do everything. The first person is made here, an administrator: from then on no node may be open any more.')}></ev-table></section>
  </div>`;
}

const sign = one => one.lockedAt ? state('failed', 'locked') : one.sessions ? state('up', 'signed in') : html`<span class="dim">not signed in</span>`;

const COLUMNS = [
  {key: 'name', title: 'Name', sort: one => one.name, cell: one => html`<b>${one.name}</b>${isMe(one) ? html` <span class="pill">you</span>` : nothing}`},
  {key: 'roles', title: 'Roles', grow: true, sort: one => one.roles.join(), text: one => one.roles.join(' '), cell: one => pills(one.roles)},
  {key: 'state', title: 'State', text: one => one.lockedAt ? 'locked' : one.sessions ? 'signed in' : '', sort: one => one.sessions, cell: sign},
  {key: 'signedInAt', title: 'Last sign-in', narrow: false, sort: one => one.signedInAt ?? '', cell: one => one.signedInAt ? time(one.signedInAt) : html`<span class="dim">not since the upgrade</span>`},
  {key: 'sessions', title: 'Sessions', end: true, narrow: false, sort: one => one.sessions, text: one => one.sessions, cell: one => one.sessions || html`<span class="dim">–</span>`},
  {key: 'provider', title: 'Signs in by', narrow: false, text: one => one.provider ?? 'password', cell: one => one.provider ? 'provider' : 'password'},
  {key: 'createdAt', title: 'Made', narrow: false, hidden: true, sort: one => one.createdAt, cell: one => time(one.createdAt)},
];

const pills = roles => roles.length ? html`<span class="pills">${roles.map(role => html`<span class="pill ${role === 'admin' ? 'warn' : ''}">${role}</span>`)}</span>` : html`<span class="dim">none</span>`;

// ---- one person

/** Sessions of the person that is shown. */
let sessions = null;
const SESSIONS_MAX = 200;

export function detail(context, name) {
  const mine = watch(`${path(name)}/sessions`, {every: 5_000, query: {limit: SESSIONS_MAX}});
  sessions = mine;
  const draw = () => users.get() && drawn(context, name, users.get(), mine.get());
  const off = mine.subscribe(draw);
  return shown(users, draw).then(end => () => {
    off();
    end();
    if (sessions === mine) sessions = null;
  });
}

function drawn(context, name, now, its) {
  if (!now.data && !now.problem) return;
  const one = now.data?.users.find(other => other.name === name);
  context.render(one ? full(one, now.data.users, its) : now.data ? empty('There is no such person', 'Somebody may have removed the account.') : failure(now.problem, users.refresh));
}

/** The newest first, as far as they are told. */
function sessionsOf(one, its) {
  if (!its.data) return its.problem ? failure(its.problem, sessions?.refresh) : nothing;
  if (its.data.sessions.length === 0) return html`<p class="dim">None: ${one.name} is not signed in.</p>`;
  const all = [...its.data.sessions].sort((a, b) => a.createdAt < b.createdAt ? 1 : -1);
  return html`<ul class="entries">${all.map(it => html`<li><div><b class="mono">${it.address || 'unknown address'}</b><span class="dim">since ${time(it.createdAt)}, used ${time(it.seenAt)}, ends ${time(it.endsAt)} at the latest</span></div>${
    action({label: 'End', icon: 'out', small: true, needs: 'administer', click: () => end(one, it)})}</li>`)}</ul>${its.data.next ? html`<p class="dim">${format.number(all.length)} of ${format.number(one.sessions)} are shown.</p>` : nothing}`;
}

function full(one, all, its) {
  const last = isLast(one, all) ? LAST : '';
  return html`<div class="stack">
    <p class="row">${sign(one)}${isMe(one) ? html`<span class="pill">you</span>` : nothing}<span class="space"></span>${pills(one.roles)}</p>
    ${one.lockedAt ? html`<p class="notice warn">Locked ${time(one.lockedAt)}: ${one.name} has no session, and gets none before an administrator unlocks the account.</p>` : nothing}
    <div class="buttons">
      ${action({label: 'Change roles …', icon: 'edit', tone: 'primary', needs: 'administer', why: one.provider ? 'The groups of the provider give the roles.' : '', click: () => changeRoles(one, all)})}
      ${action({label: 'New password …', icon: 'keys', needs: 'administer', why: one.provider ? 'The provider has the password.' : '', click: () => resetPassword(one)})}
      ${one.lockedAt ? action({label: 'Unlock …', icon: 'open', needs: 'administer', click: () => unlock(one)}) : action({label: 'Lock …', icon: 'pause', needs: 'administer', why: last, click: () => lock(one)})}
      ${action({label: 'Remove …', icon: 'drop', tone: 'danger', needs: 'administer', why: last, click: () => remove(one)})}
    </div>
    <dl class="facts">
      <dt>May</dt><dd>${one.roles.length ? one.roles.map((role, at) => html`${at ? '; ' : ''}${ROLES[role]}`) : 'nothing'}</dd>
      <dt>Signs in by</dt><dd>${one.provider ? html`provider <span class="mono">${one.provider}</span>` : 'password'}</dd>
      <dt>Last sign-in</dt><dd>${one.signedInAt ? html`${time(one.signedInAt)}, ${time(one.signedInAt, 'clock')}` : 'not since the upgrade to this release'}</dd>
      <dt>Made</dt><dd>${time(one.createdAt, 'clock')}</dd>
    </dl>
    <section class="stack"><div class="row"><h3>Sessions</h3><span class="space"></span>${one.sessions ? action({label: 'End all …', icon: 'out', small: true, needs: 'administer', click: () => end(one)}) : nothing}</div>
      ${sessionsOf(one, its)}</section>
    <p><a href=${to('audit', [], {object: one.name})}>What was done about ${one.name}</a> · <a href=${to('audit', [], {who: `user ${one.name}`})}>What ${one.name} did</a></p>
  </div>`;
}

// ---- actions: the sentence says what happens, the server whether it may

const boxes = (chosen, look, wrong, why = () => '') => html`<fieldset class="stack roles"><legend class="label">Roles</legend>${Object.entries(ROLES).map(([role, may]) => {
  const because = why(role);
  return html`<label class="check role"><input type="checkbox" name=${role} .checked=${chosen.has(role)} ?disabled=${because !== ''} @change=${event => { if (event.target.checked) chosen.add(role); else chosen.delete(role); look(); }}><span><b>${role}</b> <span class="dim">${may}</span>${
    because ? html` <span class="help">${because}</span>` : nothing}</span></label>`;
})}${wrong('/roles')}</fieldset>`;

const passwordField = (label, given, wrong) => {
  const said = wrong('/password');
  return html`<label class="field"><span>${label}</span><input type="password" name="password" autocomplete="new-password" maxlength="200" aria-invalid=${said === nothing ? 'false' : 'true'} @input=${event => { given.password = event.target.value; }}>${
    said === nothing ? html`<span class="help">${PASSWORD}. Tell it to the person, who can change it.</span>` : said}</label>`;
};

async function create() {
  const given = {name: '', password: ''};
  const roles = new Set(['viewer']);
  const done = await confirm({
    title: 'New person', verb: 'Make person', reason: false,
    dry: async () => html`<p>${rolesOf(roles)}</p>`,
    extra: (look, wrong) => {
      const said = wrong('/name');
      return html`<label class="field"><span>Name</span><input name="name" autocomplete="off" spellcheck="false" autocapitalize="off" maxlength="100" autofocus aria-invalid=${said === nothing ? 'false' : 'true'} @input=${event => { given.name = event.target.value.trim(); }}>${said}</label>
      ${boxes(roles, look, wrong)}${passwordField('First password', given, wrong)}`;
    },
    run: () => api.post('/users', {...given, roles: [...roles]}),
  });
  await users.refresh();
  if (done) toast(`${given.name} may sign in.`, toAudit(given));
}

async function changeRoles(one, all) {
  const roles = new Set(one.roles);
  const mine = isMe(one);
  const done = await confirm({
    title: `Roles of ${one.name}`, verb: 'Change roles', reason: false,
    dry: async () => html`<p>${rolesOf(roles)} ${one.sessions ? `${mine ? 'You are' : `${one.name} is`} signed out and signs in again.` : ''}</p>`,
    extra: (look, wrong) => boxes(roles, look, wrong, role => role === 'admin' && isLast(one, all) ? LAST
      : mine && !session.get().roles.includes(role) ? 'Nobody gives himself a role: another administrator does.' : ''),
    run: () => api.put(`${path(one.name)}/roles`, {roles: [...roles]}, {}, ifSeen(one.roles.join(','))).then(() => true),
  });
  await refreshed(done, `${one.name} has other roles.`, one);
}

async function resetPassword(one) {
  const given = {password: ''};
  const done = await confirm({
    title: `New password of ${one.name}`, verb: 'Set password', reason: false,
    dry: async () => html`<p>The present password is not valid any more${one.sessions ? html`, and ${format.plural(one.sessions, 'session')} of ${one.name} ${one.sessions === 1 ? 'ends' : 'end'}` : nothing}.</p>`,
    extra: (look, wrong) => passwordField('New password', given, wrong),
    run: () => api.put(`${path(one.name)}/password`, given).then(() => true),
  });
  await refreshed(done, `${one.name} has another password.`, one);
}

async function lock(one) {
  const done = await confirm({
    title: `Lock ${one.name}`, verb: 'Lock', danger: true, reason: false,
    dry: async () => html`<p>${isMe(one) ? html`<b>That is you.</b> ` : nothing}${one.sessions ? `${format.plural(one.sessions, 'session')} end${one.sessions === 1 ? 's' : ''} on all nodes, and nobody` : 'Nobody'} signs in as ${one.name} until an administrator unlocks the account.</p>`,
    run: () => api.put(`${path(one.name)}/lock`).then(() => true),
  });
  await refreshed(done, `${one.name} is locked.`, one, {tone: 'warn'});
}

async function unlock(one) {
  const done = await confirm({
    title: `Unlock ${one.name}`, verb: 'Unlock', reason: false,
    dry: async () => html`<p>${one.name} may sign in again, with the same ${one.provider ? 'provider' : 'password'} and roles.</p>`,
    run: () => api.delete(`${path(one.name)}/lock`).then(() => true),
  });
  await refreshed(done, `${one.name} may sign in again.`, one);
}

async function end(one, it) {
  const done = await confirm({
    title: it ? 'End this session' : `End all sessions of ${one.name}`, verb: it ? 'End session' : 'End sessions', danger: true, reason: false,
    dry: async () => html`<p>${it ? html`The session from <span class="mono">${it.address || 'an unknown address'}</span> ends` : html`<b class="num">${format.plural(one.sessions, 'session')}</b> ${one.sessions === 1 ? 'ends' : 'end'}`} on all nodes. ${one.name} may sign in again.</p>`,
    run: () => api.delete(`${path(one.name)}/sessions${it ? `/${it.id}` : ''}`).then(() => true),
  });
  await refreshed(done, it ? 'The session has ended.' : `${one.name} is signed out.`, one);
}

async function remove(one) {
  const done = await confirm({
    title: `Remove ${one.name}`, verb: 'Remove person', typed: one.name, danger: true, reason: false,
    dry: async () => html`<p>${one.name} is signed out and cannot sign in any more. What ${one.name} did stays in the audit.</p>`,
    run: () => api.delete(path(one.name)).then(() => true),
  });
  if (done) go(to('access', [], {tab: 'users'}));
  await refreshed(done, `${one.name} was removed.`, one, {tone: 'warn'});
}

async function refreshed(done, text, one, how = {}) {
  if (!done) return;
  toast(text, {...toAudit(one), ...how});
  await Promise.all([users.refresh(), sessions?.refresh()]);
}
