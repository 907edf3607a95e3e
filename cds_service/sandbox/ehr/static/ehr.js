"use strict";
(() => {
  const panel = document.getElementById("panel");
  const cards = document.getElementById("cards");
  const app = document.getElementById("app");
  const frame = document.getElementById("frame");

  const asked = new WeakMap(); // a slow answer never takes the place of a later question's
  const show = async (target, url, body) => {
    const mine = {};
    asked.set(target, mine);
    target.setAttribute("aria-busy", "true");
    let text = "<p>The sandbox EHR does not answer. Is it still running?</p>";
    try {
      text = await (await fetch(url, { method: "POST", body })).text();
    } catch {
      // said in the panel
    }
    if (asked.get(target) !== mine) return;
    target.innerHTML = text;
    target.removeAttribute("aria-busy");
  };
  // What an accepted suggestion did is in the chart at once.
  const refresh = async () => {
    const response = await fetch(panel.dataset.base);
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    document.querySelector(".record").replaceWith(page.querySelector(".record"));
  };
  const hook = (name) => show(cards, `${panel.dataset.base}/hooks/${name}`);

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-hook], button[data-launch]");
    if (!button) return;
    if (button.dataset.hook) {
      hook(button.dataset.hook);
    } else {
      frame.src = button.dataset.launch;
      app.showModal();
    }
  });
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.dataset.post) return;
    event.preventDefault();
    show(form.closest(".card"), form.dataset.post, new FormData(form)).then(refresh);
  });
  app.addEventListener("close", () => frame.removeAttribute("src"));
  hook(panel.dataset.open);
})();
