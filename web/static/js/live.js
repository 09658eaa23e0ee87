/* The live stream of a page: one EventSource that survives restarts, a heartbeat watch, and the stale banner.
   A page that has not heard the server says so within five seconds and lets nothing be pressed. */
(() => {
  "use strict";
  const STALE_MS = 4500, WATCH_MS = 250, HIDDEN_MS = 30000, POLL_MS = 2000, RETRY_MS = 20000;
  const body = document.body;
  const state = { heard: performance.now(), fresh: body.dataset.fresh !== "no", stale: false, said: body.dataset.heard || "" };

  function show() {
    const lost = performance.now() - state.heard > STALE_MS;
    state.stale = lost || !state.fresh;
    body.classList.toggle("stale", state.stale);
    for (const button of document.querySelectorAll("[data-acts]")) {
      button.disabled = state.stale;
    }
    const live = document.getElementById("live");
    const said = live && (state.stale ? live.dataset.off : live.dataset.on);
    if (live && live.textContent !== said) live.textContent = said;
    const banner = document.getElementById("stale"), text = document.getElementById("stale-text");
    if (!banner) return;
    const since = state.said ? ` ${body.dataset.since.replace("{at}", state.said)}` : "";
    const words = (lost ? body.dataset.lost : body.dataset.silent) + since;
    if (state.stale && text.textContent !== words) text.textContent = words;
    banner.hidden = !state.stale;
  }

  function heard(data) {
    state.heard = performance.now();
    const { fresh, said } = JSON.parse(data);
    state.fresh = fresh;
    if (fresh && said) state.said = said;
    show();
  }

  /* Looks like an EventSource to the sse extension, but reconnects by its own rules: it closes while the page is
     hidden (a browser has only six connections a host), and asks every two seconds where the server has no stream left. */
  class LiveSource {
    constructor(url) {
      this.url = url;
      this.hearers = new Map();
      this.readyState = EventSource.CONNECTING;
      this.onopen = this.onerror = null;
      this.addEventListener("beat", (event) => heard(event.data));
      this.watchVisibility();
      this.open();
    }

    addEventListener(name, hear) {
      if (!this.hearers.has(name)) this.hearers.set(name, new Set());
      this.hearers.get(name).add(hear);
      if (this.source) this.attach(name);
    }

    removeEventListener(name, hear) {
      this.hearers.get(name)?.delete(hear);
    }

    close() {
      this.readyState = EventSource.CLOSED;
      this.drop();
      document.removeEventListener("visibilitychange", this.seen);
    }

    open() {
      this.drop();
      this.source = new EventSource(this.url);
      this.attached = new Set();
      for (const name of this.hearers.keys()) this.attach(name);
      this.source.onopen = () => {
        this.readyState = EventSource.OPEN;
        this.onopen?.(new Event("open"));
      };
      this.source.onerror = () => {
        if (this.source?.readyState === EventSource.CLOSED) this.fall();
      };
    }

    attach(name) {
      if (this.attached.has(name)) return;
      this.attached.add(name);
      this.source.addEventListener(name, (event) => this.tell(name, event.data));
    }

    tell(name, data) {
      for (const hear of [...(this.hearers.get(name) || [])]) hear(new MessageEvent(name, { data }));
    }

    drop() {
      this.source?.close();
      this.source = null;
      clearInterval(this.polling);
      clearTimeout(this.retrying);
      clearTimeout(this.hiding);
    }

    fall() {
      this.drop();
      this.polling = setInterval(() => this.ask(), POLL_MS);
      this.retrying = setTimeout(() => this.open(), RETRY_MS);
      this.ask();
    }

    async ask() {
      const url = new URL(this.url, location.href);
      url.pathname += "/once";
      try {
        const answer = await fetch(url, { headers: { Accept: "application/json" } });
        if (answer.status === 401) location.reload();
        if (!answer.ok) return;
        for (const message of await answer.json()) this.tell(message.event, message.data);
      } catch {
        /* The watch says it: nothing is heard. */
      }
    }

    watchVisibility() {
      this.seen = () => {
        clearTimeout(this.hiding);
        if (document.hidden) this.hiding = setTimeout(() => this.drop(), HIDDEN_MS);
        else if (!this.source && !this.polling) this.open();
        else if (!this.source) this.open();
      };
      document.addEventListener("visibilitychange", this.seen);
    }
  }

  window.packline = { state, show };
  if (window.htmx) htmx.createEventSource = (url) => new LiveSource(url);
  if (body.hasAttribute("sse-connect")) {
    show();
    setInterval(show, WATCH_MS);
    document.addEventListener("htmx:afterSwap", show);
    document.addEventListener("htmx:sseMessage", show);
  }

  /* A live picture that broke off is asked for again; only what is seen now is called live. */
  for (const picture of document.querySelectorAll("img[data-video]")) {
    const src = picture.getAttribute("src"), figure = picture.closest("figure");
    const words = figure?.querySelector("[data-video-state]");
    const again = () => { picture.src = `${src}&again=${Date.now()}`; };
    picture.addEventListener("error", () => setTimeout(again, POLL_MS));
    if (!words) continue;
    let answered = true;
    setInterval(() => {
      const camera = document.querySelector("[data-camera]");
      const answers = !camera || camera.dataset.camera === "good";
      if (answers && !answered) again();
      answered = answers;
      const live = answers && picture.naturalWidth > 0;
      figure.classList.toggle("none", !live);
      words.textContent = live ? words.dataset.live : words.dataset.none;
    }, WATCH_MS);
  }
})();
