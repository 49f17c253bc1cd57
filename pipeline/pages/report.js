// Filters the sample facts of the report. Without it they all show and the filters stay hidden.
"use strict";
(() => {
  const filters = document.getElementById("filters");
  const list = document.getElementById("sample-list");
  if (!filters || !list) return;
  const [find, pool, relation, arm, outcome, reset, unfold, found] = [
    "find", "pool", "relation", "arm", "outcome", "reset", "unfold", "found",
  ].map((name) => document.getElementById(name));
  const samples = Array.from(list.querySelectorAll("details"));
  const words = new Map();

  // Letters without accents and in one case, so that "Söring" is found by "soring".
  const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

  const textOf = (sample) => {
    if (!words.has(sample)) words.set(sample, plain(sample.textContent));
    return words.get(sample);
  };

  const fits = (sample, wanted) =>
    (!pool.value || sample.dataset.pool === pool.value) &&
    (!relation.value || sample.dataset.relation === relation.value) &&
    (!outcome.value || outcome.value.includes(sample.dataset.arms[Number(arm.value)])) &&
    wanted.every((word) => textOf(sample).includes(word));

  const show = () => {
    const wanted = plain(find.value).split(/\s+/).filter(Boolean);
    list.classList.toggle("filtered", Boolean(find.value || pool.value || relation.value || outcome.value));
    let count = 0;
    for (const sample of samples) {
      sample.hidden = !fits(sample, wanted);
      count += sample.hidden ? 0 : 1;
    }
    found.textContent = `${count} of ${samples.length} facts`;
  };

  const open = (all) => {
    for (const sample of samples) if (!sample.hidden) sample.open = all;
    unfold.setAttribute("aria-pressed", String(all));
    unfold.textContent = all ? "Close all" : "Open all";
  };

  const openNamed = () => {
    const named = document.getElementById(location.hash.slice(1));
    if (named instanceof HTMLDetailsElement) named.open = true;
  };

  filters.addEventListener("input", show);
  reset.addEventListener("click", () => {
    find.value = pool.value = relation.value = outcome.value = "";
    show();
    find.focus();
  });
  unfold.addEventListener("click", () => open(unfold.getAttribute("aria-pressed") !== "true"));
  addEventListener("hashchange", openNamed);
  // On paper everything is open; afterwards what was closed closes again.
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = Array.from(document.querySelectorAll("details:not([open])"));
    for (const part of closed) part.open = true;
  });
  addEventListener("afterprint", () => {
    for (const part of closed) part.open = false;
  });
  filters.hidden = false;
  openNamed();
  show();
})();
