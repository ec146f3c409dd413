// Sets the scheme that was chosen here before the first paint; a classic script in the head, so that nothing flashes.
(function () {
  try {
    const chosen = localStorage.getItem('vb-theme');
    if (chosen === 'light' || chosen === 'dark') document.documentElement.dataset.theme = chosen;
  } catch {
    // Without storage the system's scheme is used.
  }
})();
