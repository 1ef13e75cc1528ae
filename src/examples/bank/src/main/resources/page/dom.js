/** Small tools that every part of the page uses. Texts go in as text: nothing is parsed as HTML. */

export const byId = (id) => document.getElementById(id);

export const grouped = (number) =>
  typeof number === "number" ? number.toLocaleString("en") : "–";

/** Writes only what changed, so that screen readers and selections are left in peace. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function setTone(element, tone) {
  if (element.dataset.tone !== tone) element.dataset.tone = tone;
}

/** make("button", {type: "button", className: "small"}, "Kill") */
export function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

/**
 * Makes a parent's children follow a list. Elements of keys that stay are kept, so a button that has
 * the focus keeps it while its row is updated.
 */
export function follow(parent, items, keyOf, create, update) {
  const old = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  const wanted = items.map((item) => {
    const key = String(keyOf(item));
    const element = old.get(key) ?? create(item);
    element.dataset.key = key;
    old.delete(key);
    update(element, item);
    return element;
  });
  old.forEach((gone) => gone.remove());
  wanted.forEach((element, index) => {
    if (parent.children[index] !== element) parent.insertBefore(element, parent.children[index]);
  });
}
