/* Scan anywhere. A keyboard-wedge scanner types; this tells its bursts from a person's typing, on any page, in any field.
   With a prefix the rule is the prefix; without, the pace: scanners leave 7 to 16 ms between keys, people more than 80. */
(() => {
  "use strict";
  const RETRY_MS = 500, GIVE_UP_MS = 5000;
  const SHIFTED = { Digit1: "!", Digit2: "@", Digit3: "#", Digit4: "$", Digit5: "%", Digit6: "^", Digit7: "&", Digit8: "*", Digit9: "(", Digit0: ")", Minus: "_", Equal: "+", Semicolon: ":", Quote: '"', Comma: "<", Period: ">", Slash: "?", BracketLeft: "{", BracketRight: "}", Backslash: "|" };
  const PLAIN = { Minus: "-", Equal: "=", Semicolon: ";", Quote: "'", Comma: ",", Period: ".", Slash: "/", BracketLeft: "[", BracketRight: "]", Backslash: "\\", Space: " ", NumpadDecimal: ".", NumpadSubtract: "-", NumpadAdd: "+", NumpadDivide: "/", NumpadMultiply: "*" };

  /* A Chinese input method hides the key ("Process"): the key's place on the board still tells what the scanner typed. */
  function character(event) {
    if (event.key.length === 1) return event.key;
    if (event.key !== "Process" && event.key !== "Unidentified") return "";
    const code = event.code;
    if (/^Key[A-Z]$/.test(code)) return event.shiftKey !== event.getModifierState("CapsLock") ? code[3] : code[3].toLowerCase();
    if (/^Numpad\d$/.test(code)) return code[6];
    if (/^Digit\d$/.test(code)) return event.shiftKey ? SHIFTED[code] : code[5];
    return (event.shiftKey && SHIFTED[code]) || PLAIN[code] || "";
  }

  class Wedge {
    constructor({ prefix, suffix, gap, least }) {
      Object.assign(this, { prefix, suffix, gap, least });
      this.clear();
    }

    clear() {
      this.text = "";
      this.at = -Infinity;
    }

    /* Takes one key at a time (ms); gives the scan that it ends, or null. */
    take(char, isEnd, at) {
      const late = at - this.at > this.gap;
      if (isEnd) return this.end(late);
      if (late && !this.text.startsWith(this.prefix || "\0")) this.text = "";
      this.text += char;
      this.at = at;
      return null;
    }

    end(late) {
      let text = this.text;
      const paced = !late && !this.prefix;
      this.clear();
      if (this.prefix) {
        const start = text.lastIndexOf(this.prefix);
        if (start < 0) return null;
        text = text.slice(start + this.prefix.length);
      }
      if (this.suffix && !text.endsWith(this.suffix)) return null;
      text = text.slice(0, text.length - this.suffix.length);
      return (paced || this.prefix) && text.length >= this.least ? text : null;
    }

    get busy() {
      return this.text.length > 1;
    }
  }

  const rule = document.body.dataset.wedge;
  if (!rule) return;
  const wedge = new Wedge(JSON.parse(rule)), { acts, tones } = window.packline;
  let before = null;

  /* What a scan typed into a field is taken out again: the field keeps what the person wrote. */
  function remember(field) {
    const typed = field && "value" in field && field.tagName !== "BUTTON" && !field.readOnly;
    before = typed ? { field, value: field.value } : null;
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.target.type === "password") return;
    const isEnd = event.key === "Enter" || event.key === "Tab" || (event.key === "Process" && event.code === "Enter");
    const char = character(event);
    if (!char && !isEnd) return;
    if (!isEnd && (!wedge.text || event.timeStamp - wedge.at > wedge.gap)) remember(event.target);
    const scan = wedge.take(char, isEnd, event.timeStamp);
    if (scan !== null) {
      event.preventDefault();
      event.stopImmediatePropagation();
      if (before) before.field.value = before.value;
      scanned(scan);
    } else if (wedge.busy && !before) {
      event.preventDefault(); /* a blank in a code must not press the button that has the focus */
    }
  }, true);

  async function scanned(text) {
    if (acts.asksFor()) {
      const isRight = text === acts.asksFor();
      tones.play(isRight);
      acts.answer(isRight);
      return;
    }
    const said = await send({ text, station: document.body.dataset.station || "", key: acts.key() });
    tones.play(Boolean(said?.ok));
    if (!said) return acts.toast(JSON.parse(document.body.dataset.words).offline, false);
    if (said.url) location.assign(said.url);
    else acts.toast(said.text, said.ok, said.more);
  }

  /* The same key every time: the server does it once. After five seconds it is too late to do it at all. */
  async function send(message) {
    const until = performance.now() + GIVE_UP_MS;
    for (;;) {
      try {
        const answer = await fetch(document.body.dataset.scan, {
          method: "POST",
          headers: { "Content-Type": "application/json", "X-CSRF-Token": acts.csrf },
          body: JSON.stringify(message),
        });
        if (answer.redirected || answer.status === 401) return location.reload();
        if (answer.ok) return await answer.json();
        if (answer.status < 500) return null;
      } catch {
        /* no connection now */
      }
      if (performance.now() > until) return null;
      await new Promise((done) => setTimeout(done, RETRY_MS));
    }
  }

  for (const form of document.querySelectorAll("[data-scan-form]")) {
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const field = form.elements.text, text = field.value.trim();
      field.value = "";
      if (text) scanned(text);
    });
  }

  window.packline.Wedge = Wedge;
})();
