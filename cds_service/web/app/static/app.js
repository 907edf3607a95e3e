"use strict";
(() => {
  const seconds = Number(document.body.dataset.idle);
  const form = document.getElementById("close");
  let timer;
  const again = () => {
    clearTimeout(timer);
    timer = setTimeout(() => form.submit(), seconds * 1000);
  };
  for (const kind of ["pointerdown", "keydown", "scroll"]) {
    addEventListener(kind, again, { passive: true });
  }
  again();
  // A page that the browser kept whole is asked for again: the review may be closed.
  addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });

  // On paper nothing stays folded; afterwards all is as it was.
  let folded = [];
  addEventListener("beforeprint", () => {
    folded = [...document.querySelectorAll("details:not([open])")];
    for (const one of folded) one.open = true;
  });
  addEventListener("afterprint", () => {
    for (const one of folded) one.open = false;
  });
  for (const button of document.querySelectorAll("[data-print]")) {
    button.classList.add("ready");
    button.addEventListener("click", () => print());
  }
})();
