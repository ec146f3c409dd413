// The few drawings of the page, as paths on a grid of 16: state is told by their shape, not by colour alone.
const PATHS = {
  error: ['M5.2 1h5.6L15 5.2v5.6L10.8 15H5.2L1 10.8V5.2z', '!M8 4.4v4.4M8 11.4v.2'],
  warning: ['M8 1.4 15.4 14.6H.6z', '!M8 6v4.2M8 12.4v.2'],
  info: ['M8 1a7 7 0 1 1 0 14A7 7 0 0 1 8 1z', '!M8 7.4v4M8 4.6v.2'],
  well: ['M8 1a7 7 0 1 1 0 14A7 7 0 0 1 8 1z', '!M4.8 8.2l2.2 2.3 4.2-4.7'],
  queued: ['-M8 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2z', '-M8 4.6V8l2.3 1.6'],
  running: ['M4 2l10 6-10 6z'],
  paused: ['M3 2h3.6v12H3zM9.4 2H13v12H9.4z'],
  completed: ['-M2 8.6l4 4.2L14 3.6'],
  failed: ['-M3 3l10 10M13 3L3 13'],
  cancelled: ['-M8 1.8a6.2 6.2 0 1 1 0 12.4A6.2 6.2 0 0 1 8 1.8z', '-M3.7 12.3l8.6-8.6'],
  dot: ['M8 1.5a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13z'],
  ring: ['-M8 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2z'],
  retry: ['-M13.6 8A5.6 5.6 0 1 1 11.5 3.6M13.4 1.2v3.6H9.8'],
  copy: ['-M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3'],
  download: ['-M8 1.8v8.4M4.4 7 8 10.6 11.6 7M2 14h12'],
  down: ['M2 5h12l-6 7z'],
  light: ['-M8 5a3 3 0 1 1 0 6 3 3 0 0 1 0-6zM8 .8v1.8M8 13.4v1.8M.8 8h1.8M13.4 8h1.8M2.9 2.9l1.3 1.3M11.8 11.8l1.3 1.3M2.9 13.1l1.3-1.3M11.8 4.2l1.3-1.3'],
  dark: ['-M13.8 9.6A6.2 6.2 0 1 1 6.4 2.2a5 5 0 0 0 7.4 7.4z'],
  system: ['-M8 1.8a6.2 6.2 0 1 1 0 12.4A6.2 6.2 0 0 1 8 1.8z', 'M8 1.8a6.2 6.2 0 0 1 0 12.4z'],
  brand: ['M1.4 2.4h3.5L8 10.1l3.1-7.7h3.5L9.7 13.6H6.3z'],
};
const SVG = 'http://www.w3.org/2000/svg';

/** A drawing that says nothing to a screen reader: the words stand beside it. `-` begins a line, `!` one in the ground's colour. */
export function icon(name, size = 16) {
  const svg = document.createElementNS(SVG, 'svg');
  for (const [key, value] of Object.entries({ viewBox: '0 0 16 16', width: size, height: size, 'aria-hidden': 'true', focusable: 'false' })) {
    svg.setAttribute(key, value);
  }
  for (const drawn of PATHS[name] ?? PATHS.ring) {
    const path = document.createElementNS(SVG, 'path');
    const line = drawn.startsWith('-');
    const cut = drawn.startsWith('!');
    path.setAttribute('d', line || cut ? drawn.slice(1) : drawn);
    path.setAttribute('fill', line || cut ? 'none' : 'currentColor');
    if (line || cut) {
      path.setAttribute('class', cut ? 'cut' : 'line');
      path.setAttribute('stroke-width', '1.9');
      path.setAttribute('stroke-linecap', 'round');
      path.setAttribute('stroke-linejoin', 'round');
      if (line) path.setAttribute('stroke', 'currentColor');
    }
    svg.append(path);
  }
  return svg;
}
