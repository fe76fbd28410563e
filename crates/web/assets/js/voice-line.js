// The connection of one call: JSON objects both ways, and sound as it is.

/**
 * Calls, perhaps as the voice desk. `on` has one function for each type of message that comes, sound(buffer), opened() and gone(opened); the
 * server says why it ends with `ended` before it goes.
 */
export function call(desk, on) {
  const line = new WebSocket(new URL(desk ? "/voice/call?desk=yes" : "/voice/call", location.href.replace(/^http/, "ws")));
  let opened = false;
  line.binaryType = "arraybuffer";
  line.addEventListener("open", () => { opened = true; on.opened(); });
  line.addEventListener("close", () => on.gone(opened));
  line.addEventListener("message", ({ data }) => {
    if (typeof data !== "string") { on.sound(data); return; }
    const { type, ...said } = JSON.parse(data);
    on[type]?.(said);
  });
  const say = (message) => { if (line.readyState === WebSocket.OPEN) line.send(message); };
  return {
    say: (type, more = {}) => say(JSON.stringify({ type, ...more })),
    sound: say,
    close: () => line.close(),
  };
}
