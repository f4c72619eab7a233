import { type Map as MapLibre, Marker } from 'maplibre-gl';
import type { LngLat } from '../api/types.ts';

/** Something on the map that can be taken in the hand: a facility, a place for one, a gate. */
export interface Handle {
  readonly key: string;
  readonly at: LngLat;
  /** How it looks: as it stands, moved or added in the trial, closed, proposed by the computer, a gate. */
  readonly look: 'standing' | 'trial' | 'closed' | 'site' | 'gate';
  /** A picture's address, or a letter where there is none. */
  readonly picture: string | null;
  readonly letter: string | null;
  readonly label: string;
  readonly movable: boolean;
  readonly chosen: boolean;
  /** Two lines beside it, or nothing. */
  readonly tip: readonly [head: string, body: string] | null;
}

export interface HandleEvents {
  readonly taken: (key: string) => void;
  /** While it moves; `done` when it is put down. */
  readonly carried: (key: string, at: LngLat, done: boolean) => void;
  readonly picked: (key: string) => void;
  readonly removed: (key: string) => void;
}

/** Steps of the arrow keys, px; with Shift the long one. */
const STEP = { short: 4, long: 24 } as const;

const ARROWS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

interface Held {
  handle: Handle;
  readonly marker: Marker;
  readonly button: HTMLButtonElement;
  /** In the hand of the pointer or of the keys: its place is the reader's, not ours. */
  carried: 'pointer' | 'keys' | null;
  /** The press that is going on has become a drag. */
  dragged: boolean;
}

/** Buttons on the map, each reachable by Tab, moved by dragging or by the arrow keys. */
export class Handles {
  readonly #map: MapLibre;
  readonly #events: HandleEvents;
  readonly #held = new Map<string, Held>();

  constructor(map: MapLibre, events: HandleEvents) {
    this.#map = map;
    this.#events = events;
  }

  /** Shows just these; a handle that is being carried stays where the hand is. */
  show(handles: readonly Handle[]): void {
    const keys = new Set(handles.map((handle) => handle.key));
    for (const [key, held] of this.#held) {
      if (keys.has(key)) continue;
      held.marker.remove();
      this.#held.delete(key);
    }
    for (const handle of handles) {
      const held = this.#held.get(handle.key) ?? this.#make(handle);
      held.handle = handle;
      if (!held.carried) held.marker.setLngLat([handle.at[0], handle.at[1]]);
      held.marker.setDraggable(handle.movable);
      dress(held.button, handle);
    }
  }

  focus(key: string): void {
    this.#held.get(key)?.button.focus({ preventScroll: true });
  }

  #make(handle: Handle): Held {
    const button = document.createElement('button');
    button.type = 'button';
    button.dataset.key = handle.key;
    const marker = new Marker({ element: button, draggable: handle.movable, clickTolerance: 3 })
      .setLngLat([handle.at[0], handle.at[1]])
      .addTo(this.#map);
    const held: Held = { handle, marker, button, carried: null, dragged: false };
    this.#held.set(handle.key, held);
    marker.on('dragstart', () => {
      held.carried = 'pointer';
      held.dragged = true;
      button.focus({ preventScroll: true });
      this.#events.taken(held.handle.key);
    });
    marker.on('drag', () => this.#carried(held, false));
    marker.on('dragend', () => {
      held.carried = null;
      this.#carried(held, true);
    });
    button.addEventListener('click', () => {
      // The click that ends a drag is none.
      if (held.dragged) held.dragged = false;
      else this.#events.picked(held.handle.key);
    });
    button.addEventListener('pointerdown', () => {
      held.dragged = false;
    });
    button.addEventListener('keydown', (event) => this.#key(held, event));
    button.addEventListener('keyup', (event) => {
      if (ARROWS[event.key]) this.#putDown(held);
    });
    button.addEventListener('blur', () => this.#putDown(held));
    return held;
  }

  #key(held: Held, event: KeyboardEvent): void {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === 'Delete' || event.key === 'Backspace') {
      event.preventDefault();
      event.stopPropagation();
      this.#events.removed(held.handle.key);
      return;
    }
    const arrow = ARROWS[event.key];
    if (!arrow || !held.handle.movable) return;
    event.preventDefault();
    // The handle lies in the map, which would pan.
    event.stopPropagation();
    if (!held.carried) {
      held.carried = 'keys';
      this.#events.taken(held.handle.key);
    }
    const step = event.shiftKey ? STEP.long : STEP.short;
    const { x, y } = this.#map.project(held.marker.getLngLat());
    held.marker.setLngLat(this.#map.unproject([x + arrow[0] * step, y + arrow[1] * step]));
    this.#carried(held, false);
  }

  /** The end of a move by keys; a drag by the pointer ends by itself. */
  #putDown(held: Held): void {
    if (held.carried !== 'keys') return;
    held.carried = null;
    this.#carried(held, true);
  }

  #carried(held: Held, done: boolean): void {
    const { lng, lat } = held.marker.getLngLat();
    this.#events.carried(held.handle.key, [lng, lat], done);
  }
}

function dress(button: HTMLButtonElement, handle: Handle): void {
  button.className = `maplibregl-marker maplibregl-marker-anchor-center handle ${handle.look}`;
  button.classList.toggle('chosen', handle.chosen);
  button.classList.toggle('movable', handle.movable);
  button.setAttribute('aria-label', handle.label);
  button.title = handle.tip ? '' : handle.label;
  const face = handle.picture ?? handle.letter ?? '';
  if (button.dataset.face !== face) {
    button.dataset.face = face;
    button.replaceChildren(handle.picture ? picture(handle.picture) : letter(handle.letter ?? ''));
  }
  const shown = button.querySelector('.tip');
  if (!handle.tip) {
    shown?.remove();
    return;
  }
  const tip = shown ?? document.createElement('span');
  tip.className = 'tip';
  tip.setAttribute('aria-hidden', 'true');
  const [head, body] = handle.tip;
  const strong = document.createElement('strong');
  strong.textContent = head;
  const rest = document.createElement('span');
  rest.textContent = body;
  tip.replaceChildren(strong, rest);
  if (!shown) button.append(tip);
}

function picture(address: string): HTMLElement {
  const image = document.createElement('img');
  image.src = address;
  image.alt = '';
  image.draggable = false;
  return image;
}

function letter(text: string): HTMLElement {
  const mark = document.createElement('b');
  mark.textContent = text;
  return mark;
}
