/** What segments were like at the last looks; this browser alone remembers it, for pace and lines. */
const POINTS = 60;
const GAP_MILLIS = 1_500;
const kept = new Map();

const key = (consumer, segment) => `${consumer.name}/${consumer.version}/${segment}`;

/** @param {Record<string, object>} consumers as the topic has them */
export function look(consumers) {
  const now = Date.now();
  for (const one of Object.values(consumers)) {
    for (const segment of one.segments) {
      const before = kept.get(key(one, segment.segment)) ?? [];
      if (before.length && now - before.at(-1).at < GAP_MILLIS) continue;
      kept.set(key(one, segment.segment), [...before, {at: now, checkpoint: segment.checkpoint, lag: segment.lagEvents}].slice(-POINTS));
    }
  }
}

/** `{at, checkpoint, lag}` of a segment, the oldest first. */
export const history = (consumer, segment) => kept.get(key(consumer, segment)) ?? [];

const PACE_POINTS = 10;

/**
 * Positions in a second that it gets on by, of its slowest and fastest segment the mean; null before it was
 * looked at twice.
 */
export function pace(consumer) {
  const all = consumer.segments.map(segment => history(consumer, segment.segment).slice(-PACE_POINTS)).filter(points => points.length > 1);
  if (all.length === 0) return null;
  const rates = all.map(points => Math.max(0, points.at(-1).checkpoint - points[0].checkpoint) / ((points.at(-1).at - points[0].at) / 1000));
  return rates.reduce((sum, rate) => sum + rate, 0) / rates.length;
}
