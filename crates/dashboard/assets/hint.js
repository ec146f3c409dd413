// Words from the database with the SQL in them as code that can be copied.
import { h } from './element.js';
import { icon } from './icons.js';

const CALL = /\b(?:select|call)\s+(?:"?\w+"?\.)?vb_\w+\((?:[^()]|\([^()]*\))*\)(?:\s*;)?/;
const COMMAND = /\b(?:alter (?:system|database|role|table)|create extension|delete from|grant|insert into|update \S+ set|select [^;.]* from)\s[^;]*;(?:\s*select pg_reload_conf\(\);)?/;
const STATEMENT = new RegExp(`${CALL.source}|${COMMAND.source}`, 'gi');
const NAME = /\b(?:vb_\w+(?:\((?:[^()…]|\([^()]*\))*…?[^()]*\))?|vector_backfill\.\w+|max_worker_processes(?: = \d+)?|shared_preload_libraries)/g;

/** Code with a button that copies it. */
export function sql(text) {
  const says = h('span', { class: 'unseen' }, 'Copy');
  const button = h('button', { type: 'button', title: 'Copy', 'data-action': 'copy', onclick: copy }, icon('copy', 14), says);
  async function copy() {
    let done = true;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      done = false; // no clipboard without https or localhost: mark the text instead
      const range = document.createRange();
      range.selectNodeContents(code);
      getSelection().removeAllRanges();
      getSelection().addRange(range);
    }
    says.textContent = done ? 'Copied' : 'Selected';
    button.title = says.textContent;
    button.replaceChildren(icon(done ? 'completed' : 'copy', 14), says);
    setTimeout(() => {
      says.textContent = 'Copy';
      button.title = 'Copy';
      button.replaceChildren(icon('copy', 14), says);
    }, 2000);
  }
  const code = h('code', null, text);
  return h('span', { class: 'sql' }, code, button);
}

/** Prose in which statements are code to copy and names are code. */
export function words(text) {
  return split(text ?? '', STATEMENT, sql, (rest) => split(rest, NAME, (name) => h('code', null, name), (plain) => [plain]));
}

function split(text, pattern, found, between) {
  const parts = [];
  let from = 0;
  for (const match of text.matchAll(pattern)) {
    if (match.index > from) parts.push(...between(text.slice(from, match.index)));
    parts.push(found(match[0]));
    from = match.index + match[0].length;
  }
  if (from < text.length) parts.push(...between(text.slice(from)));
  return parts;
}
