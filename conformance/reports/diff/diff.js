// The page of a comparison: its tables can be sorted, its commands copied, and the address opens the part that it names.

sortable(document);
copyButtons(document);
const openNamed = () => unfold(namedPart());
addEventListener("hashchange", openNamed);
openNamed();
