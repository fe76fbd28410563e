"""What the scripted ear understands: a text as tones, half a byte each, behind a tone that says so. And a microphone
that sends it as fast as it is spoken, with silence before, between and after."""

import asyncio
import math
import struct


def whistle(text: str, rate: int) -> bytes:
    tones = [350] + [500 + 150 * half for byte in text.encode() for half in (byte >> 4, byte & 15)]
    width = rate // 50
    samples = (int(9830 * math.sin(2 * math.pi * tone * at / rate)) for tone in tones for at in range(width))
    return b"".join(struct.pack("<h", sample) for sample in samples)


class Microphone:
    """Sends `send(bytes)` 40 ms of sound every 40 ms."""

    def __init__(self, rate: int, send):
        self.rate, self.send, self.waiting = rate, send, b""
        self.task = asyncio.create_task(self.run())

    def say(self, text: str):
        self.waiting += whistle(text, self.rate)

    async def run(self):
        size, due = 2 * self.rate // 25, asyncio.get_running_loop().time()
        while True:
            piece, self.waiting = self.waiting[:size], self.waiting[size:]
            await self.send(piece + bytes(size - len(piece)))
            due += 0.04
            await asyncio.sleep(max(0, due - asyncio.get_running_loop().time()))

    def close(self):
        self.task.cancel()
