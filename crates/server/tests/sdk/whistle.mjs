// What the scripted ear understands: a text as tones, half a byte each, behind a tone that says so. And a microphone
// that sends it as fast as it is spoken.

export function whistle(text, rate) {
  const halves = [...Buffer.from(text)].flatMap((byte) => [byte >> 4, byte & 15]);
  const tones = [350, ...halves.map((half) => 500 + 150 * half)];
  const width = rate / 50;
  const bytes = Buffer.alloc(2 * width * tones.length);
  tones.forEach((tone, place) => {
    for (let at = 0; at < width; at += 1) {
      bytes.writeInt16LE(Math.trunc(9830 * Math.sin((2 * Math.PI * tone * at) / rate)), 2 * (place * width + at));
    }
  });
  return bytes;
}

/** Gives `send` 40 ms of sound every 40 ms. */
export class Microphone {
  constructor(rate, send) {
    this.rate = rate;
    this.waiting = Buffer.alloc(0);
    const size = (2 * rate) / 25;
    const begun = performance.now();
    let sent = 0;
    this.timer = setInterval(() => {
      while (sent * 40 < performance.now() - begun) {
        const piece = Buffer.alloc(size);
        this.waiting.copy(piece, 0, 0, size);
        this.waiting = this.waiting.subarray(size);
        send(piece);
        sent += 1;
      }
    }, 20);
  }

  say(text) {
    this.waiting = Buffer.concat([this.waiting, whistle(text, this.rate)]);
  }

  close() {
    clearInterval(this.timer);
  }
}

/** What comes, to be waited for by kind. */
export class Inbox {
  constructor(kind) {
    this.kind = kind;
    this.come = [];
    this.wake = () => {};
  }

  put(message) {
    this.come.push(message);
    this.wake();
  }

  /** The next message of this kind; what came before it goes to `seen`. */
  async until(wanted, seen = []) {
    for (;;) {
      while (this.come.length > 0) {
        const message = this.come.shift();
        seen.push(message);
        const kind = this.kind(message);
        if (kind.toLowerCase() === "error") throw new Error(JSON.stringify(message));
        if (kind === wanted) return message;
      }
      await new Promise((done, fail) => {
        const late = setTimeout(() => fail(new Error(`no ${wanted} came`)), 60_000);
        this.wake = () => {
          clearTimeout(late);
          done();
        };
      });
    }
  }
}
