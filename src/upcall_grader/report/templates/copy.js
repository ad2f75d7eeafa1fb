"use strict";
// A button beside each filter; without script the filter can still be selected by hand.
for (const field of document.querySelectorAll(".copyable")) {
  const code = field.querySelector("code");
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = document.body.dataset.copy;
  button.setAttribute("aria-label", `${document.body.dataset.copy}: ${code.textContent}`);
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(code.textContent);
      button.textContent = document.body.dataset.copied;
    } catch {
      getSelection().selectAllChildren(code);
    }
  });
  field.append(" ", button);
}
