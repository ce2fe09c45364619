// The page of timings: tables that can be sorted, folds, and an address that opens what it names.

sortable(document);
const go = () => unfold(namedPart());
addEventListener("hashchange", go);
if (location.hash) go();
