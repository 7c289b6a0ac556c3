
// ---- The form of the local page: sends what is typed to its program, shows the answer

(() => {
  const part = (id) => document.getElementById(id);
  const form = part("ask");
  const title = document.title;
  let newest = 0; // number of the last request; answers to earlier ones come too late

  async function translate() {
    const number = ++newest;
    form.setAttribute("aria-busy", "true");
    let answer, complaint = "";
    try {
      answer = await request({
        text: part("text").value,
        beam_size: part("beams").valueAsNumber,
        prefix: part("prefix").value,
      });
    } catch (error) {
      complaint = error.message;
    }
    if (number !== newest) return;
    form.removeAttribute("aria-busy");
    part("complaint").textContent = complaint;
    if (answer) show(answer);
  }

  async function request(asked) {
    const response = await fetch("/translate", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(asked),
    }).catch(() => { throw new Error("No answer: the program that serves this page has stopped."); });
    const answer = await response.json();
    if (!response.ok) throw new Error(answer.error);
    return answer;
  }

  function show({ text, score, view }) {
    part("translation").textContent = text;
    part("score").textContent = `log-probability ${score.toFixed(2)}`;
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
})();
