import { everySecond } from "./api.js";
import { byId, follow, grouped, make, setText, setTone } from "./dom.js";

const LINES = 8;
const TONES = { REQUESTED: "muted", COMPLETED: "good", FAILED: "warn" };

/** The last transfers, newest first, and how many of all are under way. */
export function startTransfers() {
  const note = byId("transfers-note");
  const list = byId("transfers");

  return everySecond(
    () => `/api/transfers?limit=${LINES}`,
    ({ transfers, underWay }) => {
      setTone(note, "muted");
      setText(note, transfers.length === 0 ? "" : `Under way: ${grouped(underWay)}.`);
      if (transfers.length === 0) {
        list.replaceChildren(nothing());
      } else {
        list.querySelector(".nothing")?.parentElement.remove();
        follow(list, transfers, ({ transferId }) => transferId, create, update);
      }
    },
    (refusal) => {
      setTone(note, "bad");
      setText(note, `Not told just now (${refusal.code}): ${refusal.message}`);
    },
  );
}

function create({ fromAccountId, toAccountId, amount }) {
  return make(
    "tr",
    {},
    make("td", {}, fromAccountId),
    make("td", {}, toAccountId),
    make("td", { className: "number" }, grouped(amount)),
    make("td", { className: "number" }),
    make("td", {}, make("span", { className: "chip" })),
  );
}

function update(row, { status, reason, requested, ended }) {
  const [, , , took, state] = row.children;
  setText(took, ended ? milliseconds(Date.parse(ended) - Date.parse(requested)) : "…");
  setTone(state.firstChild, TONES[status]);
  setText(state.firstChild, reason ?? { REQUESTED: "under way", COMPLETED: "completed" }[status]);
}

const milliseconds = (value) =>
  value < 10_000 ? `${grouped(value)} ms` : `${(value / 1_000).toFixed(1)} s`;

const nothing = () =>
  make("tr", {}, make("td", { className: "nothing", colSpan: 5 }, "No transfers yet."));
