import {html, nothing, svg} from '../lib/lit-html/lit-html.js';
import {api, BASE, isAborted} from '../core/api.js';
import {paused} from '../core/live.js';
import {setQuery, to} from '../core/router.js';
import * as format from '../core/format.js';
import * as keys from '../core/keys.js';
import {copy, copyable, empty, failure, icon, payload, skeleton, time} from '../parts/kind.js';
import {flowOf, glance, masked, sizeOf, streamLink, streamOf} from '../parts/event.js';
import '../parts/table.js';
import '../parts/json.js';

const PAGE = 100;
const LIVE_MILLIS = 1_000;
const LIVE_ROWS = 2_000;
/** A search that finds little goes on by itself over so many positions, then asks. */
const LOOKED_MAX = 1_000_000;

/** What may be typed, and which parameter of the API it is. */
const WORDS = {
  type: 'of this type; several mean any of them',
  stream: 'of this stream (Account:a-1), or of all of a type (Account)',
  tag: 'with this tag',
  flow: 'of this correlation id',
  context: 'of this context',
  from: 'not before: a time, or how long ago (10m, 2h, 3d)',
  to: 'before: a time, or how long ago',
  at: 'around this position',
};

/** `type:A flow:"x y"` as `[['type', 'A'], ['flow', 'x y']]`; a bare word is a type, a bare number a position. */
export function read(text) {
  return [...text.matchAll(/(?:([a-z]+):)?(?:"([^"]*)"|(\S+))/g)].map(([, word, quoted, bare]) => {
    const value = quoted ?? bare;
    if (word && word in WORDS) return [word, value];
    const whole = word ? `${word}:${value}` : value;
    return [/^\d+$/.test(whole) ? 'at' : /^[A-Za-z]\w*:/.test(whole) ? 'stream' : 'type', whole];
  });
}

const write = words => words.map(([word, value]) => `${word}:${/\s/.test(value) ? `"${value}"` : value}`).join(' ');

const AGO = {s: 1e3, m: 60e3, h: 3600e3, d: 86400e3};

/** A time as it is typed; null where it is none. */
function instant(text) {
  const ago = /^(\d+)(s|m|h|d)$/.exec(text);
  const at = ago ? new Date(Date.now() - ago[1] * AGO[ago[2]]) : new Date(text);
  return Number.isNaN(at.getTime()) ? null : at.toISOString();
}

/** The parameters of `GET /events`, and what of the text is no use. */
function filterOf(words) {
  const filter = {type: [], tag: []};
  const wrong = [];
  for (const [word, value] of words) {
    if (word === 'type' || word === 'tag') filter[word].push(value);
    else if (word === 'flow') filter.correlation = value;
    else if (word === 'context') filter.context = value;
    else if (word === 'stream') {
      const at = value.indexOf(':');
      filter.aggregateType = at < 0 ? value : value.slice(0, at);
      if (at >= 0) filter.aggregateId = value.slice(at + 1);
    } else if (word === 'at') {
      if (/^\d+$/.test(value)) filter.at = Number(value);
      else wrong.push(`${value} is no position`);
    } else {
      const at = instant(value);
      if (at) filter[word] = at;
      else wrong.push(`${value} is no time: write 10m, 2h or 2026-01-31T10:15`);
    }
  }
  return {filter, wrong};
}

/** All events: searched, paged both ways, or as they come. */
export function show(context) {
  let typed = context.query.get('q') ?? '';
  let source = null;
  let asked = '';
  let at = null;
  let bars = null;
  let barsAsked = null;
  let lately = null;
  let looked = null;
  let allow = LOOKED_MAX;
  let timer = 0;
  let isOver = false;

  const words = () => read(context.query.get('q') ?? '');
  const isLive = () => context.query.get('live') === '1';
  const isOldest = () => context.query.get('order') === 'oldest';

  /** Another table for another question; the same one stays as it is. */
  function ask() {
    const {filter} = filterOf(words());
    const name = JSON.stringify([words(), isLive(), isOldest()]);
    if (name === asked) return;
    asked = name;
    looked = null;
    allow = LOOKED_MAX;
    at = filter.at ?? null;
    delete filter.at;
    source = isLive() ? null : sourceOf(filter);
    clearTimeout(timer);
    lately = null;
    if (isLive()) {
      lately = {rows: [], after: 'head', unseen: 0, isHeld: false, problem: null, rate: []};
      follow(filter);
    }
    histogram(filter);
  }

  function sourceOf(filter) {
    const mine = async ({after, signal}) => {
      const oldest = isOldest();
      let next = after ?? (at === null ? oldest ? 0 : 'head' : oldest ? Math.max(0, at - 1) : at + 1);
      const begin = typeof next === 'number' ? next : null;
      let steps = 0;
      for (;;) {
        const page = await api.get('/events', {...filter, limit: PAGE, [oldest ? 'after' : 'before']: next}, signal);
        const isEnd = oldest ? page.events.length === 0 && page.next === next : page.next === null;
        const over = page.next === null ? 0 : page.next;
        if (begin !== null || looked) looked = {upTo: over, hits: (looked?.hits ?? 0) + page.events.length};
        if (page.events.length > 0 || isEnd) return {items: page.events, next: isEnd || oldest && page.events.length < PAGE && await isHead(page.next, signal) ? null : page.next};
        next = page.next;
        if (++steps * 100_000 >= allow) {
          looked = {upTo: next, isAsking: true, go: () => { allow += LOOKED_MAX; at = oldest ? next + 1 : next - 1; source = sourceOf(filter); looked = null; draw(); }};
          draw();
          return {items: [], next: null};
        }
      }
    };
    return mine;
  }

  async function isHead(position, signal) {
    const now = await api.get('/events', {after: position, limit: 1}, signal);
    return now.events.length === 0;
  }

  /** The newest as they come: the page asks for what is after the last one it has. */
  async function follow(filter) {
    const mine = lately;
    if (isOver || mine !== lately) return;
    if (!paused.get() && !document.hidden) {
      try {
        const page = await api.get('/events', {...filter, from: undefined, to: undefined, after: mine.after, limit: 500}, context.signal);
        if (mine !== lately) return;
        mine.after = `${page.next}@${page.epoch}`;
        mine.rate = [...mine.rate, page.events.length].slice(-10);
        const fresh = page.events.reverse();
        if (mine.isHeld) {
          mine.held = [...fresh, ...mine.held ?? []].slice(0, LIVE_ROWS);
          mine.unseen = mine.held.length;
        } else if (fresh.length) {
          mine.rows = [...fresh, ...mine.rows].slice(0, LIVE_ROWS);
        }
        mine.problem = null;
      } catch (problem) {
        if (isAborted(problem)) return;
        mine.problem = problem;
        if (problem.code === 'conflict') mine.after = 'head';
      }
      draw();
    }
    timer = setTimeout(follow, LIVE_MILLIS, filter);
  }

  function hold() {
    if (!lately) return;
    lately.isHeld = !lately.isHeld;
    if (!lately.isHeld) {
      lately.rows = [...lately.held ?? [], ...lately.rows].slice(0, LIVE_ROWS);
      lately.held = [];
      lately.unseen = 0;
    }
    draw();
  }

  async function histogram(filter) {
    const span = {from: filter.from, to: filter.to};
    const name = JSON.stringify(span);
    if (name === barsAsked) return;
    barsAsked = name;
    try {
      bars = await api.get('/events/histogram', {...span, bars: 60}, context.signal);
    } catch (problem) {
      if (isAborted(problem)) return;
      bars = null;
    }
    if (name === barsAsked) draw();
  }

  const change = next => {
    typed = write(next);
    setQuery({q: typed});
  };
  const without = (...names) => words().filter(([word]) => !names.includes(word));

  function zoom(from, to) {
    change([...without('from', 'to', 'at'), ['from', new Date(from).toISOString().slice(0, 19) + 'Z'], ['to', new Date(to).toISOString().slice(0, 19) + 'Z']]);
  }

  const columns = [
    {key: 'position', title: 'Position', end: true, cell: row => format.number(row.position)},
    {key: 'time', title: 'Time', cell: row => time(row.time, 'clock')},
    {key: 'type', title: 'Event', cell: row => payload('event', row.type)},
    {key: 'stream', title: 'Stream', cell: row => streamLink(row.aggregate, row.version), text: row => `${row.aggregate.type}:${row.aggregate.id}`, narrow: false},
    {key: 'version', title: 'Version', end: true, cell: row => format.number(row.version), narrow: false},
    {key: 'context', title: 'Context', cell: row => row.context, hidden: true},
    {key: 'size', title: 'Size', end: true, cell: row => format.bytes(sizeOf(row)), text: sizeOf, hidden: true},
    {key: 'correlationId', title: 'Flow', cell: row => html`<a class="mono" href=${flowOf(row)}>${format.short(row.correlationId)}</a>`, hidden: true},
    {key: 'payload', title: 'Payload', grow: true, narrow: false, cell: row => html`<span class="mono dim">${glance(row.payload)}</span>`},
  ];
  const href = row => to('events', [row.position], context.query);
  const rowKey = row => String(row.position);
  const none = empty('No event is found', 'Take a chip away, or look in another span of time.');
  const noneYet = empty('Nothing came yet', 'Events stand here the moment they are stored.',
    `curl -X POST ${location.origin}${BASE}/commands/OpenAccount -H 'Content-Type: application/json' -d '{"accountId":"a-1","owner":"Ada"}'`);

  function draw() {
    if (isOver) return;
    const all = words();
    const {wrong} = filterOf(all);
    context.render(html`<div class="stack events">
      <form class="toolbar search" role="search" @submit=${submit}>
        <label class="box">${icon('find')}<span class="hidden">Search events</span><input class="input mono" id="event-search" autocomplete="off" spellcheck="false" placeholder="type:MoneyDeposited stream:Account:a-1 from:10m" .value=${typed} @input=${event => { typed = event.target.value; }} aria-describedby="search-words"></label>
        <button type="button" class="icon-button" popovertarget="search-words" title="What can be typed" aria-label="What can be typed">${icon('info')}</button>
        <div class="popover" id="search-words" popover><dl class="facts">${Object.entries(WORDS).map(([word, says]) => html`<dt class="mono">${word}:</dt><dd>${says}</dd>`)}</dl></div>
        <span class="segments" role="group" aria-label="Order">${order('newest', 'Newest first')}${order('oldest', 'Oldest first')}${order('live', 'Live')}</span>
      </form>
      ${all.length || wrong.length ? html`<div class="chips">${all.map((one, index) => html`<button type="button" class="chip" title="Take away" @click=${() => change(all.filter((_, other) => other !== index))}><span class="dim">${one[0]}</span><span class="mono">${one[1]}</span>${icon('close')}<span class="hidden">: take away</span></button>`)}${
        wrong.map(text => html`<span class="pill warn">${text}</span>`)}<button type="button" class="button small plain" @click=${() => change([])}>Clear</button></div>` : nothing}
      ${bars ? histogramOf(bars, zoom, all.some(([word]) => word === 'from' || word === 'to') ? () => change(without('from', 'to')) : null) : html`<section class="card histogram">${skeleton(2)}</section>`}
      ${lately ? live() : browse()}
    </div>`);
  }

  function order(name, label) {
    const now = isLive() ? 'live' : isOldest() ? 'oldest' : 'newest';
    return html`<button type="button" aria-pressed=${String(now === name)} @click=${() => setQuery({live: name === 'live' ? '1' : null, order: name === 'oldest' ? 'oldest' : null}, {replace: false})}>${label}</button>`;
  }

  function submit(event) {
    event.preventDefault();
    change(read(typed));
  }

  function browse() {
    return html`${looked?.isAsking ? html`<div class="notice" role="status"><p>Looked ${isOldest() ? 'up' : 'back'} to position <b class="num">${format.number(looked.upTo)}</b> of ${format.number(bars?.head)} and found nothing further. Types and flows have no index of their own: a span of time makes the search short.</p><button type="button" class="button small" @click=${looked.go}>Go on</button></div>` : nothing}
      ${at !== null && !isOldest() ? html`<p class="row"><a class="button small" href=${to('events', [], {q: context.query.get('q'), order: 'oldest'})}>${icon('up')}<span>Show newer than ${format.number(at)}</span></a></p>` : nothing}
      <section class="card flush"><ev-table .columns=${columns} .source=${source} .key=${rowKey} .href=${href} .label=${'Events'} .name=${'events'} .empty=${none} .height=${'calc(100dvh - 21.5rem)'}></ev-table></section>`;
  }

  function live() {
    const perSecond = lately.rate.length ? lately.rate.reduce((a, b) => a + b, 0) / lately.rate.length : null;
    return html`<div class="row"><button type="button" class="button small" aria-pressed=${String(lately.isHeld)} @click=${hold}>${icon(lately.isHeld ? 'play' : 'pause')}<span>${lately.isHeld ? 'Follow' : 'Hold'}</span></button>
      <span class="dim" role="status">${paused.get() ? 'All that moves is paused' : lately.isHeld ? `${format.number(lately.unseen)} new` : html`${format.rate(perSecond)} come by`}</span><span class="space"></span><span class="dim">The last ${format.number(LIVE_ROWS)} are kept</span></div>
      ${lately.problem ? failure(lately.problem) : nothing}
      <section class="card flush"><ev-table .columns=${columns} .rows=${lately.rows} .key=${rowKey} .href=${href} .label=${'Events as they come'} .name=${'events'} .empty=${noneYet} .height=${'calc(100dvh - 23.5rem)'}></ev-table></section>`;
  }

  const offs = [
    keys.on('f', 'Search', event => { event.preventDefault(); context.host.querySelector('#event-search')?.focus(); }),
    keys.on('l', 'Live', () => setQuery({live: isLive() ? null : '1'})),
    keys.on('h', 'Hold or follow', hold),
    paused.subscribe(() => lately && draw()),
  ];
  context.onQuery(() => {
    typed = context.query.get('q') ?? '';
    ask();
    draw();
  });
  ask();
  draw();
  const ready = new Promise(done => {
    const table = context.host.querySelector('ev-table');
    if (isLive() || !table) done();
    else {
      table.addEventListener('loaded', done, {once: true});
      setTimeout(done, 5_000);
    }
  });
  return ready.then(() => () => {
    isOver = true;
    clearTimeout(timer);
    offs.forEach(off => off());
  });
}

/** How many events when; whoever draws over it zooms. */
function histogramOf(said, zoom, back) {
  const most = Math.max(1, ...said.bars.map(bar => bar.events));
  const total = said.bars.reduce((sum, bar) => sum + bar.events, 0);
  const width = 10;
  const all = said.bars.length * width;
  const from = Date.parse(said.from);
  const to = Date.parse(said.to);
  const timeAt = event => {
    const box = event.currentTarget.getBoundingClientRect();
    return from + Math.max(0, Math.min(1, (event.clientX - box.left) / box.width)) * (to - from);
  };
  let begun = null;
  const mark = (event, end) => {
    const rect = event.currentTarget.querySelector('.span');
    const [a, b] = [Math.min(begun, end), Math.max(begun, end)];
    rect.setAttribute('x', ((a - from) / (to - from) * all).toFixed(1));
    rect.setAttribute('width', Math.max(1, (b - a) / (to - from) * all).toFixed(1));
  };
  const down = event => { begun = timeAt(event); event.currentTarget.setPointerCapture(event.pointerId); };
  const move = event => begun !== null && mark(event, timeAt(event));
  const up = event => {
    if (begun === null) return;
    const end = timeAt(event);
    const [a, b] = [Math.min(begun, end), Math.max(begun, end)];
    begun = null;
    event.currentTarget.querySelector('.span').setAttribute('width', 0);
    if (b - a > Math.max(1_000, (to - from) / 200)) zoom(a, b);
  };
  return html`<section class="card histogram"><header><h2>All events in this span</h2><span class="dim num">${format.number(total)}</span><span class="space"></span>${
    back ? html`<button type="button" class="button small plain" @click=${back}>All time</button>` : nothing}${
    [['10m', 600e3], ['1h', 3600e3], ['24h', 86400e3]].map(([label, millis]) => html`<button type="button" class="button small plain" aria-label="The last ${label}" @click=${() => zoom(Date.now() - millis, Date.now() + 1_000)}>${label}</button>`)}</header>
    <svg viewBox="0 0 ${all} 48" preserveAspectRatio="none" role="img" aria-label="${format.number(total)} events, at most ${format.number(most)} in ${format.duration((to - from) / said.bars.length)}" @pointerdown=${down} @pointermove=${move} @pointerup=${up}>${
      said.bars.map((bar, at) => svg`<rect class="hits" x=${at * width + 1} width=${width - 2} y=${(48 - Math.max(bar.events ? 1.5 : 0, bar.events / most * 46)).toFixed(1)} height=${Math.max(bar.events ? 1.5 : 0, bar.events / most * 46).toFixed(1)}><title>${format.full(bar.at)}: ${format.number(bar.events)}</title></rect>`)}<rect class="span" x="0" width="0" y="0" height="48"></rect></svg>
    <div class="axis row"><span>${format.full(said.from)}</span><span class="space"></span><span>drag to zoom</span><span class="space"></span><span>${format.full(said.to)}</span></div></section>`;
}

/** One event by its position. */
export async function detail(context) {
  const position = Number(context.path[0]);
  if (!Number.isSafeInteger(position) || position < 1) {
    context.render(empty('There is no such position', 'Positions are numbers from 1 on.'));
    return undefined;
  }
  const page = await api.get('/events', {after: position - 1, limit: 1}, context.signal);
  const event = page.events[0];
  if (!event || event.position !== position) {
    context.render(empty(`There is no event at ${format.number(position)}`, 'The store does not reach so far, or you may not read it.'));
    return undefined;
  }
  context.title(`${event.type} at ${format.number(position)}`);
  const text = JSON.stringify(event, null, 2);
  const curl = `curl -s '${location.origin}${BASE}/events?after=${position - 1}&limit=1'`;
  context.render(html`<div class="stack">
    <p class="row">${payload('event', event.type)}<span class="space"></span>${time(event.time)}</p>
    <p class="row"><a class="button small" href=${streamOf(event.aggregate, event.version)}>${icon('streams')}<span>State after this event</span></a>
      <a class="button small" href=${flowOf(event)}>${icon('flows')}<span>Flow</span></a>
      <a class="button small" href=${to('events', [], {q: `at:${position}`})}>${icon('events')}<span>Around it</span></a></p>
    <section class="stack"><h3>Payload</h3><ev-json .value=${masked(event.payload)} .label=${'Payload'}></ev-json></section>
    <section class="stack"><h3>Where and when</h3><dl class="facts">
      <dt>Position</dt><dd>${copyable(String(position), format.number(position))}</dd>
      <dt>Stream</dt><dd>${streamLink(event.aggregate, event.version)}, version ${format.number(event.version)}</dd>
      <dt>Stored</dt><dd>${time(event.time, 'full')}</dd>
      <dt>Context</dt><dd>${event.context}</dd>
      <dt>Shape</dt><dd>version ${event.payloadVersion ?? 1}, ${format.bytes(sizeOf(event))}</dd>
      ${event.tags?.length ? html`<dt>Tags</dt><dd class="chips">${event.tags.map(tag => html`<a class="chip mono" href=${to('events', [], {q: write([['tag', tag]])})}>${tag}</a>`)}</dd>` : nothing}</dl></section>
    <section class="stack"><h3>Why</h3><dl class="facts">
      <dt>Flow</dt><dd><a class="mono" href=${flowOf(event)}>${event.correlationId}</a></dd>
      <dt>Command</dt><dd>${copyable(event.commandId)}</dd>
      <dt>Caused by</dt><dd>${event.causationId ? copyable(event.causationId) : 'it began the flow'}</dd></dl></section>
    ${Object.keys(event.metadata ?? {}).length ? html`<section class="stack"><h3>Metadata</h3><ev-json .value=${masked(event.metadata)} .label=${'Metadata'}></ev-json></section>` : nothing}
    <p class="row"><button type="button" class="button small" @click=${click => copy(text, click.currentTarget)}>${icon('copy')}<span>Copy as JSON</span></button><button type="button" class="button small" @click=${click => copy(curl, click.currentTarget)}>${icon('copy')}<span>Copy as curl</span></button></p>
  </div>`);
  return undefined;
}
