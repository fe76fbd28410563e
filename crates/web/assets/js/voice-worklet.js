// Beside the page, in the thread of the sound: pieces of the microphone out, pieces of the agent's voice in.
// Samples are 16 bit, one channel, at the rate of the context. Nothing of them is kept once it was passed on.

const PIECE = 480;
const TELLS_EVERY = 8;

class Capture extends AudioWorkletProcessor {
  piece = new Int16Array(PIECE);
  filled = 0;
  energy = 0;

  process([[samples]]) {
    for (const sample of samples ?? []) {
      const within = Math.max(-1, Math.min(1, sample));
      this.piece[this.filled++] = within * 32767;
      this.energy += within * within;
      if (this.filled === PIECE) this.pass();
    }
    return true;
  }

  pass() {
    const { piece, energy } = this;
    this.port.postMessage({ sound: piece.buffer, level: Math.sqrt(energy / PIECE) }, [piece.buffer]);
    [this.piece, this.filled, this.energy] = [new Int16Array(PIECE), 0, 0];
  }
}

class Playback extends AudioWorkletProcessor {
  /** Pieces of sound, and between them whose they are. */
  queue = [];
  at = 0;
  waits = 0;
  held = false;
  item = null;
  frames = 0;
  level = 0;
  rounds = 0;

  constructor() {
    super();
    this.port.onmessage = ({ data }) => {
      if (data.mark) this.queue.push(data);
      if (data.sound) {
        const sound = new Int16Array(data.sound);
        this.queue.push({ sound });
        this.waits += sound.length;
      }
      if ("held" in data) this.held = data.held;
      if (data.drop) this.drop();
    };
  }

  drop() {
    [this.queue, this.at, this.waits, this.held, this.level] = [[], 0, 0, false, 0];
    this.tell({ dropped: true });
  }

  tell(more) {
    const { item, frames, level, waits } = this;
    this.port.postMessage({ item, frames, level, waits, ...more });
  }

  /** The next sample, or nothing. */
  next() {
    while (this.queue.length > 0) {
      const { mark, sound } = this.queue[0];
      if (mark) [this.item, this.frames] = [mark, 0];
      else if (this.at < sound.length) {
        this.frames += 1;
        this.waits -= 1;
        return sound[this.at++] / 32768;
      }
      this.queue.shift();
      this.at = 0;
    }
    return 0;
  }

  process(_, [[out]]) {
    let energy = 0;
    for (let at = 0; at < out.length; at += 1) {
      out[at] = this.held ? 0 : this.next();
      energy += out[at] * out[at];
    }
    this.level = Math.max(this.level * 0.8, Math.sqrt(energy / out.length));
    this.rounds = (this.rounds + 1) % TELLS_EVERY;
    if (this.rounds === 0) this.tell();
    return true;
  }
}

registerProcessor("capture", Capture);
registerProcessor("playback", Playback);
