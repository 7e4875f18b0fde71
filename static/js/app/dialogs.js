// Acts that end something ask first: form[data-confirm="what will happen"]. Without scripts the button acts at once.
let agreed;

function askFirst(event) {
  const { target: form, submitter } = event;
  const dialog = find("#confirm");
  if (!form.dataset.confirm || !dialog) return;
  if (agreed === form) {
    agreed = null;
    return;
  }
  event.preventDefault();
  event.stopImmediatePropagation();
  find("[data-sentence]", dialog).textContent = form.dataset.confirm;
  find("[value=yes]", dialog).textContent = submitter?.textContent.trim() || "OK";
  dialog.returnValue = "";
  dialog.onclose = () => {
    if (dialog.returnValue !== "yes") return;
    agreed = form;
    form.requestSubmit(submitter);
  };
  dialog.showModal();
}

document.addEventListener("submit", askFirst, true);
