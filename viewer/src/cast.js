// The figures in the scene: up to four people, each with a copy of the character.
import { Character } from "./character.js";

const MAX_AVATARS = 4;

export class Cast {
  #character = null;
  #figures = []; // {figure, id: of its person, or null}
  #adding = false;
  #people = [];
  #asked = 0;

  /** changed(): called when the scene has to be rendered, also later than the call that led to it. */
  constructor(scene, changed) {
    this.scene = scene;
    this.changed = changed;
    this.visible = true;
  }

  get name() {
    return this.#character?.name ?? "";
  }

  get missing() {
    return this.#character?.missing ?? [];
  }

  /** Changes the character; false if a later one was requested meanwhile. Raises CharacterError, and keeps the old one. */
  async use(name, buffer) {
    const asked = ++this.#asked;
    const character = await Character.read(name, buffer);
    const first = await character.figure();
    if (asked !== this.#asked) {
      first.dispose();
      character.dispose();
      return false;
    }
    this.#drop();
    this.#character = character;
    this.#add(first);
    this.play(this.#people);
    return true;
  }

  #add(figure) {
    this.scene.add(figure.holder);
    this.#figures.push({ figure, id: null });
  }

  /** people: those with a pose. If empty, one figure stands at the origin when `idle`, else none is visible. */
  play(people, idle = this.idle) {
    this.idle = idle;
    this.#people = people.slice(0, MAX_AVATARS);
    const here = new Set(this.#people.map(({ id }) => id));
    for (const part of this.#figures) if (!here.has(part.id)) part.id = null;
    for (const person of this.#people) {
      let part = this.#figures.find(({ id }) => id === person.id);
      const isNew = !part;
      part ??= this.#figures.find(({ id }) => id === null);
      if (!part) {
        this.#addAvatar();
        break;
      }
      part.id = person.id;
      part.figure.pose(person);
      if (isNew) part.figure.settle();
    }
    this.#show();
  }

  #show() {
    const resting = this.idle && !this.#people.length ? this.#figures[0] : null;
    if (resting) resting.figure.rest();
    for (const part of this.#figures) part.figure.holder.visible = this.visible && (part.id !== null || part === resting);
    this.changed();
  }

  async #addAvatar() {
    const character = this.#character;
    if (this.#adding || !character || this.#figures.length >= MAX_AVATARS) return;
    this.#adding = true;
    try {
      const figure = await character.figure();
      if (character !== this.#character) return figure.dispose();
      this.#add(figure);
    } finally {
      this.#adding = false;
    }
    this.play(this.#people);
  }

  setVisible(visible) {
    this.visible = visible;
    this.#show();
  }

  /** Whether hair or clothes move on after the pose has come to rest. */
  get swings() {
    return this.visible && this.#figures.some(({ figure }) => figure.vrm);
  }

  update(seconds) {
    for (const { figure } of this.#figures) if (figure.holder.visible) figure.update(seconds);
  }

  /** The figure of a person, or of the first one. */
  figureOf(id) {
    const part = this.#figures.find((other) => (id === undefined ? other.id !== null : other.id === id));
    return (part ?? (id === undefined ? this.#figures[0] : undefined))?.figure;
  }

  get count() {
    return this.#figures.filter(({ figure }) => figure.holder.visible).length;
  }

  #drop() {
    for (const { figure } of this.#figures) figure.dispose();
    this.#figures = [];
    this.#character?.dispose();
    this.#character = null;
  }

  destroy() {
    this.#asked += 1;
    this.#drop();
  }
}
