import { everySecond } from "./api.js";
import { byId, grouped, setText, setTone } from "./dom.js";

/** The sum that must always hold. The bank compares in whole coins; here it is only shown. */
export function startInvariant() {
  let held;

  return everySecond(
    () => "/api/totals",
    (totals) => {
      held = totals.holds;
      setText(byId("balance"), grouped(totals.balance));
      setText(byId("in-flight"), grouped(totals.inFlight));
      setText(byId("deposited"), grouped(totals.deposited));
      setText(byId("withdrawn"), grouped(totals.withdrawn));
      judge(held ? "good" : "bad", held ? "✓ It holds" : "✕ Broken: the sides differ");
      setText(byId("totals-note"), `Accounts: ${grouped(totals.accounts)}. In the smallest coin.`);
      live("good", "live");
    },
    (refusal) => {
      judge("muted", held === undefined ? "Not known yet" : `Last seen: it ${held ? "held" : "was broken"}`);
      setText(byId("totals-note"), `Not told just now (${refusal.code}): ${refusal.message}`);
      live("bad", refusal.code === "unreachable" ? "bank not reachable" : "cluster not answering");
    },
  );
}

function judge(tone, verdict) {
  setTone(byId("invariant"), tone);
  setText(byId("verdict"), verdict);
}

function live(tone, text) {
  setTone(byId("link"), tone);
  setText(byId("link"), text);
}
