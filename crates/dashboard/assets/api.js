// Requests to the server of this page. An error carries what the server said: message, hint and code.
const meta = (name) => document.querySelector(`meta[name="${name}"]`)?.content ?? '';

/** Whether this server lets anybody control jobs at all. */
export const controlIsOn = meta('vb-control') === 'true';

/** A refusal, or no answer. */
export class ApiError extends Error {
  constructor(status, said) {
    super(said?.message ?? (status ? `The server of this page answered ${status}` : 'The server of this page does not answer'));
    this.status = status;
    this.code = said?.code ?? null;
    this.hint = said?.hint ?? null;
  }
}

async function request(path, options) {
  let response;
  try {
    response = await fetch(path, { credentials: 'same-origin', cache: 'no-store', ...options });
  } catch (cause) {
    if (cause.name === 'AbortError') throw cause;
    throw new ApiError(0, null);
  }
  const body = await response.json().catch(() => null);
  if (!response.ok) throw new ApiError(response.status, body?.error);
  return body;
}

/** GET, JSON back. */
export const get = (path, signal) => request(path, { signal });

/** POST with the token that shows that this page asks; a server that was started anew has another, which is fetched once. */
export async function post(path, body) {
  const send = () => request(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-vb-csrf': meta('vb-csrf') },
    body: JSON.stringify(body ?? {}),
  });
  try {
    return await send();
  } catch (failure) {
    if (failure.code !== 'csrf' || !(await renewToken())) throw failure;
    return send();
  }
}

/** Takes the token of the shell as it is now; false where it is the same or cannot be had. */
async function renewToken() {
  const shell = await fetch('/', { credentials: 'same-origin', cache: 'no-store' }).then((response) => (response.ok ? response.text() : ''), () => '');
  const token = new DOMParser().parseFromString(shell, 'text/html').querySelector('meta[name="vb-csrf"]')?.content;
  if (!token || token === meta('vb-csrf')) return false;
  document.querySelector('meta[name="vb-csrf"]').content = token;
  return true;
}

/** `?a=1&b=2` of what is set, else the empty text. */
export function query(parameters) {
  const set = Object.entries(parameters).filter(([, value]) => value !== null && value !== undefined && value !== '');
  return set.length ? `?${new URLSearchParams(set)}` : '';
}
