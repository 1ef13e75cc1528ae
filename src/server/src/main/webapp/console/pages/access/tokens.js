import {html, nothing} from '../../lib/lit-html/lit-html.js';
import {api} from '../../core/api.js';
import {shown, watch} from '../../core/live.js';
import {to} from '../../core/router.js';
import * as format from '../../core/format.js';
import {action, copy, copyable, empty, failure, figure, icon, state, time} from '../../parts/kind.js';
import {confirm, dialog} from '../../parts/dialog.js';
import {toast} from '../../parts/toast.js';
import '../../parts/table.js';

const tokens = watch('/tokens', {every: 5_000});
const path = bundle => `/tokens/${encodeURIComponent(bundle)}`;
const RIGHTS = ['host', 'send', 'read', 'personal'];
const VALID = [['P90D', '90 days'], ['P30D', '30 days'], ['P365D', 'a year'], ['', 'until it is revoked']];
const SOON_MILLIS = 14 * 86_400_000;

const valid = bundle => bundle.tokens.filter(one => one.valid);
const toAudit = object => ({href: to('audit', [], {object}), link: 'Show in audit'});
const isSoon = one => one.valid && one.expiresAt && new Date(one.expiresAt) - Date.now() < SOON_MILLIS;

export const show = context => shown(tokens, now => context.render(now.data ? page(now) : failure(now.problem, tokens.refresh)));

function page({data, problem}) {
  const all = data.bundles;
  const sum = test => all.flatMap(one => one.tokens).filter(test).length;
  return html`<div class="stack">
    ${problem ? failure(problem, tokens.refresh) : nothing}
    <dl class="figures">
      ${figure('Bundles', format.number(all.length), 'and other programs')}
      ${figure('Valid tokens', format.number(sum(one => one.valid)), 'two of a bundle at most')}
      ${figure('Being changed', format.number(all.filter(one => valid(one).length > 1).length), 'have two that are valid')}
      ${figure('Expire soon', format.number(sum(isSoon)), 'within 14 days')}
    </dl>
    <section class="card flush"><div class="toolbar list-tools"><span class="dim">What programs show, and what it lets them do</span><span class="space"></span>${action({label: 'New bundle …', icon: 'plus', tone: 'primary', needs: 'administer', click: () => create()})}</div>
      <ev-table .name=${'tokens'} .label=${'Bundles'} .columns=${COLUMNS} .rows=${all} .key=${one => one.bundle} .href=${one => to('access', ['tokens', one.bundle], {tab: 'tokens'})}
        .empty=${empty('No bundle has a token', 'A bundle reads its token from EVENTO_TOKEN_FILE, and shows it to the nodes.', 'EVENTO_TOKEN_FILE=/run/secrets/evento-token java -jar bank.jar')}></ev-table></section>
  </div>`;
}

const latest = one => one.tokens.filter(token => token.lastUsedAt).sort((a, b) => a.lastUsedAt < b.lastUsedAt ? 1 : -1)[0];
const expiry = one => valid(one).map(token => token.expiresAt ?? '').sort().find(Boolean) ?? null;

const COLUMNS = [
  {key: 'bundle', title: 'Bundle', sort: one => one.bundle, cell: one => html`<b>${one.bundle}</b>`},
  {key: 'scopes', title: 'Scopes', grow: true, text: one => one.scopes.map(words).join('; '), cell: one => one.scopes.length ? one.scopes.map((scope, at) => html`${at ? ', ' : ''}<span class="mono">${words(scope)}</span>`) : html`<span class="dim">none</span>`},
  {key: 'valid', title: 'Tokens', sort: one => valid(one).length, text: one => valid(one).length, cell: one => standing(one)},
  {key: 'used', title: 'Last used', narrow: false, sort: one => latest(one)?.lastUsedAt ?? '', text: one => latest(one)?.lastUsedAt ?? '', cell: one => latest(one) ? time(latest(one).lastUsedAt) : html`<span class="dim">never</span>`},
  {key: 'from', title: 'From', narrow: false, text: one => latest(one)?.lastUsedFrom ?? '', cell: one => html`<span class="mono">${latest(one)?.lastUsedFrom || '–'}</span>`},
  {key: 'expires', title: 'Expires', narrow: false, sort: one => expiry(one) ?? '9', text: one => expiry(one) ?? '', cell: one => expiry(one) ? html`<span class=${valid(one).some(isSoon) ? 'warn' : ''}>${time(expiry(one))}</span>` : html`<span class="dim">–</span>`},
];

const words = scope => `${scope.right} ${scope.context}${scope.right === 'personal' ? '' : ` ${scope.type}`}`;

function standing(one) {
  const count = valid(one).length;
  if (count === 0) return state('gone', 'none valid');
  return count === 1 ? state(valid(one).some(isSoon) ? 'warn' : 'ok', '1 valid') : state('draining', '2 valid');
}

// ---- one bundle

export function detail(context, name) {
  const box = {right: 'send', context: null, type: '', said: null, problem: null, asked: ''};
  const draw = now => {
    const one = now.data?.bundles.find(other => other.bundle === name);
    box.context ??= one?.scopes.find(scope => !scope.context.endsWith('*'))?.context ?? '';
    context.render(one ? full(one, box, () => draw(tokens.get())) : now.data ? empty('There is no such bundle', 'It never had a token.') : failure(now.problem, tokens.refresh));
  };
  return shown(tokens, draw);
}

function full(one, box, draw) {
  const now = valid(one);
  const order = [...one.tokens].sort((a, b) => Number(b.valid) - Number(a.valid) || (a.createdAt < b.createdAt ? 1 : -1));
  return html`<div class="stack">
    <p class="row">${standing(one)}<span class="space"></span><a href=${to('bundles', [one.bundle])}>Its sessions</a></p>
    ${now.length > 1 ? html`<p class="notice warn">Two tokens are valid. Give the newer one to ${one.bundle}; once <span class="mono">${now[0].prefix}</span> is not used any more, revoke it.</p>` : nothing}
    ${now.length === 0 ? html`<p class="notice bad">No token is valid: ${one.bundle} cannot connect, and what it has decided is not sent any more.</p>` : nothing}
    <div class="buttons">
      ${action({label: now.length ? 'Rotate …' : 'New token …', icon: 'retry', tone: 'primary', needs: 'administer', why: now.length > 1 ? 'Two tokens are valid. Revoke one of them first.' : '', click: () => rotate(one)})}
      ${action({label: 'Change scopes …', icon: 'edit', needs: 'administer', click: () => changeScopes(one)})}
    </div>
    <section class="stack"><h3>Tokens</h3><ul class="entries">${order.map(token => html`<li><div><b class="mono">evt_${token.prefix}…</b><span class="dim">made ${time(token.createdAt)}${
      token.revokedAt ? html`, revoked ${time(token.revokedAt)}` : token.expiresAt ? html`, ${token.valid ? 'expires' : 'expired'} ${time(token.expiresAt)}` : ', valid until it is revoked'}</span><span class="dim">${
      token.lastUsedAt ? html`used ${time(token.lastUsedAt)}${token.lastUsedFrom ? html` from <span class="mono">${token.lastUsedFrom}</span>` : nothing}` : 'never used'}</span></div>${
      token.valid ? html`${state(isSoon(token) ? 'warn' : 'ok', 'valid')}${action({label: 'Revoke …', icon: 'drop', tone: 'danger', small: true, needs: 'administer', click: () => revoke(one, token)})}` : state('gone', token.revokedAt ? 'revoked' : 'expired')}</li>`)}</ul></section>
    <section class="stack"><h3>Scopes</h3>${one.scopes.length ? html`<table class="table scopes"><thead><tr><th scope="col">Right</th><th scope="col">Context</th><th scope="col">Types</th></tr></thead><tbody>${
      one.scopes.map(scope => html`<tr class="item"><td class="mono">${scope.right}</td><td class="mono">${scope.context}</td><td class="mono">${scope.right === 'personal' ? html`<span class="dim">all</span>` : scope.type}</td></tr>`)}</tbody></table>` : html`<p class="dim">None: ${one.bundle} may connect, and do nothing.</p>`}</section>
    ${testBox(one, box, draw)}
    <p><a href=${to('audit', [], {words: one.bundle, kind: 'changes'})}>What was done about it</a> · <a href=${to('audit', [], {who: `bundle ${one.bundle}`})}>What it was refused</a></p>
  </div>`;
}

/** “May this bundle send X?”, answered by the server by the same rule that holds at its doors. */
function testBox(one, box, draw) {
  const change = given => {
    Object.assign(box, given, {said: null, problem: null});
    draw();
  };
  const ask = async event => {
    event.preventDefault();
    const asked = {right: box.right, context: box.context.trim(), type: box.right === 'personal' ? '*' : box.type.trim()};
    Object.assign(box, {said: null, problem: null, asked});
    try {
      box.said = await api.get(`${path(one.bundle)}/check`, asked);
    } catch (problem) {
      box.problem = problem;
    }
    draw();
  };
  const isBlank = !box.context.trim() || box.right !== 'personal' && !box.type.trim();
  return html`<section class="stack"><h3 id="test-box">May it?</h3><form class="card stack test-box" aria-labelledby="test-box" @submit=${ask}>
    <div class="scope-row"><label class="field"><span>Right</span><select name="right" @change=${event => change({right: event.target.value})}>${RIGHTS.map(right => html`<option value=${right} .selected=${right === box.right}>${right}</option>`)}</select></label>
      <label class="field"><span>Context</span><input name="context" class="mono" .value=${box.context} spellcheck="false" autocomplete="off" @input=${event => change({context: event.target.value})}></label>
      ${box.right === 'personal' ? nothing : html`<label class="field"><span>Type</span><input name="type" class="mono" placeholder="OpenAccount" .value=${box.type} spellcheck="false" autocomplete="off" @input=${event => change({type: event.target.value})}></label>`}</div>
    <div class="row"><button class="button" ?disabled=${isBlank}>Ask</button><span role="status">${box.problem ? html`<span class="bad">${box.problem.detail}</span>` : box.said ? verdict(one, box) : nothing}</span></div></form></section>`;
}

function verdict(one, {said, asked}) {
  const what = asked.right === 'personal' ? 'have keys' : `${asked.right} ${asked.type}`;
  if (said.allowed) return html`${state('ok', 'Yes')}: ${one.bundle} may ${what} in ${asked.context}, by <span class="mono">${words(said.by)}</span>.`;
  if (said.by) return html`${state('failed', 'No')}: <span class="mono">${words(said.by)}</span> would let it, and no token is valid.`;
  return html`${state('failed', 'No')}: no scope of ${one.bundle} covers ${asked.right === 'personal' ? 'keys' : html`<span class="mono">${asked.type}</span>`} in <span class="mono">${asked.context}</span> for the right ${asked.right}.`;
}

// ---- actions

const validity = (given, look) => html`<label class="field"><span>Valid for</span><select name="validFor" @change=${event => { given.validFor = event.target.value; look(); }}>${VALID.map(([value, label]) => html`<option value=${value} .selected=${value === given.validFor}>${label}</option>`)}</select></label>`;

function scopeFields(scopes, look, wrong) {
  const set = (at, change) => {
    scopes[at] = {...scopes[at], ...change};
    look();
  };
  return html`<fieldset class="stack"><legend class="label">Scopes: a right within a context and for types; both may end in *</legend>${scopes.map((scope, at) => html`<div class="scope-row"><label class="field"><span>Right</span><select @change=${event => set(at, {right: event.target.value, ...(event.target.value === 'personal' ? {type: '*'} : {})})}>${
    RIGHTS.map(right => html`<option value=${right} .selected=${right === scope.right}>${right}</option>`)}</select></label><label class="field"><span>Context</span><input class="mono" .value=${scope.context} spellcheck="false" autocomplete="off" @input=${event => set(at, {context: event.target.value.trim()})}>${wrong(`/scopes/${at}/context`)}</label><label class="field"><span>Types</span><input class="mono" .value=${scope.type} ?disabled=${scope.right === 'personal'} spellcheck="false" autocomplete="off" @input=${event => set(at, {type: event.target.value.trim()})}>${wrong(`/scopes/${at}/type`)}</label><button
    type="button" class="icon-button" title="Take this scope away" aria-label="Take scope ${at + 1} away" @click=${() => { scopes.splice(at, 1); look(); }}>${icon('minus')}</button></div>`)}${wrong('/scopes')}
    <p><button type="button" class="button small" @click=${() => { scopes.push({right: 'send', context: scopes.at(-1)?.context ?? '', type: '*'}); look(); }}>${icon('plus')}Add a scope</button></p></fieldset>`;
}

async function create() {
  const given = {bundle: '', validFor: VALID[0][0]};
  const scopes = [{right: 'host', context: '', type: '*'}, {right: 'send', context: '', type: '*'}];
  const made = await confirm({
    title: 'New bundle', verb: 'Make token', reason: false, wide: true,
    dry: async () => html`<p>The bundle, or another program, gets its first token. The secret is shown once.</p>`,
    extra: (look, wrong) => {
      const said = wrong('/bundle');
      return html`<label class="field"><span>Bundle</span><input name="bundle" class="mono" autocomplete="off" spellcheck="false" autofocus aria-invalid=${said === nothing ? 'false' : 'true'} @input=${event => { given.bundle = event.target.value.trim(); }}>${said}</label>${scopeFields(scopes, look, wrong)}${validity(given, look)}`;
    },
    run: () => api.post('/tokens', {bundle: given.bundle, scopes, ...(given.validFor ? {validFor: given.validFor} : {})}),
  });
  await told(made);
}

async function rotate(one) {
  const given = {validFor: VALID[0][0]};
  const old = valid(one)[0];
  const made = await confirm({
    title: old ? `Rotate the token of ${one.bundle}` : `New token of ${one.bundle}`, verb: 'Make token', reason: false,
    dry: async () => html`<p>${old ? html`<span class="mono">${old.prefix}</span> stays valid beside the new one, so that nothing stops. Give the new one to ${one.bundle}, wait until the old one is not used any more, and revoke it.` : html`${one.bundle} can connect again, with the scopes that it has.`} The secret is shown once.</p>`,
    extra: look => validity(given, look),
    run: () => api.post('/tokens', {bundle: one.bundle, ...(given.validFor ? {validFor: given.validFor} : {})}),
  });
  await told(made);
}

/** Shows a secret, which nobody can ask for again. */
async function told(made) {
  if (!made) return;
  tokens.refresh();
  await dialog({
    title: `Token of ${made.bundle}`,
    content: close => html`<div class="stack"><p>Copy it now: it is shown <b>this once</b>. Nodes keep a hash of it alone.</p>
      <pre class="code secret" tabindex="0"><code>${made.token}</code></pre>
      <p class="dim">Put it into a file that ${made.bundle} alone may read, and name the file by <span class="mono">EVENTO_TOKEN_FILE</span>. A bundle reads it again at each connect.</p>
      <footer><button type="button" class="button primary" autofocus @click=${event => copy(made.token, event.currentTarget).then(() => toast('The token was copied.'))}>${icon('copy')}Copy</button><button type="button" class="button" @click=${() => close()}>I have it</button></footer></div>`,
  });
}

async function revoke(one, token) {
  const others = valid(one).length - 1;
  const done = await confirm({
    title: `Revoke ${token.prefix}`, verb: 'Revoke token', danger: true, reason: false,
    dry: async () => html`<p>Sessions that ${one.bundle} began with it end on all nodes within two seconds. ${token.lastUsedAt ? html`It was used ${time(token.lastUsedAt)}.` : 'It was never used.'}</p>${
      others ? html`<p>The other token stays valid.</p>` : html`<p class="warn"><b>It is the last valid one:</b> ${one.bundle} cannot connect any more, and commands that it has decided are refused.</p>`}`,
    run: () => api.delete(path(token.prefix)).then(() => true),
  });
  if (done) {
    toast(`${token.prefix} is not valid any more.`, {tone: 'warn', ...toAudit(`${one.bundle} ${token.prefix}`)});
    await tokens.refresh();
  }
}

async function changeScopes(one) {
  const scopes = one.scopes.map(scope => ({...scope}));
  const done = await confirm({
    title: `Scopes of ${one.bundle}`, verb: 'Change scopes', reason: false, wide: true,
    dry: async () => {
      const [had, has] = [one.scopes, scopes].map(all => new Set(all.map(words)));
      const gone = [...had].filter(scope => !has.has(scope));
      const come = [...has].filter(scope => !had.has(scope));
      return html`<p>${gone.length || come.length ? html`Sessions of ${one.bundle} end, and begin again with these.` : 'These are the scopes that it has.'}</p>${come.length ? html`<p>New: <span class="mono">${come.join(', ')}</span></p>` : nothing}${gone.length ? html`<p class="warn">Taken away: <span class="mono">${gone.join(', ')}</span></p>` : nothing}`;
    },
    extra: (look, wrong) => scopeFields(scopes, look, wrong),
    run: () => api.put(`${path(one.bundle)}/scopes`, {scopes}).then(() => true),
  });
  if (done) {
    toast(`${one.bundle} has other scopes.`, toAudit(one.bundle));
    await tokens.refresh();
  }
}
