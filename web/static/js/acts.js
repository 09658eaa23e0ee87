/* Buttons: a key for every press, a question before what cannot be undone, one line about what became of it. */
(() => {
  "use strict";
  const GOOD_MS = 5000, BAD_MS = 12000;
  const words = JSON.parse(document.body.dataset.words || "{}");
  const csrf = document.querySelector('meta[name="csrf"]')?.content || "";

  /* crypto.randomUUID exists only over https; a shop floor is often plain http. */
  function key() {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  function toast(text, ok, more = "") {
    const box = document.createElement("div");
    box.className = ok ? "toast" : "toast no";
    const inner = document.createElement("div");
    inner.textContent = text;
    if (more) {
      const small = document.createElement("small");
      small.textContent = more;
      inner.append(small);
    }
    box.append(inner);
    if (!ok) box.setAttribute("role", "alert");
    document.getElementById("toast").append(box);
  }

  new MutationObserver((changes) => {
    for (const box of changes.flatMap((change) => [...change.addedNodes])) {
      if (box.nodeType !== Node.ELEMENT_NODE) continue;
      setTimeout(() => box.remove(), box.classList.contains("no") ? BAD_MS : GOOD_MS);
      box.addEventListener("click", () => box.remove());
      while (box.parentElement?.childElementCount > 3) box.parentElement.firstElementChild.remove();
    }
  }).observe(document.getElementById("toast"), { childList: true });

  /* ---- the question ---- */
  const dialog = document.getElementById("ask");
  let resolve = null, code = "";

  function ask(text, scan) {
    document.getElementById("ask-text").textContent = text;
    const hint = document.getElementById("ask-scan");
    hint.hidden = !scan;
    hint.textContent = scan ? words.ask_scan.replace("{code}", scan) : "";
    code = scan || "";
    dialog.showModal();
    return new Promise((done) => { resolve = done; });
  }

  function answer(yes) {
    if (dialog.open) dialog.close();
    const done = resolve;
    resolve = null;
    done?.(yes);
  }

  for (const button of dialog.querySelectorAll("[data-ask]")) {
    button.addEventListener("click", () => answer(button.dataset.ask === "yes"));
  }
  dialog.addEventListener("close", () => answer(false));

  /* What a person opened to read is not closed by what the line does meanwhile. */
  Idiomorph.defaults.callbacks.beforeAttributeUpdated = (name, node) => !(name === "open" && node.localName === "details");

  /* ---- htmx ---- */
  document.addEventListener("htmx:confirm", (event) => {
    const text = event.target.dataset?.confirm;
    if (!text || event.detail.elt !== event.target) return;
    event.preventDefault();
    /* while the question is open the page may be drawn anew: a yes is for what was asked, and for nothing that came in its place */
    const button = event.target, asked = button.getAttribute("hx-vals");
    ask(text, button.dataset.confirmScan).then((yes) => {
      if (!yes) return;
      if (button.isConnected && button.getAttribute("hx-vals") === asked) event.detail.issueRequest(true);
      else toast(words.changed, false);
    });
  });

  document.addEventListener("htmx:configRequest", (event) => {
    event.detail.headers["X-CSRF-Token"] = csrf;
    if (event.detail.verb === "get") return;
    event.detail.headers["X-Request-Key"] = key();
    if (window.packline.state.stale) {
      event.preventDefault();
      toast(words.stale, false);
    }
  });

  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.xhr.getResponseHeader("Content-Type")?.startsWith("text/html")) {
      event.detail.shouldSwap = event.detail.requestConfig.verb !== "get" || event.detail.xhr.status === 200;
      event.detail.isError = false;
    }
  });

  document.addEventListener("htmx:sendError", (event) => {
    if (event.detail.requestConfig.verb !== "get") toast(words.offline, false);
  });

  for (const form of document.querySelectorAll("form[data-confirm]")) {
    form.addEventListener("submit", (event) => {
      if (form.dataset.sure) return;
      event.preventDefault();
      ask(form.dataset.confirm).then((yes) => {
        if (!yes) return;
        form.dataset.sure = "yes";
        form.requestSubmit();
      });
    });
  }

  window.packline.acts = { key, csrf, toast, ask, answer, asksFor: () => (dialog.open ? code : "") };
})();
