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
})();
