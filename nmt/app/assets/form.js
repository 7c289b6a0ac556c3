
// ---- The form of the local page: sends what is typed to its program, shows the answer

(() => {
  const part = (id) => document.getElementById(id);
  const form = part("translate");
  const title = document.title;
  let newest = null; // the last request, by which earlier ones are given up

  async function translate() {
    newest?.abort();
    const mine = newest = new AbortController();
    form.setAttribute("aria-busy", "true");
    let answer, complaint = "";
    try {
      answer = await request({
        text: part("text").value,
        beam_size: part("beams").valueAsNumber,
        prefix: part("prefix").value,
      }, mine.signal);
    } catch (error) {
      complaint = error.message;
    }
    if (mine !== newest) return;
    form.removeAttribute("aria-busy");
    part("complaint").textContent = complaint;
    if (answer) show(answer);
  }

  async function request(asked, signal) {
    const response = await fetch("/translate", {
      signal,
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(asked),
    }).catch(() => { throw new Error("No answer: the program that serves this page has stopped."); });
    const answer = await response.json();
    if (!response.ok) throw new Error(answer.error);
    return answer;
  }

  function show({ text, score, doubts, view }) {
    part("translation").textContent = text;
    part("score").textContent = [`log-probability ${score.toFixed(2)}`, ...doubts].join("; ");
    part("result").hidden = false;
    showAttention({ ...view, title });
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    translate();
  });
  part("text").addEventListener("keydown", (event) => {
    // Enter sends, unless it ends the writing of a character that takes several keys.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  });
  part("text").select(); // typing replaces the example
})();
