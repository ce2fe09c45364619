// The page of a comparison: its tables can be sorted, its commands copied, and the address opens the part that it names.

sortable(document);
copyButtons(document);
const openNamed = () => location.hash.length > 1 && unfold(decodeURIComponent(location.hash.slice(1)));
addEventListener("hashchange", openNamed);
openNamed();
