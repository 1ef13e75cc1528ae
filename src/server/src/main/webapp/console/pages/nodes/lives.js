import {html, nothing, svg} from '../../lib/lit-html/lit-html.js';
import {watch} from '../../core/live.js';
import {setQuery, to} from '../../core/router.js';
import * as format from '../../core/format.js';
import {failure, skeleton, state, time} from '../../parts/kind.js';

/** When processes of nodes came and went. */

const RANGES = {1: '1 hour', 24: '24 hours', 168: '7 days'};
const WIDTH = 1_000;
const CHANGES = 12;

const watched = new Map(Object.keys(RANGES).map(hours => [hours, watch('/node-lives', {every: 5_000, query: {hours}})]));

const hoursOf = query => RANGES[query.get('hours')] ? query.get('hours') : '24';

/** What the page's address asks for. */
export const livesOf = query => watched.get(hoursOf(query));

/** The timeline: a row for each node, a bar for each process. */
export function timeline(now, query) {
  const hours = hoursOf(query);
  return html`<section class="card lives"><header><h2>Who was there</h2><span class="space"></span><div class="segments" role="group" aria-label="Range">${Object.entries(RANGES).map(([key, says]) =>
    html`<button type="button" aria-pressed=${String(key === hours)} @click=${() => setQuery({hours: key === '24' ? null : key})}>${says}</button>`)}</div></header>
    ${now.data ? drawn(now.data.lives, Number(hours)) : now.problem ? failure(now.problem, livesOf(query).refresh) : skeleton(2)}</section>`;
}

function drawn(lives, hours) {
  const end = Date.now();
  const begin = end - hours * 3_600_000;
  const x = at => Math.max(0, Math.min(WIDTH, (Date.parse(at) - begin) / (end - begin) * WIDTH));
  const byNode = new Map();
  for (const life of lives) byNode.set(life.node, [...byNode.get(life.node) ?? [], life]);
  const names = [...byNode.keys()].sort();
  const changes = lives.flatMap(life => [
    {at: life.startedAt, life, is: 'joined'},
    ...life.endedAt ? [{at: life.endedAt, life, is: life.ending}] : [],
  ]).filter(change => Date.parse(change.at) >= begin).sort((a, b) => a.at < b.at ? 1 : -1);
  return html`<div class="life-rows">${names.map(name => {
    const all = byNode.get(name);
    const lost = all.filter(life => life.ending === 'lost').length;
    return html`<a href=${to('nodes', [name])}>${name}</a><svg viewBox="0 0 ${WIDTH} 10" preserveAspectRatio="none" role="img" aria-label="${name}: ${format.plural(all.length, 'process', 'processes')} in this time, ${lost} lost">${
      all.map(life => svg`<rect class=${life.ending ?? 'up'} x=${Math.min(WIDTH - 4, x(life.startedAt))} width=${Math.max(4, x(life.endedAt ?? new Date(end).toISOString()) - x(life.startedAt))} y="0" height="10"></rect>`)}</svg>`;
  })}</div>
  <div class="life-axis" aria-hidden="true"><span>${format.minute(begin)}</span><span>${format.minute((begin + end) / 2)}</span><span>now</span></div>
  ${changes.length ? html`<ol class="life-changes">${changes.slice(0, CHANGES).map(({at, life, is}) => html`<li>${time(at, 'clock')} <b>${life.node}</b> ${
    is === 'joined' ? html`${state('up', 'joined')} <span class="dim">release ${life.release}</span>` : is === 'left' ? state('draining', 'left') : state('gone', 'was lost')} <span class="dim">${time(at)}</span></li>`)}</ol>` : html`<p class="dim">Nobody came or went in this time.</p>`}
  ${changes.length > CHANGES ? html`<p class="dim">And ${format.number(changes.length - CHANGES)} more.</p>` : nothing}`;
}
