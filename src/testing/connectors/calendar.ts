/** A user's calendars. Times are kept as given, with their offset; a day without time is an all-day event. */

export interface CalendarEvent {
  readonly id: string;
  readonly summary: string;
  /** ISO 8601 with offset, or `2026-03-02` for all day. */
  readonly start: string;
  readonly end: string;
  readonly description?: string;
  readonly location?: string;
  /** Email addresses. */
  readonly attendees?: readonly string[];
  readonly organizer?: string;
  readonly status?: "confirmed" | "tentative" | "cancelled";
  readonly meetingUrl?: string;
}

export interface CalendarData {
  /** Default `primary`. */
  readonly calendarId?: string;
  readonly events: readonly CalendarEvent[];
}

export class Calendar {
  /** The owner's address, which is also the id of the primary calendar. */
  readonly address: string;
  readonly now: () => number;
  readonly #calendars = new Map<string, Map<string, CalendarEvent>>([["primary", new Map()]]);
  #lastId = 0;

  /** @param now Unix milliseconds */
  constructor(address: string, now: () => number) {
    this.address = address;
    this.now = now;
  }

  get calendarIds(): readonly string[] {
    return [...this.#calendars.keys()];
  }

  /** Adds events to a calendar, which is made if it is not there; those with a known id are replaced. */
  load(data: CalendarData): void {
    const id = this.#idOf(data.calendarId);
    const events = this.#calendars.get(id) ?? new Map<string, CalendarEvent>();
    this.#calendars.set(id, events);
    for (const event of data.events) events.set(event.id, event);
  }

  /** All events of a calendar by start, or undefined if there is no such calendar. */
  events(calendarId?: string): readonly CalendarEvent[] | undefined {
    const events = this.#calendars.get(this.#idOf(calendarId));
    return events && [...events.values()].toSorted((a, b) => momentOf(a.start) - momentOf(b.start));
  }

  /** Undefined if there is no such calendar. */
  create(calendarId: string | undefined, event: Omit<CalendarEvent, "id">): CalendarEvent | undefined {
    const created: CalendarEvent = { ...event, id: `evt${++this.#lastId}emulated`, organizer: this.address };
    return this.#calendars.get(this.#idOf(calendarId))?.set(created.id, created) && created;
  }

  /** Answers whether it was there. */
  delete(calendarId: string | undefined, eventId: string): boolean {
    return this.#calendars.get(this.#idOf(calendarId))?.delete(eventId) ?? false;
  }

  #idOf(calendarId: string | undefined): string {
    return calendarId === undefined || calendarId === this.address ? "primary" : calendarId;
  }
}

/** Unix milliseconds of an ISO time, or of the start of a day in UTC. */
export function momentOf(time: string): number {
  return Date.parse(time.length === 10 ? `${time}T00:00:00Z` : time);
}
