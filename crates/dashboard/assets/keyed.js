// Keeps the children of an element in step with a list: the same key keeps its element, so focus, selection and scroll stay.

/** `make(item)` gives `{element, update(item)}`. Returns the function that takes each new list. */
export function keyedList(parent, keyOf, make) {
  const shown = new Map();
  return (items) => {
    const wanted = new Set();
    const order = [];
    for (const item of items) {
      const key = String(keyOf(item));
      if (wanted.has(key)) continue;
      wanted.add(key);
      let entry = shown.get(key);
      if (!entry) shown.set(key, (entry = make(item)));
      entry.update(item);
      order.push(entry.element);
    }
    for (const [key, entry] of shown) {
      if (wanted.has(key)) continue;
      entry.element.remove();
      shown.delete(key);
    }
    place(parent, order);
  };
}

/** Moving an element takes its focus away; it is given back. */
function place(parent, order) {
  const focused = parent.contains(document.activeElement) ? document.activeElement : null;
  let next = parent.firstElementChild;
  for (const element of order) {
    if (element === next) {
      next = next.nextElementSibling;
    } else {
      // One row that went away further down leaves the next in place: look one ahead before moving.
      if (next && next.nextElementSibling === element) {
        parent.append(next);
        next = element.nextElementSibling;
      } else {
        parent.insertBefore(element, next);
      }
    }
  }
  if (focused && focused !== document.activeElement && focused.isConnected) focused.focus({ preventScroll: true });
}
