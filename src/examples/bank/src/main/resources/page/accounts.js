import { everySecond } from "./api.js";
import { byId, follow, grouped, make, setText, setTone } from "./dom.js";

const PAGE = 12;

/** The table of accounts, a page at a time, in order of their ids. */
export function startAccounts() {
  const note = byId("accounts-note");
  const first = byId("first-page");
  const next = byId("next-page");
  let after = "";
  let following = null;
  let choose = () => {};

  const ask = everySecond(
    () => `/api/accounts?limit=${PAGE}&after=${encodeURIComponent(after)}`,
    (page) => {
      following = page.next ?? null;
      first.disabled = after === "";
      next.disabled = following === null;
      setTone(note, "muted");
      setText(note, page.accounts.length === 0 ? "" : `From ${page.accounts[0].accountId}.`);
      follow(byId("known"), page.accounts, keyOf, ({ accountId }) => make("option", { value: accountId }), () => {});
      if (page.accounts.length === 0) {
        byId("accounts").replaceChildren(nothing());
      } else {
        byId("accounts").querySelector(".nothing")?.parentElement.remove();
        follow(byId("accounts"), page.accounts, keyOf, create, update);
      }
    },
    (refusal) => {
      setTone(note, "bad");
      setText(note, `Not told just now (${refusal.code}): ${refusal.message}`);
    },
  );

  first.addEventListener("click", () => turnTo(""));
  next.addEventListener("click", () => following !== null && turnTo(following));

  function turnTo(where) {
    after = where;
    ask();
  }

  function create({ accountId }) {
    const buttons = [
      ["deposit", "Deposit"],
      ["withdraw", "Withdraw"],
    ].map(([direction, label]) => {
      const button = make("button", { type: "button", className: "small" }, label);
      button.setAttribute("aria-label", `${label}, account ${accountId}`);
      button.addEventListener("click", () => choose(accountId, direction));
      return button;
    });
    return make(
      "tr",
      {},
      make("td", {}, accountId),
      make("td", { className: "owner" }),
      make("td", { className: "number" }),
      make("td", {}, make("span", { className: "chip" })),
      make("td", {}, make("div", { className: "row-buttons" }, ...buttons)),
    );
  }

  function update(row, { owner, nickname, balance, open }) {
    const [, ownerCell, balanceCell, stateCell, buttons] = row.children;
    setText(ownerCell, nickname ? `${owner} (${nickname})` : owner);
    const shown = grouped(balance);
    if (balanceCell.textContent !== "" && balanceCell.textContent !== shown) flash(row);
    setText(balanceCell, shown);
    setTone(stateCell.firstChild, open ? "good" : "muted");
    setText(stateCell.firstChild, open ? "open" : "closed");
    buttons.firstChild.hidden = !open;
  }

  return { ask, onChoose: (listener) => (choose = listener) };
}

const keyOf = ({ accountId }) => accountId;

const nothing = () =>
  make(
    "tr",
    {},
    make(
      "td",
      { className: "nothing", colSpan: 5 },
      "No accounts yet. Open one above, or move the slider: random traffic opens its own.",
    ),
  );

function flash(row) {
  row.classList.remove("changed");
  // Reading the width makes the browser notice, or the animation would not start again.
  void row.offsetWidth;
  row.classList.add("changed");
}
