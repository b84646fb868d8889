// Keeps the lists of stations and points fresh: searches, asks for the newest values, shows both.

import { byId } from "/static/dom.js";
import { clearNotice, reportFailure } from "/static/notices.js";
import { findPoints, latestOf, listStations } from "/static/resources.js";
import { moveInList, showPoints, showStations } from "/static/side.js";

const TYPING_PAUSE_MS = 250;
const LIST_EVERY_MS = 60_000;

/** Calls `onPoint(tag)` and `onStation(station or null)` when the operator chooses. */
export class SideView {
  points = [];
  #stations = [];
  #latest = new Map();
  #isMore = false;
  #station = null;
  #chosen = null;
  #search = null;
  #listedMs = -Infinity;
  #pending = new AbortController();
  #handlers;

  constructor(handlers) {
    this.#handlers = handlers;
    byId("search").addEventListener("input", () => this.#searchSoon());
    byId("search").addEventListener("keydown", (event) => event.key === "ArrowDown" && moveInList(event));
    byId("points").addEventListener("keydown", moveInList);
  }

  /** Lists the points of `station` (null: all) that match the search. */
  async load(station) {
    this.#station = station;
    this.#pending.abort();
    this.#pending = new AbortController();
    const { signal } = this.#pending;
    try {
      const found = await findPoints(byId("search").value.trim(), station, signal);
      this.points = found.points;
      this.#isMore = found.isMore;
      this.#listedMs = performance.now();
      clearNotice("points");
      await this.#readNewest(signal);
    } catch (error) {
      this.#fail("points", error);
    }
  }

  /** Asks for the newest values again, and now and then for the list itself. */
  async refresh() {
    if (performance.now() - this.#listedMs >= LIST_EVERY_MS) await this.load(this.#station);
    else await this.#readNewest(this.#pending.signal);
  }

  /** Marks the point that is shown. */
  choose(tag) {
    this.#chosen = tag;
    this.render();
  }

  /** Shows what is held, as after a change of language. */
  render() {
    showStations(this.#stations.map((row) => this.#withAge(row)), this.#station, this.#handlers.onStation);
    const isFiltered = this.#station !== null || byId("search").value.trim() !== "";
    showPoints(this.points, this.#latest, this.#chosen, { isMore: this.#isMore, isFiltered }, this.#handlers.onPoint);
  }

  async #readNewest(signal) {
    try {
      const [stations, latest] = await Promise.all([
        listStations(signal), latestOf(this.points.map((point) => point.name), signal)]);
      this.#stations = stations;
      this.#latest = latest;
      document.body.classList.remove("lost");
      clearNotice("latest");
    } catch (error) {
      this.#fail("latest", error);
    }
    this.render();
  }

  /** Without a connection every value may be old: the whole list says so. */
  #fail(place, error) {
    if (error.status === 0) document.body.classList.add("lost");
    reportFailure(place, error);
  }

  /** A station is as fresh as the freshest of its points that are listed. */
  #withAge(row) {
    const mine = this.points.filter((point) => point.station === row.station);
    const newest = mine.map((point) => this.#latest.get(point.name)).filter((one) => one && one.timeMs !== null);
    const ageS = newest.length > 0 ? Math.min(...newest.map((one) => one.ageS)) : null;
    return { ...row, ageS, isStale: newest.length > 0 && newest.every((one) => one.isStale) };
  }

  #searchSoon() {
    clearTimeout(this.#search);
    this.#search = setTimeout(() => this.load(this.#station), TYPING_PAUSE_MS);
  }
}
