import {html, nothing} from '../../lib/lit-html/lit-html.js';
import {session} from '../../core/session.js';
import {copy, icon} from '../../parts/kind.js';
import {dialog} from '../../parts/dialog.js';

/** Where `mvn -Pcluster` listens for such orders, unless it was told another port. */
const CONTROL = 'http://127.0.0.1:8079';

/**
 * For who tries the cluster out: how a node is killed, and what to look at then. Blank where people
 * sign in, as nobody plays there.
 *
 * @param {string[]} nodes that are up
 */
export function killButton(nodes) {
  if (session.get()?.kind !== 'developer' || nodes.length < 2) return nothing;
  return html`<button type="button" class="button small" @click=${() => explain(nodes.at(-1))}>${icon('nodes')}<span>How to kill a node</span></button>`;
}

function explain(node) {
  const ways = [
    ['Started by mvn -Pcluster', `curl -X POST ${CONTROL}/${node}/kill`],
    ['Back again', `curl -X POST ${CONTROL}/${node}/start`],
    ['In Docker', `docker kill ${node}`],
    ['In Kubernetes', `kubectl delete pod ${node} --grace-period=0 --force`],
  ];
  return dialog({
    title: `Kill ${node}, and lose nothing`,
    content: close => html`<p>End its process the hard way. Or press Kill beside it on the page of the bank.</p>
      <dl class="ways">${ways.map(([how, line]) => html`<dt>${how}</dt><dd><pre class="code">${line}</pre><button type="button" class="icon-button" aria-label="Copy: ${how}" title="Copy" @click=${event => copy(line, event.currentTarget)}>${icon('copy')}</button></dd>`)}</dl>
      <p>Then watch this page: commands go on within seconds, the others take over its segments, no consumer misses an event, and on the page of the bank the sum of the money stays right. If it is the node that answers you, the page goes on with another.</p>
      <footer><button type="button" class="button primary" autofocus @click=${() => close()}>Close</button></footer>`,
  });
}
