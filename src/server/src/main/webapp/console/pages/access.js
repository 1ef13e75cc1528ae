import {html, nothing} from '../lib/lit-html/lit-html.js';
import {can, whyNot} from '../core/can.js';
import {to} from '../core/router.js';
import {empty} from '../parts/kind.js';
import * as roles from './access/roles.js';
import * as tokens from './access/tokens.js';
import * as users from './access/users.js';

const TABS = {users: ['Users', users], tokens: ['Tokens', tokens], roles: ['Roles', roles]};

/** What is open to who may not see the others comes first for him. */
const chosen = query => TABS[query.get('tab')] ? query.get('tab') : can('administer') ? 'users' : 'roles';

/** Who may do what: people and their roles, bundles and their tokens. */
export async function show(context) {
  let leave = null;
  let tab = '';
  const frame = content => html`<div class="stack access">
    <nav class="tabs" aria-label="Access">${Object.entries(TABS).map(([name, [label]]) => html`<a href=${to('access', [], {tab: name})} aria-current=${name === tab ? 'page' : nothing}>${label}</a>`)}</nav>${content}</div>`;

  async function turn() {
    const wanted = chosen(context.query);
    if (wanted === tab) return;
    leave?.();
    leave = null;
    tab = wanted;
    if (tab !== 'roles' && !can('administer')) {
      context.render(frame(html`<section class="card">${empty(`${TABS[tab][0]} are not open to you`, whyNot('administer'))}</section>`));
      return;
    }
    const mine = tab;
    const end = await TABS[tab][1].show({...context, query: context.query, render: content => tab === mine && context.render(frame(content))});
    if (tab === mine) leave = end;
    else end?.();
  }

  context.onQuery(turn);
  await turn();
  return () => leave?.();
}

/** One person: `/access/users/ada`; or one bundle: `/access/tokens/bank`. */
export async function detail(context) {
  const [tab, name] = context.path;
  context.title(name ?? 'Access');
  if (!can('administer') || !TABS[tab]?.[1].detail) {
    context.render(can('administer') ? empty('There is nothing behind this address', 'Go back to Access.') : empty('This is not open to you', whyNot('administer')));
    return undefined;
  }
  return TABS[tab][1].detail(context, name);
}
