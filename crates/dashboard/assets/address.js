// What of a page is in its address: filters, so that a view can be sent to somebody.

/** The parameters of the address that are set, of those named. */
export function read(names) {
  const all = new URLSearchParams(location.search);
  return Object.fromEntries(names.map((name) => [name, all.get(name) ?? '']));
}

/** Puts parameters into the address without another entry in the history. */
export function write(values) {
  const set = Object.entries(values).filter(([, value]) => value !== null && value !== undefined && value !== '');
  const search = set.length ? `?${new URLSearchParams(set)}` : '';
  if (search !== location.search) history.replaceState(history.state, '', location.pathname + search);
}

/** Calls `run` when nothing was typed for a moment. */
export function settled(run, wait = 350) {
  let timer = null;
  return (...given) => {
    clearTimeout(timer);
    timer = setTimeout(() => run(...given), wait);
  };
}
