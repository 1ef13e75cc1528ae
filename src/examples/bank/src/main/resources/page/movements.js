import { post } from "./api.js";
import { byId, grouped, make, setText } from "./dom.js";

const LINES = 30;
const BUTTONS = { deposit: "Deposit", withdraw: "Withdraw", transfer: "Transfer" };

/**
 * The forms and the list of what was answered.
 *
 * @param moved is called after each success
 */
export function startMovements(moved) {
  const movement = byId("movement");
  const opening = byId("opening");
  const naming = byId("naming");
  const button = movement.querySelector("button");

  movement.addEventListener("change", () => {
    const isTransfer = kind() === "transfer";
    setText(button, BUTTONS[kind()]);
    setText(byId("account-label"), isTransfer ? "From account" : "Account");
    byId("to-field").hidden = !isTransfer;
    byId("to").disabled = !isTransfer;
    byId("reference-field").hidden = isTransfer;
  });

  onSubmit(movement, async ({ accountId, toAccountId, amount, reference }) => {
    const coins = grouped(Number(amount));
    if (kind() === "transfer") {
      await send(`Transfer ${coins} from ${accountId} to ${toAccountId}`, "/api/transfer", {
        transferId: crypto.randomUUID(),
        fromAccountId: accountId,
        toAccountId,
        amount: Number(amount),
      });
      return;
    }
    const words =
      kind() === "deposit"
        ? `Deposit ${coins} into ${accountId}`
        : `Withdraw ${coins} from ${accountId}`;
    await send(words, `/api/${kind()}`, { accountId, amount: Number(amount), reference });
  });

  onSubmit(opening, async ({ accountId, owner }) => {
    if (await send(`Open ${accountId} for ${owner}`, "/api/open", { accountId, owner })) {
      opening.reset();
      choose(accountId, "deposit");
    }
  });

  onSubmit(naming, async ({ accountId, nickname }) => {
    if (await send(`Call ${accountId} ${nickname}`, "/api/nickname", { accountId, nickname })) {
      naming.reset();
    }
  });

  function kind() {
    return movement.elements.kind.value;
  }

  function choose(accountId, direction) {
    movement.elements.accountId.value = accountId;
    movement.elements.kind.value = direction;
    movement.dispatchEvent(new Event("change"));
    byId("amount").focus();
    byId("amount").select();
  }

  async function send(words, path, body) {
    const started = performance.now();
    try {
      const receipt = await post(path, body);
      const took = Math.round(performance.now() - started);
      tell("good", `${words}: position ${grouped(receipt.position)}, ${took} ms`);
      moved();
      return true;
    } catch (refusal) {
      tell(refusal.byRule ? "warn" : "bad", words, refusal);
      return false;
    }
  }

  return { choose, tell };
}

function onSubmit(form, act) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    button.disabled = true;
    try {
      await act(Object.fromEntries(new FormData(form)));
    } finally {
      button.disabled = false;
    }
  });
}

function tell(tone, words, refusal) {
  const log = byId("happened");
  log.querySelector(".empty")?.remove();
  const line = make("li", {}, refusal ? `${words}: ` : words);
  if (refusal) line.append(make("code", {}, refusal.code), ` ${refusal.message}`);
  line.dataset.tone = tone;
  log.prepend(line);
  while (log.children.length > LINES) log.lastElementChild.remove();
}
