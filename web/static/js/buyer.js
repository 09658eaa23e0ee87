/* The buyer's page: turn the pictures, turn the table, approve or reject. */
(() => {
  "use strict";
  const REFRESH_MS = 3000, DRAG_PX = 48, OLDER_PICTURE = 4303;
  const root = document.querySelector("[data-buyer]");
  const { acts } = window.packline;
  const address = root.dataset.buyer;

  async function post(what, body) {
    try {
      const answer = await fetch(`${address}/${what}`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
      if (answer.status === 429) return acts.toast(root.dataset.slower, false);
      const said = await answer.json();
      if (said.result?.code === OLDER_PICTURE) {
        acts.toast(root.dataset.older, false);
        return refresh();
      }
      if (!answer.ok || said.state === "refused" || said.state === "expired") return acts.toast(root.dataset.failed, false);
      if (said.state === "new") acts.toast(root.dataset.sent, true);
    } catch {
      return acts.toast(root.dataset.failed, false);
    }
    refresh();
  }

  root.addEventListener("click", async (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.dataset.turn) post("turn", { unit: button.dataset.unit, step_deg: Number(button.dataset.turn) });
    if (!button.dataset.answer) return;
    /* read now: while the question is open the page may be drawn anew, with another picture */
    const { lpn, answer, picture, until } = button.dataset;
    if (answer === "reject" && !(await acts.ask(root.dataset.sure))) return;
    post("answer", { lpn, answer, picture, until });
  });

  /* ---- spin ---- */
  function turnTo(spin, index) {
    const pictures = JSON.parse(spin.dataset.pictures), n = pictures.length;
    const at = ((index % n) + n) % n;
    spin.dataset.at = at;
    spin.setAttribute("aria-valuenow", at + 1);
    spin.setAttribute("aria-valuetext", root.dataset.spin.replace("{n}", at + 1).replace("{all}", n));
    spin.querySelector("img").src = pictures[at];
    spin.querySelector(".hint")?.remove();
  }

  const now = (spin) => Number(spin.dataset.at || 0);
  let drag = null;

  root.addEventListener("pointerdown", (event) => {
    const spin = event.target.closest(".spin");
    if (!spin) return;
    drag = { spin, x: event.clientX, from: now(spin) };
    spin.setPointerCapture(event.pointerId);
  });
  root.addEventListener("pointermove", (event) => {
    if (!drag) return;
    const index = drag.from - Math.round((event.clientX - drag.x) / DRAG_PX);
    if (index !== now(drag.spin)) turnTo(drag.spin, index);
  });
  for (const end of ["pointerup", "pointercancel"]) root.addEventListener(end, () => { drag = null; });
  root.addEventListener("keydown", (event) => {
    const spin = event.target.closest(".spin"), step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!spin || !step) return;
    event.preventDefault();
    turnTo(spin, now(spin) + step);
  });

  /* ---- keep up with the line ---- */
  let shown = "";
  async function refresh() {
    try {
      const answer = await fetch(address, { headers: { Accept: "application/json" } });
      if (answer.status === 404) return location.reload();
      if (!answer.ok) return;
      const text = await answer.text();
      if (shown && text !== shown) htmx.ajax("GET", address, { target: "#buyer-live", select: "#buyer-live", swap: "morph:outerHTML" });
      shown = text;
    } catch {
      /* asked again in three seconds */
    }
  }
  refresh();
  setInterval(() => document.hidden || refresh(), REFRESH_MS);
})();
