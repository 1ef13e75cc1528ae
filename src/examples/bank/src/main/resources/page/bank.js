/** Starts the parts of the page. Each asks on its own, so what still answers is still shown. */

import { startAccounts } from "./accounts.js";
import { startCluster } from "./cluster.js";
import { startInvariant } from "./invariant.js";
import { startMovements } from "./movements.js";
import { startTraffic } from "./traffic.js";
import { startTransfers } from "./transfers.js";

const askTotals = startInvariant();
const accounts = startAccounts();
startTraffic();

const askTransfers = startTransfers();

const movements = startMovements(() => {
  accounts.ask();
  askTransfers();
  askTotals();
});
accounts.onChoose(movements.choose);
startCluster(movements.tell);
