// Runs in the Playground: shows a copy of its last card, as it stands there, in a frame that looks like Teams.
const escaped = (text) => text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt()};`);

const THUMBS = ["Like", "Dislike"];
const RESULTS = "*:has(> input[placeholder='Enter a search term']) ~ div:last-child";

const said = ({ icon, thumbs }) => `<div class="said"><img src="${icon}" alt="">
  <span class="who">Bijdehand &nbsp;<time>13:42</time></span><div class="card"></div>
  ${thumbs ? '<div class="thumbs"></div>' : ""}</div>`;

const FRAMES = {
  chat: (scene) => `<header><img src="${scene.icon}" alt="">Bijdehand<span class="here">Chat</span></header><main>
    ${scene.text ? `<div class="asked"><time>13:42</time><p>${escaped(scene.text)}</p></div>` : ""}${said(scene)}</main>`,
  channel: (scene) => `<header><b>${scene.place[0]}</b>${escaped(scene.place)}<span class="here">Berichten</span>
    </header><main><div class="post"><div class="said"><i>NW</i><span class="who">Noor de Wit &nbsp;<time>13:42</time>
    </span><p><span class="mention">Bijdehand</span> ${escaped(scene.text)}</p></div>${said(scene)}</div></main>`,
  search: (scene) => `<div class="found"><h3><img src="${scene.icon}" alt="">Bijdehand</h3>
    <p>${escaped(scene.text)}</p></div>`,
};

function frame(scene) {
  const last = (selector) => [...document.querySelectorAll(selector)].at(-1);
  const picture = document.createElement("div");
  picture.id = "picture";
  picture.style.width = `${scene.width}px`;
  picture.innerHTML = FRAMES[scene.type](scene);
  const copy = (selector, into) => picture.querySelector(into).append(last(selector).cloneNode(true));
  if (scene.type === "search") copy(RESULTS, ".found");
  else copy(".ac-adaptiveCard", ".card");
  for (const name of scene.thumbs ? THUMBS : []) copy(`[aria-label=${name}] svg:last-child`, ".thumbs");
  const app = last(".ui-provider");
  app.style.display = "none"; // the buttons need the colours that are set around it
  app.after(picture);
}

function unframe() {
  const picture = document.getElementById("picture");
  picture.previousElementSibling.style.display = "";
  picture.remove();
}
