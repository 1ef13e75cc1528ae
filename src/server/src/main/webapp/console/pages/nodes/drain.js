import {html, nothing} from '../../lib/lit-html/lit-html.js';
import {api} from '../../core/api.js';
import * as format from '../../core/format.js';
import {confirm} from '../../parts/dialog.js';
import {action, time} from '../../parts/kind.js';
import {toast} from '../../parts/toast.js';

/** How a node is drained: what its dry run says, and how far it is. */

const path = (node, verb) => `/nodes/${encodeURIComponent(node.id)}/${verb}`;
const sentence = text => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
const list = names => names.length < 2 ? names[0] : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;

/** The button of a node: to drain it, or to have it back. */
export function drainButton(node, data, small = false) {
  if (node.drain) return action({label: 'Cancel drain', icon: 'play', small, needs: 'operate', click: () => cancel(node)});
  const others = Object.values(data.nodes).filter(other => other.id !== node.id && other.state === 'up' && !other.drain);
  return action({
    label: 'Drain …', icon: 'drain', small, needs: 'operate', click: () => drain(node),
    why: node.state !== 'up' ? `It is ${node.state}.` : others.length === 0 ? 'No other node is up to take what it has.' : '',
  });
}

async function drain(node) {
  const done = await confirm({
    title: `Drain ${node.id}`,
    verb: 'Drain node',
    dry: async () => said(await api.post(path(node, 'drain'), {}, {dryRun: true})),
    run: reason => api.post(path(node, 'drain'), reason ? {reason} : {}),
  });
  if (!done) return;
  toast(sentence(done.detail), {undo: () => api.post(path(node, 'undrain'), {reason: 'undoes drain'})
    .then(back => toast(sentence(back.detail)), problem => toast(problem.detail, {tone: 'bad'}))});
}

function said(would) {
  const {segments, streamShare, figures} = would.moves;
  return html`<p>${would.node} hands over what it has to ${list(would.others)}, and takes nothing new:</p><ul class="consequences">
    <li>the streams that it owns, <b class="num">${format.percent(streamShare)}</b> of all</li>
    <li><b class="num">${format.number(segments)}</b> ${segments === 1 ? 'segment' : 'segments'} of consumers, at once</li>
    ${figures ? html`<li><b class="num">${format.number(figures.sessions)}</b> ${figures.sessions === 1 ? 'session' : 'sessions'} of bundles${
      figures.liveReaders + figures.liveQueries ? html` and <b class="num">${format.number(figures.liveReaders + figures.liveQueries)}</b> live readers` : nothing}, told after ${
      format.duration(would.lingerSeconds * 1000)}, when balancers have seen that it is not ready</li>
    ${figures.loneSessions ? html`<li class="warn"><b class="num">${format.number(figures.loneSessions)}</b> of these sessions ${
      figures.loneSessions === 1 ? 'is of a bundle that has' : 'are of bundles that have'} no other node that can take them: this one serves them on, with the consumers that only they host. Give them more addresses</li>` : nothing}`
      : html`<li class="warn">Its sessions are not known: it did not answer in time</li>`}
  </ul><p class="dim">It stays up, answers who still asks, and sends commands on. The drain ends when somebody cancels it, or when its process ends.</p>`;
}

async function cancel(node) {
  try {
    const done = await api.post(path(node, 'undrain'), {});
    toast(sentence(done.detail));
  } catch (problem) {
    toast(problem.detail, {tone: 'bad'});
  }
}

/** What a node that was asked to hand over has still; blank for others. */
export function checklist(node) {
  if (!node.drain) return nothing;
  const figures = node.figures;
  const isUp = node.state === 'up';
  const left = figures ? [
    ['segments of consumers', node.segments],
    ['sessions of bundles', figures.sessions],
    ['sessions of bundles that have no other node', figures.loneSessions ?? 0],
    ['requests in flight', figures.outstanding + (figures.commands ?? 0)],
    ['live readers', (figures.liveReaders ?? 0) + (figures.liveQueries ?? 0)],
  ] : [['segments of consumers', node.segments]];
  const isDone = !isUp && figures && left.every(([, count]) => count === 0);
  return html`<div class="drain"><p>${isDone ? html`<b>Drained.</b> Nothing is left here: its process may be stopped.` : isUp
    ? 'It was asked to drain, and begins as soon as it knows of another node that can take over; after a time without one, when that node has been there for 30 s.'
    : 'It hands over what it has.'} <span class="dim">Asked for by ${node.drain.by}, ${time(node.drain.askedAt)}${node.drain.reason ? `: ${node.drain.reason}` : ''}</span></p>
    <ul aria-label="What ${node.id} has still">
      ${step(!isUp, isUp ? 'still ready for balancers, and owns streams' : 'not ready for balancers, and owns no streams')}
      ${left.map(([what, count]) => step(count === 0, count === 0 ? `no ${what}` : html`<b class="num">${format.number(count)}</b> ${what}`))}
    </ul></div>`;
}

const step = (isDone, says) => html`<li class=${isDone ? 'ok' : 'warn'}><span aria-hidden="true">${isDone ? '✓' : '◐'}</span> <span class="hidden">${
  isDone ? 'done:' : 'not yet:'}</span> ${says}</li>`;
