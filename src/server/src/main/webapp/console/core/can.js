import {session} from './session.js';

/** By what the server asks for (`Access` there): which roles have it, and how it is said. */
export const RIGHTS = {
  view: [['viewer', 'operator', 'admin'], 'see this'],
  operate: [['operator', 'admin'], 'do this'],
  administer: [['admin'], 'do this'],
  audit: [['auditor', 'admin'], 'see the audit'],
};

/**
 * Whether the present person may. The server decides; this is for what the page shows.
 *
 * @param {'view' | 'operate' | 'administer' | 'audit' | 'send' | 'read'} what
 */
export function can(what) {
  const who = session.get();
  if (!who) return false;
  if (what === 'send' || what === 'read') return who.scopes.some(scope => scope.right === what);
  return RIGHTS[what][0].some(role => who.roles.includes(role));
}

/**
 * Why the present person may not; blank if he may. An action that somebody lacks is shown disabled
 * with this sentence, not hidden: people learn what exists and whom to ask.
 */
export function whyNot(what) {
  if (can(what)) return '';
  if (what === 'send') return 'To send messages you need a scope with the right “send”. Ask an administrator.';
  if (what === 'read') return 'To read payloads you need the role operator. Ask an administrator.';
  const [roles, verb] = RIGHTS[what];
  return `To ${verb} you need the role ${roles[0]}. Ask an administrator.`;
}
