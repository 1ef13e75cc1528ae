import {html} from '../lib/lit-html/lit-html.js';
import {to} from '../core/router.js';

/** What pages show of a stored event the same way. */

/** Whether a value stands for a personal one that only bundles can read. */
const isSealed = value => value !== null && typeof value === 'object' && '$p' in value && 's' in value;

/** A payload or a state in which what is personal, and comes encrypted, is said to be so. */
export function masked(value) {
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map(masked);
  if (isSealed(value)) return `personal, of ${value.s}`;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, masked(inner)]));
}

/** The first fields of a payload on one line. */
export function glance(payload, chars = 160) {
  const text = Object.entries(payload ?? {}).map(([key, value]) =>
    `${key} ${isSealed(value) ? '(personal)' : typeof value === 'string' ? value : JSON.stringify(value)}`).join(' · ');
  return text.length > chars ? `${text.slice(0, chars)}…` : text;
}

/** Where a stream stands, at a version if one is given. */
export const streamOf = (aggregate, version) => to('streams', [aggregate.type, aggregate.id], {full: 1, v: version});

/** Where a flow stands; the position helps to find one whose first command is not known. */
export const flowOf = event => to('flow', [event.correlationId], {full: 1, near: event.position});

/** A stream as a link. */
export const streamLink = (aggregate, version) => html`<a class="mono" href=${streamOf(aggregate, version)}>${aggregate.type} ${aggregate.id}</a>`;

/** About how large an event's payload is, as JSON. */
export const sizeOf = event => new TextEncoder().encode(JSON.stringify(event.payload)).length;
