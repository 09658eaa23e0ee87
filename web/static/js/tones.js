/* A tone after each scan, for eyes that are on the parcel: one high for yes, two low for no. Silent until the page was touched
   once, which browsers demand, and while it is switched off; the switch belongs to this browser. */
(() => {
  "use strict";
  const KEPT = "packline.tones", VOLUME = 0.2, FADE_S = 0.02;
  const YES = [[880, 0, 0.12]], NO = [[220, 0, 0.16], [220, 0.22, 0.16]]; /* hertz, from (s), for (s) */
  const button = document.getElementById("tones");
  let audio = null;

  const isOn = () => localStorage.getItem(KEPT) !== "off";
  const show = () => button?.setAttribute("aria-pressed", String(isOn()));

  function sound([hertz, from_s, for_s]) {
    const tone = audio.createOscillator(), volume = audio.createGain(), start = audio.currentTime + from_s;
    tone.frequency.value = hertz;
    volume.gain.setValueAtTime(VOLUME, start);
    volume.gain.linearRampToValueAtTime(0, start + for_s + FADE_S);
    tone.connect(volume).connect(audio.destination);
    tone.start(start);
    tone.stop(start + for_s + FADE_S);
  }

  function play(ok) {
    if (audio && isOn()) (ok ? YES : NO).forEach(sound);
  }

  document.addEventListener("pointerdown", () => { audio = new AudioContext(); }, { once: true, capture: true });
  button?.addEventListener("click", () => {
    localStorage.setItem(KEPT, isOn() ? "off" : "on");
    show();
    play(true);
  });
  show();
  window.packline.tones = { play };
})();
