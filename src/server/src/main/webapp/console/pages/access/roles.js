import {html, nothing} from '../../lib/lit-html/lit-html.js';
import {RIGHTS} from '../../core/can.js';
import {session} from '../../core/session.js';
import {icon} from '../../parts/kind.js';

/** What each role is for. */
export const ROLES = {
  viewer: 'sees nodes, bundles, catalog, consumers and settings, and no payloads',
  operator: 'reads events and payloads too; pauses, resets, tries again, changes settings',
  admin: 'all that, and people, tokens, owners and the store; reads the audit',
  auditor: 'reads the audit, and nothing else',
};

/** By what the server asks for; `null` is what no role gives. */
const PERMISSIONS = [
  ['See nodes, bundles, catalog, consumers, lag, settings', 'view'],
  ['Read events, streams, dead letters and payloads', 'operate'],
  ['Pause, reset, split, switch consumers; try letters again or drop them', 'operate'],
  ['Change settings', 'operate'],
  ['Make people and tokens, change roles and scopes, end sessions', 'administer'],
  ['Hand over components, accept a store, erase a person', 'administer'],
  ['Read the audit', 'audit'],
  ['Send commands, ask queries', null],
];

const SCOPES = [
  ['host', 'declare components, and be given their decisions, queries, events and steps'],
  ['send', 'send commands, ask queries, schedule, append'],
  ['read', 'read events and streams'],
  ['personal', 'be given the keys of personal data of a context'],
];

/** What a choice of roles lets somebody do, in a sentence. */
export function rolesOf(roles) {
  const has = [...roles];
  if (has.length === 0) return 'Without a role one signs in and may do nothing.';
  const may = PERMISSIONS.filter(([, needs]) => needs && RIGHTS[needs][0].some(role => has.includes(role))).length;
  return `That gives ${may} of ${PERMISSIONS.length - 1} permissions.`;
}

/** Who may what: the same for everybody to see, so that people know whom to ask. */
export async function show(context) {
  return session.subscribe(who => who && context.render(html`<div class="stack">
    ${me(who)}
    <section class="card flush" aria-labelledby="matrix"><header><h2 id="matrix">Roles of people</h2></header><div class="scroller" tabindex="0" role="region" aria-label="Roles and what they may"><table class="table matrix"><thead><tr><th scope="col">May</th>${
      Object.keys(ROLES).map(role => html`<th scope="col" class=${who.roles.includes(role) ? 'mine' : ''}>${role}</th>`)}</tr></thead><tbody>${PERMISSIONS.map(([text, needs]) => html`<tr class="item"><th scope="row">${text}</th>${
      Object.keys(ROLES).map(role => html`<td class=${who.roles.includes(role) ? 'mine' : ''}>${mark(needs !== null && RIGHTS[needs][0].includes(role))}</td>`)}</tr>`)}</tbody></table></div>
      <p class="dim note">People send no commands and ask no queries: that is what tokens are for. On a node that is open everybody may do all of it.</p></section>
    <section class="card"><header><h2>Rights of tokens</h2></header><dl class="facts">${SCOPES.map(([right, text]) => html`<dt class="mono">${right}</dt><dd>${text}</dd>`)}</dl>
      <p class="dim note">A scope is a right within a context and for types. Both may end in <span class="mono">*</span>: <span class="mono">send bank Open*</span> sends what begins with Open in context bank.</p></section>
  </div>`));
}

const mark = has => has ? html`<span class="ok">${icon('check')}<span class="hidden">yes</span></span>` : html`<span class="dim" aria-hidden="true">–</span><span class="hidden">no</span>`;

function me(who) {
  if (who.kind === 'developer') return html`<p class="notice warn">This node is open: everybody who reaches it is an administrator.</p>`;
  const own = who.roles.filter(role => !(role === 'viewer' && who.roles.includes('operator') || role === 'operator' && who.roles.includes('admin')));
  return html`<p class="notice">${icon('person')}<span>You are <b>${who.name}</b>, ${own.length ? own.join(' and ') : 'without a role'}.</span>${own.length ? nothing : html`<span class="dim">Ask an administrator for one.</span>`}</p>`;
}
