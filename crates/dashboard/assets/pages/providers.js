// Providers, the collections their vectors are in, and the sources that are kept in step.
import { badge } from '../state-badge.js';
import { brief, clock, cost, duration, number, rate } from '../format.js';
import { follow } from '../stream.js';
import { h, setAttribute, setText } from '../element.js';
import { table } from '../table.js';

/** Opens the page. */
export function providers({ root, title }) {
  title('Providers');
  const services = providerTable();
  const collections = collectionTable();
  const counting = h('div', { class: 'empty' }, 'Counting…');
  const syncs = syncTable();
  const syncPanel = h('section', { class: 'panel' }, h('header', null, h('h2', null, 'Sources kept in step')), syncs.element);
  const count = h('span', { class: 'sub' });
  root.append(
    h('div', { class: 'head' }, h('h1', null, 'Providers and stores'), count),
    h('section', { class: 'panel' }, h('header', null, h('h2', null, 'Providers')), services.element),
    syncPanel,
    h('section', { class: 'panel' }, h('header', null, h('h2', null, 'Collections')), counting, collections.element));

  return follow('providers', {}, (seen) => {
    services.update(seen.providers);
    // Their points are counted beside the rest.
    counting.hidden = seen.collections !== null;
    collections.element.hidden = seen.collections === null;
    collections.update(seen.collections ?? []);
    syncs.update(seen.syncs);
    const usable = seen.providers.filter((provider) => provider.available).length;
    const away = seen.providers.filter((provider) => !provider.available && !isOff(provider)).length;
    setText(count, `${number(usable)} of ${number(seen.providers.length)} can be used`);
    title(away ? `▲ ${away} not available` : 'Providers');
  });
}

/** Nobody enabled it: no trouble. */
const isOff = (provider) => !provider.available && provider.reason === 'it is not enabled';
const known = (value) => (value === null || value === undefined ? null : Number(value));

/** A name with something below it. */
function named(upper, lower) {
  return (cell) => {
    const above = h('span', null);
    const under = h('span', { class: 'under' });
    cell.append(above, under);
    return (row) => {
      setText(above, upper(row));
      setText(under, lower(row) ?? '');
    };
  };
}

/** What it speaks, its model, and for whom it is where that is one client. */
function kindOf(provider) {
  const only = provider.client_id === null || provider.client_id === undefined ? null : `client ${provider.client_id} only`;
  return [provider.kind === provider.name ? null : provider.kind, provider.model, only].filter(Boolean).join(' · ');
}

function numeric(id, label, format, value = (row) => row[id]) {
  return { id, label, number: true, sort: (row) => known(value(row)), text: (row) => format(value(row)), title: (row) => (known(value(row)) === null ? 'for roles that see all clients, or not known yet' : null) };
}

function providerTable() {
  return table({
    id: 'providers', caption: 'Embedding providers', key: (provider) => provider.name, empty: 'No providers are set up.',
    row: (tr, provider) => {
      setAttribute(tr, 'data-provider', provider.name);
      setAttribute(tr, 'data-available', String(Boolean(provider.available)));
    },
    columns: [
      { id: 'name', label: 'Provider', head: true, sort: (provider) => provider.name, build: named((provider) => provider.name, kindOf) },
      { id: 'available', label: 'State', sort: (provider) => Boolean(provider.available), across: true, className: 'why',
        build(cell) {
          const state = badge();
          const reason = h('span', { class: 'under wrap' });
          cell.append(state.element, reason);
          return (provider) => {
            const open = provider.breaker === 'open';
            const half = provider.breaker === 'half_open';
            if (isOff(provider)) state.update('ring', 'idle', 'not enabled');
            else if (provider.available) state.update(half ? 'warning' : 'completed', half ? 'warn' : 'good', half ? 'trying again' : 'available');
            else state.update(open ? 'error' : 'failed', open ? 'bad' : 'idle', open ? 'does not answer' : 'not available');
            setText(reason, isOff(provider) ? '' : provider.reason ?? '');
          };
        } },
      { id: 'breaker', label: 'Breaker', text: (provider) => (provider.breaker ?? '–').replace('_', ' '), className: 'nowrap' },
      numeric('records_per_second', 'Records/s', rate),
      { id: 'latency', label: 'p50 / p95', number: true, sort: (provider) => known(provider.latency_p95), text: (provider) => (known(provider.latency_p95) === null ? '–' : `${duration(provider.latency_p50)} / ${duration(provider.latency_p95)}`) },
      numeric('requests', 'Requests', brief),
      { id: 'trouble', label: 'Errors', number: true, sort: (provider) => known(provider.errors),
        build(cell) {
          const count = h('span', null);
          cell.append(count);
          return (provider) => {
            setText(count, brief(provider.errors));
            count.classList.toggle('bad', Number(provider.errors) > 0 && !provider.available);
          };
        } },
      numeric('throttled', 'Throttled', brief),
      numeric('concurrency', 'At once', number),
      numeric('tokens', 'Tokens', brief),
      numeric('cost', 'Cost', cost),
    ],
  });
}

function collectionTable() {
  return table({
    id: 'collections', caption: 'Collections of vectors', key: (collection) => `${collection.name}/${collection.client_id}/${collection.source}/${collection.vector_type}/${collection.generation}`,
    row: (tr, collection) => setAttribute(tr, 'data-collection', collection.name), empty: 'No collections yet: the first backfill makes one.',
    columns: [
      { id: 'name', label: 'Collection', head: true, className: 'model', sort: (collection) => collection.name, text: (collection) => collection.name },
      { id: 'client', label: 'Client', sort: (collection) => Number(collection.client_id), text: (collection) => String(collection.client_id) },
      { id: 'source', label: 'Source', sort: (collection) => String(collection.source), build: named((collection) => String(collection.source), (collection) => (collection.vector_type === 'content' ? '' : collection.vector_type)) },
      { id: 'stage', label: 'Stage', sort: (collection) => collection.stage,
        build(cell) {
          const state = badge();
          cell.append(state.element);
          return (collection) => state.update(...({ serving: ['completed', 'good'], building: ['running', 'busy'] }[collection.stage] ?? ['cancelled', 'idle']), collection.stage);
        } },
      { id: 'model', label: 'Model', className: 'model', sort: (collection) => collection.model, build: named((collection) => collection.model ?? '–', (collection) => (collection.dimensions ? `${number(collection.dimensions)} dimensions` : '')) },
      numeric('points', 'Points', number),
      numeric('generation', 'Generation', number),
      { id: 'store', label: 'Store', sort: (collection) => collection.store, text: (collection) => collection.store ?? '–' },
    ],
  });
}

function syncTable() {
  return table({
    id: 'syncs', caption: 'Sources kept in step by triggers', key: (sync) => String(sync.source), row: (tr, sync) => setAttribute(tr, 'data-source', sync.source),
    empty: 'None that this role may see. vb_enable_sync keeps a table in step.',
    columns: [
      { id: 'source', label: 'Source', head: true, sort: (sync) => String(sync.source), build: named((sync) => String(sync.source), (sync) => (sync.vector_types ?? []).join(', ')) },
      { id: 'state', label: 'State', across: true, className: 'why',
        build(cell) {
          const state = badge();
          const trouble = h('span', { class: 'under wrap' });
          cell.append(state.element, trouble);
          return (sync) => {
            if (sync.trouble) state.update('warning', 'warn', 'in trouble');
            else if (Number(sync.pending) > 0) state.update('running', 'busy', 'catching up');
            else state.update('completed', 'good', 'in step');
            setText(trouble, sync.trouble ?? '');
          };
        } },
      numeric('pending', 'Pending', number),
      numeric('oldest_pending', 'Oldest waits', duration),
      { id: 'latency', label: 'Latency p50 / p95 / most', number: true, sort: (sync) => known(sync.latency_p95), text: (sync) => (known(sync.latency_p95) === null ? '–' : `${duration(sync.latency_p50)} / ${duration(sync.latency_p95)} / ${duration(sync.latency_max)}`) },
      numeric('applied', 'Applied', brief),
      numeric('failed', 'Failed', brief),
      { id: 'last', label: 'Last applied', number: true, sort: (sync) => sync.last_applied_at, text: (sync) => clock(sync.last_applied_at), title: (sync) => sync.last_applied_at },
    ],
  });
}
