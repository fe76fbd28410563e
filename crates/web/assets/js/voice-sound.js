// The microphone and the loudspeaker of one call. Opened by a click, as browsers want it.

const RATE = 24000;

/** `on` has: piece(buffer, level) of the microphone, played({ item, frames, level, waits, dropped }) of the voice. */
export async function openSound(on) {
  const context = new AudioContext({ sampleRate: RATE, latencyHint: "interactive" });
  await context.audioWorklet.addModule(new URL("voice-worklet.js", import.meta.url));
  const playback = new AudioWorkletNode(context, "playback", { numberOfInputs: 0, outputChannelCount: [1] });
  playback.connect(context.destination);
  playback.port.onmessage = ({ data }) => on.played(data);
  await context.resume();

  let stream = null;
  let source = null;
  const capture = new AudioWorkletNode(context, "capture", { numberOfOutputs: 0, channelCount: 1, channelCountMode: "explicit" });
  capture.port.onmessage = ({ data }) => on.piece(data.sound, data.level);

  const put = (message, ...given) => playback.port.postMessage(message, given);
  const leave = () => {
    source?.disconnect();
    for (const track of stream?.getTracks() ?? []) track.stop();
    [stream, source] = [null, null];
  };

  return {
    /** Listens to this microphone, the usual one without a name. Throws what the browser throws. */
    async listen(device) {
      const audio = { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 };
      if (device) audio.deviceId = { exact: device };
      const next = await navigator.mediaDevices.getUserMedia({ audio });
      leave();
      stream = next;
      source = context.createMediaStreamSource(stream);
      source.connect(capture);
    },
    mute(muted) {
      for (const track of stream?.getTracks() ?? []) track.enabled = !muted;
    },
    mark: (item) => put({ mark: item }),
    play: (buffer) => put({ sound: buffer }, buffer),
    hold: (held) => put({ held }),
    drop: () => put({ drop: true }),
    close() {
      leave();
      put({ drop: true });
      context.close();
    },
  };
}

/** How long so many samples last, in whole milliseconds. */
export const milliseconds = (frames) => Math.floor((frames * 1000) / RATE);

/** The microphones there are; without names until one was allowed. */
export async function microphones() {
  const devices = await navigator.mediaDevices?.enumerateDevices() ?? [];
  return devices.filter(({ kind, deviceId }) => kind === "audioinput" && deviceId !== "" && deviceId !== "default");
}
