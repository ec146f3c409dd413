// A strip of figures: a label, a large value, a note.
import { h, rebuild, setAttribute } from './element.js';

/** `definitions`: `{id, label}`. `update({id: {value, unit, note, tone, title}})`. */
export function figures(id, label, definitions) {
  const shown = new Map();
  const element = h('dl', { class: 'panel figures', id, 'data-testid': id, 'aria-label': label });
  for (const definition of definitions) {
    const value = h('dd', { class: 'value', 'data-field': definition.id });
    const note = h('dd', { class: 'below' });
    const box = h('div', { class: 'figure', 'data-figure': definition.id }, h('dt', null, definition.label), value, note);
    element.append(box);
    shown.set(definition.id, { box, value, note });
  }
  return {
    element,
    update(values) {
      for (const [name, { box, value, note }] of shown) {
        const next = values[name] ?? {};
        rebuild(value, `${next.value}|${next.unit ?? ''}`, () => [String(next.value ?? '–'), next.unit ? h('span', { class: 'unit' }, ` ${next.unit}`) : null]);
        if (typeof next.note === 'string' || !next.note) rebuild(note, String(next.note ?? ''), () => next.note ?? '');
        else rebuild(note, next.note.signature, next.note.build);
        setAttribute(box, 'data-tone', next.tone);
        setAttribute(value, 'title', next.title);
      }
    },
  };
}
