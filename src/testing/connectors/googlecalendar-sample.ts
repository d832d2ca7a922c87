/** A day to prepare for: two meetings that overlap, an all-day event, one in another time zone. */
import type { CalendarData } from "./calendar.ts";

export const CALENDAR_SAMPLE: CalendarData = {
  events: [
    { id: "standup", summary: "Stand-up", start: "2026-03-02T09:00:00Z", end: "2026-03-02T09:15:00Z" },
    {
      id: "contract",
      summary: "Contract with Ortiz & Partners",
      start: "2026-03-02T11:00:00+01:00",
      end: "2026-03-02T12:00:00+01:00",
      description: "Clause 7 <b>must</b> be settled.\nDial in: 555-0142",
      attendees: ["dana@partners.example", "legal@partners.example"],
      organizer: "dana@partners.example",
      meetingUrl: "https://meet.example/abc",
    },
    { id: "roof", summary: "Roofer", start: "2026-03-02T10:30:00Z", end: "2026-03-02T11:30:00Z", location: "Room 4" },
    { id: "fair", summary: "Book fair", start: "2026-03-02", end: "2026-03-05" },
    {
      id: "maybe",
      summary: "Drinks?",
      start: "2026-03-02T18:00:00Z",
      end: "2026-03-02T20:00:00Z",
      status: "tentative",
    },
  ],
};
