// Builds elements. Values only ever become text nodes, attributes or properties, never markup.

/** `h('td', {class: 'number', onclick: f}, 'text', node)`; null, undefined and false attributes and children are left out. */
export function h(name, attributes, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? '' : value);
  }
  append(element, children);
  return element;
}

function append(element, children) {
  for (const child of children) {
    if (Array.isArray(child)) append(element, child);
    else if (child !== null && child !== undefined && child !== false) element.append(child);
  }
}

/** Changes the text only where it is another, so that a selection in it survives. */
export function setText(element, text) {
  const words = text ?? '';
  const only = element.firstChild;
  if (only && only === element.lastChild && only.nodeType === Node.TEXT_NODE) {
    if (only.data !== words) only.data = words;
  } else if (element.textContent !== words || element.firstElementChild) {
    element.textContent = words;
  }
}

/** Sets or removes an attribute, only where that is a change. */
export function setAttribute(element, name, value) {
  if (value === null || value === undefined || value === false) {
    if (element.hasAttribute(name)) element.removeAttribute(name);
  } else {
    const text = value === true ? '' : String(value);
    if (element.getAttribute(name) !== text) element.setAttribute(name, text);
  }
}

/** Replaces what is in an element only when `signature` is another than last time. */
export function rebuild(element, signature, build) {
  if (element.vbSignature === signature) return;
  element.vbSignature = signature;
  element.replaceChildren(...[build()].flat().filter((part) => part !== null && part !== undefined && part !== false));
}
