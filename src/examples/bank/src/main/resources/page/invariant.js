import { everySecond } from "./api.js";
import { byId, grouped, setText, setTone } from "./dom.js";

/** Whoever was told nothing for so long asks: silence may mean that nobody can tell anything. */
const SILENCE_MAX = 5_000;

/**
 * The sum that must always hold. The bank compares in whole coins; here it is only shown. The bank
 * tells each change by itself.
 */
export function startInvariant() {
  let held;
  let toldAt = -Infinity;

  listen();

  return everySecond(() => "/api/totals", show, fail, () => performance.now() - toldAt < SILENCE_MAX);

  function listen() {
    const totals = new EventSource("/api/totals/live");
    totals.onmessage = ({ data }) => show(JSON.parse(data));
    totals.onerror = () => {
      toldAt = -Infinity;
      // A stream that broke is opened again by the browser, one that was refused is not.
      if (totals.readyState === EventSource.CLOSED) setTimeout(listen, SILENCE_MAX);
    };
  }

  function show(sums) {
    toldAt = performance.now();
    held = sums.holds;
    setText(byId("balance"), grouped(sums.balance));
    setText(byId("in-flight"), grouped(sums.inFlight));
    setText(byId("deposited"), grouped(sums.deposited));
    setText(byId("withdrawn"), grouped(sums.withdrawn));
    judge(held ? "good" : "bad", held ? "✓ It holds" : "✕ Broken: the sides differ");
    setText(byId("totals-note"), `Accounts: ${grouped(sums.accounts)}. In the smallest coin.`);
    live("good", "live");
  }

  function fail(refusal) {
    judge("muted", held === undefined ? "Not known yet" : `Last seen: it ${held ? "held" : "was broken"}`);
    setText(byId("totals-note"), `Not told just now (${refusal.code}): ${refusal.message}`);
    live("bad", refusal.code === "unreachable" ? "bank not reachable" : "cluster not answering");
  }
}

function judge(tone, verdict) {
  setTone(byId("invariant"), tone);
  setText(byId("verdict"), verdict);
}

function live(tone, text) {
  setTone(byId("link"), tone);
  setText(byId("link"), text);
}
