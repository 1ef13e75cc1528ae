/**
 * Places boxes in columns, left to right, so that edges cross little: a few sweeps put each box near the middle of
 * those it is tied to. The same boxes and edges always come out the same.
 */

export const BOX = {width: 188, height: 30, gapX: 72, gapY: 10, pad: 12};

const SWEEPS = 6;

/**
 * @param {{id: string, column: number, name: string}[]} boxes
 * @param {{from: string, to: string}[]} edges
 * @returns {{width: number, height: number, at: Map<string, {x: number, y: number, column: number, row: number}>,
 *   columns: {column: number, x: number, ids: string[]}[]}}
 */
export function columns(boxes, edges) {
  const used = [...new Set(boxes.map(box => box.column))].sort((a, b) => a - b);
  const stacks = used.map(column => boxes.filter(box => box.column === column)
    .sort((a, b) => a.kind.localeCompare(b.kind) || a.name.localeCompare(b.name)).map(box => box.id));
  const near = new Map(boxes.map(box => [box.id, []]));
  for (const edge of edges) {
    near.get(edge.from)?.push(edge.to);
    near.get(edge.to)?.push(edge.from);
  }
  const row = new Map();
  const number = stack => stack.forEach((id, at) => row.set(id, stack.length < 2 ? 0.5 : at / (stack.length - 1)));
  stacks.forEach(number);
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const order = sweep % 2 ? [...stacks.keys()].reverse() : [...stacks.keys()];
    for (const index of order) {
      const middle = new Map(stacks[index].map((id, at) => {
        const others = near.get(id);
        return [id, others.length ? others.reduce((sum, other) => sum + row.get(other), 0) / others.length : row.get(id) + at * 1e-6];
      }));
      stacks[index] = stacks[index].map((id, at) => [id, at]).sort((a, b) => middle.get(a[0]) - middle.get(b[0]) || a[1] - b[1]).map(([id]) => id);
      number(stacks[index]);
    }
  }
  const step = BOX.height + BOX.gapY;
  const tallest = Math.max(1, ...stacks.map(stack => stack.length));
  const height = tallest * step - BOX.gapY + 2 * BOX.pad;
  const at = new Map();
  const shown = used.map((column, index) => {
    const x = BOX.pad + index * (BOX.width + BOX.gapX);
    const top = BOX.pad + (tallest - stacks[index].length) * step / 2;
    stacks[index].forEach((id, place) => at.set(id, {x, y: top + place * step, column: index, row: place}));
    return {column, x, ids: stacks[index]};
  });
  return {width: 2 * BOX.pad + used.length * BOX.width + Math.max(0, used.length - 1) * BOX.gapX, height, at, columns: shown};
}

/** Columns for boxes that have none: how far each is from those that nothing leads to. */
export function layers(boxes, edges, max = 5) {
  const into = new Map(boxes.map(box => [box.id, 0]));
  for (const edge of edges) if (edge.from !== edge.to) into.set(edge.to, into.get(edge.to) + 1);
  const layer = new Map();
  let now = boxes.filter(box => into.get(box.id) === 0).map(box => box.id);
  if (now.length === 0) now = boxes.slice(0, 1).map(box => box.id);
  for (let depth = 0; now.length; depth++) {
    now.forEach(id => layer.set(id, Math.min(depth, max - 1)));
    now = [...new Set(edges.filter(edge => now.includes(edge.from) && !layer.has(edge.to)).map(edge => edge.to))];
  }
  return boxes.map(box => ({...box, column: layer.get(box.id) ?? 0}));
}
