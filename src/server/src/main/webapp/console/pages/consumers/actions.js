import {html, nothing} from '../../lib/lit-html/lit-html.js';
import {api} from '../../core/api.js';
import {go, to} from '../../core/router.js';
import * as format from '../../core/format.js';
import {confirm} from '../../parts/dialog.js';
import {action} from '../../parts/kind.js';
import {strip} from '../../parts/strip.js';
import {toast} from '../../parts/toast.js';
import {pace} from './looks.js';

/** What can be done to consumers and their segments, each with its dry run first. */

const LONG_MILLIS = 5_000;

/** Where a consumer, or one of its segments, is in the API. */
export const path = (one, segment = null) => `/consumers/${encodeURIComponent(one.name)}/${one.version}${segment === null ? '' : `/segments/${segment}`}`;

const named = (one, segment = null) => segment === null ? `${one.name} ${one.version}` : `segment ${segment} of ${one.name} ${one.version}`;

/** A detail of the server as a sentence. */
const sentence = text => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;

/**
 * @param {object} one the consumer
 * @param {number | null} segment null for all
 * @returns what was done, or null
 * @param {string} verb as in the address: `pause`
 * @param {{title: string, verb: string, body?: () => object, says?: (would: object) => unknown, instead?: (would: object) => unknown, undo?: string, danger?: boolean,
 *   typed?: string, extra?: Function}} how `says` makes more of the dry run than its sentence, `instead` takes its place
 */
async function ask(one, segment, verb, how) {
  const at = `${path(one, segment)}/${verb}`;
  const body = () => how.body?.() ?? {};
  const done = await confirm({
    title: how.title,
    verb: how.verb,
    danger: how.danger,
    typed: how.typed,
    extra: how.extra,
    dry: async () => {
      const would = await api.post(at, body(), {dryRun: true});
      return how.instead?.(would) ?? html`<p>${sentence(would.detail)}</p>${how.says?.(would) ?? nothing}`;
    },
    run: reason => api.post(at, {...body(), ...(reason ? {reason} : {})}),
  });
  if (!done) return null;
  toast(sentence(done.detail), {
    undo: how.undo ? () => api.post(`${path(one, segment)}/${how.undo}`, {reason: `undoes ${verb}`})
      .then(back => toast(sentence(back.detail)), problem => toast(problem.detail, {tone: 'bad'})) : undefined,
  });
  return done;
}

/** The buttons of a consumer. */
export function ofConsumer(one, then) {
  const does = work => () => work().then(then);
  const isPaused = one.status === 'paused' || one.status === 'full';
  return html`
    ${isPaused ? action({label: 'Resume', icon: 'play', tone: 'primary', needs: 'operate', click: does(() => resume(one))})
      : action({label: 'Pause', icon: 'pause', needs: 'operate', click: does(() => pause(one))})}
    ${action({label: 'Reset …', icon: 'reset', needs: 'operate', click: does(() => reset(one))})}
    ${one.role === 'shadow' ? action({label: 'Switch to this version …', icon: 'move', needs: 'operate', click: does(() => switchTo(one))}) : nothing}
    ${action({label: 'Retire …', icon: 'drop', tone: 'danger', needs: 'operate', why: isDelivered(one) ? 'Somebody hosts it.' : '', click: () => retire(one).then(done => done ? go(to('consumers')) : then())})}`;
}

const isDelivered = one => one.segments?.some(segment => segment.owner) ?? false;

/** The buttons of a segment. */
export function ofSegment(one, segment, then) {
  const does = work => () => work().then(then);
  const at = segment.segment;
  const neighbours = one.segments.filter(other => other.lastSlot + 1 === segment.firstSlot || segment.lastSlot + 1 === other.firstSlot);
  const isSmall = segment.firstSlot === segment.lastSlot;
  const isMerging = segment.mergesWith !== undefined;
  return html`
    ${segment.status === 'paused' ? action({label: 'Resume', icon: 'play', tone: 'primary', small: true, needs: 'operate', click: does(() => resume(one, at))})
      : action({label: 'Pause', icon: 'pause', small: true, needs: 'operate', click: does(() => pause(one, at))})}
    ${action({label: 'Split', icon: 'split', small: true, needs: 'operate', why: isSmall ? 'It has one slot.' : isMerging ? 'It is being merged.' : '', click: does(() => split(one, segment))})}
    ${action({label: 'Merge', icon: 'merge', small: true, needs: 'operate', why: neighbours.length === 0 ? 'It has no neighbour.' : isMerging ? 'It is being merged.' : '', click: does(() => merge(one, segment, neighbours))})}
    ${action({label: 'Release', icon: 'release', small: true, needs: 'operate', why: segment.owner ? '' : 'No node has it.', click: does(() => release(one, segment))})}
    ${action({label: 'Reset …', icon: 'reset', small: true, needs: 'operate', click: does(() => reset(one, at))})}`;
}

const pause = (one, segment = null) => ask(one, segment, 'pause', {
  title: `Pause ${named(one, segment)}`, verb: segment === null ? 'Pause consumer' : 'Pause segment', undo: 'resume',
  says: () => html`<p class="dim">Nothing is delivered until somebody resumes it. Events wait in the store; none is lost.</p>`,
});

const resume = (one, segment = null) => ask(one, segment, 'resume', {
  title: `Resume ${named(one, segment)}`, verb: segment === null ? 'Resume consumer' : 'Resume segment', undo: 'pause',
  says: () => html`<p class="dim">It goes on where it stands${one.lagEvents ? `, ${format.number(one.lagEvents)} positions behind` : ''}.</p>`,
});

const release = (one, segment) => ask(one, segment.segment, 'release', {
  title: `Release ${named(one, segment.segment)}`, verb: 'Release segment',
  says: () => html`<p class="dim">${segment.owner} ends what runs and gives it back; then whichever node is first has it. It may be ${segment.owner} again.</p>`,
});

const split = (one, segment) => ask(one, segment.segment, 'split', {
  title: `Split ${named(one, segment.segment)}`, verb: 'Split segment',
  says: would => html`<div class="before-after"><span class="dim">now</span>${strip(one.segments)}<span class="dim">then</span>${
    strip([...would.segments].sort((a, b) => a.firstSlot - b.firstSlot))}</div><p class="dim">Both halves go on from the same checkpoint, side by side.</p>`,
});

function merge(one, segment, neighbours) {
  let other = (neighbours.find(next => next.firstSlot > segment.lastSlot) ?? neighbours[0]).segment;
  return ask(one, segment.segment, 'merge', {
    title: `Merge ${named(one, segment.segment)}`, verb: 'Merge segments', body: () => ({with: other}),
    extra: look => neighbours.length < 2 ? nothing : html`<label class="field"><span>With</span><select @change=${event => { other = Number(event.target.value); look(); }}>${
      neighbours.map(next => html`<option value=${next.segment} .selected=${next.segment === other}>segment ${next.segment}, at position ${format.number(next.checkpoint)}</option>`)}</select></label>`,
    says: () => html`<p class="dim">The one that is ahead waits there for the other.</p>`,
  });
}

/** Says that lost events are known to somebody; wants a reason. */
export const confirmLost = one => confirm({
  reason: 'required',
  title: `Confirm the lost events of ${named(one)}`, verb: 'Confirm',
  dry: async () => html`<p>${sentence((await api.post(`${path(one)}/confirm-lost`, {reason: 'dry run'}, {dryRun: true})).detail)} Their mark goes; say why.</p>`,
  run: reason => api.post(`${path(one)}/confirm-lost`, {reason}).then(done => toast(sentence(done.detail))),
});

/** For good, so its name is typed. */
const retire = one => ask(one, null, 'retire', {
  title: `Retire ${named(one)}`, verb: 'Retire', danger: true, typed: `${one.name}:${one.version}`,
  says: () => html`<p class="dim">Only a version that nobody hosts can go. Its checkpoints are forgotten, with its lag and its alarms.</p>`,
});

const switchTo = one => ask(one, null, 'switch', {
  title: `Make ${named(one)} the live version`, verb: 'Switch',
  says: () => html`<p class="dim">The version that is live now becomes a shadow, so the way back is the same. This waits until both stand at one place, up to half a minute.</p>`,
});

// ---- reset

const PLACES = {
  beginning: 'the beginning of the store',
  position: 'a position',
  time: 'a time',
  skip: 'leave out the next events',
  now: 'now: leave out all that waits',
};

function reset(one, segment = null) {
  const concerned = segment === null ? one.segments : one.segments.filter(other => other.segment === segment);
  const first = Math.min(...concerned.map(other => other.checkpoint));
  const head = Math.max(...one.segments.map(other => other.checkpoint + other.lagEvents));
  const chosen = {place: 'position', position: String(first), time: new Date(Date.now() - 3_600_000).toISOString().slice(0, 19), skip: '1', effects: false};
  const body = () => ({
    ...(chosen.place === 'time' ? {time: `${chosen.time.replace(/Z?$/, '')}Z`} : {position: positionOf(chosen, first, head)}),
    ...(one.kind === 'projector' ? {} : {effects: chosen.effects}),
  });
  return ask(one, segment, 'reset', {
    title: `Reset ${named(one, segment)}`, verb: 'Reset', danger: true, body,
    instead: would => consequences(one, concerned, would, segment),
    extra: look => {
      const set = change => {
        Object.assign(chosen, change);
        look();
      };
      return html`<label class="field"><span>To</span><select @change=${event => set({place: event.target.value})}>${
        Object.entries(PLACES).map(([key, label]) => html`<option value=${key} .selected=${key === chosen.place}>${label}</option>`)}</select></label>
      ${chosen.place === 'position' ? html`<label class="field"><span>Position: all up to there counts as done</span><input type="number" min="0" max=${head} step="1" .value=${chosen.position}
        @input=${event => set({position: event.target.value})}></label><label class="field"><span class="hidden">Position as a slider</span><input type="range" min="0" max=${head} step="1" .value=${chosen.position}
        @input=${event => set({position: event.target.value})}><span class="help">0 is the beginning, ${format.number(head)} the head; it stands at ${format.number(first)} now</span></label>` : nothing}
      ${chosen.place === 'time' ? html`<label class="field"><span>Events from then on come again, UTC</span><input type="datetime-local" step="1" .value=${chosen.time} @input=${event => set({time: event.target.value})}></label>` : nothing}
      ${chosen.place === 'skip' ? html`<label class="field"><span>How many positions</span><input type="number" min="1" step="1" .value=${chosen.skip} @input=${event => set({skip: event.target.value})}></label>` : nothing}
      ${one.kind === 'projector' ? nothing : html`<label class="check"><input type="checkbox" .checked=${chosen.effects} @change=${event => set({effects: event.target.checked})}><span>Send again what it has sent before</span></label>`}`;
    },
  });
}

function positionOf(chosen, first, head) {
  if (chosen.place === 'beginning') return 0;
  if (chosen.place === 'now') return head;
  return chosen.place === 'skip' ? Math.min(head, first + Number(chosen.skip || 0)) : Number(chosen.position || 0);
}

function consequences(one, before, would, segment) {
  const after = new Map(would.segments.map(segment => [segment.segment, segment.checkpoint]));
  const moves = before.map(segment => (after.get(segment.segment) ?? segment.checkpoint) - segment.checkpoint);
  const again = Math.max(0, ...moves.map(move => -move));
  const skipped = Math.max(0, ...moves);
  const rate = pace(one);
  const place = before.length ? after.get(before[0].segment) : null;
  return html`<p>${segment === null ? 'All segments go' : `Segment ${segment} goes`} to position <b class="num">${format.number(place)}</b>.</p><ul class="consequences">
    <li>${again ? html`<b class="num">${format.number(again)}</b> positions come again${rate > 0 && again / rate * 1000 > LONG_MILLIS ? `, about ${format.duration(again / rate * 1000)} at the pace of the last seconds` : ''}` : 'Nothing comes again'}</li>
    <li>${skipped ? html`<b class="num warn">${format.number(skipped)}</b> positions are left out` : 'Nothing is left out'}</li>
    <li>${would.deadLetters ? html`<b class="num warn">${format.number(would.deadLetters)}</b> of its <a href=${to('letters', [], {consumer: `${one.name}/${one.version}`})}>dead letters</a> go: they come again` : 'No dead letters are touched'}</li>
    ${one.kind === 'projector' && again ? html`<li>Its handlers must bear an event twice, or its tables be emptied first</li>` : nothing}</ul>`;
}
