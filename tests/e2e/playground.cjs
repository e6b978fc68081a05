// Microsoft's Playground listens on every address of the machine, and reports to Microsoft although told not to. It has
// no option against either, so here it speaks with this machine alone.
const { Server, Socket } = require("node:net");

const HERE = [undefined, "127.0.0.1", "::1", "localhost"];

const { listen } = Server.prototype;
Server.prototype.listen = function (port, ...rest) {
  return listen.call(this, port, "127.0.0.1", ...rest);
};

const { connect } = Socket.prototype;
Socket.prototype.connect = function (...how) {
  const [first, second] = how.flat(); // options, a port and a host, or the path of a socket
  const host = typeof first === "object" ? first.host : second;
  if (HERE.includes(host)) return connect.apply(this, how);
  process.nextTick(() => this.destroy(new Error(`${host} is not this machine`)));
  return this;
};

require("@microsoft/m365agentsplayground/cli.js");
