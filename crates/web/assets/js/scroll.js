// Follows the growing answer, unless the reader has gone up to read.

import { find } from "./dom.js";

const NEAR = 96;

export function follower() {
  const scroll = find("#scroll");
  const latest = find(".latest");
  let following = true;

  const distance = () => scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight;
  const show = () => { latest.hidden = following || distance() < NEAR; };

  // Only the reader's own movement changes whether we follow; growth alone never does.
  let last = scroll.scrollTop;
  scroll.addEventListener("scroll", () => {
    if (scroll.scrollTop < last - 2) following = distance() < 4;
    else if (distance() < NEAR) following = true;
    last = scroll.scrollTop;
    show();
  }, { passive: true });

  const toEnd = () => { scroll.scrollTop = scroll.scrollHeight; last = scroll.scrollTop; };
  new ResizeObserver(() => { if (following) toEnd(); show(); }).observe(find("#thread"));

  return {
    /** The answer grew. */
    grown() { if (following) toEnd(); show(); },
    /** Goes to the end and follows from there. */
    end() { following = true; toEnd(); show(); },
    /** Stays where the reader is. */
    stay() { following = false; },
  };
}
