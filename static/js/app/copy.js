// Copy buttons: [data-copy="text"], [data-copy-from="#id"].
function select(element) {
  if (element.select) element.select();
  else getSelection().selectAllChildren(element);
}

async function copy(button) {
  const source = button.dataset.copyFrom ? find(button.dataset.copyFrom) : null;
  const value = button.dataset.copy || (source ? source.value || source.textContent.trim() : "");
  try {
    await navigator.clipboard.writeText(value);
    showCopied(button);
  } catch {
    if (source) select(source);
    announce(text("textSelectToCopy"));
  }
}

function showCopied(button) {
  const label = find("[data-label]", button) || button;
  label.dataset.before ??= label.textContent;
  label.textContent = text("textCopied");
  announce(text("textCopied"));
  setTimeout(() => { label.textContent = label.dataset.before; }, 2000);
}
