// Before the first paint, and so no module: the theme that this browser keeps.
const kept = localStorage.getItem('evento.theme');
if (kept === 'light' || kept === 'dark') document.documentElement.dataset.theme = kept;
if (localStorage.getItem('evento.density') === 'comfortable') document.documentElement.dataset.density = 'comfortable';
