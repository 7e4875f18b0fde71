// Installer files go up in pieces and go on where they stopped: after a cut, a reload, in another browser. The server
// says how much it has ([data-pieces]); the page that shows it takes the place of the form that chose the file.
const HEAD = 65536; // first bytes, by which a file is known again
let toSend;

function beginPieces(event) {
  const { target: form } = event;
  const input = find("[data-begin]", form);
  const file = input?.files[0];
  if (event.defaultPrevented || !file) return;
  event.preventDefault();
  toSend = file;
  input.disabled = true; // not the file itself
  const { name, size, lastModified: modified } = file;
  sendForm(form, { file_name: name, size, modified, head: file.slice(0, HEAD) }, input.dataset.begin);
  input.disabled = false;
}

function sendPiece(part, file, from, began) {
  const request = new XMLHttpRequest();
  request.open("PATCH", part.dataset.pieces);
  request.setRequestHeader("Upload-Offset", from);
  request.setRequestHeader("HX-Request", "true");
  request.setRequestHeader("X-CSRFToken", find("meta[name='csrf-token']").content);
  request.upload.onprogress = ({ loaded }) => {
    if (part.isConnected) showProgress(part, from + loaded, file.size, began);
    else request.abort();
  };
  return new Promise((done) => {
    request.onloadend = () => done(request);
    request.send(file.slice(from, from + Number(part.dataset.piece)));
  });
}

async function sendPieces(part) {
  const file = toSend;
  toSend = null;
  if (file?.size !== find("progress", part).max) return;
  find("#go-on", part).hidden = true;
  find("[data-leaving]", part).hidden = false;
  const began = [Date.now(), Number(part.dataset.received)];
  let [, has] = began;
  for (let pause = 1; has < file.size && part.isConnected;) {
    const answer = await sendPiece(part, file, has, began);
    const there = answer.getResponseHeader("Upload-Offset");
    if (there) [has, pause] = [Number(there), 1];
    else if (!answer.status || answer.status > 501 && answer.status < 507) {
      find("p", part).textContent = part.dataset.cut;
      await new Promise((done) => { setTimeout(done, pause * 1000); });
      pause = Math.min(pause * 2, 15);
    } else {
      find("#messages").insertAdjacentHTML("beforeend", answer.responseText);
      find("#go-on", part).hidden = false;
      return;
    }
  }
  if (part.isConnected) sendForm(find("#end", part));
}

document.addEventListener("submit", beginPieces);
