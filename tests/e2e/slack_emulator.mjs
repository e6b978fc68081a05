// The Slack of npm's `emulate` on loopback, with what it lacks: events delivered, GET, the agent view's methods.
// Takes one argument, JSON: {port, secret, events_url, events, scopes, token, people}. Prints one line when it listens.
import { createServer, serve } from "@emulators/core";
// Its own server cannot be told where to deliver Slack's events, so we take the part that is Slack.
import { getSlackStore, seedFromConfig, slackPlugin } from "./node_modules/emulate/dist/dist-6ZQHD4DN.js";

const asked = JSON.parse(process.argv[2]);
const baseUrl = `http://127.0.0.1:${asked.port}`;
const APP = "A000000001";
const CLIENT = "1.2";
const calls = []; // {method, error} of every call with the bot's token
const shown = []; // what the agent view was told
let sign;

const CHANNEL_EVENTS = { im: "message.im", mpim: "message.mpim", group: "message.groups", channel: "message.channels" };

// The emulator makes an event of everything; Slack sends what the app's manifest subscribes to.
const events = {
  setHeaderFactory: (factory) => void (sign = factory),
  getSubscriptions: () => [],
  getDeliveries: () => [],
  async dispatch(type, action, envelope) {
    const event = asSlackHasIt(envelope.event ?? envelope);
    const mentioned = event.type === "message" && !event.subtype && event.text?.includes(`<@${bot.user_id}>`);
    if (asked.events.includes(CHANNEL_EVENTS[event.channel_type] ?? event.type)) deliver(event);
    if (mentioned && event.channel_type !== "im" && asked.events.includes("app_mention")) {
      const { channel_type, ...rest } = event;
      deliver({ ...rest, type: "app_mention" });
    }
  },
};

function asSlackHasIt(event) {
  const channel = typeof event.channel === "string" && slack.channels.findOneBy("channel_id", event.channel);
  if (event.type !== "message" || !channel) return event;
  const kind = channel.is_im ? "im" : channel.is_mpim ? "mpim" : channel.is_private ? "group" : "channel";
  return { ...event, channel_type: kind, ...(event.user === bot.user_id ? { bot_id: bot.bot_id } : {}) };
}

async function deliver(event) {
  const body = JSON.stringify({
    type: "event_callback",
    team_id: team.team_id,
    api_app_id: APP,
    event,
    event_id: `Ev${Math.random().toString(36).slice(2, 12).toUpperCase()}`,
    event_time: Math.floor(Date.now() / 1000),
    authorizations: [{ enterprise_id: null, team_id: team.team_id, user_id: bot.user_id, is_bot: true }],
  });
  try {
    await fetch(asked.events_url, { method: "POST", headers: sign({ body }), body });
  } catch (error) {
    console.error(`not delivered: ${error}`);
  }
}

const plugin = {
  ...slackPlugin,
  register: (app, store, _, url, tokens) => slackPlugin.register(app, store, events, url, tokens),
};
const { app, store } = createServer(plugin, { port: asked.port, baseUrl });

slackPlugin.seed(store, baseUrl);
seedFromConfig(store, baseUrl, {
  team: { name: "Kievit", domain: "kievit" },
  users: asked.people.map((name) => ({ name })),
  channels: [{ name: "klantenservice" }, { name: "teamleiders", is_private: true }],
  oauth_apps: [{ client_id: CLIENT, client_secret: "s", app_id: APP, name: "Bijdehand", redirect_uris: [], scopes: asked.scopes }],
  signing_secret: asked.secret,
  strict_scopes: true,
});
const slack = getSlackStore(store);
const team = slack.teams.all()[0];
const bot = slack.bots.all().find((one) => one.app_id === APP);
seedFromConfig(store, baseUrl, {
  tokens: [
    { token: asked.token, type: "bot", user_id: bot.user_id, scopes: asked.scopes, app_id: APP, bot_id: bot.bot_id },
    ...asked.people.map((name) => ({ token: `xoxp-${name}`, type: "user", user_id: name })), // may do anything
  ],
});
for (const channel of slack.channels.all()) {
  slack.channels.update(channel.id, { members: [...channel.members, bot.user_id] });
}

// What the agent view needs, and the emulator does not know.
const AGENT = { "assistant.threads.setStatus": "chat:write", "assistant.threads.setSuggestedPrompts": "assistant:write" };
for (const [method, needed] of Object.entries(AGENT)) {
  app.post(`/api/${method}`, async (c) => {
    const provided = c.get("authScopes") ?? [];
    if (!provided.includes(needed)) return c.json({ ok: false, error: "missing_scope", needed });
    const text = await c.req.text();
    const isJson = c.req.header("content-type").includes("json");
    shown.push({ method, ...(isJson ? JSON.parse(text) : Object.fromEntries(new URLSearchParams(text))) });
    return c.json({ ok: true });
  });
}

// Where answers to a tap or a command go: five times each.
const responses = {};
app.post("/response/:name", async (c) => {
  const taken = (responses[c.req.param("name")] ??= []);
  if (taken.length === 5) return c.text("used_url", 404);
  taken.push(JSON.parse(await c.req.text()));
  return c.text("ok");
});

// For the tests: what people see that no method of Slack's tells.
const about = (user, all) => all.filter((one) => [one.target_user, one.user_id].includes(user));
app.get("/test/whispers", (c) => c.json(about(c.req.query("user"), slack.ephemeralMessages.all())));
app.get("/test/views", (c) => c.json(about(c.req.query("user"), slack.views.all())));
app.get("/test/responses", (c) => c.json(responses[c.req.query("name")] ?? []));
app.get("/test/calls", (c) => c.json(calls));
app.get("/test/shown", (c) => c.json(shown));

async function answer(request) {
  const path = new URL(request.url).pathname;
  if (!path.startsWith("/api/")) return app.fetch(request);
  const response = await app.fetch(asPost(request));
  if (request.headers.get("authorization") === `Bearer ${asked.token}`) {
    const { error = "" } = await response.clone().json();
    calls.push({ method: path.slice("/api/".length), error });
    response.headers.set("x-oauth-scopes", asked.scopes.join(","));
  }
  return response;
}

// Slack takes GET, and arguments in the address; slack_sdk makes use of both. The emulator reads the body of a POST.
function asPost(request) {
  const url = new URL(request.url);
  if (request.method !== "GET" && !url.search) return request;
  const headers = { "content-type": "application/x-www-form-urlencoded", authorization: request.headers.get("authorization") ?? "" };
  return new Request(`${url.origin}${url.pathname}`, { method: "POST", headers, body: url.search.slice(1) });
}

const server = serve({ fetch: answer, port: asked.port, hostname: "127.0.0.1" });
const known = (all, id) => Object.fromEntries(all.map((one) => [one.name, one[id]]));
server.on("listening", () => {
  const { port } = server.address();
  const ids = { bot: bot.user_id, team: team.team_id, client_id: CLIENT };
  console.log(JSON.stringify({ port, ...ids, people: known(slack.users.all(), "user_id"), channels: known(slack.channels.all(), "channel_id") }));
});
process.stdin.on("end", () => process.exit()).resume(); // whoever started us is gone
